"""The visible messages of a queue, and the order in which they are received.

Either any order at all, as SQS promises no other, or the one of fair queues, as SQS serves Lambda.
"""

from collections import Counter, deque
from dataclasses import dataclass
from random import Random
from typing import Protocol

from tests.simulation.clock import Timer

# A group is noisy, by SQS's documentation, with more than this share of the messages in flight, of so many.
NOISY_SHARE, NOISY_FROM = 0.1, 30


@dataclass(eq=False, slots=True)
class Message:
    """A message; `sent_at` in epoch seconds. `reason`: why it is dead, if a function said so."""

    id: str
    text: str
    group: str
    sent_at: float
    reason: str | None = None
    receives: int = 0
    hidden: Timer | None = None


class Order(Protocol):
    """The visible messages of a queue, and which of them are received next."""

    def add(self, message: Message) -> None:
        """Add a message that is visible now, and in flight no more."""

    def take(self, most: int) -> list[Message]:
        """Take the messages of a batch, which are in flight from now on."""

    def remove(self, message: Message) -> None:
        """Remove a message, visible or in flight."""

    def __len__(self) -> int:
        """Return how many are visible."""


class AnyOrder:
    """Any messages, and fewer than there are."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._visible: dict[str, Message] = {}

    def add(self, message: Message) -> None:
        self._visible[message.id] = message

    def take(self, most: int) -> list[Message]:
        count = min(len(self._visible), self._random.randint(1, most))
        taken = self._random.sample(list(self._visible.values()), count)
        for message in taken:
            del self._visible[message.id]
        return taken

    def remove(self, message: Message) -> None:
        self._visible.pop(message.id, None)

    def __len__(self) -> int:
        return len(self._visible)


class OldestFirst:
    """Whole batches of the messages that have waited longest; `is_fair`: those of quiet groups first."""

    def __init__(self, *, is_fair: bool) -> None:
        self._is_fair = is_fair
        self._visible: dict[str, deque[Message]] = {}
        self._in_flight: dict[str, str] = {}  # groups by message id
        self._groups_in_flight: Counter[str] = Counter()

    def add(self, message: Message) -> None:
        self._land(message)
        self._visible.setdefault(message.group, deque()).append(message)

    def take(self, most: int) -> list[Message]:
        batch: list[Message] = []
        while len(batch) < most and (group := self._next_group()) is not None:
            message = self._visible[group].popleft()
            if not self._visible[group]:
                del self._visible[group]
            self._in_flight[message.id] = group
            self._groups_in_flight[group] += 1
            batch.append(message)
        return batch

    def remove(self, message: Message) -> None:
        waiting = self._visible.get(message.group, deque())
        if not self._land(message) and message in waiting:
            waiting.remove(message)
            if not waiting:
                del self._visible[message.group]

    def __len__(self) -> int:
        return sum(map(len, self._visible.values()))

    def _land(self, message: Message) -> bool:
        """Count a message in flight no more; tells whether it was."""
        if self._in_flight.pop(message.id, None) is None:
            return False
        self._groups_in_flight[message.group] -= 1
        return True

    def _next_group(self) -> str | None:
        total = len(self._in_flight) if self._is_fair else 0

        def rank(group: str) -> tuple[bool, float]:
            is_noisy = total >= NOISY_FROM and self._groups_in_flight[group] > NOISY_SHARE * total
            return is_noisy, self._visible[group][0].sent_at

        return min(self._visible, key=rank, default=None)
