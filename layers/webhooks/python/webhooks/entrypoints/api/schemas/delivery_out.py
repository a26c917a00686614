"""Deliveries in responses: these models write them, and make their part of the OpenAPI document."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from webhooks.domain.delivery import DELIVERY_ID
from webhooks.domain.webhook import WEBHOOK_ID
from webhooks.entrypoints.api.schemas.webhook_out import Out

ABSENT: Any = None  # the default of a field that a response can lack
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class TimesOut(Out):
    """When each phase of a call ended, in milliseconds since its start; 0 where it had none: a kept
    connection has no lookup, no connect and no TLS.
    """

    lookup_ms: int
    connect_ms: int
    tls_ms: int
    first_byte_ms: int
    total_ms: int


class AttemptOut(Out):
    """One HTTP request to the endpoint: with a status, or with the reason why there was no response."""

    number: Annotated[int, Field(description="From 1.")]
    at: Time
    status: int = ABSENT
    reason: Annotated[str, Field(description="Why the endpoint gave no response.")] = ABSENT
    address: Annotated[str, Field(description="The address that was connected to.")] = ABSENT
    latency_ms: Annotated[int, Field(description="Milliseconds that the attempt took.")]
    times: TimesOut = ABSENT
    response: Annotated[str, Field(description="The start of a response that was no success.")] = ABSENT
    location: Annotated[str, Field(description="Where a redirect led, which is not followed.")] = ABSENT


class ShownAttemptOut(AttemptOut):
    """An attempt with the headers of its request."""

    request_headers: Annotated[
        dict[str, str],
        Field(
            description="The headers of the callback, but for those of the endpoint's authentication. Values "
            "of signatures, and others that are not known any more, are `[left out]`."
        ),
    ]


class DeliveryOut(Out):
    """One event for one webhook."""

    delivery_id: Annotated[
        str,
        Field(
            pattern=f"^{DELIVERY_ID.pattern}$",
            description="The `webhook-id` of its callbacks, the same for every attempt.",
        ),
    ]
    webhook_id: Annotated[str, Field(pattern=f"^{WEBHOOK_ID.pattern}$")]
    event_id: str
    event_name: str
    occurred_at: Annotated[
        Time,
        Field(description="Time of the event, which orders the log; 1970 for one with an id and no time."),
    ]
    outcome: Annotated[
        Literal["delivered", "retrying", "dead", "held", "skipped"],
        Field(
            description="`retrying`: it is sent again. `dead`: it is not. `held`: its webhook is paused, or "
            "its endpoint is down; it is sent later. `skipped`: its webhook was disabled or deleted."
        ),
    ]
    reason: Annotated[str, Field(description="Why it stands there.")] = ABSENT
    settled_at: Annotated[Time, Field(description="When it came to stand there.")]
    next_attempt_at: Annotated[Time, Field(description="When it is sent again.")] = ABSENT
    mark: Annotated[Literal["test", "replay"], Field(description="A delivery that no new event caused.")] = (
        "test"
    )
    recoverable: Annotated[
        bool, Field(description="true: it is dead, and sent once more when its endpoint responds again.")
    ] = ABSENT
    attempt_count: Annotated[int, Field(description="How many attempts it had, also those left out here.")]
    payload_kept: Annotated[bool, Field(description="Whether the callback's body is kept, to send it again.")]
    attempts: Annotated[Sequence[AttemptOut], Field(description="Its last attempts, the oldest first.")]


class ShownDeliveryOut(DeliveryOut):
    """A delivery with all that is kept of it."""

    attempts: Annotated[Sequence[ShownAttemptOut], Field(description="Its last attempts, the oldest first.")]
    payload: Annotated[
        Mapping[str, Any], Field(description="The callback's body, where it is kept, as it is sent.")
    ] = ABSENT


class DeliveriesOut(Out):
    """A page of deliveries, newest first.

    One that filters may have fewer than were asked for, although others follow.
    """

    data: list[DeliveryOut]
    cursor: Annotated[
        str, Field(description="Asks for the next page, in the same request; absent on the last page.")
    ] = ABSENT
