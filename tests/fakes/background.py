"""Background work that is done at once: the order of a test's steps is always the same."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future


class AtOnce:
    """Does work in the thread that asks for it."""

    def submit[T, R](self, work: Callable[[T], R], item: T, /) -> Future[R]:
        """Do the work."""
        done: Future[R] = Future()
        try:
            done.set_result(work(item))
        except Exception as error:  # noqa: BLE001 - it is raised by the future
            done.set_exception(error)
        return done

    def map[T, R](self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Do the work for each item."""
        return [work(each) for each in items]
