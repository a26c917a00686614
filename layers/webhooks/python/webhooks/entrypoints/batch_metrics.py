"""The numbers of the pipelines' batches as metrics: one line for each batch, not for a delivery."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

from webhooks.domain.delivery_log import Outcome
from webhooks.logging import METRICS
from webhooks.metrics import metrics, not_zero

if TYPE_CHECKING:  # a function has the counts of its own pipeline
    from webhooks.services.dispatch.counts import DispatchCounts
    from webhooks.services.fanout.counts import FanoutCounts

STUCK_RECEIVES = 5  # twelve minutes of failing; an outage of a minute makes three receives at most
NEAR_DLQ_RECEIVES = 190  # of the 200 after which the queue itself moves a message to its dead-letter queue

logger = logging.getLogger(METRICS)


def never_failing[**P](write: Callable[P, None]) -> Callable[P, None]:
    """Return a function that logs its errors: a batch must not come again for its metrics."""

    @wraps(write)
    def written(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            write(*args, **kwargs)
        except Exception:  # the boundary of metrics
            logger.exception("metrics.not_written")

    return written


@never_failing
def report_fanout(counts: FanoutCounts) -> None:
    """Write the line of a batch of events."""
    values = {
        "Events": counts.events,
        "EventsMatched": counts.matched,
        "EventsUnmatched": counts.unmatched,
        "EventsDeadLettered": counts.dead_lettered,
        "EventsInvalid": counts.invalid,
        "EventsPoisoned": counts.poisoned,
        "DeliveriesMade": counts.deliveries,
    }
    if written := not_zero(values):
        repeated = {"repeated": counts.repeated} if counts.repeated else {}
        logger.info("batch.fanned_out", extra={**repeated, **metrics(written)})


@never_failing
def report_dispatch(counts: DispatchCounts) -> None:
    """Write the line of a batch of deliveries."""
    tally = counts.tally
    values = not_zero(
        {
            "DeliveriesDelivered": tally.outcomes.get(Outcome.DELIVERED, 0),
            "DeliveriesRetried": tally.outcomes.get(Outcome.RETRYING, 0),
            "DeliveriesDead": tally.outcomes.get(Outcome.DEAD, 0),
            "DeliveriesHeld": tally.outcomes.get(Outcome.HELD, 0),
            "DeliveriesSkipped": tally.outcomes.get(Outcome.SKIPPED, 0),
            "DeliveriesPoisoned": tally.poisoned,
            "DeliveriesUnrecorded": tally.unrecorded,
        }
    )
    latencies = {"EventToDelivery": tally.latencies_ms} if tally.latencies_ms else {}
    if values:
        logger.info("batch.dispatched", extra={"lane": counts.lane.value, **metrics({**values, **latencies})})


@never_failing
def report_received(event: Mapping[str, Any]) -> None:
    """Write a line for messages that have failed for long, before a batch begins: it may end the process."""
    receives = [int(each["attributes"]["ApproximateReceiveCount"]) for each in event["Records"]]
    if max(receives) < STUCK_RECEIVES:
        return
    values = {
        "MessagesStuck": sum(each >= STUCK_RECEIVES for each in receives),
        "MessagesNearDlq": sum(each >= NEAR_DLQ_RECEIVES for each in receives),
    }
    logger.info("messages.stuck", extra={"receives": max(receives), **metrics(not_zero(values))})


@never_failing
def report_failed(messages: int) -> None:
    """Write a line for messages of a batch that come again."""
    if messages:
        logger.info("messages.failed", extra=metrics({"MessagesFailed": messages}))
