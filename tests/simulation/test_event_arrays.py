"""The events of an array reach their webhooks, and its invalid ones the DLQ, wherever its fan-out is killed."""

import json
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from tests.fakes.plain_index import PlainIndex
from tests.fakes.queues import FakeDeliveryQueue
from tests.simulation.faults import CALLS, FaultsAt, Kind, NoFaults, Plan
from tests.simulation.queues import MAX_BATCH
from tests.simulation.simulation import Simulation
from webhooks.domain.delivery import Pack
from webhooks.domain.event_slice import Span
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Criteria, IndexEntry
from webhooks.ports import ListenerPage, Versions

WIDE = 120
COUNTS = {"order.paid": 1, "wide": WIDE}
INVALID = ["1", '{"eventName": "order.paid", "tenantId": "acme", "communityId": "main"}']


class NamedIndex(PlainIndex):
    """As many listeners of each event name as COUNTS says."""

    def versions(self, scopes: Sequence[Scope]) -> Versions:
        return Versions(dict.fromkeys(scopes, 1), epoch=1)

    def listeners(self, _scope: Scope, event_name: str, *, span: Span, limit: int) -> ListenerPage:
        last = COUNTS[event_name] if span.last is None else span.last
        sequences = range(max(1, span.first), last + 1)
        entries = [IndexEntry(f"{each:024x}", Criteria.ANY, (), each) for each in sequences[:limit]]
        return ListenerPage(entries, sequences[limit] if len(sequences) > limit else None, bytes=1)

    def last_sequence(self, _scope: Scope, event_name: str) -> int:
        return COUNTS[event_name]


class DeliveryCounts(FakeDeliveryQueue):
    """Counts deliveries by event and webhook, and keeps none."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: Counter[tuple[str, str]] = Counter()

    def send(self, packs: Sequence[Pack]) -> Sequence[Pack]:
        self.sent.update((each.event_id, pack.webhook_id) for pack in packs for each in pack.deliveries)
        return ()


def event(number: int) -> dict[str, Any]:
    return {
        "eventName": "wide" if number % 50 == 1 else "order.paid",
        "eventId": f"e{number}",
        "tenantId": "acme",
        "communityId": "main",
        "occurredAt": 1_790_000_000,
        "data": {"n": number},
    }


def array(count: int) -> tuple[str, set[tuple[str, str]]]:
    """Return an array of so many events beside the invalid ones, and all its deliveries."""
    events = [event(number) for number in range(count)]
    texts = [json.dumps(each) for each in events]
    text = f"[{','.join([INVALID[0], *texts, INVALID[1]])}]"
    return text, {
        (each["eventId"], f"{listener:024x}")
        for each in events
        for listener in range(1, COUNTS[each["eventName"]] + 1)
    }


def fanned_out(text: str, faults: Plan | None = None) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    """Publish a text and invoke fan-out until the queue is empty; returns deliveries and dead letters."""
    simulation = Simulation(Random(1), faults=faults, switching=0, slice_size=50)
    lane = DeliveryCounts()
    simulation.index, simulation.lanes = NamedIndex(), lane
    simulation.events.put(text)
    while batch := simulation.events.messages[:MAX_BATCH]:
        simulation.idle["fanout"].clear()
        for message in batch:
            message.receives += 1
        simulation.invoke_to_end(simulation.events, batch)
    assert all(each.failure is None or each.is_killed for each in simulation.history.invocations)
    return lane.sent, Counter(message.text for message in simulation.events_dead.messages)


def test_an_array_without_faults_is_fanned_out_once() -> None:
    text, deliveries = array(230)
    sent, dead = fanned_out(text)
    assert sent == Counter(dict.fromkeys(deliveries, 1))
    assert dead == Counter(INVALID)


@pytest.mark.parametrize("kind", Kind)
def test_a_fault_at_any_call_loses_no_event_of_an_array(kind: Kind) -> None:
    text, deliveries = array(110)
    rehearsal = NoFaults()
    fanned_out(text, rehearsal)
    assert {"fanout_reader.read", "lane.send", "events_queue.send", "events_dlq.send_all_to_dlq"} <= set(
        rehearsal.calls
    )
    for position, call in enumerate(rehearsal.calls):
        if kind in CALLS[call]:
            sent, dead = fanned_out(text, FaultsAt({position: kind}))
            assert set(sent) == deliveries
            assert max(sent.values()) <= 2
            assert set(dead) == set(INVALID)
            # Dead-lettered last: twice only where the queue took them and that was not learnt.
            assert call == "events_dlq.send_all_to_dlq" or max(dead.values()) == 1
