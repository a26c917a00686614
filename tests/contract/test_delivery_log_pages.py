"""The contract of DeliveryLogReader: pages of the log, counts, and a webhook's backlog."""

from collections.abc import Callable
from dataclasses import replace
from itertools import chain

import pytest

from tests.contract.backends import Backend
from tests.contract.logged import FAILED, NORTH, OTHER, REFUSED, SOUTH, TIME, WEBHOOK, as_read, entry
from tests.contract.opened_log import OpenedLog, open_log
from webhooks.domain.delivery_log import LogCount, LogEntry, LogKey, LogPage, LogQuery, Mark, Outcome

ALL = LogQuery(NORTH, WEBHOOK)
UNDELIVERED = LogQuery(NORTH, None)

type Read = Callable[[LogKey | None], LogPage]


@pytest.fixture
def log(backend: Backend) -> OpenedLog:
    return open_log(backend)


def all_pages(read: Read) -> list[list[int]]:
    """Read page by page to the end; return the numbers of the events on each."""
    pages = [read(None)]
    while pages[-1].last is not None:
        pages.append(read(pages[-1].last))
    return [[each.key.log_time - TIME for each in page.entries] for page in pages]


def flat(pages: list[list[int]]) -> list[int]:
    return list(chain.from_iterable(pages))


def newest(log: OpenedLog, query: LogQuery, size: int = 100) -> list[list[int]]:
    return all_pages(lambda after: log.reads.newest(query, after=after, size=size))


def oldest(log: OpenedLog, query: LogQuery, size: int = 100) -> list[list[int]]:
    return all_pages(lambda after: log.reads.oldest(query, after=after, size=size))


def mixed(count: int = 20) -> list[LogEntry]:
    """Return entries of each outcome in turn, every other dead one recoverable."""
    outcomes = list(Outcome)
    entries = [entry(number, outcomes[number % len(outcomes)]) for number in range(count)]
    return [
        replace(each, is_recoverable=each.outcome is Outcome.DEAD and each.key.log_time % 2 == 0)
        for each in entries
    ]


def test_an_entry_is_read_as_it_was_recorded_but_for_its_body(log: OpenedLog) -> None:
    entries = [
        entry(1, Outcome.RETRYING, attempts=(FAILED, REFUSED), next_at=TIME + 60_000, reason=None),
        entry(2, Outcome.DEAD, attempts=(FAILED,), earlier=12, is_recoverable=True, mark=Mark.REPLAY),
        entry(3, Outcome.HELD),
        entry(4, Outcome.SKIPPED, mark=Mark.TEST),
        entry(5, event_name="Ä#{}", webhook_id=OTHER, scope=SOUTH),
    ]
    log.record(entries)
    assert log.reads.find([*(each.key for each in entries), entry(6).key]) == {
        each.key: as_read(each, has_payload=each.outcome in (Outcome.DEAD, Outcome.HELD)) for each in entries
    }
    assert log.reads.newest(ALL, after=None, size=1).entries == (as_read(entries[3], has_payload=False),)
    held = replace(ALL, outcome=Outcome.HELD)
    assert log.reads.newest(held, after=None, size=9).entries == (as_read(entries[2], has_payload=True),)


def test_pages_are_in_the_order_of_their_events(log: OpenedLog) -> None:
    log.record([entry(number) for number in (3, 1, 2, 0)])
    assert newest(log, ALL) == [[3, 2, 1, 0]]
    assert oldest(log, ALL) == [[0, 1, 2, 3]]


@pytest.mark.parametrize(("size", "pages"), [(1, 5), (2, 3), (3, 2), (4, 2), (5, 1), (6, 1)])
def test_the_last_page_says_that_it_is(log: OpenedLog, size: int, pages: int) -> None:
    log.record([entry(number, Outcome.DEAD) for number in range(5)])
    for query in (ALL, replace(ALL, outcome=Outcome.DEAD), UNDELIVERED):
        assert len(newest(log, query, size)) == pages
        assert flat(newest(log, query, size)) == [4, 3, 2, 1, 0]
        assert flat(oldest(log, query, size)) == [0, 1, 2, 3, 4]


