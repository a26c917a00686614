"""An event as a producer publishes it: three shapes in, one callback body out."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from webhooks.domain.errors import InvalidEventError
from webhooks.domain.json_text import UTF_8, JsonObject, compact, read_object
from webhooks.domain.scope import IDENTIFIER, IDENTIFIER_RULE, Scope
from webhooks.domain.timestamps import epoch_seconds, seconds_of
from webhooks.domain.values import value_type
from webhooks.domain.webhook import EVENT_NAME, EVENT_NAME_RULE

# A message carries the body and up to 8 KiB beside it, within the queue's 1 MiB.
MAX_BODY_BYTES = 1024 * 1024 - 8192
MAX_EVENT_ID = 256
# 0001-01-01 and 9999-12-31, in epoch seconds: the range of a date.
EARLIEST, LATEST = -62_135_596_800, 253_402_300_799
# Lone surrogates have no UTF-8, and SQS takes no non-characters: both are sent as JSON escapes.
UNSENDABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")
_text: Final = UTF_8.encode


@value_type(frozen=True, slots=True)
class Event:
    """An event of a community. `body`: the callback's JSON text, in one line.

    `data` is for matching, with numbers as int or Decimal; the body holds a copy of it as it was published.

    `log_time`: epoch ms, the same for every repeat of the event by its producer: the event's own time, 0 for
    an event with an id and no time, the queue's time for an event with neither: each message is a new one.
    """

    id: str
    name: str
    scope: Scope
    log_time: int
    data: Mapping[str, Any]
    body: str


def parse_event(text: str, *, message_id: str, sent_at: int) -> Event:
    """Read one message of the events queue.

    `message_id` and `sent_at` (epoch ms) are the id and the time of an event that has none.
    Raises InvalidEventError, whose text names the fault and the rule.
    """
    message = _read(text)
    fields = message.values
    if "detail-type" in fields:
        name, event_id, when = fields["detail-type"], fields.get("id"), fields.get("time")
        data = scope_fields = _object(fields, "detail")
        copy = message.copy_of("detail")
    elif "tenant_id" in fields or "event_name" in fields:
        name, event_id = fields.get("event_name", fields.get("eventName")), fields.get("event_id")
        data, scope_fields, when = fields, fields, fields.get("event_ts")
        copy = compact(text)
    else:
        name, event_id, when = fields.get("eventName"), fields.get("eventId"), fields.get("occurredAt")
        data, scope_fields = _object(fields, "data"), fields
        copy = message.copy_of("data")
    if not isinstance(name, str) or not EVENT_NAME.fullmatch(name):
        raise InvalidEventError(f"eventName (or event_name, detail-type): must be {EVENT_NAME_RULE}")
    scope = Scope(
        _scope_id(scope_fields, "tenantId", spelled="tenant_id"),
        _scope_id(scope_fields, "communityId", spelled="community_id"),
    )
    if event_id is None:
        event_id, default_time = message_id, sent_at
    else:
        default_time = 0
    if not is_event_id(event_id):
        raise InvalidEventError(
            f"eventId (or event_id, id): must be a string of 1 to {MAX_EVENT_ID} characters"
        )
    occurred_at = sent_at if when is None else read_time(when)
    body = _body(event_id, name, scope, occurred_at=occurred_at, data=copy)
    log_time = default_time if when is None else occurred_at
    return Event(id=event_id, name=name, scope=scope, log_time=log_time, data=data, body=body)


def _read(text: str) -> JsonObject:
    try:
        return read_object(text)
    except (ValueError, RecursionError) as error:
        raise InvalidEventError(f"the message is not JSON, or not an object: {str(error)[:120]}") from None
    except ArithmeticError:
        raise InvalidEventError("the message has a number whose exponent is too large") from None


def _object(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields.get(name)
    if not isinstance(value, dict):
        raise InvalidEventError(f"{name}: must be an object")
    return value


def _scope_id(scope_fields: Mapping[str, Any], name: str, *, spelled: str) -> str:
    value = scope_fields.get(name, scope_fields.get(spelled))
    if not isinstance(value, str) or not IDENTIFIER.fullmatch(value):
        raise InvalidEventError(f"{name} (or {spelled}): must be {IDENTIFIER_RULE}")
    return value


def read_time(when: Any) -> int:
    """Return a time in epoch ms, of a text, of epoch seconds or of epoch milliseconds.

    Raises InvalidEventError.
    """
    seconds: float | None = None
    if isinstance(when, str):
        seconds = epoch_seconds(when)
    elif (
        isinstance(when, int | Decimal)
        and not isinstance(when, bool)
        and -LATEST * 1000 <= when <= LATEST * 1000
    ):
        seconds = seconds_of(float(when))
    if seconds is None or not EARLIEST <= seconds <= LATEST:
        raise InvalidEventError(
            "occurredAt (or event_ts, time): must be a time as RFC 3339 and ISO 8601 write it, "
            "such as 2026-01-15T09:30:00Z, or epoch seconds or milliseconds"
        )
    return round(seconds * 1000)


def _body(event_id: str, name: str, scope: Scope, *, occurred_at: int, data: str) -> str:
    body = (
        f'{{"id":{_text(event_id)},"type":{_text(name)},"timestamp":"{iso_time(occurred_at)}",'
        f'"tenantId":"{scope.tenant_id}","communityId":"{scope.community_id}","data":{data}}}'
    )
    body = _sendable(body)
    if len(body) * 4 > MAX_BODY_BYTES and len(body.encode()) > MAX_BODY_BYTES:
        raise InvalidEventError(f"the event is too large: its callback may have {MAX_BODY_BYTES} bytes")
    return body


def _sendable(text: str) -> str:
    if text.isascii():
        return text
    return UNSENDABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def write_event(event_id: str, name: str, scope: Scope, *, occurred_at: int, data: str) -> str:
    """Write an event in the native shape. `data`: JSON text of an object; `occurred_at` in epoch ms."""
    return (
        f'{{"eventName":{json.dumps(name)},"eventId":{json.dumps(event_id)},"tenantId":"{scope.tenant_id}",'
        f'"communityId":"{scope.community_id}","occurredAt":"{iso_time(occurred_at)}","data":{_sendable(data)}}}'
    )


def is_event_id(event_id: Any) -> bool:
    """Tell whether an event can have this id."""
    return isinstance(event_id, str) and 0 < len(event_id) <= MAX_EVENT_ID


def is_event_of(scope: Scope, *, event_id: str, name: str, log_time: int) -> bool:
    """Tell whether `parse_event` can have made these: a message of ours is read with this rule."""
    return bool(
        IDENTIFIER.fullmatch(scope.tenant_id)
        and IDENTIFIER.fullmatch(scope.community_id)
        and EVENT_NAME.fullmatch(name)
        and 0 < len(event_id) <= MAX_EVENT_ID
        and EARLIEST <= log_time // 1000 <= LATEST
    )


def iso_time(epoch_ms: int) -> str:
    """Write epoch milliseconds as ISO 8601 in UTC, e.g. 2026-11-23T22:24:38.123Z."""
    seconds, milliseconds = divmod(epoch_ms, 1000)
    return f"{_second(seconds)}.{milliseconds:03d}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    """Write epoch seconds. Events of a batch are mostly of the same few."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
