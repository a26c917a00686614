"""Entries of the delivery log for storage tests."""

from dataclasses import replace
from typing import Any

from webhooks.domain.delivery import Attempt, Delivery, delivery_id
from webhooks.domain.delivery_log import LogEntry, Outcome, log_key
from webhooks.domain.http import PhaseTimes
from webhooks.domain.scope import Scope

# OTHER was made before webhooks had shards of their log, and has one partition.
WEBHOOK, OTHER = "8123456789abcdef01234567", "0123456789abcdef01234568"
NORTH, SOUTH = Scope("acme", "north"), Scope("acme", "south")
TIME = 1_790_000_000_000
FAILED = Attempt(at=TIME, latency_ms=5, status=500, address="192.0.2.1", excerpt="oh no")
SUCCEEDED = Attempt(
    at=TIME, latency_ms=80, status=200, address="192.0.2.17", times=PhaseTimes(3, 14, 41, 79, 80)
)
REFUSED = Attempt(at=TIME + 30_000, latency_ms=0, reason="dns")


def entry(
    number: int,
    outcome: Outcome = Outcome.DELIVERED,
    *,
    webhook_id: str = WEBHOOK,
    scope: Scope = NORTH,
    **changes: Any,
) -> LogEntry:
    """Return the entry of the event with this number, which happened so many ms after TIME.

    `changes`: fields of the delivery, or of the entry.
    """
    of_entry = {name: changes.pop(name) for name in LogEntry.__slots__ if name in changes}
    event_id, log_time = changes.get("event_id", f"event {number}"), changes.get("log_time", TIME + number)
    delivery = Delivery(
        id=delivery_id(event_id, webhook_id, log_time=log_time),
        event_id=event_id,
        event_name="order.paid",
        log_time=log_time,
        body=f'{{"id":"event {number}"}}',
    )
    delivery = replace(delivery, **changes)
    made = LogEntry(log_key(webhook_id, delivery), delivery, scope, outcome, TIME + 500, reason="a reason")
    return replace(made, **of_entry)


def plain(number: int, **changes: Any) -> LogEntry:
    """Return the entry of a new delivery that succeeded at once: several of these share an item."""
    attempts = (replace(SUCCEEDED, at=TIME + number + 40, latency_ms=80 + number % 50),)
    return entry(number, **{"attempts": attempts, "reason": None, "is_new": True} | changes)


def as_read(made: LogEntry, *, has_payload: bool) -> LogEntry:
    """Return an entry as the log returns it."""
    return replace(made, delivery=replace(made.delivery, body=""), has_payload=has_payload, is_new=False)
