"""The delivery log's line of a delivery."""

from dataclasses import dataclass
from enum import StrEnum

from webhooks.domain.delivery import Attempt, Delivery
from webhooks.domain.scope import Scope


class Outcome(StrEnum):
    """Where a delivery stands after the dispatcher saw it."""

    DELIVERED = "delivered"
    RETRYING = "retrying"
    DEAD = "dead"  # in the dead-letter queue, with its reason
    ENDED = "ended"  # its webhook was deleted or disabled


@dataclass(frozen=True, slots=True)
class LogKey:
    """A delivery's key in the log: known from its message alone. `log_time` in epoch ms."""

    webhook_id: str
    log_time: int
    delivery_id: str


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A delivery's line in the delivery log; `settled_at` in epoch ms."""

    key: LogKey
    delivery: Delivery
    scope: Scope
    outcome: Outcome
    settled_at: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """The part of a delivery's line that tells whether a message was settled before."""

    outcome: Outcome
    attempts: tuple[Attempt, ...]


def log_key(webhook_id: str, delivery: Delivery) -> LogKey:
    """Return a delivery's key in the log."""
    return LogKey(webhook_id, delivery.log_time, delivery.id)