def test_an_empty_log_has_one_empty_page(log: OpenedLog) -> None:
    for query in (ALL, UNDELIVERED, replace(UNDELIVERED, outcome=Outcome.DELIVERED)):
        assert newest(log, query) == oldest(log, query) == [[]]
    assert log.reads.backlog(WEBHOOK, after=None, size=10) == LogPage((), None)
    assert log.reads.find([]) == {}


@pytest.mark.parametrize("outcome", Outcome)
def test_a_webhooks_deliveries_are_filtered_by_outcome(log: OpenedLog, outcome: Outcome) -> None:
    log.record([*mixed(), entry(100, outcome, webhook_id=OTHER)])
    expected = [number for number in range(20) if list(Outcome)[number % 5] is outcome]
    for size in (1, 3, 100):
        assert flat(oldest(log, replace(ALL, outcome=outcome), size)) == expected
        assert flat(newest(log, replace(ALL, outcome=outcome), size)) == expected[::-1]


def test_a_communitys_undelivered_are_of_all_its_webhooks(log: OpenedLog) -> None:
    log.record(
        [
            *mixed(),
            entry(30, Outcome.RETRYING, webhook_id=OTHER),
            entry(31, Outcome.RETRYING, webhook_id=OTHER, scope=SOUTH),
        ]
    )
    undelivered = [number for number in range(20) if number % 5 in (1, 2, 3)]
    assert flat(oldest(log, UNDELIVERED, 4)) == [*undelivered, 30]
    assert flat(newest(log, UNDELIVERED, 4)) == [30, *undelivered[::-1]]
    assert newest(log, replace(UNDELIVERED, outcome=Outcome.RETRYING)) == [[30, 16, 11, 6, 1]]
    assert newest(log, replace(UNDELIVERED, outcome=Outcome.DELIVERED)) == [[]]


def test_deliveries_of_one_millisecond_are_all_on_pages(log: OpenedLog) -> None:
    log.record([entry(0, Outcome.DEAD, event_id=f"event {number}") for number in range(30)])
    for query in (ALL, UNDELIVERED):
        assert flat(newest(log, query, 7)) == flat(oldest(log, query, 7)) == [0] * 30


def test_times_limit_what_is_read(log: OpenedLog) -> None:
    log.record(mixed())
    for query in (ALL, replace(ALL, outcome=Outcome.DEAD), UNDELIVERED):
        every = flat(oldest(log, query))
        between = replace(query, since=TIME + 5, until=TIME + 12)
        assert flat(oldest(log, between, 2)) == [number for number in every if 5 <= number <= 12]
        assert flat(newest(log, between, 2)) == [number for number in every[::-1] if 5 <= number <= 12]
        assert newest(log, replace(query, since=TIME + 12, until=TIME + 5)) == [[]]


def test_a_name_of_events_limits_what_is_read(log: OpenedLog) -> None:
    log.record([replace_name(each, "odd" if each.key.log_time % 2 else "even") for each in mixed()])
    for query in (
        ALL,
        replace(ALL, outcome=Outcome.DELIVERED),
        replace(ALL, outcome=Outcome.DEAD),
        UNDELIVERED,
    ):
        every = flat(oldest(log, query))
        odd = [number for number in every if number % 2]
        assert flat(oldest(log, replace(query, event_name="odd"), 2)) == odd
        assert flat(newest(log, replace(query, event_name="odd"), 2)) == odd[::-1]
        assert flat(newest(log, replace(query, event_name="none"), 2)) == []


def replace_name(made: LogEntry, name: str) -> LogEntry:
    return replace(made, delivery=replace(made.delivery, event_name=name))


def test_a_page_that_filters_looks_at_a_thousand_at_most(log: OpenedLog) -> None:
    log.record([entry(number, Outcome.DEAD) for number in range(1002)])
    for query in (ALL, replace(ALL, outcome=Outcome.DEAD), UNDELIVERED):
        rare = replace(query, event_name="rare")
        assert oldest(log, rare, 3) == [[], []]
        page = log.reads.oldest(rare, after=None, size=3)
        assert page.last is not None
        assert page.last.log_time == TIME + 999


