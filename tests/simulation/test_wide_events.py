"""An event with very many listeners reaches each of them once, wherever its fan-out is killed.

The real fan-out, over an index of so many listeners.
"""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import pytest

from tests.fakes.plain_index import PlainIndex
from tests.fakes.queues import FakeDeliveryQueue
from tests.simulation.faults import CALLS, KILLS, FaultsAt, Kind, NoFaults, Plan, RandomFaults
from tests.simulation.queues import MAX_BATCH
from tests.simulation.simulation import Simulation
from webhooks.domain.delivery import Pack
from webhooks.domain.event_slice import Span
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Criteria, IndexEntry
from webhooks.ports import ListenerPage, Versions
from webhooks.services.fanout.pipeline import SLICE

SCOPE = Scope("acme", "main")
EVENT = json.dumps(
    {
        "eventName": "order.paid",
        "eventId": "e1",
        "tenantId": SCOPE.tenant_id,
        "communityId": SCOPE.community_id,
        "occurredAt": 1_790_000_000,
        "data": {"amount": 1},
    }
)


class WideIndex(PlainIndex):
    """The listeners of one event name, in the order of their sequence numbers."""

    def __init__(self, entries: Sequence[IndexEntry]) -> None:
        self._entries = entries
        self._sequences = [entry.sequence for entry in entries]

    def versions(self, scopes: Sequence[Scope]) -> Versions:
        return Versions(dict.fromkeys(scopes, 1), epoch=1)

    def listeners(self, scope: Scope, event_name: str, *, span: Span, limit: int) -> ListenerPage:
        assert (scope, event_name) == (SCOPE, "order.paid")
        first = bisect_left(self._sequences, span.first)
        end = len(self._sequences) if span.last is None else bisect_left(self._sequences, span.last + 1)
        following = self._sequences[first + limit] if end > first + limit else None
        return ListenerPage(self._entries[first : min(end, first + limit)], following, bytes=1)

    def last_sequence(self, _scope: Scope, _event_name: str) -> int:
        return self._sequences[-1]


class CountingLane(FakeDeliveryQueue):
    """Counts packs by their webhook, and keeps none."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: Counter[str] = Counter()

    def send(self, packs: Sequence[Pack]) -> Sequence[Pack]:
        self.sent.update(pack.webhook_id for pack in packs)
        return ()


@dataclass
class CountedKills(RandomFaults):
    count: int = 0

    def choose(self, call: str) -> Kind | None:
        kind = super().choose(call)
        self.count += kind is not None
        return kind


@dataclass(frozen=True)
class FanOut:
    """A finished fan-out. `sent`: packs by webhook; `messages`: of the events queue, with all slices."""

    sent: Counter[str]
    messages: int
    largest_invocation: int  # packs


def listeners(count: int, *, apart: Callable[[int], int] = lambda _: 1) -> list[IndexEntry]:
    found, sequence = [], 0
    for number in range(count):
        sequence += apart(number)
        found.append(IndexEntry(f"{number:08x}{sequence:08x}{0:08x}", Criteria.ANY, (), sequence))
    return found


def fanned_out(found: list[IndexEntry], faults: Plan | None = None) -> FanOut:
    """Publish the event and invoke functions, each in a new container, until the queue is empty."""
    simulation = Simulation(Random(1), faults=faults, switching=0, slice_size=SLICE)
    lane = CountingLane()
    simulation.index, simulation.lanes = WideIndex(found), lane
    simulation.events.put(EVENT)
    largest = 0
    while batch := simulation.events.messages[:MAX_BATCH]:
        before = lane.sent.total()
        simulation.idle["fanout"].clear()
        for message in batch:
            message.receives += 1
        simulation.invoke_to_end(simulation.events, batch)
        largest = max(largest, lane.sent.total() - before)
    assert all(each.failure is None or each.is_killed for each in simulation.history.invocations)
    assert simulation.events_dead.messages == []
    return FanOut(lane.sent, simulation.events.sent, largest)


@pytest.mark.parametrize("count", [1, 499, 500, 501, 1_000, 10_000, 100_000])
def test_each_listener_of_an_event_gets_it_exactly_once(count: int) -> None:
    found = listeners(count)
    done = fanned_out(found)
    assert done.sent == Counter({entry.webhook_id: 1 for entry in found})
    # Slices are filled: not many more messages than necessary, and none of more work than a slice.
    assert done.messages <= 1 + count / SLICE * 1.5 + 10
    assert done.largest_invocation <= MAX_BATCH * SLICE


@pytest.mark.parametrize("seed", range(20))
def test_listeners_at_any_position_among_the_webhooks_get_the_event(seed: int) -> None:
    random = Random(seed)
    share = random.choice((1, 50, 3_000))
    found = listeners(random.randint(400, 6_000), apart=lambda _: random.randint(1, share))
    assert fanned_out(found).sent == Counter({entry.webhook_id: 1 for entry in found})


@pytest.mark.parametrize("kill", KILLS)
def test_a_kill_at_any_call_loses_no_event_and_repeats_it_at_most_once(kill: Kind) -> None:
    found = listeners(2_300)
    rehearsal = NoFaults()
    fanned_out(found, rehearsal)
    assert {
        "fanout_reader.read",
        "index.listeners",
        "lane.send",
        "events_queue.send",
        "index.last_sequence",
    } <= set(rehearsal.calls)
    for position, call in enumerate(rehearsal.calls):
        if kill in CALLS[call]:
            sent = fanned_out(found, FaultsAt({position: kill})).sent
            assert set(sent) == {entry.webhook_id for entry in found}
            assert max(sent.values()) <= 2


@pytest.mark.parametrize("seed", range(10))
def test_many_kills_repeat_it_at_most_once_each(seed: int) -> None:
    kills = CountedKills(Random(seed), 0.01, frozenset(KILLS))
    found = listeners(5_000)
    sent = fanned_out(found, kills).sent
    assert set(sent) == {entry.webhook_id for entry in found}
    assert kills.count > 0
    assert max(sent.values()) <= 1 + kills.count
