"""Pausing, resuming, disabling and enabling a webhook: its history, and the check that follows."""

from dataclasses import replace
from typing import Any

import pytest

from tests.factories import BASE, SCOPE, InMemoryApp
from tests.fakes.faults import Fault, no_fault
from tests.fakes.subscriptions import FakeSubscriptions
from webhooks.domain.errors import UnavailableError
from webhooks.domain.health import Health, State, StateChange
from webhooks.domain.recovery_message import decode_task
from webhooks.domain.replay import RecoveryTask, WebhookCheck
from webhooks.domain.webhook import Webhook


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


def change(app: InMemoryApp, webhook_id: str, **fields: Any) -> None:
    response = app.call("PATCH", f"{BASE}/webhook/{webhook_id}", fields)
    assert response.status == 200, response.text


def stored(app: InMemoryApp, webhook_id: str) -> Webhook:
    found = app.subscriptions.get(SCOPE, webhook_id)
    assert found is not None
    return found


def changes(app: InMemoryApp, webhook_id: str) -> list[tuple[State, str]]:
    return [(each.state, each.reason) for each in stored(app, webhook_id).health.changes]


def checks(app: InMemoryApp) -> list[tuple[RecoveryTask, int]]:
    return [(decode_task(each.text), each.delay) for each in app.recovery.queue.messages()]


def test_every_change_of_state_is_in_the_webhooks_history(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    for fields in (
        {"paused": True},
        {"disabled": True},
        {"paused": False},
        {"disabled": None},
        {"disabled": True, "paused": True},
        {"disabled": False, "paused": False},
    ):
        app.clock.now += 10
        change(app, webhook_id, **fields)
    assert changes(app, webhook_id) == [
        (State.PAUSED, "paused by its tenant"),
        (State.DISABLED, "disabled by its tenant"),
        (State.DISABLED, "resumed by its tenant"),
        (State.HEALTHY, "enabled by its tenant"),
        (State.DISABLED, "disabled and paused by its tenant"),
        (State.HEALTHY, "enabled and resumed by its tenant"),
    ]
    assert stored(app, webhook_id).health.changes[-1].at == round(app.clock.now * 1000)


def test_a_change_that_leaves_the_state_is_not_in_the_history(app: InMemoryApp) -> None:
    webhook_id = app.create(paused=True)["_id"]
    change(app, webhook_id, name="new", paused=True, disabled=False)
    assert changes(app, webhook_id) == []
    assert checks(app) == []


@pytest.mark.parametrize(
    ("before", "fields", "checked"),
    [
        ({}, {"paused": True}, False),
        ({}, {"disabled": True}, True),
        ({"paused": True}, {"paused": False}, True),
        ({"paused": True}, {"disabled": True}, True),
        ({"disabled": True}, {"disabled": False}, True),
        ({"disabled": True}, {"paused": True}, False),
        ({"disabled": True, "paused": True}, {"disabled": False, "paused": False}, True),
    ],
)
def test_a_webhook_is_checked_once_it_begins_again_or_ends(
    app: InMemoryApp, before: dict[str, Any], fields: dict[str, Any], checked: bool
) -> None:
    webhook_id = app.create(**before)["_id"]
    change(app, webhook_id, **fields)
    assert checks(app) == ([(WebhookCheck(SCOPE, webhook_id), 0)] if checked else [])


def test_the_repeat_of_a_resumption_sends_no_second_check(app: InMemoryApp) -> None:
    webhook_id = app.create(paused=True)["_id"]
    for _ in range(2):
        path = f"{BASE}/webhook/{webhook_id}"
        assert app.call("PATCH", path, {"paused": False}, uuid="the same").status == 200
    assert len(checks(app)) == 1


def test_a_resumption_whose_check_cannot_be_sent_is_made_all_the_same(app: InMemoryApp) -> None:
    webhook_id = app.create(paused=True)["_id"]
    app.fault = failing("recovery.send")
    change(app, webhook_id, paused=False)
    assert not stored(app, webhook_id).definition.paused
    assert '"webhook.check_not_sent"' in app.log.getvalue()


def failing(effect: str) -> Fault:
    def fault(point: str) -> None:
        if point == f"before {effect}":
            raise UnavailableError("sqs SendMessage: ReadTimeoutError")

    return fault


def test_an_enabled_webhook_begins_anew_and_keeps_its_backlog(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    down = Health(
        slow_since=1,
        failing_since=2,
        held_since=3,
        backlog_since=4,
        failures=9,
        failures_since=5,
        probe_at=6,
        probe_delay=7,
        changes=(StateChange(2, State.FAILING, "HTTP 503"),),
    )
    app.subscriptions.save(stored(app, webhook_id), down)
    change(app, webhook_id, disabled=True)
    assert replace(stored(app, webhook_id).health, changes=(), version=0) == replace(down, changes=())
    change(app, webhook_id, disabled=False)
    health = stored(app, webhook_id).health
    assert replace(health, changes=(), version=0) == Health(slow_since=1, backlog_since=4)
    assert [each.state for each in health.changes] == [State.FAILING, State.DISABLED, State.SLOW]


def test_a_resumed_webhook_whose_endpoint_is_down_stays_held(app: InMemoryApp) -> None:
    webhook_id = app.create(paused=True)["_id"]
    app.subscriptions.save(stored(app, webhook_id), Health(held_since=3, failing_since=2))
    change(app, webhook_id, paused=False)
    assert stored(app, webhook_id).states == (State.HELD, State.FAILING)
    assert changes(app, webhook_id) == [(State.HELD, "resumed by its tenant")]


class HealthWrittenMeanwhile(FakeSubscriptions):
    """The dispatcher writes a webhook's health once, between the read and the write of a change."""

    is_written = False

    def change(self, before: Webhook, after: Webhook, *, record: object) -> None:
        if not self.is_written:
            self.is_written = True
            self.save(before, Health(failing_since=2))
        super().change(before, after, record=record)  # type: ignore[arg-type] # the record goes on as it is


def test_a_pause_keeps_a_health_that_was_written_meanwhile() -> None:
    plain = InMemoryApp()
    app = InMemoryApp(
        subscriptions=HealthWrittenMeanwhile(
            clock=plain.clock, random_bytes=plain.random_bytes, fault=no_fault
        )
    )
    webhook_id = app.create()["_id"]
    change(app, webhook_id, paused=True)
    assert stored(app, webhook_id).states == (State.PAUSED, State.FAILING)
    assert changes(app, webhook_id) == [(State.PAUSED, "paused by its tenant")]


def test_the_backlog_of_a_deleted_webhook_is_looked_at(app: InMemoryApp) -> None:
    plain, waiting, paused = (app.create()["_id"] for _ in range(3))
    app.subscriptions.save(stored(app, waiting), Health(backlog_since=4))
    change(app, paused, paused=True)
    app.recovery.queue.take_all()
    for webhook_id in (plain, waiting, paused):
        assert app.call("DELETE", f"{BASE}/webhook/{webhook_id}").status == 204
    assert checks(app) == [(WebhookCheck(SCOPE, each), 60) for each in (waiting, paused)]


def test_a_webhook_is_deleted_although_its_check_cannot_be_sent(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    app.subscriptions.save(stored(app, webhook_id), Health(backlog_since=4))
    app.fault = failing("recovery.send")
    assert app.call("DELETE", f"{BASE}/webhook/{webhook_id}").status == 204
    assert app.subscriptions.get(SCOPE, webhook_id) is None
    assert '"webhook.check_not_sent"' in app.log.getvalue()
