"""The billed units of the delivery log: a delivery costs one write unit, and no index write once delivered."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from tests.aws_stub.tables import Tables
from tests.contract.logged import FAILED, NORTH, OTHER, WEBHOOK, entry, plain
from tests.contract.opened_log import OpenedLog, open_stub_log
from tests.lambda_functions import ACCOUNT
from webhooks.adapters.dynamodb.log_partitions import SHARDS
from webhooks.domain.delivery import Attempt
from webhooks.domain.delivery_log import UNDELIVERED, LogEntry, LogPage, LogQuery, Outcome
from webhooks.domain.log_sharing import SPAN

SUCCESS = Attempt(1_790_000_000_000, 80, 200, address="2001:db8::17")


@pytest.fixture
def tables() -> Tables:
    return Tables()


@pytest.fixture
def log(tables: Tables) -> Iterator[OpenedLog]:
    with mock.patch.dict("os.environ", ACCOUNT):
        yield open_stub_log(tables)


def cost(tables: Tables, log: OpenedLog, *entries: LogEntry) -> tuple[float, int]:
    """Record entries; return the billed write units, and those of them that are the indexes'."""
    before = tables.index_writes

    def work() -> int:
        assert log.record(entries) == []
        return 1

    return tables.cost(work).write_units, tables.index_writes - before


def test_a_delivered_delivery_costs_a_write_unit_and_no_index_write(tables: Tables, log: OpenedLog) -> None:
    for number in range(3):
        attempts = (replace(FAILED, excerpt="x" * 1024),) * number + (SUCCESS,)
        assert cost(tables, log, entry(number, attempts=attempts)) == (1, 0)
    repeated = entry(2, attempts=(SUCCESS,))
    assert cost(tables, log, repeated) == (1, 0)


def test_an_undelivered_one_costs_a_unit_for_each_index(tables: Tables, log: OpenedLog) -> None:
    assert cost(tables, log, entry(1, Outcome.RETRYING)) == (3, 2)
    again = entry(1, Outcome.RETRYING, attempts=(FAILED,))
    assert cost(tables, log, again) == (1, 0)  # the indexes have no attempts
    assert cost(tables, log, entry(1, attempts=(FAILED, SUCCESS))) == (3, 2)
    assert cost(tables, log, entry(1, attempts=(FAILED, SUCCESS))) == (1, 0)


def test_a_dead_one_costs_its_payload_too(tables: Tables, log: OpenedLog) -> None:
    assert cost(tables, log, entry(1, Outcome.RETRYING)) == (3, 2)
    assert cost(tables, log, entry(1, Outcome.DEAD)) == (6, 4)  # out of one partition, into another
    assert cost(tables, log, replace(entry(1), has_payload=True)) == (4, 2)


def test_plain_deliveries_of_a_webhook_share_a_write_unit(tables: Tables, log: OpenedLog) -> None:
    assert cost(tables, log, *(plain(number) for number in range(10))) == (1, 0)
    assert cost(tables, log, *(plain(10 + number) for number in range(20))) == (1, 0)
    mixed = [
        plain(number, webhook_id=webhook_id) for number in range(40, 45) for webhook_id in (WEBHOOK, OTHER)
    ]
    assert cost(tables, log, *mixed, entry(50)) == (3, 0)
    assert cost(tables, log, *(plain(60 + number * SPAN) for number in range(4))) == (2, 0)


@pytest.mark.parametrize(("webhook_id", "units"), [(OTHER, 3), (WEBHOOK, 2 + SHARDS)])
def test_a_page_of_shared_items_costs_what_it_shows(
    tables: Tables, log: OpenedLog, webhook_id: str, units: int
) -> None:
    """Ten seconds of 300 deliveries a second, in items of ten whose times overlap by a half."""
    for first in range(0, 3000, 20):
        for parity in (0, 1):
            log.record(
                [plain((first + parity + 2 * each) * 10 // 3, webhook_id=webhook_id) for each in range(10)]
            )
    every, pages, most = LogQuery(NORTH, webhook_id), [LogPage((), None)], 0.0

    def next_page() -> int:
        pages.append(log.reads.newest(every, after=pages[-1].last, size=25, reach=pages[-1].reach))
        return len(pages[-1].entries) // 25

    for _ in range(8):
        most = max(most, tables.cost(next_page).read_units)
    assert most <= units
    unknown = tables.cost(lambda: len(log.reads.newest(every, after=pages[-1].last, size=25).entries) // 25)
    assert units < unknown.read_units < 30  # two seconds more


def test_a_look_costs_the_shared_items_of_its_times(tables: Tables, log: OpenedLog) -> None:
    for first in range(0, 30_000, 100):
        log.record([plain(first + each) for each in range(10)])
    log.record([entry(number) for number in range(30_000, 31_000)])
    one = plain(10_005).key

    def look() -> int:
        assert set(log.look([one]).logged) == {one}
        return 1

    assert tables.cost(look).read_units <= 4  # twenty items of half a kilobyte
    assert tables.cost(look).calls == 1


@pytest.mark.parametrize(
    ("webhook_id", "most"),  # of pages of the newest, of dead ones, and of the community
    [
        (OTHER, (4, 26.5, 26 + len(UNDELIVERED) * SHARDS / 2)),  # all lines of it are in one shard
        (WEBHOOK, (1 + SHARDS, 25 + 2 * SHARDS / 2, 25 + len(UNDELIVERED) * SHARDS / 2)),
    ],
)
def test_a_page_costs_what_it_shows_and_half_a_unit_for_each_shard(
    tables: Tables, log: OpenedLog, webhook_id: str, most: tuple[float, ...]
) -> None:
    outcomes = [Outcome.DEAD, *[Outcome.DELIVERED] * 9] * 300
    log.record([entry(number, each, webhook_id=webhook_id) for number, each in enumerate(outcomes)])
    every = LogQuery(NORTH, webhook_id)
    queries = (every, replace(every, outcome=Outcome.DEAD), LogQuery(NORTH, None))
    for query, units in zip(queries, most, strict=True):
        for read in (log.reads.newest, log.reads.oldest):

            def work(query: LogQuery = query, read: Any = read) -> int:
                assert len(read(query, after=None, size=25).entries) == 25
                return 1

            assert tables.cost(work).read_units <= units


def test_a_page_of_a_name_that_none_has_costs_a_tenth_more_in_shards(tables: Tables, log: OpenedLog) -> None:
    costs = []
    for webhook_id in (OTHER, WEBHOOK):
        log.record([entry(number, webhook_id=webhook_id) for number in range(1500)])
        query = LogQuery(NORTH, webhook_id, event_name="order.none")

        def work(query: LogQuery = query) -> int:
            page = log.reads.newest(query, after=None, size=25)
            assert page.entries == ()
            assert page.last is not None
            return 1

        costs.append(tables.cost(work).read_units)
    assert costs[1] <= 1.1 * costs[0]
