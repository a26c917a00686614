"""Example requests and responses about replays; every value in them is made up."""

from typing import Any

from tools.openapi.delivery_examples import CURSOR, DELIVERY_ID
from tools.openapi.examples import WEBHOOK_ID

REPLAY_ID = "019ab2d8f7bb3f1c0b6f4c0f"
FILTER: dict[str, Any] = {
    "webhookId": WEBHOOK_ID,
    "outcome": "dead",
    "since": "2026-11-23T00:00:00Z",
    "until": "2026-11-24T00:00:00Z",
}
REPLAY_IN: dict[str, Any] = {
    "dry run": {"webhookId": WEBHOOK_ID, "outcome": "dead", "dryRun": True},
    "dead ones of a day": {**FILTER, "rate": 20},
    "some of them": {"deliveryIds": [DELIVERY_ID]},
}
REPLAY: dict[str, Any] = {
    "replayId": REPLAY_ID,
    "kind": "replay",
    "state": "running",
    "rate": 20,
    "total": 1500,
    "sent": 400,
    "withoutPayload": 0,
    "passedOver": 0,
    "createdAt": "2026-11-24T08:15:02.331Z",
    "createdBy": "operations",
    "updatedAt": "2026-11-24T08:15:21.907Z",
    "filter": {**FILTER, "since": "2026-11-23T00:00:00.000Z", "until": "2026-11-24T00:00:00.000Z"},
}
COUNT = {"deliveries": 1500, "withoutPayload": 0}
REPLAYS = {"data": [REPLAY], "cursor": CURSOR}
