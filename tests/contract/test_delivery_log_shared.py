"""The contract of the delivery log for deliveries that share an item."""

from dataclasses import replace

import pytest

from tests.contract.backends import Backend
from tests.contract.logged import NORTH, OTHER, SUCCEEDED, TIME, WEBHOOK, as_read, plain
from tests.contract.opened_log import OpenedLog, open_log
from webhooks.domain.delivery_log import LogCount, LogKey, LogQuery, Outcome
from webhooks.domain.log_sharing import SPAN

ALL = LogQuery(NORTH, WEBHOOK)


@pytest.fixture
def log(backend: Backend) -> OpenedLog:
    return open_log(backend)


def test_deliveries_that_share_an_item_are_looked_for_and_have_no_key_of_their_own(log: OpenedLog) -> None:
    entries = [plain(number) for number in range(10)]
    absent = plain(20)
    assert log.record(entries) == []

    keys = [*(each.key for each in entries), absent.key]
    assert log.logged(keys) == {}
    found = log.look(keys)
    assert found.webhooks == {}
    assert found.newer == set()
    assert set(found.logged) == {each.key for each in entries}
    assert {(each.outcome, each.tries) for each in found.logged.values()} == {(Outcome.DELIVERED, 1)}
    assert found.logged[entries[3].key].attempts == entries[3].delivery.attempts


def test_they_are_found_and_read_as_they_were_recorded(log: OpenedLog) -> None:
    entries = [plain(number, webhook_id=webhook_id) for number in range(5) for webhook_id in (WEBHOOK, OTHER)]
    log.record(entries)
    expected = {each.key: as_read(each, has_payload=False) for each in entries}
    assert log.reads.find([*expected, plain(20).key]) == expected
    newest = log.reads.newest(ALL, after=None, size=9).entries
    assert newest == tuple(expected[plain(number).key] for number in (4, 3, 2, 1, 0))
    oldest = log.reads.oldest(ALL, after=plain(1).key, size=2).entries
    assert oldest == tuple(expected[plain(number).key] for number in (2, 3))


def test_one_that_settles_alone_has_an_item_of_its_own(log: OpenedLog) -> None:
    apart = [plain(1), plain(2 + SPAN), plain(3, webhook_id=OTHER)]
    log.record(apart)
    assert set(log.logged([each.key for each in apart])) == {each.key for each in apart}
    assert log.look([each.key for each in apart]).logged == {}


def test_an_item_of_its_own_counts(log: OpenedLog) -> None:
    entries = [plain(number) for number in range(4)]
    log.record(entries)
    dead = replace(entries[1], outcome=Outcome.DEAD, is_new=False)
    log.record([dead])
    assert log.reads.find([dead.key]) == {dead.key: as_read(dead, has_payload=True)}
    outcomes = [each.outcome for each in log.reads.newest(ALL, after=None, size=9).entries]
    assert outcomes == [Outcome.DELIVERED, Outcome.DELIVERED, Outcome.DEAD, Outcome.DELIVERED]
    delivered = replace(ALL, outcome=Outcome.DELIVERED)
    assert len(log.reads.oldest(delivered, after=None, size=9).entries) == 3


def test_the_same_deliveries_recorded_twice_are_shown_once(log: OpenedLog) -> None:
    entries = [plain(number) for number in range(6)]
    log.record(entries)
    log.record(entries[2:])
    for read in (log.reads.newest, log.reads.oldest):
        assert len(read(ALL, after=None, size=20).entries) == 6


def test_they_are_counted(log: OpenedLog) -> None:
    log.record([plain(number * 900, event_name="odd" if number % 2 else "even") for number in range(9)])
    assert log.reads.count(ALL, at_most=100) == LogCount(9, 9, is_exact=True)
    assert log.reads.count(replace(ALL, outcome=Outcome.SKIPPED), at_most=100) == LogCount(
        0, 0, is_exact=True
    )
    odd = replace(ALL, event_name="odd")
    assert log.reads.count(odd, at_most=100) == LogCount(4, 4, is_exact=True)
    for since, until in ((0, TIME), (TIME + 900, TIME + 5400), (TIME + 901, TIME + 1799)):
        some = replace(ALL, since=since, until=until)
        expected = sum(since <= TIME + number * 900 <= until for number in range(9))
        assert log.reads.count(some, at_most=100) == LogCount(expected, expected, is_exact=True)
    counted = log.reads.count(ALL, at_most=3)
    assert (counted.deliveries, counted.is_exact) == (3, False)


