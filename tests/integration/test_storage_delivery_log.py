"""The delivery log's items: one write unit each, whatever endpoints and events are like."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.aws_stub.faulty_clients import FaultyClients, Replacement, fail, forever, works
from tests.contract.backends import Backend, backend_named
from tests.contract.opened_log import OpenedLog, open_log
from webhooks.adapters.dynamodb.delivery_log_items import entry_item, item_size, logged_from
from webhooks.domain.delivery import Attempt, Delivery, delivery_id
from webhooks.domain.delivery_log import LogEntry, Outcome, log_key
from webhooks.domain.http import PhaseTimes
from webhooks.domain.scope import Scope

WEBHOOK = "0123456789abcdef01234567"
SETTLED = 1_790_000_000_500


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


@given(
    excerpt=st.text(max_size=1024),
    location=st.none() | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=256),
    reason=st.text(max_size=300),
    tried=st.integers(0, 3),
    outcome=st.sampled_from(Outcome),
)
def test_an_item_fits_one_write_unit(
    excerpt: str, location: str | None, reason: str, tried: int, outcome: Outcome
) -> None:
    attempt = Attempt(
        at=SETTLED,
        latency_ms=5000,
        status=500,
        reason="deadline",
        address="2001:db8::1",
        excerpt=excerpt,
        location=location,
    )
    last = replace(attempt, times=PhaseTimes(5000, 5000, 5000, 5000, 5000))
    attempts = (*[attempt] * 2, last)[3 - tried :]
    item = entry_item(entry("e" * 36, outcome, attempts=attempts, reason=reason), 30)
    assert item_size(item) <= 1024 or excerpts(item) == [None] * tried
    assert item_size(item) <= 1024 or "timesMs" not in item["attempts"]["S"]


def test_the_phase_times_of_the_last_attempt_are_in_the_item() -> None:
    times = PhaseTimes(lookup=3, connect=14, tls=41, first_byte=79, total=80)
    attempt = Attempt(at=SETTLED, latency_ms=81, status=200, address="192.0.2.1", times=times)
    item = entry_item(entry("event", attempts=(attempt,)), 30)
    assert json.loads(item["attempts"]["S"])[0]["timesMs"] == [3, 14, 41, 79, 80]
    logged = logged_from(item)
    assert logged is not None
    assert logged.attempts == (attempt,)


def test_an_excerpt_fills_the_room_that_is_left(backend: Backend) -> None:
    attempt = Attempt(at=SETTLED, latency_ms=1, status=500, excerpt="x" * 1024)
    (kept,) = excerpts(entry_item(entry("event", attempts=(attempt,)), 30))
    assert kept == "x" * 400
    (kept,) = excerpts(entry_item(entry("event", attempts=(Attempt(1, 1, 500, excerpt="short"),)), 30))
    assert kept == "short"


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


def test_an_item_that_cannot_be_read_counts_as_absent(backend: Backend) -> None:
    log = log_of(backend)
    item = entry_item(entry("a"), 30) | {"outcome": {"S": "who knows"}}
    backend.clients.dynamodb.put_item(TableName=log.table, Item=item)
    assert log.logged([entry("a").key]) == {}
