"""SQS: standard queues, at least once, each message hidden for a while when received, and redriven in the end."""

from collections.abc import Callable
from functools import partial

from tests.simulation.clock import SimulatedClock
from tests.simulation.queue_orders import Message, Order

VISIBILITY = 180  # seconds, as the template says; five more in two of its queues
MAX_RECEIVES = 200  # as the template says
MAX_BATCH = 10
BATCHES = {"recovery": 1}  # messages of a batch, as the template says; MAX_BATCH of other queues


class Queue:
    """A queue on a simulated clock. `repeats`: whether a message is now given out once more than necessary.

    `hop`: the seconds from a message's arrival until it can be received.
    """

    def __init__(
        self,
        name: str,
        *,
        clock: SimulatedClock,
        order: Order,
        dead: "Queue | None" = None,
        repeats: Callable[[], bool] = lambda: False,
        hop: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.name = name
        self._clock = clock
        self._order = order
        self._dead = dead
        self._repeats = repeats
        self._hop = hop
        self._messages: dict[str, Message] = {}
        self.sent = 0
        self.repeated: set[str] = set()
        self.on_visible: Callable[[], None] = lambda: None

    @property
    def messages(self) -> list[Message]:
        """All messages that are not deleted, whether they can be received or not."""
        return list(self._messages.values())

    @property
    def visible(self) -> int:
        """How many messages can be received now."""
        return len(self._order)

    def put(self, text: str, *, group: str = "", delay: float = 0, reason: str | None = None) -> Message:
        self.sent += 1
        message = Message(f"{self.name}-{self.sent}", text, group, self._clock.now, reason)
        self._messages[message.id] = message
        self._hide(message, delay + self._hop())
        return message

    def receive(self) -> list[Message]:
        """Receive some messages; those that came too often go to the dead-letter queue instead."""
        received = []
        for message in self._order.take(BATCHES.get(self.name, MAX_BATCH)):
            if self._dead is not None and message.receives >= MAX_RECEIVES:
                self._remove(message)
                self._dead.redrive(message)
                continue
            message.receives += 1
            if self._repeats():
                self.repeated.add(message.id)
                self._appear(message)
            else:
                self._hide(message, VISIBILITY)
            received.append(message)
        return received

    def redrive(self, message: Message) -> None:
        """Take over another queue's message."""
        self._messages[message.id] = message
        self._appear(message)

    def delete(self, message: Message) -> bool:
        """Delete a message, unless it is to come once more; tells whether it is gone."""
        if message.id not in self._messages:
            return True
        if self._repeats():
            self.repeated.add(message.id)
            return False
        self._remove(message)
        return True

    def find(self, message_id: str) -> Message | None:
        return self._messages.get(message_id)

    def _remove(self, message: Message) -> None:
        if message.hidden is not None:
            message.hidden.cancel()
        self._order.remove(message)
        del self._messages[message.id]

    def _hide(self, message: Message, seconds: float) -> None:
        if seconds > 0:
            message.hidden = self._clock.at(self._clock.now + seconds, partial(self._appear, message))
        else:
            self._appear(message)

    def _appear(self, message: Message) -> None:
        message.hidden = None
        self._order.add(message)
        self.on_visible()
