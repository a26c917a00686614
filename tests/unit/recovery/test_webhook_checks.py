"""A look at a webhook: probes, recoveries of its backlog, and its end after days without a success."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.queues import FakeRecoveryQueue, Sent
from tests.fakes.replays import FakeReplays
from tests.recovery_world import SCOPE, World, refused
from webhooks.domain.delivery import Release, ReleaseKind
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.errors import ConflictError
from webhooks.domain.health import Health, State
from webhooks.domain.recovery_message import decode_task, encode_task
from webhooks.domain.replay import IDLE_PASSES, Replay, ReplayState, WebhookCheck
from webhooks.domain.webhook import Webhook

DAY_MS = 86_400_000


def failing(world: World, **changes: Any) -> Health:
    """Return the health of an endpoint whose first probe is due now."""
    health = Health(
        failing_since=world.now - 30_000,
        backlog_since=world.now - 30_000,
        failures=4,
        failures_since=world.now - 60_000,
        probe_at=world.now,
        probe_delay=30,
    )
    return replace(health, **changes)


def look(world: World, webhook: Webhook, probe_at: int | None = None) -> None:
    """Let the function look at a webhook once."""
    world.queue.send(WebhookCheck(SCOPE, webhook.id, probe_at), delay=0)
    assert world.step()


def waiting(world: World) -> list[tuple[WebhookCheck, int]]:
    """Return the looks that wait in the queue, each with its delay."""
    found = [(decode_task(each.text), each.delay) for each in world.queue.queue.messages()]
    return [(task, delay) for task, delay in found if isinstance(task, WebhookCheck)]


def recovery(world: World) -> Replay:
    [replay] = world.replays.newest(SCOPE, after=None, size=10)
    return replay


def probes(world: World) -> list[str]:
    packs = [decode_pack(each.text) for each in world.lane.slow.messages()]
    assert all(
        pack.release is not None and pack.release.kind is ReleaseKind.PROBE and len(pack.deliveries) == 1
        for pack in packs
    )
    return [pack.deliveries[0].id for pack in packs]


@pytest.mark.parametrize(("outcome", "recoverable"), [(Outcome.DEAD, True), (Outcome.HELD, False)])
def test_a_probe_sends_the_oldest_of_the_backlog(outcome: Outcome, *, recoverable: bool) -> None:
    world = World()
    webhook = world.webhook(failing(world))
    ids = world.fill(webhook, 5, outcome, is_recoverable=recoverable)
    look(world, webhook, webhook.health.probe_at)
    assert probes(world) == ids[:1]
    [sent] = world.lane.slow.messages()
    assert (sent.delay, decode_pack(sent.text).release) == (0, Release(ReleaseKind.PROBE, webhook.id))


def test_each_probe_waits_twice_as_long_up_to_15_minutes() -> None:
    world = World()
    webhook = world.webhook(failing(world, probe_at=world.now, probe_delay=None))
    world.fill(webhook, 1, Outcome.HELD)
    world.queue.send(WebhookCheck(SCOPE, webhook.id, world.now), delay=0)
    began, seen = world.clock.now, []
    for _ in range(8):
        world.step()
        seen.append(round(world.clock.now - began))
        health = world.stored(webhook).health
        assert health.probe_at == world.now + (health.probe_delay or 0) * 1000
    assert seen == [0, 30, 90, 210, 450, 930, 1830, 2730]
    assert len(probes(world)) == 8


def test_a_look_for_another_time_than_the_webhook_names_is_dropped() -> None:
    world = World()
    webhook = world.webhook(failing(world))
    world.fill(webhook, 1, Outcome.HELD)
    look(world, webhook, world.now - 1)
    assert (probes(world), waiting(world), world.stored(webhook)) == ([], [], webhook)


def test_a_look_without_a_time_probes_at_once() -> None:
    world = World()
    webhook = world.webhook(failing(world, probe_at=world.now + 500_000))
    ids = world.fill(webhook, 1, Outcome.HELD)
    look(world, webhook)
    assert probes(world) == ids


def test_a_probe_without_a_backlog_waits_for_one() -> None:
    world = World()
    webhook = world.webhook(failing(world))
    look(world, webhook, webhook.health.probe_at)
    assert probes(world) == []
    assert waiting(world) == [(WebhookCheck(SCOPE, webhook.id, world.now + 60_000), 60)]


def test_a_probe_takes_a_delivery_that_has_its_payload() -> None:
    world = World()
    webhook = world.webhook(failing(world))
    ids = world.fill(webhook, 3, Outcome.HELD)
    world.log.forget_payload(ids[0])
    look(world, webhook)
    assert probes(world) == ids[1:2]


def test_a_kill_at_any_effect_of_a_probe_leaves_exactly_one_that_follows() -> None:
    position = 0
    while True:
        world = World()
        webhook = world.webhook(failing(world))
        world.fill(webhook, 1, Outcome.HELD)
        world.queue.send(WebhookCheck(SCOPE, webhook.id, webhook.health.probe_at), delay=0)
        world.faults.at(position)
        world.step()
        killed = len(world.faults.points) > position
        world.faults.at(None)
        for _ in range(3):
            world.step()
        named = world.stored(webhook).health.probe_at
        tasks = [task for task, _ in waiting(world)]
        assert [task.probe_at for task in tasks].count(named) <= 1
        began = world.clock.now
        while world.clock.now < began + 7200:
            assert world.step(), position
        assert len(probes(world)) in range(6, 16), position
        if not killed:
            assert position >= 6
            return
        position += 1


def test_health_that_changes_meanwhile_is_read_again() -> None:
    world = World()
    webhook = world.webhook(failing(world))
    world.fill(webhook, 1, Outcome.HELD)
    raced: list[str] = []

    def race(point: str) -> None:
        if point == "before recovery.send" and not raced:  # sent after the health was read
            raced.append(point)
            world.set_health(webhook, failures=5)

    world.queue = FakeRecoveryQueue(fault=race)
    world.queue.queue.put(Sent(encode_task(WebhookCheck(SCOPE, webhook.id, webhook.health.probe_at))))
    world.step()
    health = world.stored(webhook).health
    assert (health.failures, health.probe_delay, health.probe_at) == (5, 60, world.now + 60_000)


def test_a_webhook_that_is_paused_is_left_alone() -> None:
    world = World()
    webhook = world.webhook(failing(world))
    world.fill(webhook, 1, Outcome.HELD)
    world.change(webhook, {"paused": True})
    look(world, webhook)
    assert (probes(world), waiting(world)) == ([], [])
    assert world.replays.newest(SCOPE, after=None, size=10) == []


def test_a_healthy_webhook_without_a_backlog_costs_nothing() -> None:
    world = World()
    webhook = world.webhook()
    world.faults.at(None)
    look(world, webhook)
    assert world.faults.points == ["before recovery.send", "after recovery.send"]  # of the test's own task


def test_failures_without_a_backlog_need_no_probe() -> None:
    world = World()
    webhook = world.webhook(Health(failures=7, failures_since=world.now))
    look(world, webhook)
    assert (probes(world), waiting(world), world.stored(webhook)) == ([], [], webhook)


def test_a_busy_community_puts_a_disabling_off() -> None:
    world = World()
    webhook = world.webhook(failing(world, failing_since=world.now - 6 * DAY_MS))
    world.fill(webhook, 1, Outcome.HELD)
    world.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    world.faults.at("before subscriptions.change", lambda: ConflictError("others change it"))
    world.step()
    assert world.stored(webhook).enabled
    world.run()
    assert not world.stored(webhook).enabled


def test_a_recovery_sends_the_whole_backlog_oldest_first_and_ends() -> None:
    world = World()
    webhook = world.webhook(Health(backlog_since=world.now - 5000))
    dead = world.fill(webhook, 130, is_recoverable=True)
    held = world.fill(webhook, 130, Outcome.HELD, first=130)
    world.fill(webhook, 7, first=1000)  # dead for good
    world.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    world.run()
    assert world.callbacks == dict.fromkeys([*dead, *held], 1)
    sent = [delivery.id for pack, _ in world.sent for delivery in pack.deliveries]
    assert sent == [*dead, *held]
    replay = recovery(world)
    assert (replay.kind, replay.state, replay.sent) == (ReleaseKind.RECOVERY, ReplayState.DONE, 260)
    assert (replay.total, replay.passed_over, replay.rate) == (260, 0, 50)
    health = world.stored(webhook).health
    assert (health.backlog_since, health.recovery, health.recovery_at) == (None, None, None)


@pytest.mark.parametrize("took", [True, False])
def test_a_kill_at_any_effect_of_a_recovery_doubles_and_loses_nothing(*, took: bool) -> None:
    position = 0
    while True:
        world = World()
        webhook = world.webhook(Health(backlog_since=world.now))
        ids = world.fill(webhook, 120, Outcome.HELD)
        world.respond = lambda _: took
        world.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
        world.faults.at(position)
        steps = 0
        while world.step():
            world.dispatch()
            steps += 1
            assert steps < 100
        killed = world.faults.left is None
        world.faults.at(None)
        assert world.callbacks == dict.fromkeys(ids, 1), position
        assert world.stored(webhook).health.backlog_since is None, position
        states = [each.state for each in world.replays.newest(SCOPE, after=None, size=10)]
        assert states == [ReplayState.DONE], position
        if not killed:
            assert position >= 30
            return
        position += 1


def test_a_delivery_that_is_held_at_the_end_of_a_recovery_is_sent() -> None:
    world = World()
    webhook = world.webhook(Health(backlog_since=world.now))
    first = world.fill(webhook, 3, Outcome.HELD)
    world.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    for _ in range(3):
        world.step()
        world.dispatch()
    late = world.fill(webhook, 1, Outcome.HELD, first=7)  # by a batch that saw the endpoint down
    world.run()
    assert world.callbacks == dict.fromkeys([*first, *late], 1)


def test_a_backlog_that_grows_while_it_is_declared_empty_stays_known() -> None:
    world = World()
    webhook = world.webhook(Health(backlog_since=world.now))
    world.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    claims = 0

    def race(point: str) -> None:
        nonlocal claims
        claims += point == "before replays.claim"
        if point == "before replays.claim" and claims == IDLE_PASSES:  # after the last page was read
            world.fill(webhook, 1, Outcome.HELD)
            world.set_health(webhook, backlog_since=world.now)

    world.replays = FakeReplays(fault=race)
    world.run()
    assert claims > IDLE_PASSES
    assert len(world.callbacks) == 1
    assert world.stored(webhook).health.backlog_since is None


@pytest.mark.parametrize(
    ("health", "reason"),
    [
        ({"held_since": 5}, "its endpoint is down, and deliveries to it are held"),
        ({"failing_since": 5, "probe_at": 7}, "its endpoint failed again"),
        ({"failures": 3}, "its endpoint failed again"),
    ],
)
def test_a_recovery_stops_where_its_endpoint_fails_again(health: dict[str, int], reason: str) -> None:
    world = World()
    webhook = world.webhook(Health(backlog_since=world.now))
    world.fill(webhook, 300, Outcome.HELD)
    look(world, webhook)
    world.step()
    world.dispatch()
    world.set_health(webhook, **health)
    world.step()
    assert (recovery(world).state, recovery(world).reason) == (ReplayState.STOPPED, reason)
    assert len(world.callbacks) == 100
    assert world.stored(webhook).health.backlog_since is not None
    # Without a mark no probe is due, so that one is asked for.
    probed = [(WebhookCheck(SCOPE, webhook.id), 30)] if "failures" in health else []
    assert waiting(world) == probed


def test_an_endpoint_that_failed_in_a_recovery_is_probed_before_the_next_one() -> None:
    world = World()
    webhook = world.webhook(Health(backlog_since=world.now, failures=3))
    ids = world.fill(webhook, 20, Outcome.HELD)
    look(world, webhook)
    assert probes(world) == ids[:1]
    world.set_health(webhook, failures=0)  # the probe succeeded
    world.run()
    assert len(world.callbacks) == 20


def test_a_recovery_that_lives_is_not_begun_twice() -> None:
    world = World()
    webhook = world.webhook(Health(backlog_since=world.now))
    world.fill(webhook, 300, Outcome.HELD)
    look(world, webhook)
    for _ in range(3):
        look(world, webhook)
    world.run()
    assert recovery(world).sent == 300
    assert set(world.callbacks.values()) == {1}


def test_a_recovery_whose_page_was_lost_goes_on() -> None:
    world = World()
    webhook = world.webhook(Health(backlog_since=world.now))
    world.fill(webhook, 300, Outcome.HELD)
    look(world, webhook)
    world.step()
    world.lose_tasks()
    world.clock.now += 599
    look(world, webhook)
    assert not world.step()
    world.clock.now += 2
    look(world, webhook)
    world.run()
    assert recovery(world).sent == 300
    assert len(world.callbacks) == 300


def test_a_backlog_without_payloads_is_dead_for_good() -> None:
    world = World()
    webhook = world.webhook(Health(backlog_since=world.now))
    ids = world.fill(webhook, 3, Outcome.HELD)
    world.log.forget_payload(ids[1])
    look(world, webhook)
    world.run()
    assert world.outcomes() == {Outcome.DELIVERED: 2, Outcome.DEAD: 1}
    [dead] = [each for each in world.log.entries() if each.outcome is Outcome.DEAD]
    assert (dead.reason, dead.is_recoverable, dead.has_payload) == ("its payload is not kept", False, False)
    assert (recovery(world).sent, recovery(world).without_payload) == (2, 1)
    assert world.stored(webhook).health.backlog_since is None


def test_a_webhook_without_a_success_for_days_is_disabled_and_its_backlog_ends() -> None:
    world = World()
    webhook = world.webhook(
        failing(world, failing_since=world.now - 5 * DAY_MS, held_since=world.now - DAY_MS)
    )
    world.fill(webhook, 250, Outcome.HELD)
    world.fill(webhook, 20, first=300, is_recoverable=True)
    since = webhook.health.failing_since
    look(world, webhook, webhook.health.probe_at)
    disabled_at = world.now
    stored = world.stored(webhook)
    assert (stored.enabled, stored.disabled_reason) == (False, "no success for 5 days")
    assert stored.health.changes[-1].state is State.DISABLED
    [event] = map(json.loads, world.published)
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
    world.run()
    assert world.outcomes() == {Outcome.DEAD: 270}
    assert not any(each.is_recoverable for each in world.log.entries())
    assert {each.reason for each in world.log.entries()} == {"no success for 5 days"}
    assert all(each.has_payload for each in world.log.entries())
    health = world.stored(webhook).health
    assert replace(health, changes=(), version=0) == Health(slow_since=health.slow_since)
    assert [change.state for change in health.changes] == [State.DISABLED]


def test_an_event_that_cannot_be_sent_costs_nothing_else() -> None:
    world = World()
    webhook = world.webhook(failing(world, failing_since=world.now - 6 * DAY_MS))
    world.fill(webhook, 1, Outcome.HELD)
    world.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
    world.faults.at("before events.publish", refused)
    world.step()
    world.run()
    assert not world.stored(webhook).enabled
    assert world.outcomes() == {Outcome.DEAD: 1}


@pytest.mark.parametrize(
    ("health", "deliveries"),
    [
        ({"failing_since": 5 * DAY_MS - 1}, 1),  # not yet
        ({"failing_since": 6 * DAY_MS, "failures": 1}, 0),  # one delivery failed, and none came since
        ({}, 1),
    ],
)
def test_a_webhook_is_not_disabled_without_cause(health: dict[str, int], deliveries: int) -> None:
    world = World()
    since = {name: world.now - value if name.endswith("since") else value for name, value in health.items()}
    webhook = world.webhook(failing(world, **since))
    world.fill(webhook, deliveries, Outcome.HELD)
    look(world, webhook)
    assert world.stored(webhook).enabled


def test_a_kill_at_any_effect_of_a_disabling_ends_the_same() -> None:
    position = 0
    while True:
        world = World()
        webhook = world.webhook(failing(world, failing_since=world.now - 6 * DAY_MS))
        world.fill(webhook, 150, Outcome.HELD)
        world.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
        world.faults.at(position)
        world.run()
        killed = world.faults.left is None
        world.faults.at(None)
        assert world.outcomes() == {Outcome.DEAD: 150}, position
        stored = world.stored(webhook)
        assert not stored.enabled
        assert (stored.health.backlog_since, stored.health.failing_since) == (None, None), position
        assert not world.callbacks
        if not killed:
            assert position >= 20
            return
        position += 1


def test_the_backlog_of_a_webhook_that_its_owner_disabled_ends() -> None:
    world = World()
    webhook = world.webhook(failing(world))
    world.fill(webhook, 5, Outcome.HELD)
    world.change(webhook, {"disabled": True})
    look(world, webhook)
    assert world.outcomes() == {Outcome.HELD: 5}  # a batch that saw it enabled may still be at work
    world.run()
    assert world.outcomes() == {Outcome.DEAD: 5}
    assert {each.reason for each in world.log.entries()} == {"the webhook is disabled"}
    assert world.published == []


def test_the_backlog_of_a_deleted_webhook_ends() -> None:
    for position in range(12):
        world = World()
        webhook, other = world.webhook(failing(world)), world.webhook(failing(world))
        world.fill(webhook, 150, Outcome.HELD)
        world.fill(webhook, 5, first=500, is_recoverable=True)
        world.fill(other, 5, Outcome.HELD)
        world.change(webhook, None)
        world.queue.send(WebhookCheck(SCOPE, webhook.id), delay=0)
        world.faults.at(position)
        world.run()
        assert world.outcomes() == {Outcome.DEAD: 155, Outcome.HELD: 5}, position
        dead = [each for each in world.log.entries() if each.outcome is Outcome.DEAD]
        assert {(each.reason, each.is_recoverable) for each in dead} == {("the webhook was deleted", False)}


def test_a_webhook_that_is_enabled_again_keeps_what_is_held() -> None:
    world = World()
    webhook = world.webhook(failing(world))
    world.fill(webhook, 5, Outcome.HELD)
    world.change(webhook, {"disabled": True})
    look(world, webhook)
    world.change(webhook, {"disabled": False})
    world.set_health(webhook, failing_since=None, failures=0)
    world.run()
    assert world.outcomes() == {Outcome.DELIVERED: 5}
