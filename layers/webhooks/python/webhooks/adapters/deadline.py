"""One wall-clock deadline for everything that an attempt does."""

import time
from collections.abc import Callable


class DeadlineError(Exception):
    """The time is up."""


class Deadline:
    """Counts down from its making; each wait asks it how long it may take."""

    __slots__ = ("_clock", "_ends_at", "_seconds")

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seconds = seconds
        self._ends_at = clock() + seconds

    @property
    def seconds(self) -> float:
        """Return the whole time, in seconds."""
        return self._seconds

    @property
    def is_over(self) -> bool:
        """Tell whether the time is up."""
        return self._clock() >= self._ends_at

    @property
    def elapsed_ms(self) -> int:
        """Return the milliseconds since the start."""
        return round((self._clock() - self._ends_at + self._seconds) * 1_000)

    def left(self) -> float:
        """Return the seconds that are left, more than 0. Raises DeadlineError when the time is up."""
        left = self._ends_at - self._clock()
        if left <= 0:
            raise DeadlineError
        return left
