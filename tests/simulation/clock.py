"""The simulated clock: time passes only where a scheduler advances it, and timers run then, in their order."""

import itertools
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from heapq import heappop, heappush
from typing import Any

from tests.simulation.tasks import Task


class Timer:
    """An action that is due once."""

    def __init__(self, action: Callable[[], object]) -> None:
        self.action: Callable[[], object] | None = action

    def cancel(self) -> None:
        self.action = None


class SimulatedClock:
    """Times in epoch seconds. Called, it returns the current task's time: a task may be ahead of the clock."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.current: Task | None = None
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()

    def __call__(self) -> float:
        return self.now + self.spent

    @property
    def spent(self) -> float:
        """The seconds that the current task is ahead."""
        return self.current.spent if self.current else 0.0

    @spent.setter
    def spent(self, seconds: float) -> None:
        assert self.current is not None
        self.current.spent = seconds

    def at(self, time: float, action: Callable[[], object]) -> Timer:
        """Let something happen at a time."""
        timer = Timer(action)
        heappush(self._timers, (time, next(self._order), timer))
        return timer

    def next_at(self) -> float | None:
        """Return when the next timer is due."""
        while self._timers and self._timers[0][2].action is None:
            heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    @property
    def timers(self) -> int:
        """How many timers are to come."""
        return sum(timer.action is not None for _, _, timer in self._timers)

    def advance(self, until: float) -> None:
        """Let time pass, and run the timers that are due meanwhile."""
        while (at := self.next_at()) is not None and at <= until:
            _, _, timer = heappop(self._timers)
            self.now = max(self.now, at)
            if timer.action is not None:
                timer.action()
        self.now = max(self.now, until)

    def step(self, task: Task) -> None:
        """Let a task run until it pauses or is over."""
        before, self.current = self.current, task
        task.step()
        self.current = before

    # ---- tasks whose order is that of the time

    def start(self, work: Callable[[], None]) -> None:
        """Start a task now; it may sleep."""
        self.at(self.now, partial(self._resume, Task(work)))

    def sleep(self, seconds: float) -> None:
        """Let time pass for the current task, and others go on meanwhile."""
        task = self.current
        assert task is not None
        self.at(self.now + seconds, partial(self._resume, task))
        task.pause()

    def wait_for(self, future: Future[Any]) -> None:
        """Let time pass until a future is done."""
        task = self.current
        assert task is not None
        future.add_done_callback(lambda _: self.at(self.now, partial(self._resume, task)))
        task.pause()

    def run(self) -> None:
        """Run until no timer is left. Raises a task's error."""
        while (at := self.next_at()) is not None:
            self.advance(at)

    def _resume(self, task: Task) -> None:
        self.step(task)
        if task.failure is not None:
            raise task.failure
