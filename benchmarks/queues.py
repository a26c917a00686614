"""SQS as it serves Lambda: standard queues, and their rule of fairness."""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random

from benchmarks.virtual_time import VirtualTime

# A group is noisy, by SQS's documentation, with more than this share of the messages in flight, of so many.
NOISY_SHARE, NOISY_FROM = 0.1, 30
VISIBILITY = 180  # seconds, as the template says
# From a message's arrival until Lambda can have it: a logarithmic normal with p50 16 ms and p99 105 ms.
HOP_MEDIAN, HOP_SIGMA = 0.016, 0.81


@dataclass(frozen=True, slots=True)
class Message:
    """A message; `sent_at` in epoch seconds; `receives` count the time that it is received next."""

    id: str
    text: str
    group: str
    sent_at: float
    receives: int = 1


@dataclass(eq=False)
class Queue:
    """A queue. `is_fair`: whether quiet groups go before noisy ones."""

    name: str
    time: VirtualTime
    random: Random
    is_fair: bool = True
    sent: int = 0
    waiting: dict[str, deque[Message]] = field(default_factory=dict)
    in_flight: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.on_message: Callable[[], None] = lambda: None

    def put(self, text: str, *, group: str, delay: float = 0) -> None:
        """Take a message."""
        self.sent += 1
        message = Message(f"{self.name}-{self.sent}", text, group, self.time.now)
        hop = HOP_MEDIAN * self.random.lognormvariate(0, HOP_SIGMA)
        self.time.at(self.time.now + delay + hop, lambda: self._appear(message))

    def receive(self, most: int) -> list[Message]:
        """Hand out the messages that have waited longest, of quiet groups first."""
        batch: list[Message] = []
        while len(batch) < most and (group := self._next_group()):
            batch.append(self.waiting[group].popleft())
            if not self.waiting[group]:
                del self.waiting[group]
            self.in_flight[group] += 1
        return batch

    def settle(self, batch: Iterable[Message], *, failed: set[str]) -> None:
        """Delete a batch, but for what failed: that appears again when its time is up."""
        for message in batch:
            self.in_flight[message.group] -= 1
            if message.id in failed:
                later = replace(message, receives=message.receives + 1)
                self.time.at(self.time.now + VISIBILITY, partial(self._appear, later))

    def _next_group(self) -> str | None:
        total = self.in_flight.total() if self.is_fair else 0

        def rank(group: str) -> tuple[bool, float]:
            is_noisy = total >= NOISY_FROM and self.in_flight[group] > NOISY_SHARE * total
            return is_noisy, self.waiting[group][0].sent_at

        return min(self.waiting, key=rank, default=None)

    def _appear(self, message: Message) -> None:
        self.waiting.setdefault(message.group, deque()).append(message)
        self.on_message()
