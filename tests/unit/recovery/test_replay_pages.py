"""Pages of a replay: nothing is lost, doubled or miscounted, whatever ends the process."""

import random
import time
from typing import Any

import pytest

from tests.recovery_world import BEGAN, SCOPE, World, refused
from tests.unit.recovery.replays_begun import ID, begin_replay, counts, stored
from webhooks.domain.delivery import Release, ReleaseKind
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.replay import PagePlan, ReplayPage, ReplayState


def test_a_replay_sends_what_its_query_finds_once() -> None:
    world = World()
    webhook, other = world.webhook(), world.webhook()
    wanted = world.fill(webhook, 250)
    world.fill(webhook, 20, Outcome.DELIVERED)
    world.fill(webhook, 20, Outcome.HELD)
    world.fill(other, 20)
    begin_replay(world, webhook)
    world.run()
    assert world.callbacks == dict.fromkeys(wanted, 1)
    assert counts(world) == (ReplayState.DONE, 250, 250, 0, 0)
    assert [pack.release for pack, _ in world.sent] == [Release(ReleaseKind.REPLAY, ID)] * 25


def test_a_replay_keeps_to_its_times_and_its_event_name() -> None:
    world = World()
    webhook = world.webhook()
    ids = world.fill(webhook, 30)
    world.fill(webhook, 30, name="order.refunded")
    begin_replay(world, webhook, query={"since": BEGAN + 5, "until": BEGAN + 14, "event_name": "order.paid"})
    world.run()
    assert world.callbacks == dict.fromkeys(ids[5:15], 1)
    assert counts(world) == (ReplayState.DONE, 10, 10, 0, 0)


def test_a_replay_of_a_list_sends_it_once() -> None:
    world = World()
    webhook, other = world.webhook(), world.webhook()
    ids = [*world.fill(webhook, 40), *world.fill(other, 40, Outcome.HELD)]
    random.Random(1).shuffle(ids)
    begin_replay(world, webhook, deliveries=tuple(ids[:60]), rate=1)
    world.run()
    assert world.callbacks == dict.fromkeys(ids[:60], 1)
    assert counts(world) == (ReplayState.DONE, 60, 60, 0, 0)


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("took", [True, False])
@pytest.mark.parametrize("dispatched", [True, False])
def test_a_kill_at_any_effect_of_a_page_doubles_and_loses_nothing(
    *, listed: bool, took: bool, dispatched: bool
) -> None:
    position = 0
    while True:
        world = World()
        webhook = world.webhook()
        wanted = world.fill(webhook, 25)
        world.respond = lambda _: took
        begin_replay(world, webhook, deliveries=tuple(wanted) if listed else (), rate=1)
        steps = 0
        killed = False
        while True:
            if steps == 1:  # the second page: pages before and behind it
                world.faults.at(position)
            if not world.step():
                break
            if steps == 1:
                killed = len(world.faults.points) > position
                world.faults.at(None)
            if dispatched or steps != 1:
                world.dispatch()
            steps += 1
            assert steps < 100
        world.dispatch()
        assert world.callbacks == dict.fromkeys(wanted, 1), position
        assert counts(world) == (ReplayState.DONE, 25, 25, 0, 0), position
        if not killed:
            assert position >= 8
            return
        position += 1


@pytest.mark.parametrize("position", range(10))
def test_an_effect_that_fails_is_done_by_the_next_receive(position: int) -> None:
    world = World()
    webhook = world.webhook()
    wanted = world.fill(webhook, 150)
    begin_replay(world, webhook)
    world.faults.at(position, refused)
    world.step()
    world.run()
    assert world.callbacks == dict.fromkeys(wanted, 1)
    assert counts(world) == (ReplayState.DONE, 150, 150, 0, 0)


def test_packs_that_the_lane_does_not_take_come_again() -> None:
    world = World()
    webhook = world.webhook()
    wanted = world.fill(webhook, 10)
    begin_replay(world, webhook)
    world.lane.refused.add(webhook.id)
    world.step()
    assert stored(world).page == 0
    world.lane.refused.clear()
    world.run()
    assert world.callbacks == dict.fromkeys(wanted, 1)
    assert counts(world) == (ReplayState.DONE, 10, 10, 0, 0)


def test_deliveries_without_a_payload_are_counted() -> None:
    world = World()
    webhook = world.webhook()
    wanted = world.fill(webhook, 10)
    for entry in world.log.entries()[:4]:
        world.log.forget_payload(entry.delivery.id)
    begin_replay(world, webhook)
    world.run()
    assert world.callbacks == dict.fromkeys(wanted[4:], 1)
    assert counts(world) == (ReplayState.DONE, 10, 6, 4, 0)


def test_deliveries_that_changed_meanwhile_are_passed_over() -> None:
    world = World()
    webhook = world.webhook()
    wanted = world.fill(webhook, 30)
    begin_replay(world, webhook, rate=1)
    world.step()
    world.dispatch()
    world.fill(webhook, 5, Outcome.DEAD, first=15, settled_at=world.now + 1)  # dead again, of another cause
    world.fill(webhook, 10, Outcome.DEAD, first=500, settled_at=world.now + 1)  # newly dead
    world.run()
    assert set(world.callbacks) == {*wanted[:15], *wanted[20:]}
    assert counts(world) == (ReplayState.DONE, 30, 25, 0, 5)


