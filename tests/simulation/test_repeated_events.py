"""Producers repeat events while fan-out fails and others fan out the same: each callback is sent once.

The dispatcher here is one that knows no more of a marked delivery than a pack in the log tells.
"""

import json
from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from tests.packed_log import PackedLog
from tests.simulation.faults import CALLS, FaultsAt, Kind, NoFaults, Plan
from tests.simulation.invariants import Invariants
from tests.simulation.queues import MAX_BATCH
from tests.simulation.simulation import Simulation
from tests.simulation.tenants import Tenants
from tests.simulation.test_event_arrays import DeliveryCounts, NamedIndex
from webhooks.domain.delivery import Pack
from webhooks.domain.delivery_message import decode_pack, encode_pack
from webhooks.domain.seen_events import LATE
from webhooks.ports import Clock

TIME = 1_790_000_000_000
BATCHES = ([0, 1, 2, 3, 4, 5], [2], [4, 5, 6], [7], [6, 7, 8], [8, 0])


class PackedLane(DeliveryCounts):
    """Dispatches each pack at once, or keeps them for `dispatch`, in any order."""

    def __init__(self, clock: Clock, *, at_once: bool) -> None:
        super().__init__()
        self.clock = clock
        self.log = PackedLog()
        self.at_once = at_once
        self.waiting: list[Pack] = []
        self.packs: list[Pack] = []

    def send(self, packs: list[Pack]) -> tuple[()]:  # type: ignore[override]
        self.waiting += [decode_pack(encode_pack(pack)) for pack in packs]
        if self.at_once:
            self.dispatch(Random(0))
        return ()

    def dispatch(self, random: Random) -> None:
        random.shuffle(self.waiting)
        self.packs += self.waiting
        self.log.dispatch(self.waiting, now=round(self.clock() * 1000))
        self.waiting.clear()


def event(number: int) -> str:
    content = {"eventName": "order.paid", "tenantId": "acme", "communityId": "main", "data": {}}
    return json.dumps(content | {"eventId": f"e{number}", "occurredAt": TIME + 30 * number})


def simulated(faults: Plan | None, *, seed: int = 1, at_once: bool = True) -> tuple[Simulation, PackedLane]:
    simulation = Simulation(Random(seed), faults=faults, switching=0 if at_once else 0.5, slice_size=50)
    lane = PackedLane(simulation.clock, at_once=at_once)
    simulation.index, simulation.lanes = NamedIndex(), lane
    return simulation, lane


def one_batch_after_the_other(faults: Plan | None = None) -> PackedLane:
    simulation, lane = simulated(faults)
    for numbers in BATCHES:
        for number in numbers:
            simulation.events.put(event(number))
        take_all(simulation)
    take_all(simulation)
    return lane


def take_all(simulation: Simulation) -> None:
    """Invoke fan-out until the queue is empty, each time in a new process."""
    while batch := simulation.events.messages[:MAX_BATCH]:
        simulation.idle["fanout"].clear()
        for message in batch:
            message.receives += 1
        simulation.invoke_to_end(simulation.events, batch)
    assert all(each.failure is None or each.is_killed for each in simulation.history.invocations)


def expected() -> Counter[tuple[str, str]]:
    return Counter({(f"e{number}", f"{1:024x}"): 1 for numbers in BATCHES for number in numbers})


def test_repeats_are_sent_once_and_are_looked_up() -> None:
    lane = one_batch_after_the_other()
    assert lane.log.sent == expected()
    assert lane.log.is_packed


@pytest.mark.parametrize("kind", Kind)
def test_a_fault_at_any_call_loses_no_repeat_and_sends_none(
    kind: Kind, record_property: Callable[[str, object], None]
) -> None:
    rehearsal = NoFaults()
    one_batch_after_the_other(rehearsal)
    assert {"seen.read", "seen.add", "lane.send"} <= set(rehearsal.calls)
    faults = [position for position, call in enumerate(rehearsal.calls) if kind in CALLS[call]]
    for position in faults:
        sent = one_batch_after_the_other(FaultsAt({position: kind})).log.sent
        assert sent == expected(), (position, rehearsal.calls[position])
    record_property("fault at a call with repeats", len(faults))


@pytest.mark.parametrize("seed", range(50))
def test_packs_that_wait_and_are_dispatched_in_any_order_send_each_event_once(seed: int) -> None:
    simulation, lane = simulated(None, seed=seed, at_once=False)
    random = Random(seed)
    for numbers in random.sample(BATCHES, len(BATCHES)):
        for number in numbers:
            simulation.events.put(event(number))
        take_all(simulation)
        if random.random() < 0.2:
            dispatch_late(simulation, lane, random)
    dispatch_late(simulation, lane, random)
    assert lane.log.sent == expected()


def dispatch_late(simulation: Simulation, lane: PackedLane, random: Random) -> None:
    simulation.clock.advance(simulation.clock.now + LATE / 1000 + 1)
    lane.dispatch(random)


def test_only_a_new_event_alone_and_in_a_pack_at_the_same_time_can_be_sent_twice() -> None:
    """The one alone has no mark, and looked for none of the pack before there was one."""
    twice = sum(sent_twice(seed) for seed in range(150))
    assert twice > 0  # or this test shows nothing


def sent_twice(seed: int) -> int:
    """Fan all batches out at the same time; return how many events were sent twice."""
    simulation, lane = simulated(None, seed=seed, at_once=False)
    random = Random(seed)
    batches = [[simulation.events.put(event(number)) for number in numbers] for numbers in BATCHES]
    for messages in random.sample(batches, len(batches)):
        for message in messages:
            message.receives = 1
        simulation.invoke(simulation.events, messages)
    while simulation.running:
        simulation.step(random.choice(simulation.running))
        if random.random() < 0.1:
            lane.dispatch(random)
    lane.dispatch(random)
    assert set(lane.log.sent) == set(expected())
    twice = [event_id for (event_id, _), count in lane.log.sent.items() if count > 1]
    for event_id in twice:
        kinds = sorted(
            (pack.again, delivery.is_marked)
            for pack in lane.packs
            for delivery in pack.deliveries
            if delivery.event_id == event_id
        )
        assert kinds.count((False, True)) == 1
        assert (False, False) in kinds
    assert max(lane.log.sent.values()) <= 2
    return len(twice)


@pytest.mark.parametrize("seed", range(40))
def test_a_repeat_is_sent_once_by_the_dispatchers_of_the_service(seed: int) -> None:
    """It comes when all before is done, with a webhook that was registered meanwhile."""
    simulation = Simulation(Random(seed), switching=0.1)
    tenants = Tenants(simulation)
    try:
        for numbers, webhooks in (([*range(8)], 2), ([2, 3, 4], 1), ([8, 5, 6, 9], 0), ([8, 9, 7], 0)):
            for _ in range(webhooks):
                tenants.register()
            for number in numbers:
                tenants.publish(f"e{number}", occurredAt=TIME + 30 * number)
            simulation.run()
    finally:
        simulation.close()
    assert Invariants(simulation, is_clean=False).violations() == []
    sent = Counter(call.delivery_id for call in simulation.history.calls)
    assert set(sent.values()) == {1}
    third = [2, 3, 4, 8, 5, 6, 9, 7]
    assert len(sent) == 2 * 10 + len(third)
