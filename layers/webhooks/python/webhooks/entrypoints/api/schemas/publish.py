"""The request that publishes an event."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

from webhooks.domain.event import MAX_EVENT_ID
from webhooks.entrypoints.api.schemas import fields
from webhooks.entrypoints.api.schemas.base import ApiModel, explain, invalid

DATA_RULE = "must be a JSON object, or one as text in an envelope"


def _data(value: Any) -> Any:
    if not isinstance(value, dict | str):
        raise invalid(DATA_RULE)
    return value


class PublishIn(ApiModel):
    """An event's data; its id and its time have defaults."""

    data: Annotated[
        Any,
        AfterValidator(_data),
        WithJsonSchema({"type": ["string", "object"]}),
    ] = Field(repr=False)
    event_id: (
        Annotated[
            str,
            Field(min_length=1, max_length=MAX_EVENT_ID),
            explain(f"must be a string of 1 to {MAX_EVENT_ID} characters"),
        ]
        | None
    ) = None
    occurred_at: fields.Time | None = None
