"""Settles a batch in waves, while the rest of it is still in flight: a crash then repeats little.

A wave begins when 25 deliveries wait that only the log is told of, and has those whose message is complete,
as these share an item of the log. SQS takes ten messages per call and a retried pack travels as one: these
wait for the batch's end, or until others have kept it waiting for WAVE_SECONDS; then all that is decided is
settled.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from itertools import chain

from webhooks.domain.retry import Delivered, PutBack
from webhooks.ports import Background, Clock
from webhooks.services.dispatch.counts import Settled
from webhooks.services.dispatch.settlement import Settlement
from webhooks.services.dispatch.stages import (
    Decided,
    Duplicate,
    Held,
    Kept,
    Signed,
    Skipped,
    Stage,
    message_of,
)

WAVE = 25  # deliveries
WAVE_SECONDS = 0.5
PAUSE = 0.1  # seconds between two looks for a wave that is due


class Waves:
    """The settlement of one batch. `background`: one thread beside the one that sends.

    `coming`: the deliveries that are to be added, at an earlier stage.
    """

    def __init__(
        self,
        settlement: Settlement,
        background: Background,
        *,
        clock: Clock,
        coming: Iterable[Signed | Stage],
    ) -> None:
        self._settlement = settlement
        self._background = background
        self._clock = clock
        self._since: float | None = None  # when the first of those that wait was decided
        # Deliveries by message.
        self._coming = Counter(message_of(each).id for each in coming if not isinstance(each, Duplicate))
        self._recordable: defaultdict[str, list[Stage]] = defaultdict(list)
        self._others: list[Stage] = []
        self._duplicates: list[Duplicate] = []
        self._under_way: list[Future[Settled]] = []

    def add(self, stages: Sequence[Stage]) -> None:
        """Take decided deliveries, and begin the waves that are due; to be called every PAUSE."""
        for stage in stages:
            if isinstance(stage, Duplicate):
                self._duplicates.append(stage)
                continue
            message = message_of(stage).id
            self._coming[message] -= 1
            (self._recordable[message] if _is_recordable(stage) else self._others).append(stage)
        if sum(map(len, self._recordable.values())) >= WAVE:
            self._begin(self._complete())
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

    def _complete(self) -> list[Stage]:
        """Take the deliveries of messages whose last one is decided."""
        complete = [message for message in self._recordable if self._coming[message] <= 0]
        return [stage for message in complete for stage in self._recordable.pop(message)]

    def _rest(self) -> list[Stage]:
        rest = [*chain(*self._recordable.values()), *self._others]
        self._recordable.clear()
        self._others = []
        return rest

    def _begin(self, wave: Sequence[Stage]) -> None:
        if wave:
            self._under_way.append(self._background.submit(self._settlement.settle, wave))


def _is_recordable(stage: Stage) -> bool:
    """Tell whether nothing is queued for it."""
    match stage:
        case Decided(verdict=Delivered() | PutBack()) | Skipped(dead=False) | Held() | Kept():
            return True
    return False
