"""Responses about the health of endpoints, and about communities."""

from collections.abc import Mapping, Sequence
from typing import Any

from webhooks.domain.delivery_log import Outcome
from webhooks.domain.event import iso_time
from webhooks.domain.health import State
from webhooks.domain.json_text import write_json
from webhooks.domain.scope import Scope
from webhooks.domain.series import Bucket, Figures, Series
from webhooks.entrypoints.api.schemas.health import communities_cursor
from webhooks.entrypoints.api.schemas.health_out import (
    BucketOut,
    ChangeOut,
    CommunitiesOut,
    CommunityHealthOut,
    CommunityOut,
    EndpointHealthOut,
    FailureOut,
    SeriesOut,
    SpanOut,
    StatesOut,
    UndeliveredOut,
    WebhookHealthOut,
    WebhooksHealthOut,
)
from webhooks.services.endpoint_health import CommunityHealth, WebhookHealth


def health_fields(shown: WebhookHealth) -> dict[str, Any]:
    """Return a webhook's health as a JSON object."""
    webhook, figures = shown.webhook, shown.figures
    failure = figures.last_failure
    return EndpointHealthOut.of(
        None,
        **_state(shown),
        states=[state.value for state in webhook.states],
        recoverable=shown.recoverable,
        last_success_at=_time(figures.last_success),
        last_failure=FailureOut.of(failure, at=iso_time(failure.at)) if failure else None,
        deliveries=SpanOut.of(
            None, count=len(figures.pairs), since=_time(figures.since), until=_time(figures.until)
        ),
        changes=[
            ChangeOut.of(change, at=iso_time(change.at), state=change.state.value)
            for change in reversed(webhook.health.changes)
        ],
    )


def webhooks_health(shown: Sequence[WebhookHealth]) -> str:
    """Write the health of several webhooks."""
    data = [
        WebhookHealthOut.of(
            None,
            **_state(each),
            webhook_id=each.webhook.id,
            deliveries=[[outcome.value, latency] for outcome, latency in each.figures.pairs],
        )
        for each in shown
    ]
    return write_json(WebhooksHealthOut.of(None, data=data))


def community_health(shown: CommunityHealth) -> str:
    """Write the health of a community."""
    states = {state.value: shown.states.get(state, 0) for state in State}
    undelivered = {outcome.value: count for outcome, count in shown.undelivered.items()}
    return write_json(
        CommunityHealthOut.of(
            shown,
            webhooks=StatesOut.of(None, total=shown.total, **states),
            undelivered=UndeliveredOut.of(None, **undelivered),
            oldest_at=_time(shown.oldest),
        )
    )


def series(shown: Series) -> str:
    """Write a webhook's deliveries over time."""
    return write_json(
        SeriesOut.of(
            shown,
            since=iso_time(shown.since),
            until=iso_time(shown.until),
            buckets=[_bucket(each) for each in shown.buckets],
        )
    )


def communities(page: Sequence[Scope], *, size: int) -> str:
    """Write a page of communities. `size`: how many it may have."""
    cursor = communities_cursor(page[-1]) if len(page) == size else None
    return write_json(CommunitiesOut.of(None, data=[CommunityOut.of(each) for each in page], cursor=cursor))


def _state(shown: WebhookHealth) -> Mapping[str, Any]:
    figures: Figures = shown.figures
    return {
        "state": shown.webhook.states[0].value,
        "since": _time(shown.since),
        "held": shown.held,
        "success_rate": figures.success_rate,
        "p50_ms": figures.p50,
        "p99_ms": figures.p99,
    }


def _bucket(bucket: Bucket) -> dict[str, Any]:
    outcomes = {outcome.value: bucket.outcomes.get(outcome, 0) for outcome in Outcome}
    times = bucket.times
    names = ("lookup", "connect", "tls", "first_byte", "total")
    phases = {f"{name}_ms": getattr(times, name) if times else None for name in names}
    return BucketOut.of(None, at=iso_time(bucket.at), **outcomes, **phases)


def _time(epoch_ms: int | None) -> str | None:
    return None if epoch_ms is None else iso_time(epoch_ms)
