"""The text of a message that carries a pack, and the JSON of attempts in a message and in the delivery log.

A pack's text is one line of JSON that describes the deliveries, then each delivery's callback body on a
line of its own: the bodies are copied, never parsed or escaped again, from fan-out to the endpoint.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from webhooks.domain.delivery import (
    DELIVERY_ID,
    Attempt,
    Delivery,
    Pack,
    Release,
    ReleaseKind,
    without_details,
)
from webhooks.domain.errors import MalformedPackError
from webhooks.domain.event import is_event_of
from webhooks.domain.forms import PACK, VERSION
from webhooks.domain.http import PhaseTimes
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import WEBHOOK_ID

MAX_ATTEMPTS = 100  # in a message: KEPT_ATTEMPTS, and more in messages of earlier versions
RELEASE_ID = re.compile(r"[0-9a-f]{24}", re.ASCII)


def encode_pack(pack: Pack) -> str:
    """Write a pack as the text of one message, without the texts of responses, which only the log keeps."""
    head = {
        "webhookId": pack.webhook_id,
        "tenantId": pack.scope.tenant_id,
        "communityId": pack.scope.community_id,
        **({"release": [pack.release.kind.value, pack.release.id]} if pack.release else {}),
        **({"due": pack.due} if pack.due is not None else {}),
        **({"sentAt": pack.sent_at} if pack.sent_at is not None else {}),
        **({"again": True} if pack.again else {}),
        **({"version": pack.version} if pack.version is not None else {}),
        **({"lookedTo": pack.looked_to} if pack.looked_to is not None else {}),
        "deliveries": [
            {
                "id": delivery.id,
                "eventId": delivery.event_id,
                "eventName": delivery.event_name,
                "logTime": delivery.log_time,
                "attempts": attempts_to_json([without_details(each) for each in delivery.attempts]),
                **({"earlier": delivery.earlier} if delivery.earlier else {}),
                **({"marked": True} if delivery.is_marked else {}),
            }
            for delivery in pack.deliveries
        ],
    }
    return "\n".join(
        (json.dumps(head, separators=(",", ":")), *(delivery.body for delivery in pack.deliveries))
    )


def decode_pack(text: str) -> Pack:
    """Read a text of `encode_pack`. Raises MalformedPackError, NewerFormError."""
    head_line, *bodies = text.split("\n")
    try:
        head = json.loads(head_line)
        PACK.require_known(head.get(VERSION, 1))
        deliveries = tuple(
            Delivery(
                id=str(entry["id"]),
                event_id=str(entry["eventId"]),
                event_name=str(entry["eventName"]),
                log_time=int(entry["logTime"]),
                body=body,
                attempts=attempts_from_json(entry["attempts"]),
                earlier=int(entry.get("earlier", 0)),
                is_marked=entry.get("marked") is True,
            )
            for entry, body in zip(head["deliveries"], bodies, strict=True)
        )
        pack = Pack(
            str(head["webhookId"]),
            Scope(str(head["tenantId"]), str(head["communityId"])),
            deliveries,
            release=_release(head.get("release")),
            due=int(head["due"]) if head.get("due") is not None else None,
            sent_at=int(head["sentAt"]) if head.get("sentAt") is not None else None,
            again=bool(head.get("again")),
            version=int(head["version"]) if head.get("version") is not None else None,
            looked_to=str(head["lookedTo"]) if head.get("lookedTo") is not None else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise MalformedPackError(
            "not a pack of deliveries: a line of JSON that describes them, then a line for each one's body"
        ) from None
    if not deliveries:
        raise MalformedPackError("a pack with no deliveries")
    if not _is_storable(pack):
        raise MalformedPackError("a pack with an id, a name or a time that no delivery has")
    return pack


def _release(values: Any) -> Release | None:
    """Read a release. Raises ValueError, TypeError."""
    if values is None:
        return None
    kind, release_id = values
    if not RELEASE_ID.fullmatch(release_id):
        raise ValueError("not a replay's id")
    return Release(ReleaseKind(kind), release_id)


def _is_storable(pack: Pack) -> bool:
    """Tell whether its names can be keys and its log lines short: another would fail its whole batch."""
    return bool(WEBHOOK_ID.fullmatch(pack.webhook_id)) and all(
        is_event_of(pack.scope, event_id=each.event_id, name=each.event_name, log_time=each.log_time)
        and (parts := DELIVERY_ID.fullmatch(each.id))
        and parts[1] == pack.webhook_id
        and int(parts[2], 16) == max(0, each.log_time)
        and len(each.attempts) <= MAX_ATTEMPTS
        and each.earlier >= 0
        for each in pack.deliveries
    )


def attempts_to_json(attempts: Sequence[Attempt]) -> list[dict[str, Any]]:
    """Write attempts for a message or a log item, without fields that are None."""
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
    """Read the JSON of `attempts_to_json`."""
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
