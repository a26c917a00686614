"""The delivery log's items: one write unit each, whatever endpoints and events are like."""

import json
import random
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.aws_stub.faulty_clients import FaultyClients, Replacement, fail, forever, works
from tests.aws_stub.item_size import item_bytes
from tests.contract import logged
from tests.contract.backends import Backend, backend_named
from tests.contract.opened_log import OpenedLog, open_log
from webhooks.adapters.dynamodb.delivery_log_items import entry_from, entry_item, logged_from
from webhooks.adapters.dynamodb.delivery_log_reader import DynamoDeliveryLogReader
from webhooks.adapters.dynamodb.items import item_size
from webhooks.adapters.dynamodb.log_partitions import SHARDS
from webhooks.domain.delivery import Attempt, Delivery, delivery_id
from webhooks.domain.delivery_log import LogCount, LogEntry, Logged, LogKey, LogQuery, Mark, Outcome, log_key
from webhooks.domain.errors import UnavailableError
from webhooks.domain.http import PhaseTimes
from webhooks.domain.scope import Scope

WEBHOOK = "0123456789abcdef01234567"
LARGE = b64encode(random.Random(1).randbytes(500_000)).decode()  # two chunks
TIME, SETTLED = 1_790_000_000_000, 1_790_000_000_500
NORTH = Scope("acme", "north")


@pytest.fixture
def backend() -> Iterator[Backend]:
    with backend_named("moto") as opened:
        yield opened


def entry(
    event_id: str,
    outcome: Outcome = Outcome.DEAD,
    *,
    attempts: tuple[Attempt, ...] = (),
    reason: str = "HTTP 500",
) -> LogEntry:
    delivery = Delivery(
        delivery_id(event_id, WEBHOOK, log_time=1_790_000_000_000),
        event_id,
        "order.paid",
        1_790_000_000_000,
        "{}",
        attempts,
    )
    return LogEntry(log_key(WEBHOOK, delivery), delivery, Scope("acme", "north"), outcome, SETTLED, reason)


def excerpts(item: dict[str, dict[str, str]]) -> list[str | None]:
    return [attempt.get("excerpt") for attempt in json.loads(item["attempts"]["S"])]


SOME_TEXT = st.text(max_size=300) | st.text(st.characters(min_codepoint=0x10000), max_size=256)
SCOPE_ID = st.sampled_from(["a", "acme", "A" * 64])
ATTEMPTS = st.builds(
    Attempt,
    at=st.just(SETTLED),
    latency_ms=st.sampled_from((0, 60_000)),
    status=st.none() | st.just(500),
    reason=st.none() | st.just("deadline"),
    address=st.none() | st.just("2001:db8:1111:2222:3333:4444:5555:6666"),
    excerpt=st.none() | st.text(max_size=1024),
    location=st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=256),
    times=st.none() | st.just(PhaseTimes(5000, 5000, 5000, 5000, 5000)),
)
ANY_ENTRY = st.builds(
    lambda event_id, name, ids, attempts, earlier, outcome, reason, recoverable, mark, payload: LogEntry(
        LogKey(WEBHOOK, TIME, f"{WEBHOOK}-{TIME:012x}-{'0' * 32}"),
        Delivery(f"{WEBHOOK}-{TIME:012x}-{'0' * 32}", event_id, name, TIME, "", tuple(attempts), earlier),
        Scope(*ids),
        outcome,
        SETTLED,
        reason,
        next_at=SETTLED + 30_000 if outcome is Outcome.RETRYING else None,
        mark=mark,
        is_recoverable=recoverable and outcome is Outcome.DEAD,
        has_payload=payload,
    ),
    event_id=st.text(min_size=1, max_size=256)
    | st.sampled_from(("\U0001f4da" * 256, "\ud800" * 256, "e" * 36)),
    name=st.sampled_from(("order.paid", "n" * 128, "\U0001f4da" * 128)),
    ids=st.tuples(SCOPE_ID, SCOPE_ID),
    attempts=st.lists(ATTEMPTS, max_size=10),
    earlier=st.sampled_from((0, 1, 990)),
    outcome=st.sampled_from(Outcome),
    reason=st.none() | SOME_TEXT,
    recoverable=st.booleans(),
    mark=st.none() | st.sampled_from(Mark),
    payload=st.booleans(),
)


