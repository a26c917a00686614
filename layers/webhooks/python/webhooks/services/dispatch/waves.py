"""Settles a batch in waves, while the rest of it is still in flight: a crash then repeats little.

A wave is 25 deliveries that only the log is told of, as BatchWriteItem takes 25 items: waves of them cost a
batch no call. SQS takes ten messages per call and a retried pack travels as one: these wait for the batch's
end, or until others have kept it waiting for WAVE_SECONDS; then everything decided is settled.
"""

from collections.abc import Sequence
from concurrent.futures import Future

from webhooks.domain.retry import Delivered, PutBack
from webhooks.ports import Background, Clock
from webhooks.services.dispatch.counts import Settled
from webhooks.services.dispatch.settlement import Settlement
from webhooks.services.dispatch.stages import Decided, Duplicate, Held, Kept, Skipped, Stage

WAVE = 25  # BatchWriteItem's limit
WAVE_SECONDS = 0.5
PAUSE = 0.1  # seconds between two looks for a wave that is due


class Waves:
    """The settlement of one batch. `background`: one thread beside the one that sends."""

    def __init__(self, settlement: Settlement, background: Background, *, clock: Clock) -> None:
        self._settlement = settlement
        self._background = background
        self._clock = clock
        self._since: float | None = None  # when the first of those that wait was decided
        self._recordable: list[Stage] = []
        self._others: list[Stage] = []
        self._duplicates: list[Duplicate] = []
        self._under_way: list[Future[Settled]] = []

    def add(self, stages: Sequence[Stage]) -> None:
        """Take decided deliveries, and begin the waves that are due; to be called every PAUSE."""
        for stage in stages:
            if isinstance(stage, Duplicate):
                self._duplicates.append(stage)
            else:
                (self._recordable if _is_recordable(stage) else self._others).append(stage)
        while len(self._recordable) >= WAVE:
            self._begin(self._recordable[:WAVE])
            del self._recordable[:WAVE]
        if not self._recordable and not self._others:
            self._since = None
        elif self._since is None:
            self._since = self._clock()
        elif self._clock() - self._since >= WAVE_SECONDS:
            self._since = None
            self._begin(self._rest())

    def end(self) -> Settled:
        """Settle the rest; return the end of all waves."""
        rest = self._settlement.settle(self._rest())
        ended = rest.joined(wave.result() for wave in self._under_way)
        for each in self._duplicates:
            if each.settled_with in ended.again:
                ended.again.add(each.decoded.message.id)
        return ended

    def _rest(self) -> list[Stage]:
        rest, self._recordable, self._others = [*self._recordable, *self._others], [], []
        return rest

    def _begin(self, wave: Sequence[Stage]) -> None:
        self._under_way.append(self._background.submit(self._settlement.settle, wave))


def _is_recordable(stage: Stage) -> bool:
    """Tell whether nothing is queued for it."""
    match stage:
        case Decided(verdict=Delivered() | PutBack()) | Skipped(dead=False) | Held() | Kept():
            return True
    return False
