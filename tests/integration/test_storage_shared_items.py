"""Shared items of the delivery log in DynamoDB: what fails, what cannot be read, and bounds."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.aws_stub.faulty_clients import FaultyClients, Replacement, fail, forever, works
from tests.contract.backends import Backend, backend_named
from tests.contract.logged import NORTH, WEBHOOK, entry, plain
from tests.contract.opened_log import OpenedLog, open_log
from webhooks.adapters.dynamodb import shared_rows
from webhooks.domain.delivery_log import LogQuery
from webhooks.domain.errors import NewerFormError, UnavailableError

ALL = LogQuery(NORTH, WEBHOOK)


@pytest.fixture
def backend() -> Iterator[Backend]:
    with backend_named("moto") as opened:
        yield opened


def log_of(backend: Backend, **faults: list[Replacement]) -> OpenedLog:
    return open_log(backend, clients=FaultyClients(backend.clients, **faults))


def shared(backend: Backend, log: OpenedLog) -> list[dict[str, Any]]:
    return [
        each
        for each in backend.clients.dynamodb.scan(TableName=log.table)["Items"]
        if each["pk"]["S"] == f"S#{WEBHOOK}"
    ]


def test_deliveries_that_share_an_item_share_the_call_of_others(backend: Backend) -> None:
    calls: list[int] = []

    def note(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        [writes] = request["RequestItems"].values()
        calls.append(len(writes))
        return real(**request)

    log = log_of(backend, batch_write_item=forever(note))
    log.record([*(plain(number) for number in range(10)), *(entry(number) for number in range(20, 30))])
    assert calls == [11]


def test_an_item_that_is_not_written_returns_all_of_its_entries(backend: Backend) -> None:
    def leave_shared(real: Callable[..., Any], request: Mapping[str, Any]) -> dict[str, Any]:
        [(table, writes)] = request["RequestItems"].items()
        left = [each for each in writes if each["PutRequest"]["Item"]["pk"]["S"].startswith("S#")]
        if taken := [each for each in writes if each not in left]:
            real(RequestItems={table: taken})
        return {"UnprocessedItems": {table: left} if left else {}}

    log = log_of(backend, batch_write_item=forever(leave_shared))
    entries = [plain(number) for number in range(10)]
    other = entry(20)
    assert log.record([*entries, other]) == entries
    assert set(log.reads.find([each.key for each in (*entries, other)])) == {other.key}


def test_an_item_is_written_over_by_the_same_deliveries_alone(backend: Backend) -> None:
    log = open_log(backend)
    entries = [plain(number) for number in range(4)]
    for _ in range(2):
        log.record(entries)
    assert len(shared(backend, log)) == 1
    log.record(entries[2:])  # the newest is the same one
    assert len(shared(backend, log)) == 2
    assert len(log.reads.newest(ALL, after=None, size=9).entries) == 4


def test_items_expire(backend: Backend) -> None:
    log = open_log(backend)
    entries = [plain(number) for number in range(4)]
    log.record(entries)
    [item] = shared(backend, log)
    assert item["expiresAt"] == {"N": str(entries[0].settled_at // 1000 + 30 * 86_400)}


@pytest.mark.parametrize("broken", [{"body": {"B": b"no zlib"}}, {"body": {"S": "x"}}, {"v": {"N": "0"}}])
def test_an_item_that_cannot_be_read_is_left_out(backend: Backend, broken: dict[str, Any]) -> None:
    log = open_log(backend)
    log.record([plain(number) for number in range(4)])
    log.record([plain(number) for number in range(10, 14)])
    item = max(shared(backend, log), key=lambda each: each["sk"]["S"])
    backend.clients.dynamodb.put_item(TableName=log.table, Item=item | broken)
    assert len(log.reads.newest(ALL, after=None, size=9).entries) == 4
    assert set(log.look([plain(number).key for number in (1, 11)]).logged) == {plain(1).key}


def test_an_item_of_a_later_release_is_an_outage(backend: Backend) -> None:
    log = open_log(backend)
    log.record([plain(number) for number in range(4)])
    [item] = shared(backend, log)
    backend.clients.dynamodb.put_item(TableName=log.table, Item=item | {"v": {"N": "2"}})
    far = plain(90_000).key
    assert log.look([plain(1).key, far]).newer == {plain(1).key}
    for read in (lambda: log.reads.find([plain(1).key]), lambda: log.reads.newest(ALL, after=None, size=9)):
        with pytest.raises(NewerFormError, match="shared item of the delivery log of version 2"):
            read()


def test_a_requests_look_has_a_bound(
    backend: Backend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shared_rows, "LOOK_UNITS", 1)
    log = open_log(backend)
    for first in range(0, 60, 10):
        log.record([plain(first + number) for number in range(4)])
    keys = [plain(21).key, plain(51).key]
    assert set(log.reads.find([plain(0).key, *keys])) == {plain(0).key, plain(21).key}
    assert "delivery_log.look_ended" in caplog.messages


def test_a_look_at_a_table_that_does_not_answer_says_so(backend: Backend) -> None:
    log = log_of(backend, query=forever(fail("InternalServerError")))
    with pytest.raises(UnavailableError, match="dynamodb Query"):
        log.look([plain(1).key])


def test_a_look_that_a_fault_ends_keeps_what_it_read(backend: Backend) -> None:
    """It goes on behind that: a partition that is throttled now and then delays it, and no more."""
    log = log_of(backend, query=[works, fail("ThrottlingException")])
    for first in (0, 10_000):
        log.record([plain(first + number) for number in range(4)])
    one, other = plain(1).key, plain(10_001).key

    looked = log.look([one, other])
    assert set(looked.logged) == {one}
    assert set(looked.looked_to) == {other}
    throttled = log_of(backend, query=[fail("ThrottlingException")])
    with pytest.raises(UnavailableError, match="dynamodb Query: ThrottlingException"):
        throttled.look([other], after=looked.looked_to)
    assert set(log.look([other], after=looked.looked_to).logged) == {other}


def test_a_request_that_a_fault_ends_takes_nothing_for_absent(backend: Backend) -> None:
    log = log_of(backend, query=[works, fail("ThrottlingException")])
    log.record([plain(number) for number in range(4)])
    with pytest.raises(UnavailableError, match="dynamodb Query: ThrottlingException"):
        log.reads.find([plain(0).key, plain(3).key, plain(1000).key, plain(90_000).key])


def test_an_item_of_a_later_release_is_one_of_its_own_deliveries_alone(backend: Backend) -> None:
    log = open_log(backend)
    for first in (0, 3000, 6000):
        log.record([plain(first + number) for number in range(4)])
    item = sorted(shared(backend, log), key=lambda each: each["sk"]["S"])[1]
    backend.clients.dynamodb.put_item(TableName=log.table, Item=item | {"v": {"N": "2"}})
    keys = [plain(1).key, plain(3001).key, plain(6001).key, plain(9000).key]
    looked = log.look(keys)
    assert set(looked.logged) == {keys[0], keys[2]}
    assert looked.newer == {keys[1]}
    assert looked.looked_to == {}