@given(ANY_ENTRY)
def test_an_item_fits_one_write_unit(made: LogEntry) -> None:
    item = entry_item(made, 30)
    assert item_size(item) == item_bytes(item)
    assert item_size(item) <= 1024


@given(ANY_ENTRY)
def test_an_item_is_read_as_it_was_but_for_texts_that_are_cut_off(made: LogEntry) -> None:
    item = entry_item(made, 30)
    read = entry_from(item)
    assert read is not None
    delivery = read.delivery
    assert delivery.tries == made.delivery.tries
    assert [each.at for each in delivery.attempts] == [SETTLED] * len(delivery.attempts)
    assert replace(read, delivery=made.delivery, reason=made.reason) == made
    assert delivery.event_name == made.delivery.event_name
    if delivery.event_id != made.delivery.event_id and made.delivery.event_id.isascii():
        assert made.delivery.event_id.startswith(delivery.event_id.removesuffix("…"))
    assert logged_from(item) == Logged(
        made.outcome,
        delivery.attempts,
        tries=made.delivery.tries,
        is_recoverable=made.is_recoverable,
        has_payload=made.has_payload,
    )


def test_the_attempts_of_a_full_history_are_dropped_from_the_oldest_on() -> None:
    attempts = tuple(
        Attempt(
            SETTLED + number, 5000, 503, address="2001:db8:1111:2222:3333:4444:5555:6666", excerpt="x" * 1024
        )
        for number in range(10)
    )
    made = entry("event", attempts=attempts)
    read = entry_from(entry_item(replace(made, delivery=replace(made.delivery, earlier=3)), 30))
    assert read is not None
    kept = read.delivery.attempts
    assert 4 <= len(kept) < 10
    assert [each.at for each in kept] == [each.at for each in attempts[-len(kept) :]]
    assert read.delivery.tries == 13


def test_an_id_of_an_event_is_whole_where_a_write_unit_has_room() -> None:
    for event_id in ("e" * 256, "ä" * 256):
        attempts = (Attempt(SETTLED, 5000, 503, address="2001:db8::1", excerpt="x" * 1024),) * 10
        item = entry_item(entry(event_id, attempts=attempts, reason="r" * 128), 30)
        assert item["eventId"] == {"S": event_id}


def test_the_phase_times_of_the_last_attempt_are_in_the_item() -> None:
    times = PhaseTimes(lookup=3, connect=14, tls=41, first_byte=79, total=80)
    attempt = Attempt(at=SETTLED, latency_ms=81, status=200, address="192.0.2.1", times=times)
    item = entry_item(entry("event", attempts=(attempt,)), 30)
    assert json.loads(item["attempts"]["S"])[0]["timesMs"] == [3, 14, 41, 79, 80]
    logged = logged_from(item)
    assert logged is not None
    assert logged.attempts == (attempt,)


def test_an_excerpt_fills_the_room_that_is_left() -> None:
    attempt = Attempt(at=SETTLED, latency_ms=1, status=500, excerpt="x" * 1024)
    item = entry_item(entry("event", attempts=(attempt,)), 30)
    [kept] = excerpts(item)
    assert kept is not None
    assert len(kept) >= 400
    assert 1024 - 16 < item_size(item) <= 1024
    [kept] = excerpts(entry_item(entry("event", attempts=(Attempt(1, 1, 500, excerpt="short"),)), 30))
    assert kept == "short"


def test_the_attempts_of_a_delivery_share_the_room_for_excerpts() -> None:
    attempts = tuple(Attempt(SETTLED + number, 1, 500, excerpt=f"{number}" * 1024) for number in range(3))
    item = entry_item(entry("event", attempts=attempts), 30)
    assert {len(kept or "") for kept in excerpts(item)} == {len(excerpts(item)[0] or "")}
    assert len(excerpts(item)[0] or "") >= 100


