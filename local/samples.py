"""The sample webhooks and their events: something to look at in the console, in every state."""

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

from local.stack_file import COMMUNITY_ID, TENANT_ID

MINUTE, HOUR = 60_000, 3_600_000  # ms
HOURS = 6  # of history
HISTORY = HOURS * HOUR
OUTAGE = 20 * MINUTE  # before the first `make run`
PAUSED = "Staging mirror"
TESTED = "Loyalty points"
# Names, endpoints (their first part says how they respond: endpoints.py) and settings.
WEBHOOKS: dict[str, dict[str, Any]] = {
    TESTED: {"eventNames": ["order.placed", "order.refunded"], "path": "quick/points"},
    "Fraud scoring": {"eventNames": ["payment.captured"], "path": "slow/fraud", "retryCount": 1},
    "Shipping labels": {"eventNames": ["order.placed", "shipment.dispatched"], "path": "flaky/labels"},
    "Customer sync to CRM": {
        "eventNames": ["customer.updated"],
        "path": "strict/crm",
        "api": {"authType": "api_key", "credential": {"keyName": "x-api-key", "keyValue": "a-demo-key"}},
    },
    "Data lake, raw": {
        "eventNames": ["order.placed", "payment.captured", "customer.updated", "shipment.dispatched"],
        "path": "quick/lake",
        "api": {
            "authType": "oauth2",
            "oAuthGrantType": "client_credentials",
            "oAuthTokenUrl": "/token",
            "oAuthScopes": ["events:write"],
            "credential": {"oauth2": {"clientId": "webhooks", "clientSecret": "a-demo-secret"}},
        },
    },
    "Priority orders": {
        "eventNames": ["order.placed", "order.paid"],
        "path": "quick/priority",
        "query": [{"priority": True, "customer.country": "DE"}, {"priority": True, "customer.country": "AT"}],
        "criteria": "ANY",
    },
    "Tax reporting": {"eventNames": ["invoice.overdue"], "path": "down/tax"},
    "Warehouse pick list": {"eventNames": ["stock.reserved"], "path": "down/warehouse", "rateLimit": 50},
    "Refund checker": {"eventNames": ["order.refunded", "order.paid"], "path": "gone/refunds"},
    PAUSED: {"eventNames": ["shipment.dispatched", "order.paid"], "path": "quick/staging"},
}
# Events in an hour. Those of ORDERED have endpoints whose deliveries must succeed before they fail.
ORDERED = {"invoice.overdue": 3.0, "stock.reserved": 5.0, "order.refunded": 3.0}
ENDPOINTS = {
    "invoice.overdue": "/down/tax",
    "stock.reserved": "/down/warehouse",
    "order.refunded": "/gone/refunds",
}
OTHERS = {"order.placed": 10.0, "payment.captured": 5.0, "customer.updated": 6.0, "shipment.dispatched": 5.0}
FAILS_ONCE = "invoice.overdue"  # more of them would turn its webhook from failing into held
# Events that begin the outage: enough for one endpoint to be down, and one to fail.
OUTAGE_EVENTS = {"stock.reserved": 5, FAILS_ONCE: 2, "order.refunded": 1}

# Events after the outage began, which are held.
HELD_EVENTS = {"stock.reserved": 12, "shipment.dispatched": 6}


def events(rates: dict[str, float], begin: int, end: int) -> list[dict[str, Any]]:
    """Return the events from `begin` to before `end`, in ms, by time: the same ones each time."""
    found = [event(name, at) for name, rate in rates.items() for at in _times(name, rate, begin, end)]
    return sorted(found, key=lambda each: str(each["occurredAt"]))


def outage(since: int) -> list[dict[str, Any]]:
    """Return the first events after the endpoints went down."""
    return [
        event(name, since + number * MINUTE // 4)
        for name, count in OUTAGE_EVENTS.items()
        for number in range(1, count + 1)
    ]


def held(since: int) -> list[dict[str, Any]]:
    """Return events of the time after that."""
    return [
        event(name, since + 4 * MINUTE + number * MINUTE)
        for name, count in HELD_EVENTS.items()
        for number in range(count)
    ]


def event(name: str, at: int) -> dict[str, Any]:
    """Return an event of the events queue."""
    random = Random(f"{name} {at}")  # noqa: S311 - samples
    return {
        "eventId": f"sample-{name}-{at}",
        "eventName": name,
        "tenantId": TENANT_ID,
        "communityId": COMMUNITY_ID,
        "occurredAt": iso_time(at),
        "data": {
            "orderId": f"A-{random.randrange(1000, 9999)}",
            "amount": random.randrange(500, 90_000) / 100,
            "currency": random.choice(("EUR", "EUR", "USD")),
            "priority": random.random() < 0.3,  # noqa: PLR2004
            "customer": {
                "id": f"c-{random.randrange(10, 99)}",
                "country": random.choice(("DE", "AT", "CH", "FR")),
            },
        },
    }


def messages(many: list[dict[str, Any]], *, most: int = 50) -> Iterator[str]:
    """Yield messages of the events queue, each an array of events."""
    for begin in range(0, len(many), most):
        yield json.dumps(many[begin : begin + most])


def iso_time(at: int) -> str:
    """Write a time as callbacks do."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _times(name: str, rate: float, begin: int, end: int) -> Iterator[int]:
    for minute in range(begin // MINUTE, -(-end // MINUTE)):
        random = Random(f"{name} {minute}")  # noqa: S311
        wave = 1 + 0.6 * math.sin(2 * math.pi * minute / 180)
        at = minute * MINUTE + random.randrange(MINUTE)
        if random.random() < rate * wave / 60 and begin <= at < end:
            yield at
