"""Poison: a message on which our own code fails, or that ends the process which reads it. Pure."""

from collections.abc import Callable, Iterable
from typing import Protocol

# Five hours at a visibility timeout of three minutes: a broken release is rolled back by then, and its
# messages are good. A fault at one message alone costs an invocation every three minutes until then.
POISON_RECEIVES = 100


class ReceivedMessage(Protocol):
    """A message of a queue."""

    @property
    def receives(self) -> int:
        """Return how often it was received, this time included."""


def poison_reason(error: Exception, receives: int) -> str | None:
    """Say why a message is poison that was received so often and failed again; None where it comes again."""
    if receives < POISON_RECEIVES:
        return None
    return f"not processed: {type(error).__name__} after {receives} receives"


def least_received_first[M: ReceivedMessage](messages: Iterable[M], rng: Callable[[], float]) -> list[M]:
    """Return messages in the order in which suspects are worked on: of equal receives in random order.

    Poison is received more often than its victims; the random order leaves no victim behind the same poison.
    """
    return sorted(messages, key=lambda message: (message.receives, rng()))
