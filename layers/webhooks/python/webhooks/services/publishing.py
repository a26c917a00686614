"""Publishes an event to the events queue, with an id and a time that exact repeats of the request share."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import field
from typing import Any

from signing import SigningError, unseal
from webhooks.domain.caller import Caller
from webhooks.domain.errors import InvalidEventError, InvalidInputError
from webhooks.domain.event import is_event_id, parse_event, read_time, write_event
from webhooks.domain.json_text import JsonObject, compact, read_object
from webhooks.domain.values import value_type
from webhooks.ports import Clock, EventPublisher
from webhooks.services.idempotency import CommunityRequest

NO_ENVELOPE = "data: must be a JSON object, or an envelope that the keys of this request's headers open"
NO_OBJECT = "data: must be a JSON object; the text in the envelope is none"
ID_LENGTH = 32  # of an id that follows from the request, in hex characters


@value_type(frozen=True, slots=True)
class Publication:
    """An event to publish. `data`: JSON text of an object, or of a string that is an envelope of one.

    `event_id` and `occurred_at` (epoch ms) are None where the request does not give them.
    """

    name: str
    data: str = field(repr=False)
    event_id: str | None = None
    occurred_at: int | None = None


class Publishing:
    """Publishes events of the community in the request's path, whatever their data says."""

    def __init__(self, *, publisher: EventPublisher, clock: Clock) -> None:
        self._publisher = publisher
        self._clock = clock

    def publish(self, request: CommunityRequest, publication: Publication) -> str:
        """Publish an event; return its id. Raises InvalidInputError, UnavailableError."""
        data = _open(request.caller, publication.data)
        event_id = publication.event_id or _own_id(data.values) or request.idempotency_key[:ID_LENGTH]
        text = write_event(
            event_id,
            publication.name,
            request.scope,
            occurred_at=self._occurred_at(request.caller, publication, data.values),
            data=compact(data.text),
        )
        try:
            parse_event(text, message_id=event_id, sent_at=0)
        except InvalidEventError as error:
            raise InvalidInputError([f"data: {error}"]) from None
        self._publisher.publish(request.scope, text)
        return event_id

    def _occurred_at(self, caller: Caller, publication: Publication, data: Mapping[str, Any]) -> int:
        if publication.occurred_at is not None:
            return publication.occurred_at
        with suppress(InvalidEventError):  # `event_ts` may be another thing in this data
            if "event_ts" in data:
                return read_time(data["event_ts"])
        return round((self._clock() if caller.request_ts is None else caller.request_ts) * 1000)


def _own_id(data: Mapping[str, Any]) -> str | None:
    event_id = data.get("event_id")
    return event_id if is_event_id(event_id) else None


def _open(caller: Caller, text: str) -> JsonObject:
    """Return the data with its text as it was sent. Raises InvalidInputError, which quotes nothing of it."""
    problem = NO_ENVELOPE
    try:
        if text.startswith('"'):
            text = unseal(caller.shared_key, read_object(f'{{"":{text}}}').values[""])
            problem = NO_OBJECT
        return read_object(text)
    except (SigningError, ValueError, ArithmeticError, RecursionError):
        raise InvalidInputError([problem]) from None
