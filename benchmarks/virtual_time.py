"""Time that passes only from one thing that happens to the next, for programs that sleep in it."""

import itertools
from collections.abc import Callable
from heapq import heappop, heappush

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]  # it comes without stubs

type Moment = tuple[float, int, Callable[[], object]]


class VirtualTime:
    """Runs what is due, in its order. `now` in epoch seconds."""

    def __init__(self, now: float) -> None:
        self.now = now
        self._due: list[Moment] = []
        self._order = itertools.count()

    def at(self, moment: float, action: Callable[[], object]) -> None:
        """Let something happen at a moment."""
        heappush(self._due, (moment, next(self._order), action))

    def start(self, program: Callable[[], None]) -> None:
        """Start a program now; it may sleep."""
        self.at(self.now, greenlet(program).switch)

    def sleep(self, seconds: float) -> None:
        """Let time pass for the program that calls, and the others go on meanwhile."""
        program = getcurrent()
        self.at(self.now + seconds, program.switch)
        program.parent.switch()

    def run(self) -> None:
        """Run until nothing is due any more. Raises what a program raises."""
        while self._due:
            self.now, _, action = heappop(self._due)
            action()
