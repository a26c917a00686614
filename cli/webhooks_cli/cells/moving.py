"""Moves a tenant between two cells, step by step: each one is recorded in the directory once it is done.

A run that was cut off is run again: it repeats the step that was not recorded, which changes nothing twice,
and goes on. Until the directory names the new cell the move can be taken back.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from webhooks_cli.cells.copying import TenantCopy
from webhooks_cli.cells.directory import Directory
from webhooks_cli.cells.entries import Move, Tenant
from webhooks_cli.cells.handover import Handover
from webhooks_cli.cells.leaving import is_empty, pause, running_replays
from webhooks_cli.cells.marks import communities, mark, unmark
from webhooks_cli.cells.opened import Opened
from webhooks_cli.errors import RefusedError

# The steps in their order; a move is recorded with the last one that is done.
BEGUN, STOPPED, COPIED, SWITCHED, OPENED, DRAINED, PAUSED, EMPTIED = (
    "begun", "stopped", "copied", "switched", "opened", "drained", "paused", "emptied",
)  # fmt: skip
BEFORE_SWITCH = (BEGUN, STOPPED, COPIED)
BACK = "taking back"
POLL_SECONDS = 2.0
DRAIN_SECONDS = 900  # the longest wait of a retry
# A message comes again every 185 s, 200 times, before its queue moves it away; some minutes are to spare.
LONGEST_SECONDS = 200 * 180 + 1800
COPIES = 3  # while the service itself disables webhooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds for which producers keep what the directory said, and for which this run waits."""

    cache: int
    wait: int


class Moving:
    """A tenant's move. `notice` hears its steps; `clock` in epoch seconds."""

    def __init__(
        self,
        directory: Directory,
        tenant: Tenant,
        source: Opened,
        target: Opened,
        *,
        times: Times,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        notice: Callable[[str], None],
        progress: Callable[[int, int], None],
    ) -> None:
        self._directory = directory
        self._tenant = tenant.id
        self._source = source
        self._target = target
        self._times = times
        self._clock = clock
        self._sleep = sleep
        self._notice = notice
        self.move: Move | None = tenant.move
        self.copy = TenantCopy(source, target, tenant.id, clock=clock, notice=progress)
        self.handover = Handover(source, target, tenant.id, clock)
        self._began = clock()
        self._steps: dict[str, Callable[[], bool]] = {
            BEGUN: self._stop,
            STOPPED: self._write_copy,
            COPIED: self._switch,
            SWITCHED: self._open,
            OPENED: self._drain,
            DRAINED: self._pause,
            PAUSED: self._hand_over,
            EMPTIED: self._remove,
        }

    def run(self) -> bool:
        """Go on from the step that is recorded; tell whether the move is over. Raises CliError."""
        while self.move is not None:
            if self.move.step == BACK:
                raise RefusedError(f"the move of {self._tenant} is being taken back: run it with --abort")
            if not self._steps[self.move.step]():
                return False
        return True

    def take_back(self) -> None:
        """Undo a move that has not switched yet; the target goes on refusing the tenant's changes.

        Raises RefusedError, and other CliErrors.
        """
        move = self._moving
        if move.step not in (*BEFORE_SWITCH, BACK):
            raise RefusedError(
                f"the tenant {self._tenant} is served by the cell {move.target} already: run the move to its "
                f"end, then move it back to {move.source}"
            )
        if move.step != BACK:
            self._record(BACK)
        self.copy.remove(self._target)
        unmark(self._source, self._tenant)
        self._end()

    @property
    def _moving(self) -> Move:
        if self.move is None:
            raise RefusedError(f"no move of the tenant {self._tenant} has begun")
        return self.move

    def _stop(self) -> bool:
        """Stop changes in both cells: the target's begin once it is the tenant's."""
        self._notice(f"changes of {self._tenant} are refused from now on (503 with Retry-After)")
        mark(self._target, self._tenant, self._target.cell.name)
        mark(self._source, self._tenant, self._target.cell.name)
        return self._record(STOPPED)

    def _write_copy(self) -> bool:
        self._notice("webhooks, credentials and licenses are copied")
        self.copy.write()
        return self._record(COPIED)

    def _switch(self) -> bool:
        """Compare, and let the directory name the new cell."""
        for _ in range(COPIES):
            if not self.copy.differences():
                break
            self.copy.write()
        else:
            self.copy.refuse_differences()
        done = self._record(SWITCHED, cell=self._target.cell.name)
        self._notice(f"the directory names {self._target.cell.name}")
        return done

    def _open(self) -> bool:
        """Let changes be made again, once no producer sends to the old cell, which would not see them."""
        self._wait_until(self._at(SWITCHED) + self._times.cache)
        unmark(self._target, self._tenant)
        self._target.count_change()
        self._notice("changes are made in the new cell")
        return self._record(OPENED)

    def _drain(self) -> bool:
        """Let the old cell deliver what is in its queues, and end its replays."""
        self._notice(f"{self._source.cell.name} delivers what is in its queues")
        empty_since: float | None = None
        pks = communities(self._source, self._tenant)
        while True:
            now = self._clock()
            empty_since = (empty_since or now) if is_empty(self._source) else None
            is_drained = empty_since is not None and now - empty_since >= self._times.cache
            is_late = now - self._at(OPENED) >= DRAIN_SECONDS
            if (is_drained or is_late) and not running_replays(self._source, pks):
                return self._record(DRAINED)
            if not self._may_wait():
                return False

    def _pause(self) -> bool:
        """Hold what is still to come in the old cell."""
        pause(self._source, self._tenant)
        return self._record(PAUSED)

    def _hand_over(self) -> bool:
        """Hand over what is held in the old cell, until nothing can come any more."""
        self._wait_until(self._at(PAUSED) + self._times.cache)  # batches that saw no pause have ended by then
        self._notice("held deliveries are handed over")
        quiet_since = now = self._clock()
        empty_since: float | None = None
        while True:
            if self.handover.round():
                quiet_since = self._clock()
            self.handover.check()
            now = self._clock()
            empty_since = (empty_since or now) if is_empty(self._source) else None
            is_empty_long = empty_since is not None and now - empty_since >= self._times.cache
            is_over = is_empty_long or now - self._at(PAUSED) >= LONGEST_SECONDS
            if is_over and now - quiet_since >= self._times.cache:
                break
            if not self._may_wait():
                return False
        self.handover.copy_dead()
        return self._record(EMPTIED)

    def _remove(self) -> bool:
        self.copy.remove(self._source)
        return self._end()

    def _record(self, step: str, **more: Any) -> bool:
        before = self._moving
        after = replace(before, step=step, times={**before.times, step: int(self._clock())})
        self._directory.record(self._tenant, before, after, **more)
        self.move = after
        return True

    def _end(self) -> bool:
        self._directory.end(self._tenant, self._moving)
        self.move = None
        return True

    def _at(self, step: str) -> int:
        return self._moving.times[step]

    def _may_wait(self) -> bool:
        """Wait a little; False once this run has waited as long as it may."""
        if self._clock() - self._began >= self._times.wait:
            return False
        self._sleep(POLL_SECONDS)
        return True

    def _wait_until(self, at: float) -> None:
        while (left := at - self._clock()) > 0:
            self._sleep(min(left, POLL_SECONDS))
