"""Pages of a replay: nothing is lost, doubled or miscounted, whatever ends the process."""

import random
import time
from typing import Any

import pytest

from tests.recovery_functions import BEGAN, SCOPE, RecoveryFunctions, refused
from tests.unit.recovery.replays_begun import ID, begin_replay, counts, stored
from webhooks.domain.delivery import Release, ReleaseKind
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.replay import PagePlan, ReplayPage, ReplayState


def test_a_replay_sends_what_its_query_finds_once() -> None:
    functions = RecoveryFunctions()
    webhook, other = functions.webhook(), functions.webhook()
    wanted = functions.fill(webhook, 250)
    functions.fill(webhook, 20, Outcome.DELIVERED)
    functions.fill(webhook, 20, Outcome.HELD)
    functions.fill(other, 20)
    begin_replay(functions, webhook)
    functions.run()
    assert functions.callbacks == dict.fromkeys(wanted, 1)
    assert counts(functions) == (ReplayState.DONE, 250, 250, 0, 0)
    assert [pack.release for pack, _ in functions.sent] == [Release(ReleaseKind.REPLAY, ID)] * 25


def test_a_replay_keeps_to_its_times_and_its_event_name() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook()
    ids = functions.fill(webhook, 30)
    functions.fill(webhook, 30, name="order.refunded")
    begin_replay(
        functions, webhook, query={"since": BEGAN + 5, "until": BEGAN + 14, "event_name": "order.paid"}
    )
    functions.run()
    assert functions.callbacks == dict.fromkeys(ids[5:15], 1)
    assert counts(functions) == (ReplayState.DONE, 10, 10, 0, 0)


def test_a_replay_of_a_list_sends_it_once() -> None:
    functions = RecoveryFunctions()
    webhook, other = functions.webhook(), functions.webhook()
    ids = [*functions.fill(webhook, 40), *functions.fill(other, 40, Outcome.HELD)]
    random.Random(1).shuffle(ids)
    begin_replay(functions, webhook, deliveries=tuple(ids[:60]), rate=1)
    functions.run()
    assert functions.callbacks == dict.fromkeys(ids[:60], 1)
    assert counts(functions) == (ReplayState.DONE, 60, 60, 0, 0)


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("took", [True, False])
@pytest.mark.parametrize("dispatched", [True, False])
def test_a_kill_at_any_effect_of_a_page_doubles_and_loses_nothing(
    *, listed: bool, took: bool, dispatched: bool
) -> None:
    position = 0
    while True:
        functions = RecoveryFunctions()
        webhook = functions.webhook()
        wanted = functions.fill(webhook, 25)
        functions.respond = lambda _: took
        begin_replay(functions, webhook, deliveries=tuple(wanted) if listed else (), rate=1)
        steps = 0
        killed = False
        while True:
            if steps == 1:  # the second page: pages before and behind it
                functions.faults.at(position)
            if not functions.step():
                break
            if steps == 1:
                killed = len(functions.faults.points) > position
                functions.faults.at(None)
            if dispatched or steps != 1:
                functions.dispatch()
            steps += 1
            assert steps < 100
        functions.dispatch()
        assert functions.callbacks == dict.fromkeys(wanted, 1), position
        assert counts(functions) == (ReplayState.DONE, 25, 25, 0, 0), position
        if not killed:
            assert position >= 8
            return
        position += 1


@pytest.mark.parametrize("position", range(10))
def test_an_effect_that_fails_is_done_by_the_next_receive(position: int) -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook()
    wanted = functions.fill(webhook, 150)
    begin_replay(functions, webhook)
    functions.faults.at(position, refused)
    functions.step()
    functions.run()
    assert functions.callbacks == dict.fromkeys(wanted, 1)
    assert counts(functions) == (ReplayState.DONE, 150, 150, 0, 0)


def test_packs_that_the_lane_does_not_take_come_again() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook()
    wanted = functions.fill(webhook, 10)
    begin_replay(functions, webhook)
    functions.lane.refused.add(webhook.id)
    functions.step()
    assert stored(functions).page == 0
    functions.lane.refused.clear()
    functions.run()
    assert functions.callbacks == dict.fromkeys(wanted, 1)
    assert counts(functions) == (ReplayState.DONE, 10, 10, 0, 0)


def test_deliveries_without_a_payload_are_counted() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook()
    wanted = functions.fill(webhook, 10)
    for entry in functions.log.entries()[:4]:
        functions.log.forget_payload(entry.delivery.id)
    begin_replay(functions, webhook)
    functions.run()
    assert functions.callbacks == dict.fromkeys(wanted[4:], 1)
    assert counts(functions) == (ReplayState.DONE, 10, 6, 4, 0)


def test_deliveries_that_changed_meanwhile_are_passed_over() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook()
    wanted = functions.fill(webhook, 30)
    begin_replay(functions, webhook, rate=1)
    functions.step()
    functions.dispatch()
    functions.fill(
        webhook, 5, Outcome.DEAD, first=15, settled_at=functions.now + 1
    )  # dead again, of another cause
    functions.fill(webhook, 10, Outcome.DEAD, first=500, settled_at=functions.now + 1)  # newly dead
    functions.run()
    assert set(functions.callbacks) == {*wanted[:15], *wanted[20:]}
    assert counts(functions) == (ReplayState.DONE, 30, 25, 0, 5)


