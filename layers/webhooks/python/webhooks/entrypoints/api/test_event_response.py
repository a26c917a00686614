"""The response to a test event."""

from typing import Any

from webhooks.domain.http import HttpResponse
from webhooks.entrypoints.api.delivery_responses import times_fields
from webhooks.entrypoints.api.schemas.test_event import (
    SentTestOut,
    TestRequestOut,
    TestResponseOut,
)
from webhooks.services.test_event import WebhookTest


def sent_test(sent: WebhookTest) -> dict[str, Any]:
    """Return the response as an object to write."""
    outcome, request = sent.outcome, sent.request
    response = outcome if isinstance(outcome, HttpResponse) else None
    return SentTestOut.of(
        outcome,
        delivery_id=sent.delivery.id,
        outcome="delivered" if sent.reason is None else "failed",
        status=response and response.status,
        reason=sent.reason,
        times=times_fields(outcome.times),
        request=TestRequestOut.of(request, headers=dict(request.headers), body=request.body.decode()),
        response=response and TestResponseOut.of(response),
    )
