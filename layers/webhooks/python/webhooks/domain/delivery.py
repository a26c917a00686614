"""A delivery: one event for one webhook, and the pack of them that travels in one message.

A pack's text is one line of JSON that describes the deliveries, then each delivery's callback body on a
line of its own: the bodies are copied, never parsed or escaped again, from fan-out to the endpoint.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from webhooks.domain.errors import MalformedPackError
from webhooks.domain.event import EARLIEST, LATEST, MAX_EVENT_ID, Event
from webhooks.domain.http import PhaseTimes
from webhooks.domain.scope import IDENTIFIER, Scope
from webhooks.domain.webhook import EVENT_NAME

MAX_PACK_DELIVERIES = 10
MAX_PACK_BYTES = 64 * 1024  # SQS bills each 64 KiB as a request
MAX_ATTEMPTS = 100  # three, and more where an operator redrives
DELIVERY_ID = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
DESCRIPTION_BYTES = 1024  # what a delivery takes of the first line at most: ids, name, no attempts yet


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP try, in the past: epoch ms, status or None with the reason why there was no answer.

    `times`: of its last call, within `latency_ms`, which is the whole attempt's.
    """

    at: int
    latency_ms: int
    status: int | None = None
    reason: str | None = None
    address: str | None = None
    excerpt: str | None = None
    location: str | None = None
    times: PhaseTimes | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event for a webhook; `attempts` are the tries so far, `body` is what is sent.

    `log_time`: when its event happened, in epoch ms, as the attempt log orders it (see Event).
    """

    id: str
    event_id: str
    event_name: str
    log_time: int
    body: str
    attempts: tuple[Attempt, ...] = ()

    def tried(self, attempt: Attempt) -> "Delivery":
        """Return the delivery after one more attempt."""
        return replace(self, attempts=(*self.attempts, attempt))


@dataclass(frozen=True, slots=True)
class Pack:
    """Deliveries of one webhook that travel together."""

    webhook_id: str
    scope: Scope
    deliveries: tuple[Delivery, ...]


def delivery_id(event_id: str, webhook_id: str) -> str:
    """Derive a delivery's id: a repeat of the event, by whomever, has the same one. It has no '.' in it."""
    both = f"{webhook_id}\n{event_id}".encode("utf-8", "surrogatepass")
    return f"{webhook_id}-{sha256(both).hexdigest()[:32]}"


def delivery_of(event: Event, webhook_id: str) -> Delivery:
    """Return the delivery of the event to the webhook, not yet tried."""
    return Delivery(
        id=delivery_id(event.id, webhook_id),
        event_id=event.id,
        event_name=event.name,
        log_time=event.log_time,
        body=event.body,
    )


def pack_deliveries(webhook_id: str, scope: Scope, *, deliveries: Iterable[Delivery]) -> Iterator[Pack]:
    """Put the deliveries of one webhook into as few packs as the limits allow, in their order.

    A delivery larger than a pack's limit travels alone. The same delivery twice, of one time, travels once.
    """
    pack: list[Delivery] = []
    size = 0
    for delivery in {(each.id, each.log_time): each for each in deliveries}.values():
        weight = len(delivery.body.encode()) + DESCRIPTION_BYTES
        if pack and (len(pack) == MAX_PACK_DELIVERIES or size + weight > MAX_PACK_BYTES):
            yield Pack(webhook_id, scope, tuple(pack))
            pack, size = [], 0
        pack.append(delivery)
        size += weight
    if pack:
        yield Pack(webhook_id, scope, tuple(pack))


def encode_pack(pack: Pack) -> str:
    """Write a pack as the text of one message, without what answers say: that is for the log."""
    head = {
        "webhookId": pack.webhook_id,
        "tenantId": pack.scope.tenant_id,
        "communityId": pack.scope.community_id,
        "deliveries": [
            {
                "id": delivery.id,
                "eventId": delivery.event_id,
                "eventName": delivery.event_name,
                "logTime": delivery.log_time,
                "attempts": attempts_to_json(
                    [replace(each, excerpt=None, location=None, times=None) for each in delivery.attempts]
                ),
            }
            for delivery in pack.deliveries
        ],
    }
    return "\n".join(
        (json.dumps(head, separators=(",", ":")), *(delivery.body for delivery in pack.deliveries))
    )


def decode_pack(text: str) -> Pack:
    """Read what `encode_pack` wrote. Raises MalformedPackError."""
    head_line, *bodies = text.split("\n")
    try:
        head = json.loads(head_line)
        deliveries = tuple(
            Delivery(
                id=str(entry["id"]),
                event_id=str(entry["eventId"]),
                event_name=str(entry["eventName"]),
                log_time=int(entry["logTime"]),
                body=body,
                attempts=attempts_from_json(entry["attempts"]),
            )
            for entry, body in zip(head["deliveries"], bodies, strict=True)
        )
        pack = Pack(
            str(head["webhookId"]), Scope(str(head["tenantId"]), str(head["communityId"])), deliveries
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise MalformedPackError(
            "not a pack of deliveries: a line of JSON that describes them, then a line for each one's body"
        ) from None
    if not deliveries:
        raise MalformedPackError("a pack with no deliveries")
    if not _is_storable(pack):
        raise MalformedPackError("a pack with an id, a name or a time that no delivery has")
    return pack


def _is_storable(pack: Pack) -> bool:
    """Tell whether its names can be keys and its log lines short: one that cannot fails its whole batch."""
    owners = (pack.webhook_id, pack.scope.tenant_id, pack.scope.community_id)
    return all(IDENTIFIER.fullmatch(owner) for owner in owners) and all(
        DELIVERY_ID.fullmatch(each.id)
        and len(each.event_id) <= MAX_EVENT_ID
        and EVENT_NAME.fullmatch(each.event_name)
        and EARLIEST <= each.log_time // 1000 <= LATEST
        and len(each.attempts) <= MAX_ATTEMPTS
        for each in pack.deliveries
    )


def attempts_to_json(attempts: Sequence[Attempt]) -> list[dict[str, Any]]:
    """Write attempts for a message or a log item; what is None is left out."""
    return [
        {
            name: value
            for name, value in (
                ("at", attempt.at),
                ("latencyMs", attempt.latency_ms),
                ("status", attempt.status),
                ("reason", attempt.reason),
                ("address", attempt.address),
                ("excerpt", attempt.excerpt),
                ("location", attempt.location),
                ("timesMs", attempt.times),
            )
            if value is not None
        }
        for attempt in attempts
    ]


def attempts_from_json(entries: Iterable[dict[str, Any]]) -> tuple[Attempt, ...]:
    """Read what `attempts_to_json` wrote."""
    return tuple(
        Attempt(
            at=int(entry["at"]),
            latency_ms=int(entry["latencyMs"]),
            status=entry.get("status"),
            reason=entry.get("reason"),
            address=entry.get("address"),
            excerpt=entry.get("excerpt"),
            location=entry.get("location"),
            times=PhaseTimes(*map(int, times)) if (times := entry.get("timesMs")) else None,
        )
        for entry in entries
    )
