"""The contract of SeenEvents: bounded sets of hashes, each an item."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.backends import Backend
from tests.fakes.seen_events import FakeSeenEvents
from webhooks.adapters.dynamodb.seen_events import DAY, DynamoSeenEvents, window_key
from webhooks.adapters.dynamodb.table import Table
from webhooks.ports import SeenEvents

ONE, TWO, THREE = (bytes([number]) * 8 for number in range(3))


@pytest.fixture
def seen(backend: Backend) -> SeenEvents:
    if backend.aws is None:
        return FakeSeenEvents()
    table = Table(backend.aws, backend.table("deliveries"), backoff=backend.backoff)
    return DynamoSeenEvents(table, days=30, clock=backend.clock)


def test_windows_that_do_not_exist_are_left_out(seen: SeenEvents) -> None:
    seen.add("a", [ONE], below=90)
    assert {name: set(hashes) for name, hashes in seen.read(["a", "b"], consistently=True).items()} == {
        "a": {ONE}
    }
    assert seen.read([], consistently=False) == {}


def test_hashes_are_added_and_those_before_are_told(seen: SeenEvents) -> None:
    assert set(seen.add("a", [ONE], below=90)) == set()
    assert set(seen.add("a", [ONE, TWO], below=90)) == {ONE}
    assert set(seen.read(["a"], consistently=True)["a"]) == {ONE, TWO}
    assert set(seen.add("b", [TWO], below=90)) == set()


def test_a_full_window_takes_nothing_and_tells_what_it_has(seen: SeenEvents) -> None:
    seen.add("a", [ONE, TWO], below=2)
    assert set(seen.add("a", [TWO, THREE], below=2)) == {ONE, TWO}
    assert set(seen.read(["a"], consistently=True)["a"]) == {ONE, TWO}


def test_more_windows_than_one_call_reads_are_all_read(seen: SeenEvents) -> None:
    names = [f"w{number}" for number in range(120)]
    for name in names:
        seen.add(name, [ONE], below=2)
    assert sorted(seen.read(names, consistently=False)) == sorted(names)


def test_of_many_that_add_a_hash_one_is_the_first(seen: SeenEvents) -> None:
    with ThreadPoolExecutor(4) as threads:
        before = list(threads.map(lambda _: set(seen.add("a", [ONE], below=90)), range(8)))
    assert before.count(set()) >= 1
    assert set(seen.read(["a"], consistently=True)["a"]) == {ONE}


def test_a_window_expires_as_the_log_does_after_its_last_mark(backend: Backend) -> None:
    if backend.aws is None:
        pytest.skip("the fake expires nothing")
    name = backend.table("deliveries")
    seen = DynamoSeenEvents(Table(backend.aws, name), days=30, clock=backend.clock)
    seen.add("a", [ONE], below=90)
    first = int(backend.clock())
    backend.clock.now += 50
    seen.add("a", [TWO], below=90)
    item = backend.aws.dynamodb.get_item(TableName=name, Key=window_key("a"))["Item"]
    assert int(item["expiresAt"]["N"]) == first + 50 + 30 * DAY
