"""Threads that do the parts of a batch at the same time, and are kept for the next batch."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any


@dataclass(frozen=True, slots=True)
class _Batch:
    """Work for each of some items. `results`: what it returned, or raised, as it becomes known.

    `finished` counts the results: it is one call, so no two threads see the same number.
    """

    work: Callable[[Any], Any]
    items: Sequence[Any]
    results: list[tuple[Any, BaseException | None]]
    finished: Iterator[int] = field(default_factory=lambda: count(1))
    done: SimpleQueue[None] = field(default_factory=SimpleQueue)

    def do(self, position: int) -> None:
        """Do the work for an item."""
        try:
            self.results[position] = self.work(self.items[position]), None
        except BaseException as error:  # noqa: BLE001 - it is raised where the work was given
            self.results[position] = None, error
        if next(self.finished) == len(self.items):
            self.done.put(None)


class Workers:
    """At most so many threads, started as needed. Half the CPU of `concurrent.futures` for an item."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = Lock()
        self._started = 0
        self._waiting: SimpleQueue[tuple[_Batch, int]] = SimpleQueue()

    def map[T, R](self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Return what the work returns for each item, in their order. Raises what it raised for the first."""
        if not items:
            return []
        batch = _Batch(work, items, [(None, None)] * len(items))
        others = len(items) - 1
        self._start(others)
        for position in range(others):
            self._waiting.put((batch, position))
        batch.do(others)  # the caller would only wait
        batch.done.get()
        for _, error in batch.results:
            if error is not None:
                raise error
        return [result for result, _ in batch.results]

    def _start(self, wanted: int) -> None:
        with self._lock:
            while self._started < min(wanted, self._limit):
                Thread(target=self._run, name=f"worker {self._started}", daemon=True).start()
                self._started += 1

    def _run(self) -> None:
        while True:
            batch, position = self._waiting.get()
            batch.do(position)
            del batch  # while it waits it must not hold on to what is done
