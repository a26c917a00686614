"""The command against the API's own functions, in memory: both keep to one contract."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.factories import COMMUNITY, SYSTEM, TENANT, InMemoryApp
from tests.http_app import HttpApp
from tests.unit.cli.command_line import CommandLine
from webhooks.domain.delivery import Attempt, delivery_of
from webhooks.domain.delivery_log import LogEntry, Outcome, log_key
from webhooks.domain.event import parse_event
from webhooks.domain.http import PhaseTimes
from webhooks.domain.scope import Scope
from webhooks_cli.timestamps import show_milliseconds

AT = 1_790_000_000_000 - 60_000  # a minute before the app's time


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


@pytest.fixture
def webhooks(tmp_path: Path, app: InMemoryApp) -> Iterator[CommandLine]:
    with HttpApp(app) as served:
        command_line = CommandLine(tmp_path, now=app.clock.now)
        command_line.write_stack(
            apiUrl=served.url,
            tenantId=TENANT,
            communityId=COMMUNITY,
            licenses={"system": SYSTEM.license_key},
        )
        yield command_line


def event_text(number: int, name: str = "order.paid") -> str:
    return json.dumps(
        {
            "eventId": f"e{number}",
            "eventName": name,
            "tenantId": TENANT,
            "communityId": COMMUNITY,
            "occurredAt": show_milliseconds(AT + number),
            "data": {"amount": 19.90},
        }
    )


def recorded(app: InMemoryApp, webhook_id: str, *, number: int, outcome: Outcome, settled: int = 1000) -> str:
    """Put a delivery into the log, settled so many ms after AT; return its id."""
    delivery = delivery_of(parse_event(event_text(number), message_id="m", sent_at=0), webhook_id)
    attempt = Attempt(
        at=AT + 500,
        latency_ms=36,
        status=200 if outcome is Outcome.DELIVERED else 503,
        address="203.0.113.9",
        times=PhaseTimes(3, 5, 17, 30, 34),
    )
    entry = LogEntry(
        log_key(webhook_id, delivery),
        replace(delivery, attempts=(attempt,)),
        Scope(TENANT, COMMUNITY),
        outcome,
        settled_at=AT + settled,
        reason=None if outcome is Outcome.DELIVERED else "503",
    )
    app.deliveries.record([entry])
    return delivery.id


def test_deliveries_are_listed_and_shown(webhooks: CommandLine, app: InMemoryApp) -> None:
    webhook_id = app.create(name="orders")["_id"]
    ids = [
        recorded(app, webhook_id, number=number, outcome=Outcome.DEAD if number % 2 else Outcome.DELIVERED)
        for number in range(30)
    ]
    listed = webhooks("deliveries", "list", "--webhook", "orders", "--limit", 28, "--json")
    assert listed.code == 0, listed.stdout
    assert [each["deliveryId"] for each in listed.document] == ids[::-1][:28]
    dead = webhooks("deliveries", "list", "--since", show_milliseconds(AT + 20), "--json").document
    assert [each["eventId"] for each in dead] == ["e29", "e27", "e25", "e23", "e21"]
    shown = webhooks("deliveries", "show", ids[3])
    assert shown.code == 0
    assert "first byte     13 ms" in shown.stdout
    missing = webhooks("deliveries", "show", ids[3][:-32] + "0" * 32)
    assert (missing.code, "no such delivery" in missing.stderr) == (1, True)


def test_an_event_is_explained(webhooks: CommandLine, app: InMemoryApp) -> None:
    matching = app.create(name="all", eventNames=["order.paid"])["_id"]
    app.create(name="dollars", eventNames=["order.paid"], query=[{"currency": "USD"}])
    recorded(app, matching, number=1, outcome=Outcome.DELIVERED)
    webhooks.write("event.json", event_text(1))
    shown = webhooks("deliveries", "explain", "event.json")
    assert shown.code == 0, shown.stderr
    rows = {line.split()[1]: line for line in shown.stdout.splitlines()[1:]}
    assert rows["all"].split()[2:4] == ["matched", "delivered"]
    assert 'object 0 of the query, currency: wants "USD", found nothing' in rows["dollars"]
    webhooks.write("other.json", event_text(2, name="order.payed"))
    unheard = webhooks("deliveries", "explain", "other.json")
    assert "order.paid" in unheard.stderr


def test_a_test_event_is_sent(webhooks: CommandLine, app: InMemoryApp) -> None:
    app.create(name="orders")
    sent = webhooks("test", "orders")
    assert sent.code in (0, 1), sent.stderr
    assert "> POST " in sent.stdout
    webhooks.now = app.clock.now
    soon = webhooks("test", "orders")
    assert (soon.code, "429" in soon.stderr) == (1, True)


def test_health_is_shown(webhooks: CommandLine, app: InMemoryApp) -> None:
    app.create(name="orders", paused=True)
    others = app.create(name="others")["_id"]
    shown = webhooks("health")
    assert shown.code == 0, shown.stderr
    assert "2: 1 healthy, 1 paused" in shown.stdout
    assert "orders" in shown.stdout.splitlines()[-1]
    recorded(app, others, number=1, outcome=Outcome.DELIVERED)
    assert "success      100 %" in webhooks("health", "others").stdout
    assert "state        paused" in webhooks("health", "orders").stdout


def test_deliveries_are_followed_in_all_communities(webhooks: CommandLine, app: InMemoryApp) -> None:
    webhook_id = app.create(name="orders")["_id"]
    recorded(app, webhook_id, number=400, outcome=Outcome.DELIVERED)  # before, of a later event
    numbers = iter((300, 301))

    def deliver(_seconds: float) -> None:
        number = next(numbers, None)
        if number is None:
            raise KeyboardInterrupt
        recorded(app, webhook_id, number=number, outcome=Outcome.DELIVERED, settled=1000 + number)

    webhooks.sleep = deliver
    shown = webhooks("tail", "--all", "--json")
    assert shown.code == 130, shown.stderr
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [(each["tenantId"], each["eventId"]) for each in lines] == [(TENANT, "e300"), (TENANT, "e301")]


def test_deliveries_are_replayed_counted_listed_and_cancelled(
    webhooks: CommandLine, app: InMemoryApp
) -> None:
    webhook_id = app.create(name="orders")["_id"]
    ids = [recorded(app, webhook_id, number=number, outcome=Outcome.DEAD) for number in range(3)]
    argv = ("deliveries", "replay", "--webhook", "orders", "--outcome", "dead")
    assert webhooks(*argv, "--dry-run").stdout == "3 would be sent\n"
    nothing = webhooks(*argv, "--until", "7d")
    assert (nothing.code, "no delivery fits" in nothing.stdout) == (0, True)

    begun = webhooks(*argv, "--rate", 5, "--json")
    assert begun.code == 0, begun.stdout
    id_ = begun.document["replayId"]
    assert (begun.document["total"], begun.document["rate"]) == (3, 5)
    assert id_ in webhooks("deliveries", "replays").stdout
    assert webhooks("deliveries", "cancel", id_, "--json").document["state"] == "cancelled"
    assert webhooks("deliveries", "replays", id_).code == 1

    by_ids = webhooks("deliveries", "replay", "--ids", *ids[:2], "--json").document
    assert by_ids["deliveryIds"] == ids[:2]
    missing = webhooks("deliveries", "replay", "--ids", ids[0][:-32] + "0" * 32)
    assert (missing.code, "no such deliveries" in missing.stderr) == (1, True)


def test_an_event_is_published_and_a_secret_rotated_as_the_readme_says(
    webhooks: CommandLine, app: InMemoryApp
) -> None:
    webhook_id = app.create(name="orders")["_id"]
    body = '{"data": {"orderId": "A-1001", "currency": "EUR"}, "eventId": "e1"}'
    published = webhooks("call", "PUT", "event/order.paid", "-d", body, "--json")
    assert (published.code, published.document) == (0, {"eventId": "e1"})
    before = webhooks("call", "GET", f"webhook/{webhook_id}/secret", "--decrypt", "--json").document
    after = webhooks("call", "POST", f"webhook/{webhook_id}/secret/rotate", "--decrypt", "--json").document
    assert after["signingSecret"].startswith("whsec_")
    assert after["signingSecret"] != before["signingSecret"]
