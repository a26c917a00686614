"""Events from files: one object, an array, or one object per line; with overrides and copies."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from webhooks_cli.errors import WrongUseError

# The field of each name in --set, by the shape of an event.
FLAT_FIELDS = {
    "tenantId": "tenant_id",
    "communityId": "community_id",
    "eventId": "event_id",
    "eventName": "event_name",
}
EVENTBRIDGE_FIELDS = {
    "tenantId": "detail.tenantId",
    "communityId": "detail.communityId",
    "eventId": "id",
    "eventName": "detail-type",
}

UUID_BYTES = 16


@dataclass(frozen=True, slots=True)
class EventText:
    """An event as it will be sent; `source` names it by its file and position."""

    source: str
    text: str
    group: str | None  # the tenant, where the event names one


def read_documents(text: str, source: str) -> list[tuple[str, Any]]:
    """Split a file's text into JSON documents, each with its source. Raises WrongUseError."""
    documents = []
    decoder = json.JSONDecoder(parse_float=Decimal)
    position = _skip_space(text, 0)
    while position < len(text):
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, ArithmeticError, RecursionError) as error:
            line = text.count("\n", 0, position) + 1
            raise WrongUseError(
                f"{source}: not JSON, in the document that begins at line {line}: {error}"
            ) from None
        documents += value if isinstance(value, list) else [value]
        position = _skip_space(text, position)
    if not documents:
        raise WrongUseError(f"{source}: holds no event; an event is a JSON object")
    if len(documents) == 1:
        return [(source, documents[0])]
    return [(f"{source}, event {number}", value) for number, value in enumerate(documents, start=1)]


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n\ufeff":
        position += 1
    return position


def parse_override(text: str) -> tuple[str, Any]:
    """Read `name=value`; the value is JSON where it reads as JSON, else text. Raises WrongUseError."""
    name, equals, value = text.partition("=")
    if not equals or not all(name.split(".")):
        raise WrongUseError(
            f"--set takes name=value, for instance tenantId=acme or data.amount=3; not {text}"
        )
    try:
        return name, json.loads(value, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        return name, value


def changed(event: Any, overrides: Sequence[tuple[str, Any]]) -> Any:
    """Return the event with its fields overridden; a dotted name reaches into objects.

    tenantId, communityId, eventId and eventName stand for the field of that meaning in this event's shape.
    """
    if not isinstance(event, dict):
        return event
    copy = deepcopy(event)
    fields = _fields(copy)
    for name, value in overrides:
        _put(copy, fields.get(name, name), value)
    return copy


def copies(event: Any, count: int, *, random_bytes: Callable[[int], bytes]) -> Iterator[Any]:
    """Yield `count` copies of the event, each with an id of its own."""
    for _ in range(count):
        yield changed(event, [("eventId", str(UUID(bytes=random_bytes(UUID_BYTES), version=4)))])


def event_text(source: str, event: Any) -> EventText:
    return EventText(source, write_json(event), _tenant(event))


def write_json(value: Any) -> str:
    """Write compact JSON; a Decimal is a number."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{write_json(each)}" for name, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(write_json, value)) + "]"
    return json.dumps(value)


def _fields(event: Mapping[str, Any]) -> Mapping[str, str]:
    if "detail-type" in event:
        detail = event.get("detail")
        if isinstance(detail, dict) and "tenant_id" in detail:
            return {
                **EVENTBRIDGE_FIELDS,
                "tenantId": "detail.tenant_id",
                "communityId": "detail.community_id",
            }
        return EVENTBRIDGE_FIELDS
    if "tenant_id" in event or "event_name" in event:
        # This shape takes either spelling of each field: the event keeps its own.
        return {
            name: name if name in event and flat not in event else flat for name, flat in FLAT_FIELDS.items()
        }
    return {}


def _put(event: dict[str, Any], name: str, value: Any) -> None:
    *path, last = name.split(".")
    for part in path:
        inner = event.setdefault(part, {})
        if not isinstance(inner, dict):
            raise WrongUseError(f"--set {name}: {part} is no object in this event")
        event = inner
    event[last] = value


def _tenant(event: Any) -> str | None:
    if not isinstance(event, dict):
        return None
    fields = event.get("detail") if "detail-type" in event else event
    if not isinstance(fields, dict):
        return None
    tenant = fields.get("tenantId", fields.get("tenant_id"))
    return tenant if isinstance(tenant, str) else None
