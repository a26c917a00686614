"""SQS records to messages, and messages that must come again to a partial batch response."""

from collections.abc import Iterable
from typing import Any

from webhooks.domain.lane import Lane
from webhooks.services.fanout import EventMessage
from webhooks.services.stages import DeliveryMessage


def event_messages(event: dict[str, Any]) -> list[EventMessage]:
    """Read the records of a batch of the events queue."""
    return [
        EventMessage(
            id=record["messageId"], text=record["body"], sent_at=int(record["attributes"]["SentTimestamp"])
        )
        for record in event["Records"]
    ]


def delivery_messages(event: dict[str, Any]) -> list[DeliveryMessage]:
    """Read the records of a batch of the deliveries queue."""
    return [DeliveryMessage(id=record["messageId"], text=record["body"]) for record in event["Records"]]


def lane_of(event: dict[str, Any], slow_queue_url: str) -> Lane:
    """Tell which lane a batch came by: all of its messages are of one queue."""
    queue = event["Records"][0]["eventSourceARN"].rpartition(":")[2]
    return Lane.SLOW if queue == slow_queue_url.rpartition("/")[2] else Lane.FAST


def batch_response(failed: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """Tell SQS which messages must come again; it deletes the others."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in sorted(failed)]}
