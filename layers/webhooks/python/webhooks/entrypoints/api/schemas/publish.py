"""The request that publishes an event."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from webhooks.domain.errors import InvalidEventError
from webhooks.domain.event import MAX_EVENT_ID, read_time
from webhooks.entrypoints.api.schemas.base import ApiModel, explain, explain_whole, invalid

DATA_RULE = "must be a JSON object, or one as text in an envelope"


def _data(value: Any) -> Any:
    if not isinstance(value, dict | str):
        raise invalid(DATA_RULE)
    return value


def _epoch_ms(value: Any) -> Any:
    try:
        return read_time(value)
    except InvalidEventError:
        raise ValueError from None


# Unlike other times of requests it may lie before 1970: it is in the callback.
Time = Annotated[
    int,
    BeforeValidator(_epoch_ms),
    WithJsonSchema({"type": ["string", "number"], "format": "date-time"}),
    explain_whole(
        "must be a time as RFC 3339 and ISO 8601 write it, such as 2026-01-15T09:30:00Z, or epoch seconds or "
        "milliseconds"
    ),
]


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
    occurred_at: Time | None = None
