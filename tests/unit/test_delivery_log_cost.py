"""The billed units of the delivery log: a delivery costs one write unit, and no index write once delivered."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from tests.aws_stub.tables import Tables
from tests.contract.logged import FAILED, NORTH, WEBHOOK, entry
from tests.contract.opened_log import OpenedLog, open_stub_log
from tests.lambda_functions import ACCOUNT
from webhooks.domain.delivery import Attempt
from webhooks.domain.delivery_log import LogEntry, LogQuery, Outcome

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


def test_a_page_costs_what_it_shows(tables: Tables, log: OpenedLog) -> None:
    log.record(
        [entry(number, Outcome.DEAD if number % 10 == 0 else Outcome.DELIVERED) for number in range(3000)]
    )
    every = LogQuery(NORTH, WEBHOOK)
    for query, units in (
        (every, 3),
        (replace(every, outcome=Outcome.DEAD), 26.5),
        (LogQuery(NORTH, None), 27),
    ):
        for read in (log.reads.newest, log.reads.oldest):

            def work(query: LogQuery = query, read: Any = read) -> int:
                assert len(read(query, after=None, size=25).entries) == 25
                return 1

            assert tables.cost(work).read_units <= units
