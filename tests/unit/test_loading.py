"""The loading cache: one load for concurrent callers, valid for the value's seconds."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest

from tests.clocks import Clock
from webhooks.adapters.loading_cache import LoadingCache, TooManyLoadsError


class Source:
    """Loads a key as its text and the number of the load. `seconds` of each value; a load waits for `hold`."""

    def __init__(self, *, seconds: float | None = 10) -> None:
        self.seconds = seconds
        self.loads = 0
        self.hold = threading.Event()
        self.hold.set()

    def load(self, key: str) -> tuple[str, float | None]:
        hold = self.hold
        self.loads += 1
        loaded = f"{key} {self.loads}"
        assert hold.wait(5)
        if key == "bad":
            raise LookupError(loaded)
        return loaded, self.seconds


def cache_of(source: Source, *, clock: Clock | None = None, at_once: int = 9) -> LoadingCache[str, str]:
    return LoadingCache(source.load, size=2, clock=clock or Clock(), name="load", at_once=at_once)


def test_a_value_is_cached_for_its_seconds() -> None:
    source, clock = Source(), Clock()
    cache = cache_of(source, clock=clock)

    assert [cache.get("a"), cache.get("a")] == ["a 1", "a 1"]
    clock.now += 10
    assert cache.get("a") == "a 2"


def test_errors_and_values_without_seconds_are_not_cached() -> None:
    cache = cache_of(Source(seconds=None))

    assert [cache.get("a"), cache.get("a")] == ["a 1", "a 2"]
    for load in (3, 4):
        with pytest.raises(LookupError, match=f"bad {load}"):
            cache.get("bad")


def test_concurrent_callers_share_one_load_and_wait_their_own_seconds() -> None:
    source = Source()
    source.hold.clear()
    cache = cache_of(source)

    with ThreadPoolExecutor(10) as askers:
        patient = [askers.submit(cache.get, "a") for _ in range(9)]
        with pytest.raises(TimeoutError):
            cache.get("a", seconds=0.01)
        source.hold.set()
        assert {each.result() for each in patient} == {"a 1"}


def test_loads_are_bounded_in_number_and_running_ones_continue() -> None:
    source = Source()
    cache = cache_of(source, at_once=1)
    assert cache.get("known") == "known 1"

    source.hold.clear()
    with ThreadPoolExecutor(1) as asker:
        slow = asker.submit(cache.get, "slow")
        while source.loads == 1:
            time.sleep(0.001)
        with pytest.raises(TooManyLoadsError):
            cache.get("another")
        assert cache.get("known") == "known 1"
        source.hold.set()
        assert slow.result() == "slow 2"
    assert cache.get("another") == "another 3"


def test_a_thread_that_cannot_start_leaves_no_endless_load() -> None:
    cache = cache_of(Source())

    full = mock.patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start new thread"))
    with full, pytest.raises(RuntimeError):
        cache.get("a")
    assert cache.get("a", seconds=5) == "a 1"
