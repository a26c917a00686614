"""The billed units of the marks: a write is one unit for a batch, a read half a unit for a window."""

from collections.abc import Iterator
from unittest import mock

import pytest

from tests.aws_stub.responses import stub_aws
from tests.aws_stub.tables import Tables
from tests.clocks import NOW
from tests.lambda_functions import ACCOUNT
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.seen_events import DynamoSeenEvents
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.delivery import MAX_PACK_DELIVERIES, Pack, delivery_of
from webhooks.domain.event import Event
from webhooks.domain.scope import Scope
from webhooks.domain.seen_events import FULL, LAST_WINDOWS
from webhooks.services.fanout.marks import EventMarks, key_of

SCOPE, WEBHOOK = Scope("acme", "main"), "65a4f1c0a1b2c3d400000007"
AT = 1_790_000_000_001


@pytest.fixture
def tables() -> Tables:
    return Tables()


@pytest.fixture
def marks(tables: Tables) -> Iterator[EventMarks]:
    with mock.patch.dict("os.environ", ACCOUNT):
        aws = AwsClients(time_left=lambda: 100.0)
        stub_aws(aws, tables.response)
        yield EventMarks(DynamoSeenEvents(Table(aws, "deliveries"), days=30, clock=lambda: NOW))
        aws.close()


def units_of(tables: Tables, marks: EventMarks, numbers: range, *, ms: float) -> tuple[float, float]:
    """Mark the events of a batch, so many ms apart; return the read and the write units.

    An event without a mark counts as one: its delivery has an item of its own in the log.
    """
    events = [Event(f"e{each}", "name", SCOPE, AT + round(each * ms), {}, "{}") for each in numbers]

    def work() -> int:
        deliveries = {delivery_of(each, WEBHOOK): key_of(each) for each in events}
        recalled = marks.recall(deliveries.values())
        keys = {delivery.id: key for delivery, key in deliveries.items()}
        [pack] = marks.mark([Pack(WEBHOOK, SCOPE, tuple(deliveries))], recalled, keys=keys)
        unmarked.extend(each.id for each in pack.deliveries if not each.is_marked)
        return 1

    unmarked: list[str] = []
    cost = tables.cost(work)
    return cost.read_units, cost.write_units + len(unmarked)


def test_a_window_is_one_write_unit_until_it_is_full(tables: Tables, marks: EventMarks) -> None:
    size = MAX_PACK_DELIVERIES
    for begin in range(0, FULL - FULL % size, size):
        assert units_of(tables, marks, range(begin, begin + size), ms=1) == (0.5, 1)
    assert FULL % size == 0
    read, write = units_of(tables, marks, range(FULL, FULL + size), ms=1)
    assert (read, write) == (1.0, 1)


@pytest.mark.parametrize(("rate", "most"), [(38, 0.15), (100, 0.12), (500, 0.13), (1000, 0.15)])
def test_full_batches_of_a_rate_cost_so_many_write_units_for_an_event(
    rate: int, most: float, tables: Tables, marks: EventMarks
) -> None:
    """In the order of their times, as one producer's come."""
    size, events = MAX_PACK_DELIVERIES, 3 * rate - 3 * rate % MAX_PACK_DELIVERIES
    costs = [
        units_of(tables, marks, range(begin, begin + size), ms=1000 / rate)
        for begin in range(0, events, size)
    ]
    assert sum(write for _, write in costs) / events <= most
    assert sum(read for read, _ in costs) / events <= 0.5


def test_many_events_of_one_time_cost_a_batch_one_write_unit(tables: Tables, marks: EventMarks) -> None:
    size = MAX_PACK_DELIVERIES
    for begin in range(0, FULL * (LAST_WINDOWS + 2), size):
        assert units_of(tables, marks, range(begin, begin + size), ms=0)[1] == 1