def test_deliveries_with_several_items_are_counted_once(log: OpenedLog) -> None:
    entries = [plain(number, event_name="odd" if number % 2 else "even") for number in range(8)]
    log.record(entries)
    log.record(entries[3:])  # a further shared item
    log.record([replace(entries[5], outcome=Outcome.DEAD, is_new=False)])  # its payload is kept
    log.record([replace(entries[6], is_new=False)])
    assert log.reads.count(ALL, at_most=100) == LogCount(8, 7, is_exact=True)
    assert log.reads.count(ALL, at_most=8) == LogCount(8, 7, is_exact=True)
    counted = log.reads.count(ALL, at_most=7)
    assert (counted.deliveries, counted.is_exact) == (7, False)
    delivered = replace(ALL, outcome=Outcome.DELIVERED)
    assert log.reads.count(delivered, at_most=100) == LogCount(7, 7, is_exact=True)
    odd = replace(ALL, event_name="odd")
    assert log.reads.count(odd, at_most=100) == LogCount(4, 3, is_exact=True)
    late = replace(ALL, since=TIME + 5)
    assert log.reads.count(late, at_most=100) == LogCount(3, 2, is_exact=True)


def test_a_filter_finds_them_by_the_name_of_their_event(log: OpenedLog) -> None:
    log.record([plain(number, event_name="odd" if number % 2 else "even") for number in range(8)])
    odd = replace(ALL, event_name="odd", outcome=Outcome.DELIVERED)
    page = log.reads.newest(odd, after=None, size=3)
    assert [each.key.log_time - TIME for each in page.entries] == [7, 5, 3]
    page = log.reads.newest(odd, after=page.last, size=3, reach=page.reach)
    assert [each.key.log_time - TIME for each in page.entries] == [1]


def test_those_whose_payload_is_kept_have_items_of_their_own(backend: Backend) -> None:
    log = open_log(backend, keep_all_payloads=True)
    entries = [plain(number) for number in range(4)]
    log.record(entries)
    assert set(log.logged([each.key for each in entries])) == {each.key for each in entries}
    assert set(log.reads.payloads([each.key for each in entries])) == {each.key for each in entries}


def test_a_look_is_for_several_webhooks_and_times(log: OpenedLog) -> None:
    entries = [
        plain(number + minute * 60_000, webhook_id=webhook_id)
        for webhook_id in (WEBHOOK, OTHER)
        for minute in range(3)
        for number in range(2)
    ]
    log.record(entries)
    assert set(log.look([each.key for each in entries]).logged) == {each.key for each in entries}
    assert log.look([]).logged == {}


@pytest.mark.parametrize("consistent", [True, False])
def test_own_items_are_read_either_way(log: OpenedLog, *, consistent: bool) -> None:
    one = plain(1)
    log.record([one])
    read = log.reader.read([], [one.key, plain(2).key], consistent=consistent)
    assert read.logged[one.key].attempts == (replace(SUCCEEDED, at=TIME + 41, latency_ms=81),)


def test_a_look_goes_on_where_one_before_it_ended(log: OpenedLog) -> None:
    """Items of a unit each at most: a look of few units ends early, and tells the place."""
    stored = [[plain(20 * number + each) for each in range(2)] for number in range(40)]
    for pair in stored:
        log.record(pair)
    last, absent, early = stored[-1][0].key, plain(15, event_id="absent").key, stored[0][1].key
    found, after, rounds = set[LogKey](), dict[LogKey, str](), 0
    pending = [last, absent, early]
    while pending:
        looked = log.look(pending, after=after, units=2)
        found |= set(looked.logged)
        assert all(place > after.get(each, "") for each, place in looked.looked_to.items())
        after, rounds = dict(looked.looked_to), rounds + 1
        pending = [each for each in pending if each in after]
    assert found == {last, early}
    assert rounds > 1
    assert log.look([early], after={early: f"{TIME + 9:012x}-{'f' * 32}+00000000"}, units=2).logged == {}
