"""The delivery log's line of a delivery."""

from collections.abc import Collection
from dataclasses import replace
from enum import StrEnum

from webhooks.domain.delivery import DELIVERY_ID, Attempt, Delivery, without_details
from webhooks.domain.scope import Scope
from webhooks.domain.values import value_type


class Outcome(StrEnum):
    """Where a delivery stands after the dispatcher saw it."""

    DELIVERED = "delivered"
    RETRYING = "retrying"
    DEAD = "dead"  # in the dead-letter queue, with its reason
    HELD = "held"  # not attempted while its webhook is paused or its endpoint is down; sent later
    SKIPPED = "skipped"  # its webhook was deleted or disabled


UNDELIVERED = (Outcome.RETRYING, Outcome.DEAD, Outcome.HELD)  # these are in the log's indexes
KEPT = (Outcome.DEAD, Outcome.HELD)  # payloads of these are kept in any case


class PayloadStep(StrEnum):
    """The log's change of a delivery's payload; `leave`: it is kept, and stays."""

    WRITE = "write"
    LEAVE = "leave"
    DELETE = "delete"
    NONE = "none"  # it is not kept, and was not


class Mark(StrEnum):
    """A delivery that no new event caused."""

    TEST = "test"
    REPLAY = "replay"


@value_type(frozen=True, slots=True)
class LogKey:
    """A delivery's key in the log, known from its message and from its id; `log_time` in epoch ms, from 0."""

    webhook_id: str
    log_time: int
    delivery_id: str


@value_type(frozen=True, slots=True)
class LogEntry:
    """A delivery's line in the delivery log; `settled_at` in epoch ms.

    `next_at`: of a retry, in epoch ms. `is_recoverable`: a dead one that is sent once more when its endpoint
    responds again. `has_payload`: the log has kept its payload so far. A line that is read has no body.
    `is_new`: no release sent it, the log had nothing of it when its batch was read, and fan-out recognises a
    repeat of its event: it can do without a key of its own.
    """

    key: LogKey
    delivery: Delivery
    scope: Scope
    outcome: Outcome
    settled_at: int
    reason: str | None = None
    next_at: int | None = None
    mark: Mark | None = None
    is_recoverable: bool = False
    has_payload: bool = False
    is_new: bool = False


@value_type(frozen=True, slots=True)
class Logged:
    """The part of a delivery's line that tells whether a message was settled before.

    `tries`: all its attempts; `attempts`: the last of them.
    """

    outcome: Outcome
    attempts: tuple[Attempt, ...]
    tries: int = 0
    is_recoverable: bool = False
    has_payload: bool = False

    @property
    def is_backlog(self) -> bool:
        """Whether it waits for its webhook to take deliveries again."""
        return self.outcome is Outcome.HELD or self.is_recoverable


LATEST = 2**48 - 1  # epoch ms: no event is later


@value_type(frozen=True, slots=True)
class LogQuery:
    """Deliveries of a webhook, or the undelivered of its whole community where `webhook_id` is None.

    By the times of their events, `since` and `until` included, in epoch ms. `is_recoverable`: of a webhook's
    dead ones only those that are recoverable.
    """

    scope: Scope
    webhook_id: str | None
    outcome: Outcome | None = None
    event_name: str | None = None
    since: int = 0
    until: int = LATEST
    is_recoverable: bool = False


@value_type(frozen=True, slots=True)
class LogPage:
    """A page of the log. `last`: the key after which the next page begins, None at the end.

    A page that filters may have fewer entries than were asked for, although others follow. `reach`: how many
    ms newer than `last` the newest shared item is that has deliveries of the next page; None: not known.
    """

    entries: tuple[LogEntry, ...]
    last: LogKey | None
    reach: int | None = None


@value_type(frozen=True, slots=True)
class LogCount:
    """How many deliveries a query finds, and how many of them have no payload.

    `is_exact`: all were counted.
    """

    deliveries: int
    without_payload: int
    is_exact: bool


def payload_step(entry: LogEntry, kept: Collection[Outcome]) -> PayloadStep:
    """Return what becomes of a payload; `kept`: the outcomes with which payloads are kept.

    What is kept stays until its delivery is delivered: it is tried again meanwhile. One that is dead or held
    is written each time, so that it stays as long as its line. A line that was read has no body to write.
    """
    if entry.delivery.body and entry.outcome in kept and (entry.outcome in KEPT or not entry.has_payload):
        return PayloadStep.WRITE
    if not entry.has_payload:
        return PayloadStep.NONE
    if entry.outcome is Outcome.DELIVERED and Outcome.DELIVERED not in kept:
        return PayloadStep.DELETE
    return PayloadStep.LEAVE


def with_details(delivery: Delivery, known: Logged | None) -> Delivery:
    """Return a delivery with what only the log has of its earlier attempts: texts of responses, and times."""
    if known is None or not known.attempts:
        return delivery
    detailed = {without_details(each): each for each in known.attempts}
    return replace(delivery, attempts=tuple(detailed.get(each, each) for each in delivery.attempts))


def log_key(webhook_id: str, delivery: Delivery) -> LogKey:
    """Return a delivery's key in the log."""
    return LogKey(webhook_id, max(0, delivery.log_time), delivery.id)


def log_key_of(delivery_id: str) -> LogKey | None:
    """Read the key of the delivery with this id; None for a text that is no delivery's id."""
    parts = DELIVERY_ID.fullmatch(delivery_id)
    return LogKey(parts[1], int(parts[2], 16), delivery_id) if parts else None
