"""Responses about deliveries."""

from typing import Any

from webhooks.domain.delivery import Attempt
from webhooks.domain.delivery_log import LogEntry, LogPage
from webhooks.domain.event import iso_time
from webhooks.domain.http import PhaseTimes
from webhooks.domain.json_text import write_json
from webhooks.entrypoints.api.schemas.delivery_out import (
    AttemptOut,
    DeliveriesOut,
    DeliveryOut,
    ShownAttemptOut,
    ShownDeliveryOut,
    TimesOut,
)
from webhooks.entrypoints.api.schemas.webhook_out import Out
from webhooks.services.delivery_log import FoundDelivery
from webhooks.services.sent_headers import sent_headers


def deliveries_page(page: LogPage, *, cursor: str | None) -> str:
    """Write a page of the log. `cursor`: of the next one."""
    return write_json(DeliveriesOut.of(None, data=list(map(delivery_fields, page.entries)), cursor=cursor))


def delivery(found: FoundDelivery) -> str:
    """Write a delivery with its payload, which is copied as it is sent."""
    entry, payload = found.entry, found.payload
    attempts = [
        _attempt(
            ShownAttemptOut, attempt, number, request_headers=sent_headers(entry, number, payload=payload)
        )
        for number, attempt in _numbered(entry)
    ]
    text = write_json(_delivery(ShownDeliveryOut, entry, attempts=attempts, payload=None))
    return text if payload is None else f'{text[:-1]},"payload":{payload}}}'


def delivery_fields(entry: LogEntry) -> dict[str, Any]:
    """Return a delivery as a JSON object."""
    attempts = [_attempt(AttemptOut, attempt, number) for number, attempt in _numbered(entry)]
    return _delivery(DeliveryOut, entry, attempts=attempts)


def times_fields(times: PhaseTimes | None) -> dict[str, Any] | None:
    """Return the times of a call's phases as a JSON object."""
    if times is None:
        return None
    return TimesOut.of(None, **{f"{name}_ms": value for name, value in times._asdict().items()})


def _delivery(model: type[Out], entry: LogEntry, **more: Any) -> dict[str, Any]:
    made = entry.delivery
    return model.of(
        entry,
        delivery_id=made.id,
        webhook_id=entry.key.webhook_id,
        event_id=made.event_id,
        event_name=made.event_name,
        occurred_at=iso_time(made.log_time),
        outcome=entry.outcome.value,
        settled_at=iso_time(entry.settled_at),
        next_attempt_at=iso_time(entry.next_at) if entry.next_at is not None else None,
        mark=entry.mark and entry.mark.value,
        recoverable=entry.is_recoverable or None,
        attempt_count=made.tries,
        payload_kept=entry.has_payload,
        **more,
    )


def _attempt(model: type[Out], attempt: Attempt, number: int, **more: Any) -> dict[str, Any]:
    return model.of(
        attempt,
        number=number,
        at=iso_time(attempt.at),
        times=times_fields(attempt.times),
        response=attempt.excerpt,
        **more,
    )


def _numbered(entry: LogEntry) -> list[tuple[int, Attempt]]:
    return list(enumerate(entry.delivery.attempts, entry.delivery.earlier + 1))
