"""A cache that loads missing values: one load of a key at a time, shared by all its callers."""

from collections.abc import Callable
from concurrent.futures import Future
from math import inf
from threading import Lock, Thread

from webhooks.adapters.ttl_cache import TtlCache
from webhooks.ports import Clock


class TooManyLoadsError(Exception):
    """The limit of concurrent loads is reached, and none of them loads this key."""


class LoadingCache[K, V]:
    """Values by key. `load` returns a value and its seconds, None for a value that is not cached.

    Each load has a thread of its own, named `name`, so that a caller with little time can leave. `size`:
    values that are cached; `at_once`: concurrent loads. Thread-safe.
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
        self._cache: TtlCache[K, V] = TtlCache(size, clock=clock)
        self._name = name
        self._at_once = at_once
        self._lock = Lock()
        self._loads: dict[K, Future[V]] = {}

    def get(self, key: K, *, seconds: float = inf) -> V:
        """Return the key's value within the seconds.

        Raises TimeoutError, TooManyLoadsError, and the load's own error: errors are not cached.
        """
        found = self.find(key)
        if not isinstance(found, Future):
            return found[0]
        return found.result(None if seconds == inf else seconds)

    def known(self, key: K) -> V | None:
        """Return the key's value where it is cached; loads nothing."""
        found = self._cache.get(key)
        return found[0] if found else None

    def find(self, key: K) -> tuple[V] | Future[V]:
        """Return the key's value in a tuple of one, or the load of it.

        Raises TooManyLoadsError.
        """
        with self._lock:
            return self._cache.get(key) or self._loads.get(key) or self._begin(key)

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
        except BaseException as error:  # noqa: BLE001 - it is raised in the waiting callers
            with self._lock:
                del self._loads[key]
            load.set_exception(error)
            return
        with self._lock:
            if seconds is not None:
                self._cache.put(key, value, seconds=seconds)
            del self._loads[key]
        load.set_result(value)
