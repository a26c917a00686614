"""SQS as it promises to be, no better: at least once, in any order, hidden for a while, redriven in the end."""

from dataclasses import dataclass, field
from random import Random

VISIBILITY = 180  # seconds, as the template says
MAX_RECEIVES = 200  # as the template says
MAX_BATCH = 10


@dataclass(eq=False)
class Message:
    """A message; times in epoch seconds. `reason`: why it is dead, if a program said so."""

    id: str
    text: str
    sent_at: float
    visible_at: float
    reason: str | None = None
    receives: int = 0


@dataclass(eq=False)
class Queue:
    """A standard queue. `repeats`: the share of messages that it gives out once more than it must."""

    name: str
    random: Random
    dead: "Queue | None" = None
    repeats: float = 0
    messages: list[Message] = field(default_factory=list)
    repeated: set[str] = field(default_factory=set)
    sent: int = 0

    def put(self, text: str, *, now: float, delay: float = 0, reason: str | None = None) -> Message:
        self.sent += 1
        message = Message(f"{self.name}-{self.sent}", text, now, now + delay, reason)
        self.messages.append(message)
        return message

    def visible(self, now: float) -> list[Message]:
        return [message for message in self.messages if message.visible_at <= now]

    def next_at(self) -> float | None:
        """Return when something can be received next."""
        return min((message.visible_at for message in self.messages), default=None)

    def receive(self, now: float) -> list[Message]:
        """Receive some messages; those that came too often go to the dead-letter queue instead."""
        visible = self.visible(now)
        taken = self.random.sample(visible, min(len(visible), self.random.randint(1, MAX_BATCH)))
        received = []
        for message in taken:
            if self.dead is not None and message.receives >= MAX_RECEIVES:
                self.messages.remove(message)
                self.dead.messages.append(message)
                continue
            message.receives += 1
            if self._repeats():
                self.repeated.add(message.id)
            else:
                message.visible_at = now + VISIBILITY
            received.append(message)
        return received

    def delete(self, message: Message) -> bool:
        """Delete a message, unless it is to come once more; tells whether it is gone."""
        if message not in self.messages:
            return True
        if self._repeats():
            self.repeated.add(message.id)
            return False
        self.messages.remove(message)
        return True

    def _repeats(self) -> bool:
        return bool(self.repeats) and self.random.random() < self.repeats
