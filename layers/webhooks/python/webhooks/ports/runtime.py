"""What a function runs on: time, random numbers, threads, and probes of the services behind it."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Protocol

type Clock = Callable[[], float]  # seconds: since the epoch, or monotonic where the argument says so
type TimeLeft = Callable[[], float]  # seconds until the running invocation is ended
type RandomBytes = Callable[[int], bytes]  # that many random bytes
type Rng = Callable[[], float]  # from 0 up to 1
type Report[C] = Callable[[C], object]  # takes the counts of a batch, for its metrics; raises no Exception
type Probe = Callable[[], object]  # raises UnavailableError where the service does not respond


def unreported(_counts: object) -> None:
    """Take the counts of a batch where no metrics are written."""


class Background(Protocol):
    """A thread beside the one that asks; as `concurrent.futures.Executor`."""

    def submit[T, R](self, work: Callable[[T], R], item: T, /) -> Future[R]:
        """Begin work; its result, or its error, is in the future."""


class Workers(Protocol):
    """Does a batch's work at the same time."""

    def map[T, R](self, work: Callable[[T], R], items: Sequence[T]) -> Iterable[R]:
        """Return the work's result for each item, in their order."""
