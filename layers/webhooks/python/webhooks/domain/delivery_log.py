"""What became of a delivery, as the attempt log keeps it."""

from dataclasses import dataclass
from enum import StrEnum

from webhooks.domain.delivery import Attempt, Delivery
from webhooks.domain.scope import Scope


class Outcome(StrEnum):
    """Where a delivery stands after the dispatcher saw it."""

    DELIVERED = "delivered"
    RETRYING = "retrying"
    DEAD = "dead"  # in the dead-letter queue, with its reason
    ENDED = "ended"  # its webhook was deleted or disabled: nobody waits for it

    @property
    def final(self) -> bool:
        """Tell whether no attempt follows."""
        return self is not Outcome.RETRYING


@dataclass(frozen=True, slots=True)
class LogKey:
    """Where the log keeps a delivery: known from its message alone. `log_time` in epoch ms."""

    webhook_id: str
    log_time: int
    delivery_id: str


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A delivery's line in the attempt log; `settled_at` in epoch ms."""

    delivery: Delivery
    webhook_id: str
    scope: Scope
    outcome: Outcome
    settled_at: int
    reason: str | None = None

    @property
    def key(self) -> LogKey:
        """Return where the log keeps it."""
        return log_key(self.webhook_id, self.delivery)


@dataclass(frozen=True, slots=True)
class Logged:
    """What is read back of a delivery's line, to know whether a message was settled before."""

    outcome: Outcome
    attempts: tuple[Attempt, ...]


def log_key(webhook_id: str, delivery: Delivery) -> LogKey:
    """Return where the log keeps a delivery."""
    return LogKey(webhook_id, delivery.log_time, delivery.id)
