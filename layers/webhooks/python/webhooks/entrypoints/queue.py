"""SQS records to messages, and messages that must come again to a partial batch response."""

from collections.abc import Iterable
from typing import Any

from webhooks.services.delivery import DeliveryMessage
from webhooks.services.fanout import EventMessage


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
    return [
        DeliveryMessage(
            id=record["messageId"],
            text=record["body"],
            received=int(record["attributes"]["ApproximateReceiveCount"]),
        )
        for record in event["Records"]
    ]


def batch_response(failed: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """Tell SQS which messages must come again; it deletes the others."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in sorted(failed)]}
