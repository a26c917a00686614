"""A large community: 10,000 webhooks and 100,000 deliveries, put into the state without requests."""

from dataclasses import replace
from itertools import batched

from tests.browser.service import MINUTE, Service
from tests.factories import SCOPE
from webhooks.domain.delivery import Attempt, Delivery, delivery_id
from webhooks.domain.delivery_log import LogEntry, Outcome, log_key
from webhooks.domain.health import Health
from webhooks.domain.http import PhaseTimes

WEBHOOKS = 10_000
DELIVERIES = 100_000
BUSIEST = 20_000  # deliveries of the newest webhook
OF_EACH = 400  # of each of the next ones
EVENTS = [f"E_{number:02}_{'LONG_NAME_' * 12}"[:128] for number in range(50)]
OUTCOMES = (Outcome.RETRYING, Outcome.DEAD, Outcome.HELD)
RARE = 25  # each such delivery is not delivered, each such webhook not healthy


def fill(service: Service) -> list[str]:
    """Fill the service; returns the ids of its webhooks, the newest first."""
    ids = _webhooks(service)
    busy = [ids[0]] * BUSIEST
    busy += [each for each in ids[1 : 1 + (DELIVERIES - BUSIEST) // OF_EACH] for _ in range(OF_EACH)]
    entries = (_entry(webhook_id, service.now, place) for place, webhook_id in enumerate(busy))
    for some in batched(entries, 1000, strict=False):
        assert not service.app.deliveries.record(some)
    return ids


def _webhooks(service: Service) -> list[str]:
    first = service.webhook("W" * 128, eventNames=EVENTS, tags=["partner", "t" * 64])
    model = service.app.subscriptions.get(SCOPE, first)
    assert model is not None
    ids = [first]
    failing = Health(failing_since=service.now - MINUTE, backlog_since=service.now - MINUTE)
    for number in range(1, WEBHOOKS):
        webhook_id = service.app.subscriptions.next_id(SCOPE, now=service.app.clock.now)
        name = f"Partner feed {number:05} ".ljust(128, "x")
        definition = replace(model.definition, name=name)
        health = failing if number % RARE == 0 else model.health
        service.app.subscriptions.put(replace(model, id=webhook_id, definition=definition, health=health))
        ids.append(webhook_id)
    return ids[::-1]


def _entry(webhook_id: str, now: int, place: int) -> LogEntry:
    at = now - place * 500
    outcome = OUTCOMES[place // RARE % len(OUTCOMES)] if place % RARE == 0 else Outcome.DELIVERED
    took = 40 + place * 37 % 400
    times = PhaseTimes(lookup=5, connect=15, tls=30, first_byte=took - 1, total=took)
    tried = Attempt(
        at=at, latency_ms=took, status=200 if outcome is Outcome.DELIVERED else 503, excerpt="ok", times=times
    )
    made = Delivery(
        id=delivery_id(f"event-{place}", webhook_id, log_time=at),
        event_id=f"event-{place}",
        event_name=EVENTS[place % len(EVENTS)],
        log_time=at,
        body="",
        attempts=() if outcome is Outcome.HELD else (tried,),
    )
    return LogEntry(key=log_key(webhook_id, made), delivery=made, scope=SCOPE, outcome=outcome, settled_at=at)
