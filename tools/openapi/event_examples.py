"""Example requests and responses about events."""

from typing import Any

from tools.openapi import delivery_examples, examples

EVENT_ID = "order-4711-paid"
DATA: dict[str, Any] = {"order": "4711", "amount": 19.9, "currency": "EUR"}
PUBLISH: dict[str, Any] = {
    "plain": {"data": DATA},
    "as an envelope": {"data": examples.ENVELOPE, "eventId": EVENT_ID},
}
EXPLAIN: dict[str, Any] = {
    "the event": {
        "event": {
            "eventName": "order.paid",
            "eventId": EVENT_ID,
            "tenantId": "acme",
            "communityId": "default",
            "occurredAt": "2026-01-15T09:30:00.250Z",
            "data": DATA,
        }
    },
    "its id": {
        "eventId": EVENT_ID,
        "eventName": "order.paid",
        "occurredAt": "2026-01-15T09:30:00.250Z",
    },
}
EXPLANATION: dict[str, Any] = {
    "eventId": EVENT_ID,
    "eventName": "order.paid",
    "occurredAt": "2026-01-15T09:30:00.250Z",
    "webhooks": [
        {
            "webhookId": examples.WEBHOOK_ID,
            "name": "bookkeeping",
            "result": "matched",
            "deliveryId": delivery_examples.DELIVERY_ID,
            "outcome": "delivered",
        },
        {
            "webhookId": examples.WEBHOOK_ID[:-1] + "e",
            "name": "orders in dollars",
            "result": "filtered",
            "conditions": [{"object": 0, "field": "currency", "wanted": "USD", "found": ["EUR"]}],
        },
    ],
}
