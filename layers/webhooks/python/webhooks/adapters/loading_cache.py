"""A cache that loads missing values: each key once at a time, for all that ask for it meanwhile."""

from collections.abc import Callable
from concurrent.futures import Future
from math import inf
from threading import Lock, Thread

from webhooks.adapters.ttl_cache import TtlCache
from webhooks.ports import Clock


class TooManyLoadsError(Exception):
    """As many loads as are allowed are under way, and none of them is of this key."""


class LoadingCache[K, V]:
    """Values by key. `load` returns a value and its seconds, None for a value that is not kept.

    Each load has a thread of its own, called `name`, so that it takes no asker's time. `size`: values that
    are kept; `at_once`: loads at the same time. Thread-safe.
    """

    def __init__(
        self,
        load: Callable[[K], tuple[V, float | None]],
        *,
        size: int,
        clock: Clock,
        name: str,
        at_once: float = inf,
    ) -> None:
        self._load = load
        self._kept: TtlCache[K, V] = TtlCache(size, clock=clock)
        self._name = name
        self._at_once = at_once
        self._lock = Lock()
        self._loads: dict[K, Future[V]] = {}

    def get(self, key: K, *, seconds: float = inf) -> V:
        """Return the key's value within the seconds.

        Raises TimeoutError, TooManyLoadsError, and what the load raised: an error is not kept.
        """
        found = self.find(key)
        if not isinstance(found, Future):
            return found[0]
        return found.result(None if seconds == inf else seconds)

    def find(self, key: K) -> tuple[V] | Future[V]:
        """Return the key's value in a tuple of one, or its load where it must be loaded.

        Raises TooManyLoadsError.
        """
        with self._lock:
            return self._kept.get(key) or self._loads.get(key) or self._begin(key)

    def _begin(self, key: K) -> Future[V]:
        if len(self._loads) >= self._at_once:
            raise TooManyLoadsError
        load: Future[V] = Future()
        Thread(target=self._run, args=(key, load), name=self._name, daemon=True).start()
        self._loads[key] = load
        return load

    def _run(self, key: K, load: Future[V]) -> None:
        try:
            value, seconds = self._load(key)
        except BaseException as error:  # noqa: BLE001 - it is raised in those that wait
            with self._lock:
                del self._loads[key]
            load.set_exception(error)
            return
        with self._lock:
            if seconds is not None:
                self._kept.put(key, value, seconds=seconds)
            del self._loads[key]
        load.set_result(value)
