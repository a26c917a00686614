"""Example responses about health; every value in them is made up."""

from typing import Any

from tools.openapi import examples

_AT = "2026-11-23T22:24:38.123Z"
_FIGURES: dict[str, Any] = {"successRate": 97, "p50Ms": 84, "p99Ms": 1204}

SHOWN_WEBHOOK: dict[str, Any] = {
    **examples.WEBHOOK,
    "health": {
        "state": "held",
        "states": ["held", "failing"],
        "since": _AT,
        "held": 12,
        "recoverable": 3,
        "lastSuccessAt": "2026-11-23T22:20:01.000Z",
        "lastFailure": {"at": _AT, "reason": "HTTP 503"},
        **_FIGURES,
        "deliveries": {"count": 100, "since": "2026-11-23T20:00:00.000Z", "until": _AT},
        "changes": [
            {"at": _AT, "state": "held", "reason": "HTTP 503"},
            {"at": "2026-11-23T22:21:00.000Z", "state": "failing", "reason": "HTTP 503"},
        ],
    },
}
WEBHOOKS_HEALTH: dict[str, Any] = {
    "data": [
        {
            "webhookId": examples.WEBHOOK_ID,
            "state": "failing",
            "since": _AT,
            "held": 0,
            **_FIGURES,
            "deliveries": [["delivered", 84], ["dead", 1204], ["held", None]],
        }
    ]
}
COMMUNITY_HEALTH: dict[str, Any] = {
    "webhooks": {
        "total": 40,
        "healthy": 36,
        "failing": 1,
        "held": 1,
        "slow": 0,
        "paused": 1,
        "disabled": 1,
    },
    "undelivered": {"retrying": 2, "dead": 3, "held": 12},
    "isExact": True,
    "oldestAt": _AT,
}
SERIES: dict[str, Any] = {
    "since": "2026-11-23T22:00:00.000Z",
    "until": "2026-11-23T23:00:00.000Z",
    "deliveries": 2,
    "bucketSeconds": 300,
    "buckets": [
        {
            "at": "2026-11-23T22:20:00.000Z",
            "delivered": 1,
            "retrying": 0,
            "dead": 1,
            "held": 0,
            "skipped": 0,
            "lookupMs": 2,
            "connectMs": 14,
            "tlsMs": 31,
            "firstByteMs": 80,
            "totalMs": 84,
        }
    ],
}
COMMUNITIES: dict[str, Any] = {
    "data": [{"tenantId": "acme", "communityId": "default"}],
    "cursor": "xN0d8WJ5d1hYQ0t3YWNtZSNkZWZhdWx0",
}
