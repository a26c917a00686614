"""A cache that loads missing values: each key once at a time, for all that ask for it meanwhile."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from math import inf
from threading import Lock, Thread

from webhooks.adapters.expiring import Expiring
from webhooks.adapters.strands import result_of
from webhooks.ports import Clock


class TooManyLoadsError(Exception):
    """As many loads as are allowed are under way, and none of them is of this key."""


@dataclass(frozen=True, slots=True, eq=False)
class _Load[V]:
    began_at: float
    result: Future[V] = field(default_factory=Future)


class LoadingCache[K, V]:
    """Values by key. `load` returns a value and its seconds, None for a value that is not kept.

    Each load has a thread of its own, called `name`, so that it blocks no strand and takes no asker's time.
    `size`: values that are kept; `at_once`: loads at the same time; `lasts`: seconds that a load takes at
    most, by a clock that goes on while the function is frozen: a load that froze with it is begun again.
    Thread-safe.
    """

    def __init__(
        self,
        load: Callable[[K], tuple[V, float | None]],
        *,
        size: int,
        clock: Clock,
        name: str,
        at_once: float = inf,
        lasts: float = inf,
    ) -> None:
        self._load = load
        self._kept: Expiring[K, V] = Expiring(size, clock=clock)
        self._clock = clock
        self._name = name
        self._at_once = at_once
        self._lasts = lasts
        self._lock = Lock()
        self._loads: dict[K, _Load[V]] = {}

    def get(self, key: K, *, seconds: float = inf, refused: V | None = None) -> V:
        """Return the key's value within the seconds; the value that is `refused` is loaded anew.

        Raises TimeoutError, TooManyLoadsError, and what the load raised: an error is not kept.
        """
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept[0] != refused:
                return kept[0]
            load = self._loads.get(key)
            if load is None or self._clock() - load.began_at > self._lasts:
                load = self._begin(key)
        return result_of(load.result, seconds)

    def _begin(self, key: K) -> _Load[V]:
        if len(self._loads) >= self._at_once:
            raise TooManyLoadsError
        load: _Load[V] = _Load(self._clock())
        Thread(target=self._run, args=(key, load), name=self._name, daemon=True).start()
        self._loads[key] = load
        return load

    def _run(self, key: K, load: _Load[V]) -> None:
        try:
            value, seconds = self._load(key)
        except BaseException as error:  # noqa: BLE001 - it is raised in those that wait
            with self._lock:
                self._end(key, load)
            load.result.set_exception(error)
            return
        with self._lock:
            if self._end(key, load) and seconds is not None:
                self._kept.put(key, value, seconds=seconds)
        load.result.set_result(value)

    def _end(self, key: K, load: _Load[V]) -> bool:
        """Tell whether the load was still the one that counts, and forget it."""
        if self._loads.get(key) is not load:
            return False
        del self._loads[key]
        return True
