"""Example requests and responses about deliveries; every value in them is made up."""

from typing import Any

from tools.openapi.examples import WEBHOOK_ID

DELIVERY_ID = f"{WEBHOOK_ID}-019ab2d8f7bb-3f1c0b6f4c0f5b7f0f6f7a0f1d2c3b4a"
CURSOR = "q83vASNFZ4mrze8BNjkyM2E5ZTI"
DELIVERIES_IN: dict[str, Any] = {
    "outcome": "dead",
    "eventName": "order.paid",
    "since": "2026-11-23T00:00:00Z",
    "until": "2026-11-24T00:00:00Z",
    "size": 25,
}
ATTEMPT: dict[str, Any] = {
    "number": 1,
    "at": "2026-11-23T22:24:39.018Z",
    "status": 500,
    "address": "192.0.2.17",
    "latencyMs": 81,
    "times": {"lookupMs": 3, "connectMs": 14, "tlsMs": 41, "firstByteMs": 79, "totalMs": 80},
    "response": "database is locked",
}
DELIVERY: dict[str, Any] = {
    "deliveryId": DELIVERY_ID,
    "webhookId": WEBHOOK_ID,
    "eventId": "5f2b8f9e-0b1d-4c57-9d0e-1f2a3b4c5d6e",
    "eventName": "order.paid",
    "occurredAt": "2026-11-23T22:24:38.123Z",
    "outcome": "dead",
    "reason": "HTTP 500",
    "settledAt": "2026-11-23T22:24:39.101Z",
    "recoverable": True,
    "attemptCount": 1,
    "payloadKept": True,
    "attempts": [ATTEMPT],
}
DELIVERIES = {"data": [DELIVERY], "cursor": CURSOR}
SHOWN_DELIVERY = {
    **DELIVERY,
    "attempts": [
        {
            **ATTEMPT,
            "requestHeaders": {
                "Content-Type": "application/json",
                "User-Agent": "webhooks/1",
                "Accept": "*/*",
                "webhook-attempt": "1",
                "webhook-id": DELIVERY_ID,
                "webhook-timestamp": "1795472679",
                "webhook-signature": "[left out]",
                "Content-Digest": "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:",
                "Signature-Input": "[left out]",
                "Signature": "[left out]",
            },
        }
    ],
    "payload": {
        "id": "5f2b8f9e-0b1d-4c57-9d0e-1f2a3b4c5d6e",
        "type": "order.paid",
        "timestamp": "2026-11-23T22:24:38.123Z",
        "tenantId": "acme",
        "communityId": "default",
        "data": {"orderId": "A-1001", "currency": "EUR", "total": 129.95},
    },
}
