"""The billed units of looks in a log that a tenant made dense: many deliveries with times close to each other."""

from collections.abc import Iterator
from unittest import mock

import pytest

from tests.aws_stub.tables import Cost, Tables
from tests.contract.logged import OTHER, WEBHOOK, plain
from tests.contract.opened_log import OpenedLog, open_stub_log
from tests.lambda_functions import ACCOUNT
from webhooks.adapters.dynamodb.shared_items import shared_item
from webhooks.domain.delivery_log import LogEntry, LogKey
from webhooks.domain.log_sharing import SPAN
from webhooks.services.dispatch.loading import LOOK_UNITS, LOOK_UNITS_OF_WEBHOOK

ITEMS = 3000
SIZES = (2, 20)  # deliveries of an item: a third of a write unit, and nearly one
DELIVERY = plain(SPAN // 2, event_id="it is looked for")


@pytest.fixture
def tables() -> Tables:
    return Tables()


@pytest.fixture
def log(tables: Tables) -> Iterator[OpenedLog]:
    with mock.patch.dict("os.environ", ACCOUNT):
        yield open_stub_log(tables)


def item_of(number: int, size: int) -> list[LogEntry]:
    at = number * SPAN // ITEMS
    events = [f"{number:08x}-{each:04x}-4c57-9d00-{number * each:012x}" for each in range(size)]
    entries = [plain(at, event_id=each) for each in events]
    return sorted(entries, key=lambda entry: entry.key.delivery_id)


def make_dense(tables: Tables, size: int) -> None:
    """Store as many items as DynamoDB takes of a webhook in three seconds, with times within SPAN."""
    tables.load("deliveries", filter(None, (shared_item(item_of(each, size), 30) for each in range(ITEMS))))


def look(
    tables: Tables, log: OpenedLog, keys: list[LogKey], place: str, units: int
) -> tuple[Cost, dict[LogKey, str], set[LogKey]]:
    results: list[tuple[dict[LogKey, str], set[LogKey]]] = []

    def work() -> int:
        after = dict.fromkeys(keys, place) if place else {}
        found = log.look(keys, after=after, units=units)
        results.append((dict(found.looked_to), set(found.logged)))
        return 1

    cost = tables.cost(work)
    [(left, found)] = results
    return cost, left, found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("units", [1, 25, LOOK_UNITS_OF_WEBHOOK])
def test_a_look_costs_its_units_and_goes_on_until_the_log_has_no_more(
    tables: Tables, log: OpenedLog, size: int, units: int
) -> None:
    make_dense(tables, size)
    places, spent, calls, rounds = [""], 0.0, 0.0, 0
    while True:
        cost, left, found = look(tables, log, [DELIVERY.key], places[-1], units)
        rounds += 1
        spent, calls = spent + cost.read_units, calls + cost.calls
        assert 0 < cost.read_units <= units
        assert cost.calls <= 8
        assert found == set()
        if not left:
            break
        assert left[DELIVERY.key] > places[-1]
        places.append(left[DELIVERY.key])
    whole, left, _ = look(tables, log, [DELIVERY.key], "", 10_000)
    assert left == {}
    assert whole.read_units > 80
    assert whole.read_units <= spent <= whole.read_units + calls  # each call rounds up
    assert rounds >= whole.read_units / units


@pytest.mark.parametrize("size", SIZES)
def test_one_that_is_there_is_found_by_a_later_look(tables: Tables, log: OpenedLog, size: int) -> None:
    make_dense(tables, size)
    wanted = item_of(ITEMS - 2, size)[0].key
    early = item_of(0, size)[0].key
    _, left, found = look(tables, log, [early], "", 25)
    assert (left, found) == ({}, {early})
    place, rounds = "", 0
    while True:
        _, left, found = look(tables, log, [wanted, DELIVERY.key], place, 25)
        rounds += 1
        if wanted in found:
            break
        place = left[wanted]
    assert rounds > 3


def test_many_deliveries_share_the_units_of_their_webhook(tables: Tables, log: OpenedLog) -> None:
    """Each in a second of its own, with nothing in the log: a query is a unit."""
    keys = [plain(each * 3 * SPAN).key for each in range(100)]
    cost, left, _ = look(tables, log, keys, "", 25)
    assert cost.read_units <= 25
    assert len(left) == 100 - cost.read_units
    assert all(key.delivery_id > keys[20].delivery_id for key in left)


def test_another_webhooks_items_cost_a_look_nothing(tables: Tables, log: OpenedLog) -> None:
    make_dense(tables, 2)
    cost, left, _ = look(tables, log, [plain(SPAN // 2, webhook_id=OTHER).key], "", 25)
    assert (cost.read_units, left) == (1, {})
    assert WEBHOOK != OTHER


def test_the_parts_of_a_batch_are_within_the_batchs_bound() -> None:
    for webhooks in range(1, 11):
        part = min(LOOK_UNITS_OF_WEBHOOK, LOOK_UNITS // webhooks)
        assert webhooks * part <= LOOK_UNITS
        assert part >= 25