def test_packs_are_spread_over_time_by_the_rate() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook()
    functions.fill(webhook, 230)
    began = functions.clock.now
    begin_replay(functions, webhook, rate=7)
    due: list[float] = []
    while functions.step():
        functions.dispatch()
        due += [
            functions.clock.now - began + delay for pack, delay in functions.sent for _ in pack.deliveries
        ]
        functions.sent.clear()
    assert len(due) == 230
    for second in range(33):
        sent = sum(at < second + 1 for at in due)
        assert 7 * second <= sent <= 7 * (second + 1) + 7, second


def test_a_webhook_rate_limit_is_not_exceeded_by_a_replay() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook(rate_limit=2)
    functions.fill(webhook, 20)
    begin_replay(functions, webhook, rate=100)
    functions.step()
    functions.dispatch()
    assert [delay for _, delay in functions.sent] == list(range(10))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"paused": True}, "its webhook is paused"),
        ({"disabled": True}, "its webhook is disabled"),
        (None, "its webhook was deleted"),
    ],
)
def test_a_replay_stops_where_its_webhook_gets_nothing(change: dict[str, Any] | None, reason: str) -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook()
    functions.fill(webhook, 30)
    begin_replay(functions, webhook, rate=1)
    functions.step()
    functions.change(webhook, change)
    functions.run()
    assert counts(functions)[:3] == (ReplayState.STOPPED, 30, 10)
    assert stored(functions).reason == reason
    assert len(functions.callbacks) == 10


def test_a_replay_stops_where_its_endpoint_is_down() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook()
    functions.fill(webhook, 30)
    begin_replay(functions, webhook, rate=1)
    functions.step()
    functions.set_health(webhook, held_since=functions.now)
    functions.run()
    assert counts(functions)[:3] == (ReplayState.STOPPED, 30, 10)
    assert stored(functions).reason == "its endpoint is down, and deliveries to it are held"


def test_deliveries_of_a_disabled_webhook_in_a_list_are_passed_over() -> None:
    functions = RecoveryFunctions()
    webhook, other = functions.webhook(), functions.webhook()
    ids = (*functions.fill(webhook, 5), *functions.fill(other, 5))
    functions.change(other, {"disabled": True})
    begin_replay(functions, webhook, deliveries=ids)
    functions.run()
    assert functions.callbacks == dict.fromkeys(ids[:5], 1)
    assert counts(functions) == (ReplayState.DONE, 10, 5, 0, 5)


def test_a_cancelled_replay_sends_no_further_page() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook()
    functions.fill(webhook, 30)
    begin_replay(functions, webhook, rate=1)
    functions.step()
    replay = stored(functions)
    functions.replays.change(replay, replay.ended(ReplayState.CANCELLED, now=functions.now))
    functions.run()
    assert counts(functions) == (ReplayState.CANCELLED, 30, 10, 0, 0)
    assert len(functions.callbacks) == 10


def test_a_page_that_was_begun_before_the_cancellation_is_counted() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook()
    functions.fill(webhook, 30)
    replay = begin_replay(functions, webhook, rate=1)
    functions.faults.at(3)  # after the packs are sent
    functions.step()
    functions.faults.at(None)
    functions.replays.change(replay, replay.ended(ReplayState.CANCELLED, now=functions.now))
    functions.run()
    assert counts(functions) == (ReplayState.CANCELLED, 30, 10, 0, 0)
    assert len(functions.callbacks) == 10


def test_a_page_that_another_message_has_comes_again() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook()
    wanted = functions.fill(webhook, 20)
    replay = begin_replay(functions, webhook, rate=1)
    functions.replays.claim(
        replay, PagePlan(wanted[9], 10), holder="another", until=functions.now + 60_000, now=functions.now
    )
    functions.step()
    assert stored(functions).page == 0
    assert not functions.sent
    functions.run()  # the claim has ended
    assert functions.callbacks == dict.fromkeys(wanted, 1)


def test_a_page_of_no_replay_is_dropped() -> None:
    functions = RecoveryFunctions()
    functions.queue.send(ReplayPage(SCOPE, ID, 3), delay=0)
    functions.run()
    assert functions.queue.dead.messages() == []


def test_a_page_has_few_megabytes() -> None:
    functions = RecoveryFunctions()
    webhook = functions.webhook()
    ids = functions.fill(webhook, 60)
    for each in ids:
        functions.log.enlarge(each, 1024 * 1024)
    begin_replay(functions, webhook, rate=1000)
    most = 0
    while functions.step():
        bytes_sent = sum(len(message.text) for message in functions.lane.slow.messages())
        most = max(most, bytes_sent)
        functions.dispatch()
    assert functions.callbacks == dict.fromkeys(ids, 1)
    assert counts(functions) == (ReplayState.DONE, 60, 60, 0, 0)
    assert most < 30 * 1024 * 1024


def test_100_000_deliveries_are_replayed_once_with_a_kill_at_every_page() -> None:
    began = time.process_time()  # a busy machine makes no difference
    functions, dice = RecoveryFunctions(), random.Random(10)
    webhook = functions.webhook()
    wanted = functions.fill(webhook, 100_000)
    functions.fill(webhook, 1_000, Outcome.DELIVERED, first=50_000)
    begin_replay(functions, webhook, rate=1000)
    killed: set[int] = set()
    while True:
        page = stored(functions).page
        functions.faults.at(dice.randrange(8) if page not in killed else None)
        if not functions.step():
            break
        killed.add(page)
        if dice.random() < 0.7:
            functions.dispatch()
    functions.faults.at(None)
    functions.dispatch()
    assert len(killed) >= 1000
    assert len(functions.callbacks) == len(wanted)
    assert set(functions.callbacks.values()) == {1}
    assert counts(functions) == (ReplayState.DONE, 100_000, 100_000, 0, 0)
    assert time.process_time() - began < 60