def test_an_item_has_the_redirect_location_beside_a_long_excerpt() -> None:
    where = "https://www.foo.com/api/trigger"
    attempt = Attempt(at=SETTLED, latency_ms=1, status=308, excerpt="x" * 1024, location=where)
    [kept] = json.loads(entry_item(entry("event", attempts=(attempt,)), 30)["attempts"]["S"])
    assert kept["location"] == where
    [kept] = json.loads(
        entry_item(entry("event", attempts=(Attempt(1, 1, 308, location=where),)), 30)["attempts"]["S"]
    )
    assert kept["location"] == where


def test_a_success_keeps_no_excerpt(backend: Backend) -> None:
    attempts = (Attempt(1, 1, 500, excerpt="oh no"), Attempt(2, 1, 200, excerpt="thanks"))
    assert excerpts(entry_item(entry("event", Outcome.DELIVERED, attempts=attempts), 30)) == ["oh no", None]


def test_an_item_has_the_outcome_of_the_delivery_and_its_expiry() -> None:
    item = entry_item(entry("event"), 30)
    assert item["pk"] == {"S": f"W#{WEBHOOK}"}
    assert item["sk"] == {"S": entry("event").delivery.id.removeprefix(f"{WEBHOOK}-")}
    assert item["sk"]["S"].startswith(f"{1_790_000_000_000:012x}-")
    assert {name: item[name] for name in ("outcome", "reason", "eventId", "eventName")} == {
        "outcome": {"S": "dead"},
        "reason": {"S": "HTTP 500"},
        "eventId": {"S": "event"},
        "eventName": {"S": "order.paid"},
    }
    assert item["settledAt"] == {"N": str(SETTLED)}
    assert item["expiresAt"] == {"N": str(SETTLED // 1000 + 30 * 86_400)}


def log_of(backend: Backend, **faults: list[Replacement]) -> OpenedLog:
    return open_log(backend, clients=FaultyClients(backend.clients, **faults))


def test_unprocessed_items_are_written_again(backend: Backend) -> None:
    def half(real: Callable[..., Any], request: Mapping[str, Any]) -> dict[str, Any]:
        (table, writes), *_ = request["RequestItems"].items()
        real(RequestItems={table: writes[:3]})
        return {"UnprocessedItems": {table: writes[3:]}}

    log = log_of(backend, batch_write_item=[half, half, works])
    entries = [entry(str(number)) for number in range(10)]
    assert list(log.record(entries)) == []
    assert len(log.logged([each.key for each in entries])) == 10


def test_entries_that_stay_unwritten_are_returned(backend: Backend) -> None:
    def refuse(_real: Callable[..., Any], request: Mapping[str, Any]) -> dict[str, Any]:
        return {"UnprocessedItems": request["RequestItems"]}

    entries = [entry(str(number)) for number in range(3)]
    assert list(log_of(backend, batch_write_item=forever(refuse)).record(entries)) == entries


def test_a_batch_that_fails_returns_its_own_entries_only(backend: Backend) -> None:
    log = log_of(backend, batch_write_item=[works, fail("InternalServerError"), works])
    entries = [entry(str(number)) for number in range(60)]
    assert list(log.record(entries)) == entries[25:50]


def test_the_last_entry_of_a_repeated_delivery_is_written(backend: Backend) -> None:
    log = log_of(backend)
    assert list(log.record([entry("a"), entry("b"), entry("a", Outcome.DELIVERED)])) == []
    assert log.logged([entry("a").key])[entry("a").key].outcome is Outcome.DELIVERED


def payload_writes(request: Mapping[str, Any]) -> bool:
    """Tell whether a BatchWriteItem has payloads."""
    [writes] = request["RequestItems"].values()
    return any("data" in write.get("PutRequest", {}).get("Item", {}) for write in writes)


def test_a_payload_that_is_not_written_keeps_its_entry_back(backend: Backend) -> None:
    log = log_of(backend, batch_write_item=[fail("ProvisionedThroughputExceededException"), works])
    dead, delivered = entry("a"), entry("b", Outcome.DELIVERED)
    assert list(log.record([dead, delivered])) == [dead]
    assert set(log.logged([dead.key, delivered.key])) == {delivered.key}
    assert list(log.record([dead])) == []
    assert log.reads.payloads([dead.key]) == {dead.key: "{}"}


def test_a_chunk_that_stays_unprocessed_keeps_its_entry_back(backend: Backend) -> None:
    def second_chunk_left(real: Callable[..., Any], request: Mapping[str, Any]) -> dict[str, Any]:
        if not payload_writes(request):
            result: dict[str, Any] = real(**request)
            return result
        (table, writes), *_ = request["RequestItems"].items()
        left = [each for each in writes if each["PutRequest"]["Item"]["sk"]["S"] == "0001"]
        if taken := [each for each in writes if each not in left]:
            real(RequestItems={table: taken})
        return {"UnprocessedItems": {table: left} if left else {}}

    log = log_of(backend, batch_write_item=forever(second_chunk_left))
    large = entry("a")
    large = replace(large, delivery=replace(large.delivery, body=LARGE))
    small = entry("b")
    assert list(log.record([large, small])) == [large]
    assert set(log.reads.find([large.key, small.key])) == {small.key}
    assert log.reads.payloads([large.key]) == {}  # a part of a payload is none


def test_a_payload_is_written_before_its_entry(backend: Backend) -> None:
    order: list[bool] = []

    def note(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        order.append(payload_writes(request))
        return real(**request)

    log_of(backend, batch_write_item=forever(note)).record([entry("a")])
    assert order == [True, False]


def test_a_payload_is_deleted_after_its_entry(backend: Backend) -> None:
    dead = entry("a")
    log = open_log(backend)
    log.record([dead])
    delivered = replace(dead, outcome=Outcome.DELIVERED, has_payload=True)
    failing = log_of(backend, batch_write_item=forever(fail("InternalServerError")))
    assert list(failing.record([delivered])) == [delivered]
    assert log.reads.payloads([dead.key]) == {dead.key: "{}"}

    # The entry is written, and the payload's deletion fails: it stays until it expires.
    half = log_of(backend, batch_write_item=[works, fail("InternalServerError")])
    assert list(half.record([delivered])) == []
    assert not log.reads.find([dead.key])[dead.key].has_payload
    assert set(log.reads.payloads([dead.key])) == {dead.key}

    log.record([dead])
    assert list(log.record([delivered])) == []
    assert log.reads.payloads([dead.key]) == {}


def test_payloads_expire_with_their_entries(backend: Backend) -> None:
    log = open_log(backend)
    log.record([entry("a")])
    items = backend.clients.dynamodb.scan(TableName=log.table)["Items"]
    assert [item["pk"]["S"][0] for item in items] in (["W", "P"], ["P", "W"])
    assert {item["expiresAt"]["N"] for item in items} == {str(SETTLED // 1000 + 30 * 86_400)}


def test_a_payload_that_cannot_be_read_is_left_out(backend: Backend) -> None:
    log = open_log(backend)
    one, other = entry("a"), entry("b")
    log.record([one, other])
    broken = {"pk": {"S": f"P#{one.key.delivery_id}"}, "sk": {"S": "0000"}, "chunks": {"N": "1"}}
    for data in ({"data": {"B": b"no zlib"}}, {}):
        backend.clients.dynamodb.put_item(TableName=log.table, Item={**broken, **data})
        assert log.reads.payloads([one.key, other.key]) == {other.key: "{}"}


def test_a_page_leaves_out_what_changed_after_the_index_was_read(backend: Backend) -> None:
    log = open_log(backend)
    entries = [entry(text) for text in "abc"]
    log.record(entries)
    gone = entries[1]

    def deliver(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        log.record([replace(gone, outcome=Outcome.DELIVERED, has_payload=True)])
        return real(**request)

    for query in (LogQuery(NORTH, None), LogQuery(NORTH, WEBHOOK, outcome=Outcome.DEAD)):
        log.record(entries)
        racing = DynamoDeliveryLogReader(FaultyClients(backend.clients, batch_get_item=[deliver]), log.table)
        page = racing.newest(query, after=None, size=10)
        assert {each.key for each in page.entries} == {entries[0].key, entries[2].key}


def test_an_item_of_an_earlier_release_is_left_out_of_pages(backend: Backend) -> None:
    log = open_log(backend)
    log.record([entry("now", Outcome.DELIVERED)])
    old = entry_item(entry("before", Outcome.DELIVERED), 30) | {"sk": {"S": f"001768469400250#{'0' * 32}"}}
    backend.clients.dynamodb.put_item(TableName=log.table, Item=old)
    page = log.reads.newest(LogQuery(NORTH, WEBHOOK), after=None, size=10)
    assert [each.key for each in page.entries] == [entry("now").key]


def test_an_item_that_cannot_be_read_is_left_out_of_pages(backend: Backend) -> None:
    log = open_log(backend)
    entries = [entry(text) for text in "abc"]
    log.record(entries)
    item = entry_item(entries[1], 30) | {"attempts": {"S": "["}}
    backend.clients.dynamodb.put_item(TableName=log.table, Item=item)
    for query in (LogQuery(NORTH, None), LogQuery(NORTH, WEBHOOK)):
        assert len(log.reads.newest(query, after=None, size=10).entries) == 2


@pytest.mark.parametrize("method", ["query", "batch_get_item"])
def test_a_reader_whose_table_does_not_answer_says_so(backend: Backend, method: str) -> None:
    log = open_log(backend)
    log.record([entry("a")])
    failing = FaultyClients(backend.clients, **{method: forever(fail("InternalServerError"))})
    reader = DynamoDeliveryLogReader(failing, log.table)
    with pytest.raises(UnavailableError, match="dynamodb") as caught:
        reader.newest(LogQuery(NORTH, None), after=None, size=10)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("at", range(SHARDS))
def test_a_shard_that_does_not_answer_makes_no_page_and_no_count_of_the_others(
    backend: Backend, at: int
) -> None:
    log = open_log(backend)
    held = [logged.entry(number, Outcome.HELD) for number in range(12)]
    log.record(held)
    of_held = LogQuery(NORTH, logged.WEBHOOK, Outcome.HELD)
    reads: list[Callable[[DynamoDeliveryLogReader], object]] = [
        lambda reader: reader.newest(LogQuery(NORTH, logged.WEBHOOK), after=None, size=20),
        lambda reader: reader.oldest(of_held, after=None, size=20),
        lambda reader: reader.backlog(logged.WEBHOOK, after=None, size=20),
        lambda reader: reader.count(of_held, at_most=100),
    ]
    for read in reads:
        failing = FaultyClients(backend.clients, query=[*[works] * at, fail("InternalServerError")])
        with pytest.raises(UnavailableError, match="dynamodb Query"):
            read(DynamoDeliveryLogReader(failing, log.table))
    backlog = log.reads.backlog(logged.WEBHOOK, after=None, size=20)
    assert {each.key for each in backlog.entries} == {each.key for each in held}


def test_a_count_ends_after_its_time(backend: Backend) -> None:
    log = open_log(backend)
    log.record([entry(text) for text in "abc"])
    times = iter((0.0, 1.0, 16.0))

    def a_page(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        return real(**{**request, "Limit": 1})

    slow = FaultyClients(backend.clients, query=forever(a_page))
    reader = DynamoDeliveryLogReader(slow, log.table, clock=lambda: next(times))
    counted = reader.count(LogQuery(NORTH, WEBHOOK, outcome=Outcome.DEAD), at_most=1000)
    assert counted == LogCount(1, 0, is_exact=False)
    times = iter((0.0, 1.0, 16.0))
    assert reader.count(LogQuery(NORTH, WEBHOOK), at_most=1000) == LogCount(1, 0, is_exact=False)


def test_an_item_that_cannot_be_read_counts_as_absent(backend: Backend) -> None:
    log = log_of(backend)
    item = entry_item(entry("a"), 30) | {"outcome": {"S": "who knows"}}
    backend.clients.dynamodb.put_item(TableName=log.table, Item=item)
    assert log.logged([entry("a").key]) == {}