def test_a_page_that_filters_ends_once_it_is_full(log: OpenedLog) -> None:
    log.record([entry(number, Outcome.DEAD) for number in range(10)])
    page = log.reads.oldest(replace(ALL, event_name="order.paid"), after=None, size=3)
    assert [each.key.log_time - TIME for each in page.entries] == [0, 1, 2]
    assert page.last == page.entries[-1].key


def test_a_delivered_one_is_undelivered_no_more(log: OpenedLog) -> None:
    log.record([entry(1, Outcome.RETRYING), entry(2, Outcome.RETRYING)])
    log.record([entry(1, Outcome.DELIVERED), entry(2, Outcome.DEAD)])
    assert newest(log, replace(ALL, outcome=Outcome.RETRYING)) == [[]]
    assert newest(log, replace(ALL, outcome=Outcome.DEAD)) == newest(log, UNDELIVERED) == [[2]]
    assert newest(log, ALL) == [[2, 1]]


def test_tests_are_in_the_log_of_their_webhook_only(log: OpenedLog) -> None:
    log.record([entry(1, Outcome.DEAD, mark=Mark.TEST), entry(2, Outcome.DEAD, mark=Mark.REPLAY)])
    assert newest(log, ALL) == [[2, 1]]
    assert newest(log, replace(ALL, outcome=Outcome.DEAD)) == newest(log, UNDELIVERED) == [[2]]


def test_a_backlog_has_held_and_recoverable_deliveries(log: OpenedLog) -> None:
    entries = mixed()
    log.record([*entries, entry(50, Outcome.HELD, webhook_id=OTHER)])
    expected = [
        each.key.log_time - TIME for each in entries if each.outcome is Outcome.HELD or each.is_recoverable
    ]
    for size in (1, 3, 100):
        pages = all_pages(lambda after: log.reads.backlog(WEBHOOK, after=after, size=size))  # noqa: B023
        assert flat(pages) == expected
    assert len(expected) == 6


def test_deliveries_are_counted_with_those_that_have_no_payload(log: OpenedLog) -> None:
    log.record(mixed())
    assert log.reads.count(ALL, at_most=100) == LogCount(20, 12, is_exact=True)
    dead = replace(ALL, outcome=Outcome.DEAD)
    assert log.reads.count(dead, at_most=100) == LogCount(4, 0, is_exact=True)
    assert log.reads.count(UNDELIVERED, at_most=100) == LogCount(12, 4, is_exact=True)
    delivered = replace(ALL, outcome=Outcome.DELIVERED)
    assert log.reads.count(delivered, at_most=100) == LogCount(4, 4, is_exact=True)
    recoverable = sum(each.is_recoverable for each in mixed())
    counted = log.reads.count(replace(dead, is_recoverable=True), at_most=100)
    assert (counted.deliveries, counted.is_exact) == (recoverable, True)
    some = replace(UNDELIVERED, since=TIME + 5, until=TIME + 9)
    assert log.reads.count(some, at_most=100) == LogCount(3, 1, is_exact=True)
    assert log.reads.count(replace(ALL, since=2, until=1), at_most=100) == LogCount(0, 0, is_exact=True)


def test_deliveries_are_counted_by_the_name_of_their_event(log: OpenedLog) -> None:
    log.record([replace_name(each, "odd" if each.key.log_time % 2 else "even") for each in mixed()])
    odd = replace(UNDELIVERED, event_name="odd")
    assert log.reads.count(odd, at_most=100) == LogCount(6, 2, is_exact=True)
    assert log.reads.count(replace(ALL, event_name="odd"), at_most=100) == LogCount(10, 6, is_exact=True)


def test_a_count_stops_and_says_so(log: OpenedLog) -> None:
    log.record([entry(number, Outcome.DEAD) for number in range(10)])
    for query in (ALL, UNDELIVERED, replace(ALL, outcome=Outcome.DEAD)):
        assert log.reads.count(query, at_most=9) == LogCount(9, 0, is_exact=False)
        assert log.reads.count(query, at_most=10) == LogCount(10, 0, is_exact=True)
        named = replace(query, event_name="order.paid")
        assert log.reads.count(named, at_most=9) == LogCount(9, 0, is_exact=False)
        assert log.reads.count(named, at_most=10) == LogCount(10, 0, is_exact=True)
