"""The laws of the delivery log: its pages together are what a list of its entries would be."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.aws_stub.tables import Tables
from tests.contract.backends import backend_named
from tests.contract.logged import NORTH, OTHER, SOUTH, TIME, WEBHOOK, entry, plain
from tests.contract.opened_log import OpenedLog, open_log, open_stub_log
from tests.lambda_functions import ACCOUNT
from webhooks.domain.delivery_log import UNDELIVERED, LogEntry, LogKey, LogQuery, Mark, Outcome

LAWS = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
NAMES = ("order.paid", "ä#")
ENTRIES = st.lists(
    st.builds(
        lambda number, outcome, webhook_id, name, is_recoverable, mark: entry(
            number,
            outcome,
            webhook_id=webhook_id,
            scope=NORTH if webhook_id == WEBHOOK else SOUTH,
            event_name=name,
            is_recoverable=is_recoverable and outcome is Outcome.DEAD,
            mark=mark,
        ),
        st.integers(0, 12),
        st.sampled_from(Outcome),
        st.sampled_from((WEBHOOK, OTHER)),
        st.sampled_from(NAMES),
        st.booleans(),
        st.sampled_from((None, Mark.TEST, Mark.REPLAY)),
    ),
    max_size=30,
)
# Of one webhook: their times are near and far, so that shared items overlap and have an end. One that is there
# twice has the same name: it is the same event.
PLAIN = st.lists(
    st.builds(
        lambda number: plain(number, event_name=NAMES[number % len(NAMES)]),
        st.integers(0, 12) | st.integers(0, 6000),
    ),
    max_size=60,
    unique_by=lambda each: each.key,
)
QUERIES = st.builds(
    LogQuery,
    st.sampled_from((NORTH, SOUTH)),
    st.sampled_from((WEBHOOK, OTHER, None)),
    outcome=st.none() | st.sampled_from(Outcome),
    event_name=st.none() | st.sampled_from(NAMES),
    since=st.sampled_from((0, TIME + 3)),
    until=st.sampled_from((2**48 - 1, TIME + 9, TIME + 4000)),
)


@pytest.fixture(params=["memory", "moto", "stub"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@contextmanager
def opened(name: str) -> Iterator[OpenedLog]:
    """Open an empty log: of a fake, of moto, or of the tables that count billed units."""
    if name == "stub":
        with mock.patch.dict("os.environ", ACCOUNT):
            yield open_stub_log(Tables())
        return
    with backend_named(name) as backend:
        yield open_log(backend)


def is_wanted(each: LogEntry, query: LogQuery) -> bool:
    """Tell by the definition of a query whether it has an entry."""
    is_indexed = each.outcome in UNDELIVERED and each.mark is not Mark.TEST
    if query.webhook_id is None:
        fits = each.scope == query.scope and is_indexed
    else:
        fits = each.key.webhook_id == query.webhook_id and (query.outcome not in UNDELIVERED or is_indexed)
    return (
        fits
        and query.outcome in (None, each.outcome)
        and query.event_name in (None, each.delivery.event_name)
        and query.since <= each.key.log_time <= query.until
    )


def place(log_key: LogKey) -> str:
    return log_key.delivery_id.partition("-")[2]


def pages(log: OpenedLog, query: LogQuery, size: int, *, knows_reach: bool = True) -> Iterator[LogKey]:
    after = reach = None
    while True:
        page = log.reads.newest(query, after=after, size=size, reach=reach if knows_reach else None)
        assert len(page.entries) <= size
        yield from (each.key for each in page.entries)
        if page.last is None:
            return
        assert after is None or place(page.last) < place(after)
        after, reach = page.last, page.reach


def pages_from_oldest(log: OpenedLog, query: LogQuery, size: int) -> Iterator[LogKey]:
    after = None
    while True:
        page = log.reads.oldest(query, after=after, size=size)
        yield from (each.key for each in page.entries)
        if page.last is None:
            return
        after = page.last


@LAWS
@given(entries=ENTRIES, queries=st.lists(QUERIES, min_size=1, max_size=4), size=st.integers(1, 7))
def test_all_pages_together_have_everything_once(
    name: str, entries: list[LogEntry], queries: list[LogQuery], size: int
) -> None:
    with opened(name) as log:
        log.record(entries)
        latest = {each.key: each for each in entries}.values()
        for query in queries:
            expected = sorted(
                (each.key for each in latest if is_wanted(each, query)), key=place, reverse=True
            )
            assert list(pages(log, query, size)) == expected
            counted = log.reads.count(query, at_most=100)
            assert (counted.deliveries, counted.is_exact) == (len(expected), True)
            backwards = replace(query, since=query.until, until=query.since)
            assert list(pages(log, backwards, size)) == []


@LAWS
@given(
    settled=st.lists(PLAIN, max_size=3),
    others=ENTRIES,
    query=QUERIES,
    size=st.integers(1, 7),
)
def test_deliveries_that_share_items_are_on_pages_as_those_that_do_not(
    name: str,
    settled: list[list[LogEntry]],
    others: list[LogEntry],
    query: LogQuery,
    size: int,
) -> None:
    with opened(name) as log:
        every = dict[LogKey, LogEntry]()
        for entries in (*settled, others):  # a repeat of a plain one has an item alone; it counts
            log.record(entries)
            every |= {each.key: each for each in entries}
        expected = sorted((key for key, each in every.items() if is_wanted(each, query)), key=place)
        assert list(pages(log, query, size)) == expected[::-1]
        assert list(pages(log, query, size, knows_reach=False)) == expected[::-1]
        assert list(pages_from_oldest(log, query, size)) == expected
        assert set(log.reads.find(list(every))) == set(every)
        counted = log.reads.count(query, at_most=1000)
        assert (counted.deliveries, counted.is_exact) == (len(expected), True)


@LAWS
@given(entries=ENTRIES, size=st.integers(1, 7), webhook_id=st.sampled_from((WEBHOOK, OTHER)))
def test_a_backlog_has_each_delivery_that_waits_for_its_endpoint_once(
    name: str, entries: list[LogEntry], size: int, webhook_id: str
) -> None:
    with opened(name) as log:
        log.record(entries)
        found: list[LogKey] = []
        after = None
        while (page := log.reads.backlog(webhook_id, after=after, size=size)).last is not None:
            found += [each.key for each in page.entries]
            after = page.last
        found += [each.key for each in page.entries]
        latest = {each.key: each for each in entries}.values()
        assert found == sorted(
            (
                each.key
                for each in latest
                if each.key.webhook_id == webhook_id
                and each.mark is not Mark.TEST
                and (each.outcome is Outcome.HELD or each.is_recoverable)
            ),
            key=place,
        )
