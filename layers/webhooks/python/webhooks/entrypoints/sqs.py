"""SQS records to messages, and messages that must come again to a partial batch response.

A function imports the messages of its own pipeline only: each of the others would cost its init.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from webhooks.domain.lane import Lane
from webhooks.entrypoints.batch_metrics import report_failed, report_received

if TYPE_CHECKING:
    from webhooks.services.dispatch.stages import DeliveryMessage
    from webhooks.services.fanout.stages import EventMessage
    from webhooks.services.recovery.tasks import TaskMessage

type BatchResponse = dict[str, list[dict[str, str]]]  # SQS's ReportBatchItemFailures
type Handler = Callable[[dict[str, Any], object], BatchResponse]  # takes Lambda's event and context

logger = logging.getLogger(__name__)


class BatchFailedError(Exception):
    """A batch failed as a whole: it comes again. The error is in the log."""


def read_batch(event: Mapping[str, Any], read: Callable[[], Iterable[str]]) -> BatchResponse:
    """Read a batch and respond to SQS. Raises BatchFailedError for every error of the batch.

    Lambda writes an exception's text and its causes into the log, and foreign texts may quote a secret.
    """
    report_received(event)
    try:
        response = batch_response(read())
    except Exception:  # the boundary of a batch: logged without foreign texts, see webhooks.logging
        logger.exception("batch.failed")
    else:
        report_failed(len(response["batchItemFailures"]))
        return response
    report_failed(len(event["Records"]))
    raise BatchFailedError("see batch.failed in the log")


def event_messages(event: dict[str, Any]) -> list[EventMessage]:
    """Read the records of a batch of the events queue."""
    from webhooks.services.fanout.stages import EventMessage  # noqa: PLC0415 - as above

    return [
        EventMessage(
            id=record["messageId"],
            text=record["body"],
            sent_at=int(record["attributes"]["SentTimestamp"]),
            receives=int(record["attributes"]["ApproximateReceiveCount"]),
            receipt=record.get("receiptHandle", ""),
        )
        for record in event["Records"]
    ]


def delivery_messages(event: dict[str, Any]) -> list[DeliveryMessage]:
    """Read the records of a batch of the deliveries queue."""
    from webhooks.services.dispatch.stages import DeliveryMessage  # noqa: PLC0415 - as above

    return [
        DeliveryMessage(
            id=record["messageId"],
            text=record["body"],
            receives=int(record["attributes"]["ApproximateReceiveCount"]),
            receipt=record.get("receiptHandle", ""),
        )
        for record in event["Records"]
    ]


def task_messages(event: dict[str, Any]) -> list[TaskMessage]:
    """Read the records of a batch of the recovery queue."""
    from webhooks.services.recovery.tasks import TaskMessage  # noqa: PLC0415 - as above

    return [
        TaskMessage(
            id=record["messageId"],
            text=record["body"],
            receives=int(record["attributes"]["ApproximateReceiveCount"]),
        )
        for record in event["Records"]
    ]


def lane_of(event: dict[str, Any], slow_queue_url: str) -> Lane:
    """Tell which lane a batch came by: all of its messages are of one queue."""
    queue = event["Records"][0]["eventSourceARN"].rpartition(":")[2]
    return Lane.SLOW if queue == slow_queue_url.rpartition("/")[2] else Lane.FAST


def batch_response(failed: Iterable[str]) -> BatchResponse:
    """Tell SQS which messages must come again; it deletes the others."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in sorted(failed)]}
