"""The contract of RateLimiter: no slot is given twice, and none is lost but by waiting."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import pytest

from tests.aws_stub.faulty_clients import FaultyClients, forever
from tests.clocks import NOW
from tests.contract.backends import Backend
from tests.fakes.rate_limiter import FakeRateLimiter
from webhooks.adapters.dynamodb.rate_limiter import DynamoRateLimiter
from webhooks.adapters.dynamodb.table import Table
from webhooks.ports import RateLimiter

NOW_MS = int(NOW * 1000)


@pytest.fixture
def limiter(backend: Backend) -> RateLimiter:
    if backend.aws is None:
        return FakeRateLimiter()
    return DynamoRateLimiter(Table(backend.aws, backend.table("deliveries")))


def test_the_first_slot_is_now(limiter: RateLimiter) -> None:
    assert limiter.reserve("one", 10, rate=5, now=NOW_MS) == NOW_MS


def test_slots_follow_each_other_at_the_rate(limiter: RateLimiter) -> None:
    firsts = [limiter.reserve("one", count, rate=5, now=NOW_MS + 7) for count in (10, 1, 3, 10)]
    assert firsts == [NOW_MS + 7 + after for after in (0, 2000, 2200, 2800)]


def test_slots_are_not_saved_up(limiter: RateLimiter) -> None:
    limiter.reserve("one", 5, rate=5, now=NOW_MS)
    assert limiter.reserve("one", 5, rate=5, now=NOW_MS + 60_000) == NOW_MS + 60_000
    assert limiter.reserve("one", 1, rate=5, now=NOW_MS + 60_000) == NOW_MS + 61_000


def test_a_clock_that_is_behind_gets_the_same_order_of_slots(limiter: RateLimiter) -> None:
    limiter.reserve("one", 1, rate=1, now=NOW_MS)
    assert limiter.reserve("one", 1, rate=1, now=NOW_MS - 500) == NOW_MS + 1000


def test_names_have_slots_of_their_own(limiter: RateLimiter) -> None:
    limiter.reserve("one", 100, rate=1, now=NOW_MS)
    assert limiter.reserve("two", 1, rate=1, now=NOW_MS) == NOW_MS


def test_a_rate_that_no_millisecond_divides_is_held_over_many_slots(limiter: RateLimiter) -> None:
    for _ in range(30):
        limiter.reserve("one", 10, rate=300, now=NOW_MS)
    assert limiter.reserve("one", 1, rate=300, now=NOW_MS) == pytest.approx(NOW_MS + 1000, abs=2)


def test_a_changed_rate_holds_for_the_slots_that_follow(limiter: RateLimiter) -> None:
    limiter.reserve("one", 10, rate=1, now=NOW_MS)
    limiter.reserve("one", 10, rate=1000, now=NOW_MS)
    assert limiter.reserve("one", 1, rate=1000, now=NOW_MS) == NOW_MS + 10_010


def test_a_slot_is_taken_only_where_it_is_free(limiter: RateLimiter) -> None:
    taken = [limiter.take("one", rate=1, now=NOW_MS + after) for after in (0, 1, 999, 1000, 1001, 2000)]
    assert taken == [True, False, False, True, False, True]


def test_refusals_put_nothing_off(limiter: RateLimiter) -> None:
    assert limiter.take("one", rate=1, now=NOW_MS)
    assert not any(limiter.take("one", rate=1, now=NOW_MS + 10 * each) for each in range(1, 90))
    assert limiter.take("one", rate=1, now=NOW_MS + 1000)


def test_callers_at_the_same_time_get_different_slots(backend: Backend) -> None:
    limiters = four_limiters(backend)
    with ThreadPoolExecutor(8) as threads:
        firsts = list(
            threads.map(lambda at: limiters[at % 4].reserve("one", 10, rate=5, now=NOW_MS), range(48))
        )
    assert sorted(firsts) == [NOW_MS + 2000 * each for each in range(48)]


def test_one_of_many_gets_a_slot_that_is_free(backend: Backend) -> None:
    limiters = four_limiters(backend)
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda at: limiters[at % 4].take("one", rate=1, now=NOW_MS), range(24)))
    assert taken.count(True) == 1


def four_limiters(backend: Backend) -> list[RateLimiter]:
    """Return limiters on the same slots, each with a memory of its own, as four dispatchers have."""
    if backend.aws is None:
        return [FakeRateLimiter()] * 4
    table, lock = backend.table("deliveries"), Lock()

    def one_at_a_time(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        with lock:  # moto lets two writes of an item pass each other, which DynamoDB does not
            return real(**request)

    clients = FaultyClients(backend.aws, update_item=forever(one_at_a_time))
    return [DynamoRateLimiter(Table(clients, table)) for _ in range(4)]


# ---- buckets


def test_a_bucket_holds_so_many_slots_and_fills_at_the_rate(limiter: RateLimiter) -> None:
    def taken(after: int, count: int = 1) -> bool:
        return limiter.take("one", rate=2, burst=4, count=count, now=NOW_MS + after)

    assert [taken(0) for _ in range(6)] == [True] * 4 + [False] * 2
    assert [taken(499), taken(500), taken(501)] == [False, True, False]
    assert [taken(1999, 3), taken(2000, 3), taken(2000)] == [False, True, False]


def test_a_bucket_is_never_fuller_than_full(limiter: RateLimiter) -> None:
    assert limiter.take("one", rate=2, burst=4, now=NOW_MS)
    later = NOW_MS + 3_600_000
    assert [limiter.take("one", rate=2, burst=4, now=later) for _ in range(6)] == [True] * 4 + [False] * 2


def test_more_than_a_bucket_holds_is_never_taken(limiter: RateLimiter) -> None:
    assert not any(limiter.take("one", rate=2, burst=4, count=5, now=NOW_MS + 10**6 * at) for at in range(3))


def test_many_at_once_take_a_bucket_once(backend: Backend) -> None:
    limiters = four_limiters(backend)
    with ThreadPoolExecutor(8) as threads:
        taken = list(
            threads.map(
                lambda at: limiters[at % 4].take("one", rate=1, burst=9, count=2, now=NOW_MS), range(24)
            )
        )
    assert taken.count(True) == 4
