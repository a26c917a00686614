"""The request that explains an event."""

import hashlib
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, WithJsonSchema

from webhooks.domain.errors import InvalidEventError, InvalidInputError
from webhooks.domain.event import MAX_EVENT_ID, parse_event
from webhooks.domain.json_text import JsonObject
from webhooks.domain.scope import Scope
from webhooks.entrypoints.api.cursors import REFUSED, QueryParts, read_cursor, write_cursor
from webhooks.entrypoints.api.schemas import fields
from webhooks.entrypoints.api.schemas.base import ApiModel, explain, invalid
from webhooks.services.explanation import Place, Question

ONE_WAY: Final = "event: give the event whole, or eventId and eventName, and occurredAt where it has a time"
_NO_ID: Final = "the id of an event without one"


def _event(value: Any) -> Any:
    if value is not None and not isinstance(value, dict):
        raise invalid("must be an event: a JSON object")
    return value


class ExplainIn(ApiModel):
    """An event, whole or by its id, name and time."""

    event: Annotated[
        Any, AfterValidator(_event), WithJsonSchema({"type": ["object", "null"]}), Field(repr=False)
    ] = None
    event_id: (
        Annotated[
            str,
            Field(min_length=1, max_length=MAX_EVENT_ID),
            explain(f"must be a string of 1 to {MAX_EVENT_ID} characters"),
        ]
        | None
    ) = None
    event_name: fields.EventName | None = None
    occurred_at: fields.Time | None = None
    cursor: Annotated[str, explain("must be the cursor of the page before")] | None = None

    def question(self, scope: Scope, body: JsonObject) -> Question:
        """Return the question; `body`: the text of the event. Raises InvalidInputError."""
        parts = (self.event_id, self.event_name)
        if self.event is None:
            if self.event_id is None or self.event_name is None:
                raise InvalidInputError([ONE_WAY])
            return Question(scope, self.event_name, self.event_id, self.occurred_at or 0)
        if any(part is not None for part in (*parts, self.occurred_at)):
            raise InvalidInputError([ONE_WAY])
        try:
            event = parse_event(body.copy_of("event"), message_id=_NO_ID, sent_at=0)
        except InvalidEventError as error:
            raise InvalidInputError([f"event: {error}"]) from None
        if event.scope != scope:
            raise InvalidInputError(["event: its tenant and community must be those of the path"])
        event_id = None if event.id is _NO_ID else event.id
        return Question(scope, event.name, event_id, event.log_time, event)

    def place(self, question: Question) -> Place:
        """Return where the page begins. Raises InvalidInputError."""
        if self.cursor is None:
            return Place()
        place = Place.read(read_cursor(self.cursor, _parts(question)))
        if place is None:
            raise InvalidInputError([REFUSED])
        return place


def cursor_of(question: Question, following: Place | None) -> str | None:
    """Return the cursor of the page that begins at a place."""
    return write_cursor(_parts(question), str(following)) if following else None


def _parts(question: Question) -> QueryParts:
    body = question.event.body if question.event else ""
    return (
        "explain",
        question.scope.tenant_id,
        question.scope.community_id,
        question.event_name,
        question.event_id,
        question.log_time,
        hashlib.sha256(body.encode()).hexdigest(),
    )
