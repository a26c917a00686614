"""Tasks: simulated work, of which one piece runs at a time, until it pauses; its caller chooses which runs next."""

from collections.abc import Callable

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]  # it comes without stubs


class KilledError(BaseException):
    """The process of a task ends here; nothing may catch it."""


class Task:
    """A greenlet that runs only inside `step`. `spent`: the seconds that it is ahead of the clock."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._greenlet = greenlet(self._run)
        self.spent = 0.0
        self.failure: BaseException | None = None

    @property
    def is_over(self) -> bool:
        return bool(self._greenlet.dead)

    def step(self) -> None:
        """Let it run until it pauses or is over."""
        self._greenlet.parent = getcurrent()
        self._greenlet.switch()

    def pause(self) -> None:
        """Let others run; called by the work itself."""
        self._greenlet.parent.switch()

    def kill(self) -> None:
        """End it where it paused."""
        if self._greenlet:  # it has begun and is not over
            self._greenlet.parent = getcurrent()
            self._greenlet.throw(KilledError)

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - the scheduler looks at it
            self.failure = error
