"""Explanations in responses: these models write them, and make their part of the OpenAPI document."""

from typing import Annotated, Any, Literal

from pydantic import Field

from webhooks.entrypoints.api.schemas.delivery_out import Time
from webhooks.entrypoints.api.schemas.webhook_out import Out


class ConditionOut(Out):
    """A condition of a query that did not hold."""

    object: Annotated[int, Field(description="The position of its object in the query, from 0.")]
    field: Annotated[str, Field(description="The field, with dots as in the query.")]
    wanted: Annotated[Any, Field(description="The value that the query has.")]
    found: Annotated[
        list[Any],
        Field(
            description="The first values that the event has in this field, none where it is missing. A long "
            "one is a text: its beginning, with an ellipsis."
        ),
    ]


class ExplainedOut(Out):
    """A webhook that lists the event's name."""

    webhook_id: Annotated[str, Field(description="Absent for an entry that the service cannot read.")] = ""
    name: str = ""
    result: Annotated[
        Literal["matched", "filtered", "disabled", "unknown"],
        Field(
            description="`matched`: it gets the event. `filtered`: its query does not hold. `disabled`: it "
            "gets no events. `unknown`: without the event's data, or for the reason that is given."
        ),
    ]
    reason: str = ""
    conditions: Annotated[
        list[ConditionOut],
        Field(description="Of each object of the query that does not hold, the first condition that failed."),
    ] = []  # noqa: RUF012 - a field of pydantic
    delivery_id: Annotated[str, Field(description="The delivery of the event to this webhook.")] = ""
    outcome: Annotated[
        Literal["delivered", "retrying", "dead", "held", "skipped"],
        Field(description="What became of it; absent where the delivery log does not have it."),
    ] = "delivered"


class ExplanationOut(Out):
    """The webhooks that list an event's name, a page at a time, and what each does with the event."""

    event_id: str = ""
    event_name: str
    occurred_at: Annotated[Time, Field(description="Absent for an event that has no time.")] = ""
    webhooks: list[ExplainedOut]
    cursor: Annotated[
        str, Field(description="Asks for the next page, in the same request; absent on the last page.")
    ] = ""
    listened_names: Annotated[
        list[str], Field(description="Without a listener: names that enabled webhooks list, sorted.")
    ] = []  # noqa: RUF012 - a field of pydantic
    message: Annotated[str, Field(description="Without a listener: whose names these are.")] = ""
