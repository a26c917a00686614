"""The request that sends a test event, and the response that says how it went."""

from typing import Annotated, Any, Literal

from pydantic import Field

from webhooks.domain.delivery import DELIVERY_ID
from webhooks.entrypoints.api.schemas import fields
from webhooks.entrypoints.api.schemas.base import ApiModel, explain
from webhooks.entrypoints.api.schemas.delivery_out import TimesOut
from webhooks.entrypoints.api.schemas.webhook_out import Out


class SendTestIn(ApiModel):
    """A test event."""

    event_name: fields.EventName | None = None
    data: Annotated[dict[str, Any], explain("must be an object")] | None = None


class TestRequestOut(Out):
    """The callback as it was sent, its credential redacted; without headers of HTTP itself, such as Host."""

    method: Annotated[Literal["POST", "PUT", "PATCH"], Field(alias="method")]
    url: str
    headers: dict[str, str]
    body: str


class TestResponseOut(Out):
    """The endpoint's response."""

    status: int
    excerpt: Annotated[str, Field(description="The body's start, at most 1 KiB, its credential redacted.")]


class SentTestOut(Out):
    """A test event after its attempt."""

    delivery_id: Annotated[str, Field(pattern=f"^{DELIVERY_ID.pattern}$")]
    outcome: Literal["delivered", "failed"]
    status: Annotated[int, Field(description="The endpoint's status, absent without a response.")] = 0
    reason: Annotated[str, Field(description="Why it failed, in one sentence.")] = ""
    latency_ms: Annotated[int, Field(description="The whole attempt, a token request included.")]
    times: TimesOut = Field(default=None)  # type: ignore[assignment] # never made
    address: Annotated[str, Field(description="The endpoint's address.")] = ""
    request: TestRequestOut
    response: TestResponseOut = Field(default=None)  # type: ignore[assignment] # never made
