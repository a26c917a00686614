"""A look at a webhook: probes, recoveries of its backlog, and its end after days without a success."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakes.queues import FakeRecoveryQueue, Sent
from tests.fakes.replays import FakeReplays
from tests.recovery_functions import SCOPE, RecoveryFunctions, refused
from webhooks.domain.delivery import Release, ReleaseKind
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.errors import ConflictError, UnavailableError
from webhooks.domain.health import Health, State
from webhooks.domain.recovery_message import decode_task, encode_task
from webhooks.domain.replay import IDLE_PASSES, Replay, ReplayState, WebhookCheck
from webhooks.domain.webhook import Webhook

DAY_MS = 86_400_000


def failing(functions: RecoveryFunctions, **changes: Any) -> Health:
    """Return the health of an endpoint whose first probe is due now."""
    health = Health(
        failing_since=functions.now - 30_000,
        backlog_since=functions.now - 30_000,
        failures=4,
        failures_since=functions.now - 60_000,
        probe_at=functions.now,
        probe_delay=30,
    )
    return replace(health, **changes)


def look(functions: RecoveryFunctions, webhook: Webhook, probe_at: int | None = None) -> None:
    """Let the function look at a webhook once."""
    functions.queue.send(WebhookCheck(SCOPE, webhook.id, probe_at), delay=0)
    assert functions.step()


def waiting(functions: RecoveryFunctions) -> list[tuple[WebhookCheck, int]]:
    """Return the looks that wait in the queue, each with its delay."""
    found = [(decode_task(each.text), each.delay) for each in functions.queue.queue.messages()]
    return [(task, delay) for task, delay in found if isinstance(task, WebhookCheck)]


def recovery(functions: RecoveryFunctions) -> Replay:
    [replay] = functions.replays.newest(SCOPE, after=None, size=10)
    return replay


def probes(functions: RecoveryFunctions) -> list[str]:
    packs = [decode_pack(each.text) for each in functions.lane.slow.messages()]
    assert all(
        pack.release is not None and pack.release.kind is ReleaseKind.PROBE and len(pack.deliveries) == 1
        for pack in packs
    )
    return [pack.deliveries[0].id for pack in packs]


@pytest.mark.parametrize(("outcome", "recoverable"), [(Outcome.DEAD, True), (Outcome.HELD, False)])
def test_a_probe_sends_the_oldest_of_the_backlog(outcome: Outcome, *, recoverable: bool) -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(failing(functions))
    ids = functions.fill(webhook, 5, outcome, is_recoverable=recoverable)
    look(functions, webhook, webhook.health.probe_at)
    assert probes(functions) == ids[:1]
    [sent] = functions.lane.slow.messages()
    assert (sent.delay, decode_pack(sent.text).release) == (0, Release(ReleaseKind.PROBE, webhook.id))


def test_each_probe_waits_twice_as_long_up_to_15_minutes() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(failing(functions, probe_at=functions.now, probe_delay=None))
    functions.fill(webhook, 1, Outcome.HELD)
    functions.queue.send(WebhookCheck(SCOPE, webhook.id, functions.now), delay=0)
    began, seen = functions.clock.now, []
    for _ in range(8):
        functions.step()
        seen.append(round(functions.clock.now - began))
        health = functions.stored(webhook).health
        assert health.probe_at == functions.now + (health.probe_delay or 0) * 1000
    assert seen == [0, 30, 90, 210, 450, 930, 1830, 2730]
    assert len(probes(functions)) == 8


def test_a_look_for_another_time_than_the_webhook_names_is_dropped() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(failing(functions))
    functions.fill(webhook, 1, Outcome.HELD)
    look(functions, webhook, functions.now - 1)
    assert (probes(functions), waiting(functions), functions.stored(webhook)) == ([], [], webhook)


def test_a_look_without_a_time_probes_at_once() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(failing(functions, probe_at=functions.now + 500_000))
    ids = functions.fill(webhook, 1, Outcome.HELD)
    look(functions, webhook)
    assert probes(functions) == ids


def test_a_probe_without_a_backlog_waits_for_one() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(failing(functions))
    look(functions, webhook, webhook.health.probe_at)
    assert probes(functions) == []
    assert waiting(functions) == [(WebhookCheck(SCOPE, webhook.id, functions.now + 60_000), 60)]


def test_a_probe_takes_a_delivery_that_has_its_payload() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(failing(functions))
    ids = functions.fill(webhook, 3, Outcome.HELD)
    functions.log.forget_payload(ids[0])
    look(functions, webhook)
    assert probes(functions) == ids[1:2]


def test_a_kill_at_any_effect_of_a_probe_leaves_exactly_one_that_follows() -> None:
    position = 0
    while True:
        functions = RecoveryFunctions()
        webhook = functions.webhook(failing(functions))
        functions.fill(webhook, 1, Outcome.HELD)
        functions.queue.send(WebhookCheck(SCOPE, webhook.id, webhook.health.probe_at), delay=0)
        functions.faults.at(position)
        functions.step()
        killed = len(functions.faults.points) > position
        functions.faults.at(None)
        for _ in range(3):
            functions.step()
        named = functions.stored(webhook).health.probe_at
        tasks = [task for task, _ in waiting(functions)]
        assert [task.probe_at for task in tasks].count(named) <= 1
        began = functions.clock.now
        while functions.clock.now < began + 7200:
            assert functions.step(), position
        assert len(probes(functions)) in range(6, 16), position
        if not killed:
            assert position >= 6
            return
        position += 1


@pytest.mark.parametrize("disabled", [True, False])
def test_a_write_that_fails_for_long_makes_no_task_more(*, disabled: bool) -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(Health(backlog_since=1, failures=3, failures_since=1))
    if disabled:
        functions.fill(webhook, 1, Outcome.HELD)
        functions.change(webhook, {"disabled": True})
    functions.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    for _ in range(20):
        functions.faults.at("before health.save", lambda: UnavailableError("dynamodb: away"))
        assert functions.step()
        assert len(waiting(functions)) <= 1


def test_health_that_changes_meanwhile_is_read_again() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(failing(functions))
    functions.fill(webhook, 1, Outcome.HELD)
    raced: list[str] = []

    def race(point: str) -> None:
        if point == "before recovery.send" and not raced:  # sent after the health was read
            raced.append(point)
            functions.set_health(webhook, failures=5)

    functions.queue = FakeRecoveryQueue(fault=race)
    functions.queue.queue.put(Sent(encode_task(WebhookCheck(SCOPE, webhook.id, webhook.health.probe_at))))
    functions.step()
    health = functions.stored(webhook).health
    assert (health.failures, health.probe_delay, health.probe_at) == (5, 60, functions.now + 60_000)


def test_a_webhook_that_is_paused_is_left_alone() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(failing(functions))
    functions.fill(webhook, 1, Outcome.HELD)
    functions.change(webhook, {"paused": True})
    look(functions, webhook)
    assert (probes(functions), waiting(functions)) == ([], [])
    assert functions.replays.newest(SCOPE, after=None, size=10) == []


def test_a_healthy_webhook_without_a_backlog_costs_nothing() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook()
    functions.faults.at(None)
    look(functions, webhook)
    assert functions.faults.points == [
        "before recovery.send",
        "after recovery.send",
    ]  # of the test's own task


def test_failures_without_a_backlog_need_no_probe() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(Health(failures=7, failures_since=functions.now))
    look(functions, webhook)
    assert (probes(functions), waiting(functions), functions.stored(webhook)) == ([], [], webhook)


def test_a_busy_community_puts_a_disabling_off() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(failing(functions, failing_since=functions.now - 6 * DAY_MS))
    functions.fill(webhook, 1, Outcome.HELD)
    functions.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    functions.faults.at("before subscriptions.change", lambda: ConflictError("others change it"))
    functions.step()
    assert functions.stored(webhook).enabled
    functions.run()
    assert not functions.stored(webhook).enabled


def test_a_recovery_sends_the_whole_backlog_oldest_first_and_ends() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(Health(backlog_since=functions.now - 5000))
    dead = functions.fill(webhook, 130, is_recoverable=True)
    held = functions.fill(webhook, 130, Outcome.HELD, first=130)
    functions.fill(webhook, 7, first=1000)  # dead for good
    functions.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    functions.run()
    assert functions.callbacks == dict.fromkeys([*dead, *held], 1)
    sent = [delivery.id for pack, _ in functions.sent for delivery in pack.deliveries]
    assert sent == [*dead, *held]
    replay = recovery(functions)
    assert (replay.kind, replay.state, replay.sent) == (ReleaseKind.RECOVERY, ReplayState.DONE, 260)
    assert (replay.total, replay.passed_over, replay.rate) == (260, 0, 50)
    health = functions.stored(webhook).health
    assert (health.backlog_since, health.recovery, health.recovery_at) == (None, None, None)


@pytest.mark.parametrize("took", [True, False])
def test_a_kill_at_any_effect_of_a_recovery_doubles_and_loses_nothing(*, took: bool) -> None:
    position = 0
    while True:
        functions = RecoveryFunctions()
        webhook = functions.webhook(Health(backlog_since=functions.now))
        ids = functions.fill(webhook, 120, Outcome.HELD)
        functions.respond = lambda _: took
        functions.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
        functions.faults.at(position)
        steps = 0
        while functions.step():
            functions.dispatch()
            steps += 1
            assert steps < 100
        killed = functions.faults.left is None
        functions.faults.at(None)
        assert functions.callbacks == dict.fromkeys(ids, 1), position
        assert functions.stored(webhook).health.backlog_since is None, position
        states = [each.state for each in functions.replays.newest(SCOPE, after=None, size=10)]
        assert states == [ReplayState.DONE], position
        if not killed:
            assert position >= 30
            return
        position += 1


def test_a_delivery_that_is_held_at_the_end_of_a_recovery_is_sent() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(Health(backlog_since=functions.now))
    first = functions.fill(webhook, 3, Outcome.HELD)
    functions.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    for _ in range(3):
        functions.step()
        functions.dispatch()
    late = functions.fill(webhook, 1, Outcome.HELD, first=7)  # by a batch that saw the endpoint down
    functions.run()
    assert functions.callbacks == dict.fromkeys([*first, *late], 1)


def test_a_backlog_that_grows_while_it_is_declared_empty_stays_known() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(Health(backlog_since=functions.now))
    functions.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    claims = 0

    def race(point: str) -> None:
        nonlocal claims
        claims += point == "before replays.claim"
        if point == "before replays.claim" and claims == IDLE_PASSES:  # after the last page was read
            functions.fill(webhook, 1, Outcome.HELD)
            functions.set_health(webhook, backlog_since=functions.now)

    functions.replays = FakeReplays(fault=race)
    functions.run()
    assert claims > IDLE_PASSES
    assert len(functions.callbacks) == 1
    assert functions.stored(webhook).health.backlog_since is None


@pytest.mark.parametrize(
    ("health", "reason"),
    [
        ({"held_since": 5}, "its endpoint is down, and deliveries to it are held"),
        ({"failing_since": 5, "probe_at": 7}, "its endpoint failed again"),
        ({"failures": 3}, "its endpoint failed again"),
    ],
)
def test_a_recovery_stops_where_its_endpoint_fails_again(health: dict[str, int], reason: str) -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(Health(backlog_since=functions.now))
    functions.fill(webhook, 300, Outcome.HELD)
    look(functions, webhook)
    functions.step()
    functions.dispatch()
    functions.set_health(webhook, **health)
    functions.step()
    assert (recovery(functions).state, recovery(functions).reason) == (ReplayState.STOPPED, reason)
    assert len(functions.callbacks) == 100
    assert functions.stored(webhook).health.backlog_since is not None
    # Without a mark no probe is due, so that one is asked for.
    probed = [(WebhookCheck(SCOPE, webhook.id), 30)] if "failures" in health else []
    assert waiting(functions) == probed


def test_an_endpoint_that_failed_in_a_recovery_is_probed_before_the_next_one() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(Health(backlog_since=functions.now, failures=3))
    ids = functions.fill(webhook, 20, Outcome.HELD)
    look(functions, webhook)
    assert probes(functions) == ids[:1]
    functions.set_health(webhook, failures=0)  # the probe succeeded
    functions.run()
    assert len(functions.callbacks) == 20


def test_a_recovery_that_lives_is_not_begun_twice() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(Health(backlog_since=functions.now))
    functions.fill(webhook, 300, Outcome.HELD)
    look(functions, webhook)
    for _ in range(3):
        look(functions, webhook)
    functions.run()
    assert recovery(functions).sent == 300
    assert set(functions.callbacks.values()) == {1}


def test_a_recovery_whose_page_was_lost_goes_on() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(Health(backlog_since=functions.now))
    functions.fill(webhook, 300, Outcome.HELD)
    look(functions, webhook)
    functions.step()
    functions.lose_tasks()
    functions.clock.now += 599
    look(functions, webhook)
    assert not functions.step()
    functions.clock.now += 2
    look(functions, webhook)
    functions.run()
    assert recovery(functions).sent == 300
    assert len(functions.callbacks) == 300


def test_a_backlog_without_payloads_is_dead_for_good() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(Health(backlog_since=functions.now))
    ids = functions.fill(webhook, 3, Outcome.HELD)
    functions.log.forget_payload(ids[1])
    look(functions, webhook)
    functions.run()
    assert functions.outcomes() == {Outcome.DELIVERED: 2, Outcome.DEAD: 1}
    [dead] = [each for each in functions.log.entries() if each.outcome is Outcome.DEAD]
    assert (dead.reason, dead.is_recoverable, dead.has_payload) == ("its payload is not kept", False, False)
    assert (recovery(functions).sent, recovery(functions).without_payload) == (2, 1)
    assert functions.stored(webhook).health.backlog_since is None


def test_a_webhook_without_a_success_for_days_is_disabled_and_its_backlog_ends() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(
        failing(functions, failing_since=functions.now - 5 * DAY_MS, held_since=functions.now - DAY_MS)
    )
    functions.fill(webhook, 250, Outcome.HELD)
    functions.fill(webhook, 20, first=300, is_recoverable=True)
    since = webhook.health.failing_since
    look(functions, webhook, webhook.health.probe_at)
    disabled_at = functions.now
    stored = functions.stored(webhook)
    assert (stored.enabled, stored.disabled_reason) == (False, "no success for 5 days")
    assert stored.health.changes[-1].state is State.DISABLED
    [event] = map(json.loads, functions.published)
    assert since is not None
    assert event["eventId"] == f"{webhook.id}-disabled-{disabled_at}"
    assert (event["eventName"], event["tenantId"], event["communityId"]) == (
        "webhook.disabled",
        SCOPE.tenant_id,
        SCOPE.community_id,
    )
    assert event["data"]["reason"] == "no success for 5 days"
    assert (event["data"]["webhookId"], event["data"]["name"]) == (webhook.id, webhook.definition.name)
    assert event["data"]["since"].endswith("Z")
    functions.run()
    assert functions.outcomes() == {Outcome.DEAD: 270}
    assert not any(each.is_recoverable for each in functions.log.entries())
    assert {each.reason for each in functions.log.entries()} == {"no success for 5 days"}
    assert all(each.has_payload for each in functions.log.entries())
    health = functions.stored(webhook).health
    assert replace(health, changes=(), version=0) == Health(slow_since=health.slow_since)
    assert [change.state for change in health.changes] == [State.DISABLED]


def test_an_endpoint_that_failed_again_in_its_recovery_is_disabled_after_days_too() -> None:
    functions = RecoveryFunctions()
    since = functions.now - 5 * DAY_MS
    webhook = functions.webhook(failing(functions, failing_since=None, failures=3, failures_since=since))
    functions.fill(webhook, 2, is_recoverable=True)
    look(functions, webhook)
    assert functions.stored(webhook).disabled_reason == "no success for 5 days"
    [event] = map(json.loads, functions.published)
    assert datetime.fromisoformat(event["data"]["since"]) == datetime.fromtimestamp(since / 1000, UTC)
    functions.run()
    assert not any(each.is_recoverable for each in functions.log.entries())
    assert not functions.callbacks


def test_an_event_that_cannot_be_sent_costs_nothing_else() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(failing(functions, failing_since=functions.now - 6 * DAY_MS))
    functions.fill(webhook, 1, Outcome.HELD)
    functions.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    functions.faults.at("before events.publish", refused)
    functions.step()
    functions.run()
    assert not functions.stored(webhook).enabled
    assert functions.outcomes() == {Outcome.DEAD: 1}


@pytest.mark.parametrize(
    ("health", "deliveries"),
    [
        ({"failing_since": 5 * DAY_MS - 1}, 1),  # not yet
        ({"failing_since": 6 * DAY_MS, "failures": 1}, 0),  # one delivery failed, and none came since
        (
            {"failing_since": None, "failures": 3, "failures_since": 5 * DAY_MS - 1},
            1,
        ),  # in a recovery, not yet
        ({"failing_since": None, "failures": 2, "failures_since": 6 * DAY_MS}, 1),  # too few to tell
        ({"failing_since": None, "failures": 4, "failures_since": 6 * DAY_MS}, 0),  # nothing is left
        ({}, 1),
    ],
)
def test_a_webhook_is_not_disabled_without_cause(health: dict[str, int | None], deliveries: int) -> None:
    functions = RecoveryFunctions()
    since = {
        name: value if value is None or not name.endswith("since") else functions.now - value
        for name, value in health.items()
    }
    webhook = functions.webhook(failing(functions, **since))
    functions.fill(webhook, deliveries, Outcome.HELD)
    look(functions, webhook)
    assert functions.stored(webhook).enabled


def test_a_kill_at_any_effect_of_a_disabling_ends_the_same() -> None:
    position = 0
    while True:
        functions = RecoveryFunctions()
        webhook = functions.webhook(failing(functions, failing_since=functions.now - 6 * DAY_MS))
        functions.fill(webhook, 150, Outcome.HELD)
        functions.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
        functions.faults.at(position)
        functions.run()
        killed = functions.faults.left is None
        functions.faults.at(None)
        assert functions.outcomes() == {Outcome.DEAD: 150}, position
        stored = functions.stored(webhook)
        assert not stored.enabled
        assert (stored.health.backlog_since, stored.health.failing_since) == (None, None), position
        assert not functions.callbacks
        if not killed:
            assert position >= 20
            return
        position += 1


def test_the_backlog_of_a_webhook_that_its_tenant_disabled_ends() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(failing(functions))
    functions.fill(webhook, 5, Outcome.HELD)
    functions.change(webhook, {"disabled": True})
    look(functions, webhook)
    assert functions.outcomes() == {Outcome.HELD: 5}  # a batch that saw it enabled may still be at work
    functions.run()
    assert functions.outcomes() == {Outcome.DEAD: 5}
    assert {each.reason for each in functions.log.entries()} == {"the webhook is disabled"}
    assert functions.published == []


def test_the_backlog_of_a_deleted_webhook_ends() -> None:
    for position in range(12):
        functions = RecoveryFunctions()
        webhook, other = functions.webhook(failing(functions)), functions.webhook(failing(functions))
        functions.fill(webhook, 150, Outcome.HELD)
        functions.fill(webhook, 5, first=500, is_recoverable=True)
        functions.fill(other, 5, Outcome.HELD)
        functions.change(webhook, None)
        functions.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
        functions.faults.at(position)
        functions.run()
        assert functions.outcomes() == {Outcome.DEAD: 155, Outcome.HELD: 5}, position
        dead = [each for each in functions.log.entries() if each.outcome is Outcome.DEAD]
        assert {(each.reason, each.is_recoverable) for each in dead} == {("the webhook was deleted", False)}


def test_a_webhook_that_is_enabled_again_keeps_what_is_held() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(failing(functions))
    functions.fill(webhook, 5, Outcome.HELD)
    functions.change(webhook, {"disabled": True})
    look(functions, webhook)
    functions.change(webhook, {"disabled": False})
    functions.set_health(webhook, failing_since=None, failures=0)
    functions.run()
    assert functions.outcomes() == {Outcome.DELIVERED: 5}


def test_a_success_while_a_webhook_is_to_be_disabled_keeps_it_enabled() -> None:
    functions = RecoveryFunctions()
    since = functions.now - 6 * DAY_MS
    webhook = functions.webhook(failing(functions, failing_since=None, failures=3, failures_since=since))
    functions.fill(webhook, 1, Outcome.HELD)
    newest = functions.log.newest

    def succeed_meanwhile(*args: Any, **named: Any) -> Any:
        functions.log.newest = newest  # type: ignore[method-assign]
        functions.set_health(webhook, failures=0, failures_since=None, probe_at=None, probe_delay=None)
        return newest(*args, **named)

    functions.log.newest = succeed_meanwhile  # type: ignore[method-assign]
    look(functions, webhook, webhook.health.probe_at)

    assert functions.stored(webhook).enabled
