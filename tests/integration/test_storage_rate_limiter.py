"""The rate limiter's writes: how many there are, and what happens where one fails."""

from collections.abc import Iterator

import pytest

from tests.aws_stub.faulty_clients import FaultyClients, Replacement, fail, forever, lose_response, repeat
from tests.clocks import NOW
from tests.contract.backends import Backend, backend_named
from webhooks.adapters.dynamodb import rate_limiter
from webhooks.adapters.dynamodb.rate_limiter import DynamoRateLimiter
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.errors import UnavailableError

NOW_MS = int(NOW * 1000)


@pytest.fixture
def backend() -> Iterator[Backend]:
    with backend_named("moto") as opened:
        yield opened


def faulty(backend: Backend, *replacements: Replacement) -> tuple[DynamoRateLimiter, FaultyClients]:
    clients = FaultyClients(backend.clients, update_item=list(replacements))
    return DynamoRateLimiter(Table(clients, backend.table("deliveries"))), clients


def test_a_reservation_is_one_write(backend: Backend) -> None:
    limiter, clients = faulty(backend)
    for after in (0, 1, 2, 60_000, 60_001):
        limiter.reserve("one", 1, rate=5, now=NOW_MS + after)
    assert clients.calls == ["update_item"] * 5


def test_slots_that_others_reserved_cost_one_more_write(backend: Backend) -> None:
    limiter, _ = faulty(backend)
    limiter.reserve("one", 50, rate=5, now=NOW_MS)
    other, clients = faulty(backend)
    assert other.reserve("one", 1, rate=5, now=NOW_MS) == NOW_MS + 10_000
    assert other.reserve("one", 1, rate=5, now=NOW_MS) == NOW_MS + 10_200
    assert clients.calls == ["update_item"] * 3


def test_slots_that_end_meanwhile_begin_anew(backend: Backend) -> None:
    limiter, clients = faulty(backend)
    limiter.reserve("one", 50, rate=5, now=NOW_MS)
    clients.real.dynamodb.delete_item(
        TableName=f"deliveries-{backend.suffix}", Key={"pk": {"S": "L#one"}, "sk": {"S": "L"}}
    )
    assert limiter.reserve("one", 1, rate=5, now=NOW_MS + 3) == NOW_MS + 3


@pytest.mark.parametrize("fault", [fail("ThrottlingException"), lose_response])
def test_an_outage_is_an_error_that_names_the_operation(backend: Backend, fault: Replacement) -> None:
    limiter, _ = faulty(backend, fault, fault)
    with pytest.raises(UnavailableError, match="dynamodb UpdateItem: ") as caught:
        limiter.reserve("one", 1, rate=5, now=NOW_MS)
    assert "SECRET" not in str(caught.value)
    with pytest.raises(UnavailableError, match="dynamodb UpdateItem: "):
        limiter.take("two", rate=5, now=NOW_MS)


def test_a_write_that_is_made_twice_gives_no_slot_twice(backend: Backend) -> None:
    limiter, _ = faulty(backend)
    limiter.reserve("one", 10, rate=5, now=NOW_MS)
    again, _ = faulty(backend, fail("ConditionalCheckFailedException"), repeat)
    firsts = [each.reserve("one", 10, rate=5, now=NOW_MS) for each in (again, limiter, again)]
    assert firsts == [NOW_MS + 4000, NOW_MS + 6000, NOW_MS + 8000]  # 2000 is lost


def test_slots_that_change_at_every_try_are_an_outage(backend: Backend) -> None:
    refused = forever(fail("ConditionalCheckFailedException"))
    clients = FaultyClients(backend.clients, update_item=refused)
    limiter = DynamoRateLimiter(Table(clients, backend.table("deliveries")))
    with pytest.raises(UnavailableError, match="changed at every try"):
        limiter.reserve("one", 1, rate=5, now=NOW_MS)
    assert len(clients.calls) == rate_limiter.TRIES


def test_an_item_expires_when_it_had_no_write_for_long(backend: Backend) -> None:
    limiter, clients = faulty(backend)
    limiter.reserve("W-1", 10, rate=1, now=NOW_MS)
    limiter.reserve("W-1", 10, rate=1, now=NOW_MS + 5000)
    (item,) = clients.real.dynamodb.scan(TableName=f"deliveries-{backend.suffix}")["Items"]
    assert item == {
        "pk": {"S": "L#W-1"},
        "sk": {"S": "L"},
        "tat": {"N": str((NOW_MS + 20_000) * 1000)},
        "expiresAt": {"N": str(int(NOW) + 5 + rate_limiter.KEPT_SECONDS)},
    }


def test_few_names_are_remembered(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limiter, "REMEMBERED", 3)
    limiter, clients = faulty(backend)
    for name in "abca":
        limiter.reserve(name, 1, rate=1, now=NOW_MS)
    assert len(clients.calls) == 4
    limiter.reserve("d", 1, rate=1, now=NOW_MS)  # the others are forgotten
    assert limiter.reserve("a", 1, rate=1, now=NOW_MS) == NOW_MS + 2000
    assert len(clients.calls) == 7


def test_a_refusal_that_is_known_costs_no_write(backend: Backend) -> None:
    limiter, clients = faulty(backend)
    assert [limiter.take("one", rate=1, burst=2, now=NOW_MS) for _ in range(5)] == [True] * 2 + [False] * 3
    assert clients.calls == ["update_item"] * 2


def test_slots_that_others_took_cost_a_write_more_once(backend: Backend) -> None:
    limiter, _ = faulty(backend)
    assert limiter.take("one", rate=1, burst=2, count=2, now=NOW_MS)
    other, clients = faulty(backend)
    assert not other.take("one", rate=1, burst=2, now=NOW_MS)
    assert clients.calls == ["update_item"] * 2
    assert not other.take("one", rate=1, burst=2, now=NOW_MS)
    assert clients.calls == ["update_item"] * 2
    assert other.take("one", rate=1, burst=2, now=NOW_MS + 1000)
    assert clients.calls == ["update_item"] * 3
