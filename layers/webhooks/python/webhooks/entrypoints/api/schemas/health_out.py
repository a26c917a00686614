"""Health of endpoints in responses: these models write it, and make their part of the OpenAPI document."""

from typing import Annotated, Literal

from pydantic import Field

from webhooks.domain.webhook import WEBHOOK_ID
from webhooks.entrypoints.api.schemas.delivery_out import Time
from webhooks.entrypoints.api.schemas.webhook_out import Out, WebhookOut

type StateName = Literal["disabled", "paused", "held", "failing", "slow", "healthy"]
type OutcomeName = Literal["delivered", "retrying", "dead", "held", "skipped"]
StateField = Annotated[
    Literal["disabled", "paused", "held", "failing", "slow", "healthy"],
    Field(
        description="`disabled`: events skip it. `paused`: its tenant holds its deliveries. `held`: its "
        "endpoint is down, and its deliveries are held. `failing`: a delivery's attempts were exhausted, "
        "and none succeeded since. `slow`: its deliveries take the slow lane. Of several the first one here."
    ),
]
Rate = Annotated[
    int,
    Field(
        ge=0,
        le=100,
        description="Percent of the attempted ones of its last 100 deliveries that are delivered, rounded "
        "down: 100 is all of them. Absent without any. Tests count for nothing, here and below.",
    ),
]
P50 = Annotated[int, Field(description="Half of the last attempts took so many milliseconds or fewer.")]
P99 = Annotated[int, Field(description="99 of 100 last attempts took so many milliseconds or fewer.")]
Since = Annotated[Time, Field(description="When the state began; absent where that is not known.")]
Held = Annotated[int, Field(description="Held deliveries; 10000 is that many or more.")]


class FailureOut(Out):
    """A failed attempt."""

    at: Time
    reason: str


class ChangeOut(Out):
    """A change of a webhook's state."""

    at: Time
    state: StateField
    reason: str


class SpanOut(Out):
    """The deliveries that figures are computed from, and the times of the first and the last event."""

    count: int
    since: Time = ""
    until: Time = ""


class EndpointHealthOut(Out):
    """The health of a webhook's endpoint."""

    state: StateField
    states: Annotated[list[StateField], Field(description="All states that hold.")]
    since: Since = ""
    held: Held
    recoverable: Annotated[
        int,
        Field(
            description="Dead deliveries that are sent once more when the endpoint responds again; 10000 is "
            "that many or more."
        ),
    ]
    last_success_at: Annotated[Time, Field(description="Among the last 100 deliveries.")] = ""
    last_failure: FailureOut = Field(default=None)  # type: ignore[assignment] # never made
    success_rate: Rate = 0
    p50_ms: P50 = 0
    p99_ms: P99 = 0
    deliveries: SpanOut
    changes: Annotated[list[ChangeOut], Field(description="The last 20 changes of state, newest first.")]


class ShownWebhookOut(WebhookOut):
    """A webhook with its health."""

    health: EndpointHealthOut


class WebhookHealthOut(Out):
    """The part of a webhook's health that a list shows."""

    webhook_id: Annotated[str, Field(pattern=f"^{WEBHOOK_ID.pattern}$")]
    state: StateField
    since: Since = ""
    held: Held
    success_rate: Rate = 0
    p50_ms: P50 = 0
    p99_ms: P99 = 0
    deliveries: Annotated[
        list[tuple[OutcomeName, int | None]],
        Field(
            description="Its last 100 deliveries, newest first: outcome, and milliseconds of the last "
            "attempt, null without one."
        ),
    ]


class WebhooksHealthOut(Out):
    """The health of several webhooks."""

    data: Annotated[
        list[WebhookHealthOut],
        Field(description="Webhooks that exist, in the order of the request."),
    ]


class StatesOut(Out):
    """A community's webhooks by their states; a webhook of several states counts for the first one."""

    total: int
    healthy: int
    failing: int
    held: int
    slow: int
    paused: int
    disabled: int


class UndeliveredOut(Out):
    """A community's deliveries that are not delivered, by outcome; 10000 is that many or more."""

    retrying: int
    dead: int
    held: int


class CommunityHealthOut(Out):
    """The health of a community."""

    webhooks: StatesOut
    undelivered: UndeliveredOut
    is_exact: Annotated[
        bool, Field(description="false: there are more webhooks or deliveries than were counted.")
    ]
    oldest_at: Annotated[Time, Field(description="Time of the oldest undelivered one's event.")] = ""


class BucketOut(Out):
    """Deliveries of a span of time: counts by outcome, and the means of their last attempts' phases, each in
    milliseconds since the attempt's start. A kept connection has no lookup, connect and TLS: they count as 0.
    """

    at: Time
    delivered: int
    retrying: int
    dead: int
    held: int
    skipped: int
    lookup_ms: int = 0
    connect_ms: int = 0
    tls_ms: int = 0
    first_byte_ms: int = 0
    total_ms: int = 0


class SeriesOut(Out):
    """A webhook's deliveries over the times of their events."""

    since: Annotated[Time, Field(description="Start of the time that is covered.")]
    until: Annotated[Time, Field(description="Its end.")]
    deliveries: Annotated[int, Field(description="How many there are in all buckets, at most 1000.")]
    bucket_seconds: int
    buckets: Annotated[list[BucketOut], Field(description="Spans that have deliveries, the oldest first.")]


class CommunityOut(Out):
    """A community."""

    tenant_id: str
    community_id: str


class CommunitiesOut(Out):
    """A page of communities."""

    data: list[CommunityOut]
    cursor: Annotated[str, Field(description="Asks for the next page; absent on the last page.")] = ""