def test_packs_are_spread_over_time_by_the_rate() -> None:
    world = World()
    webhook = world.webhook()
    world.fill(webhook, 230)
    began = world.clock.now
    begin_replay(world, webhook, rate=7)
    due: list[float] = []
    while world.step():
        world.dispatch()
        due += [world.clock.now - began + delay for pack, delay in world.sent for _ in pack.deliveries]
        world.sent.clear()
    assert len(due) == 230
    for second in range(33):
        sent = sum(at < second + 1 for at in due)
        assert 7 * second <= sent <= 7 * (second + 1) + 7, second


def test_a_webhook_rate_limit_is_not_exceeded_by_a_replay() -> None:
    world = World()
    webhook = world.webhook(rate_limit=2)
    world.fill(webhook, 20)
    begin_replay(world, webhook, rate=100)
    world.step()
    world.dispatch()
    assert [delay for _, delay in world.sent] == list(range(10))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"paused": True}, "its webhook is paused"),
        ({"disabled": True}, "its webhook is disabled"),
        (None, "its webhook was deleted"),
    ],
)
def test_a_replay_stops_where_its_webhook_gets_nothing(change: dict[str, Any] | None, reason: str) -> None:
    world = World()
    webhook = world.webhook()
    world.fill(webhook, 30)
    begin_replay(world, webhook, rate=1)
    world.step()
    world.change(webhook, change)
    world.run()
    assert counts(world)[:3] == (ReplayState.STOPPED, 30, 10)
    assert stored(world).reason == reason
    assert len(world.callbacks) == 10


def test_a_replay_stops_where_its_endpoint_is_down() -> None:
    world = World()
    webhook = world.webhook()
    world.fill(webhook, 30)
    begin_replay(world, webhook, rate=1)
    world.step()
    world.set_health(webhook, held_since=world.now)
    world.run()
    assert counts(world)[:3] == (ReplayState.STOPPED, 30, 10)
    assert stored(world).reason == "its endpoint is down, and deliveries to it are held"


def test_deliveries_of_a_disabled_webhook_in_a_list_are_passed_over() -> None:
    world = World()
    webhook, other = world.webhook(), world.webhook()
    ids = (*world.fill(webhook, 5), *world.fill(other, 5))
    world.change(other, {"disabled": True})
    begin_replay(world, webhook, deliveries=ids)
    world.run()
    assert world.callbacks == dict.fromkeys(ids[:5], 1)
    assert counts(world) == (ReplayState.DONE, 10, 5, 0, 5)


def test_a_cancelled_replay_sends_no_further_page() -> None:
    world = World()
    webhook = world.webhook()
    world.fill(webhook, 30)
    begin_replay(world, webhook, rate=1)
    world.step()
    replay = stored(world)
    world.replays.change(replay, replay.ended(ReplayState.CANCELLED, now=world.now))
    world.run()
    assert counts(world) == (ReplayState.CANCELLED, 30, 10, 0, 0)
    assert len(world.callbacks) == 10


def test_a_page_that_was_begun_before_the_cancellation_is_counted() -> None:
    world = World()
    webhook = world.webhook()
    world.fill(webhook, 30)
    replay = begin_replay(world, webhook, rate=1)
    world.faults.at(3)  # after the packs are sent
    world.step()
    world.faults.at(None)
    world.replays.change(replay, replay.ended(ReplayState.CANCELLED, now=world.now))
    world.run()
    assert counts(world) == (ReplayState.CANCELLED, 30, 10, 0, 0)
    assert len(world.callbacks) == 10


def test_a_page_that_another_message_has_comes_again() -> None:
    world = World()
    webhook = world.webhook()
    wanted = world.fill(webhook, 20)
    replay = begin_replay(world, webhook, rate=1)
    world.replays.claim(
        replay, PagePlan(wanted[9], 10), holder="another", until=world.now + 60_000, now=world.now
    )
    world.step()
    assert stored(world).page == 0
    assert not world.sent
    world.run()  # the claim has ended
    assert world.callbacks == dict.fromkeys(wanted, 1)


def test_a_page_of_no_replay_is_dropped() -> None:
    world = World()
    world.queue.send(ReplayPage(SCOPE, ID, 3), delay=0)
    world.run()
    assert world.queue.dead.messages() == []


def test_a_page_has_few_megabytes() -> None:
    world = World()
    webhook = world.webhook()
    ids = world.fill(webhook, 60)
    for each in ids:
        world.log.enlarge(each, 1024 * 1024)
    begin_replay(world, webhook, rate=1000)
    most = 0
    while world.step():
        bytes_sent = sum(len(message.text) for message in world.lane.slow.messages())
        most = max(most, bytes_sent)
        world.dispatch()
    assert world.callbacks == dict.fromkeys(ids, 1)
    assert counts(world) == (ReplayState.DONE, 60, 60, 0, 0)
    assert most < 30 * 1024 * 1024


def test_100_000_deliveries_are_replayed_once_with_a_kill_at_every_page() -> None:
    began = time.process_time()  # a busy machine makes no difference
    world, dice = World(), random.Random(10)
    webhook = world.webhook()
    wanted = world.fill(webhook, 100_000)
    world.fill(webhook, 1_000, Outcome.DELIVERED, first=50_000)
    begin_replay(world, webhook, rate=1000)
    killed: set[int] = set()
    while True:
        page = stored(world).page
        world.faults.at(dice.randrange(8) if page not in killed else None)
        if not world.step():
            break
        killed.add(page)
        if dice.random() < 0.7:
            world.dispatch()
    world.faults.at(None)
    world.dispatch()
    assert len(killed) >= 1000
    assert len(world.callbacks) == len(wanted)
    assert set(world.callbacks.values()) == {1}
    assert counts(world) == (ReplayState.DONE, 100_000, 100_000, 0, 0)
    assert time.process_time() - began < 60
