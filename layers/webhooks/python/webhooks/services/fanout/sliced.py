"""One event, worked on alone: a page of its listeners, in chunks, within its share of the time.

The rest, where there are more listeners or the time is up, goes back to the events queue as slices. They are
sent last: a crash before that repeats at most this page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from webhooks.domain.delivery import DESCRIPTION_BYTES, Pack, delivery_of
from webhooks.domain.errors import CorruptError, UnavailableError
from webhooks.domain.event import Event
from webhooks.domain.event_slice import EventSlice, Span
from webhooks.domain.matching import MAX_VISITS, CostlyQueryError, EventFields, matches
from webhooks.domain.webhook import IndexEntry
from webhooks.ports import EventsQueue, FastLane, TimeLeft
from webhooks.services.fanout.listeners import Listeners

CHUNK_PACKS, CHUNK_BYTES = 10, 1024 * 1024  # what one call to the queue takes


@dataclass(frozen=True, slots=True)
class Sliced:
    """Counts of deliveries sent and of listeners worked on, and why it is unknown of some what they want.

    `is_continued`: slices follow.
    """

    deliveries: int
    listening: int
    unknown: Sequence[str]
    is_continued: bool


class SlicedFanout:
    """Fans out a slice of one event. `size`: listeners of a slice; `time_left`: of the running invocation."""

    def __init__(
        self, listeners: Listeners, *, lane: FastLane, events: EventsQueue, size: int, time_left: TimeLeft
    ) -> None:
        self._listeners = listeners
        self._lane = lane
        self._events = events
        self._size = size
        self._time_left = time_left

    def work(self, part: EventSlice, *, stop_at: float) -> Sliced:
        """Fan out a slice until `stop_at` seconds are left, one listener at least, and continue the rest.

        Raises UnavailableError where a queue did not take something: the slice must come again.
        """
        event, span = part.event, part.span
        page = self._listeners.page(event.scope, event.name, span)
        readable = [entry for entry in page.entries if isinstance(entry, IndexEntry)]
        rest, judged, sent = page.next_sequence, len(readable), 0
        fields, packs = EventFields(event.data), list[Pack]()
        unknown = [str(entry) for entry in page.entries if isinstance(entry, CorruptError)]
        for position, entry in enumerate(readable):
            try:
                if matches(entry, fields, visits=MAX_VISITS):
                    packs.append(_pack(event, entry.webhook_id))
            except CostlyQueryError:
                unknown.append(f"webhook {entry.webhook_id}: its query looks at over {MAX_VISITS} values")
            if len(packs) * (len(event.body) + DESCRIPTION_BYTES) >= CHUNK_BYTES or len(packs) == CHUNK_PACKS:
                sent += self._send(packs)
                packs = []
            if self._time_left() < stop_at and position + 1 < len(readable):
                rest, judged = readable[position + 1].sequence, position + 1
                break
        sent += self._send(packs)
        if rest is not None:
            self._continue(event, span, at=rest, done=judged)
        return Sliced(sent, judged, unknown, is_continued=rest is not None)

    def _send(self, packs: Sequence[Pack]) -> int:
        if packs and self._lane.send(packs):
            raise UnavailableError("the deliveries queue did not take all of an event's deliveries")
        return len(packs)

    def _continue(self, event: Event, span: Span, *, at: int, done: int) -> None:
        last = span.last
        if last is None:  # a webhook that is registered from now on does not get the event
            last = self._listeners.last_sequence(event.scope, event.name)
        parts = span.split(at=at, last=last, done=done, size=self._size)
        if not self._events.send([EventSlice(event, each) for each in parts]):
            raise UnavailableError("the events queue did not take the rest of a wide event")


def _pack(event: Event, webhook_id: str) -> Pack:
    return Pack(webhook_id, event.scope, (delivery_of(event, webhook_id),))
