"""Strands: pieces of work of which one runs at a time, each until it pauses; the caller chooses who runs next."""

from collections.abc import Callable
from threading import Lock, Thread


class KilledError(BaseException):
    """The process of this strand ends here; nothing may catch it."""


class Strand:
    """Work on a thread of its own that only ever runs inside `step`."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._mine, self._callers = Lock(), Lock()
        self._mine.acquire()
        self._callers.acquire()
        self._thread = Thread(target=self._run, daemon=True)
        self._is_started = False
        self._is_doomed = False
        self.is_over = False
        self.failure: BaseException | None = None

    def step(self) -> None:
        """Let it run until it pauses or is over."""
        if not self._is_started:
            self._is_started = True
            self._thread.start()
        self._mine.release()
        self._callers.acquire()
        if self.is_over:
            self._thread.join()

    def pause(self) -> None:
        """Let others run; called by the work itself."""
        self._callers.release()
        self._mine.acquire()
        if self._is_doomed:
            raise KilledError

    def kill(self) -> None:
        """End it where it paused."""
        self._is_doomed = True
        if self._is_started and not self.is_over:
            self.step()

    def _run(self) -> None:
        self._mine.acquire()
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - whoever steps it looks at it
            self.failure = error
        self.is_over = True
        self._callers.release()
