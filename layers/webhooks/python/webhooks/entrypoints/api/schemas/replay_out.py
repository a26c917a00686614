"""Replays in responses: these models write them, and make their part of the OpenAPI document."""

from typing import Annotated, Literal

from pydantic import Field

from webhooks.domain.webhook import WEBHOOK_ID
from webhooks.entrypoints.api.schemas.delivery_out import ABSENT, Time
from webhooks.entrypoints.api.schemas.webhook_out import Out


class ReplayFilterOut(Out):
    """The filter of a replay; a recovery has its webhook alone."""

    webhook_id: Annotated[str, Field(pattern=f"^{WEBHOOK_ID.pattern}$")]
    outcome: Literal["dead", "held", "delivered", "skipped"] = ABSENT
    event_name: str = ABSENT
    since: Time = ABSENT
    until: Time = ABSENT


class ReplayOut(Out):
    """Deliveries that are sent again, with the progress."""

    replay_id: Annotated[str, Field(pattern="^[0-9a-f]{24}$")]
    kind: Annotated[
        Literal["replay", "recovery"],
        Field(description="`recovery`: the service's own, of an endpoint that responds again."),
    ]
    state: Annotated[
        Literal["running", "done", "cancelled", "stopped"],
        Field(description="`stopped`: before its end, for the `reason`."),
    ]
    rate: Annotated[int, Field(description="Deliveries per second.")]
    total: Annotated[
        int, Field(description="Deliveries that were counted when it began; of a recovery, found so far.")
    ]
    sent: Annotated[int, Field(description="Deliveries that were put in the queue again.")]
    without_payload: Annotated[
        int, Field(description="Deliveries that cannot be sent: their payload is not kept.")
    ]
    passed_over: Annotated[
        int, Field(description="Deliveries that changed before their turn came; known when it is done.")
    ]
    created_at: Time
    created_by: Annotated[str, Field(description="The `appid` of the request.")]
    updated_at: Time
    filter: ReplayFilterOut = ABSENT
    delivery_ids: tuple[str, ...] = ABSENT
    reason: Annotated[str, Field(description="Why it stopped.")] = ABSENT


class ReplayCountOut(Out):
    """How many deliveries a replay would have."""

    deliveries: Annotated[int, Field(description="Deliveries that it finds.")]
    without_payload: Annotated[int, Field(description="Of these, those that cannot be sent.")]
    message: Annotated[str, Field(description="Where nothing is sent: why.")] = ABSENT


class ReplaysOut(Out):
    """A page of replays and recoveries, newest first."""

    data: list[ReplayOut]
    cursor: Annotated[
        str, Field(description="Asks for the next page, in the same request; absent on the last page.")
    ] = ABSENT
