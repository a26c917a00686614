"""One event, fanned out alone: a page of its listeners, in chunks, within its share of the time.

decode -> begin -> match -> pack -> send, and the rest, where there are more listeners or the time is up,
goes back to the events queue as slices. They are sent last: a crash before that repeats at most this page.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import ceil

from webhooks.domain.delivery import DESCRIPTION_BYTES, Pack, delivery_of
from webhooks.domain.errors import CorruptError, NewerFormError, UnavailableError
from webhooks.domain.event_slice import EventSlice, Span, is_slice, parse_part
from webhooks.domain.listener_conditions import lookups
from webhooks.domain.matching import CostlyQueryError, EventFields, matches
from webhooks.domain.webhook import IndexEntry
from webhooks.ports import EventsQueue, FastLane, TimeLeft
from webhooks.services.fanout.beginning import Beginning
from webhooks.services.fanout.listeners import Listeners
from webhooks.services.fanout.marks import EventMarks, key_of
from webhooks.services.fanout.outcomes import failure, fanned_out, note_repeated
from webhooks.services.fanout.stages import Cause, EventMessage, FannedOut, Rejected, Result

CHUNK_PACKS, CHUNK_BYTES = 10, 1024 * 1024  # the limits of one call to the queue


class FanoutAlone:
    """Fans out one event, or a slice of one. `slice_size`: listeners; `time_left`: of the invocation;
    `visits`: values that a query may look at.
    """

    def __init__(
        self,
        listeners: Listeners,
        *,
        beginning: Beginning,
        marks: EventMarks,
        lane: FastLane,
        events: EventsQueue,
        time_left: TimeLeft,
        slice_size: int,
        visits: int,
    ) -> None:
        self._listeners = listeners
        self._beginning = beginning
        self._marks = marks
        self._lane = lane
        self._events = events
        self._time_left = time_left
        self._slice_size = slice_size
        self._visits = visits

    def fan_out(self, message: EventMessage, *, stop_at: float) -> Result:
        """Fan a message out until `stop_at` seconds are left, for one listener at least.

        An event cannot be matched with an unreadable entry or with a query that costs too much: for these
        listeners it is dead-lettered, to be redriven after a repair.
        """
        try:
            part = parse_part(message.text, message_id=message.id, sent_at=message.sent_at)
            part = self._begin(message, part)
            return self._fan_out(message, part, stop_at=stop_at)
        except Exception as error:  # noqa: BLE001 - the boundary of one message
            return failure(message, error)

    def _begin(self, message: EventMessage, part: EventSlice) -> EventSlice:
        """Refresh the listeners, and tell whether an event was sent in packs before: a slice says it."""
        if is_slice(message.text):
            self._beginning.event(part.event.scope, ())
            return part
        key, is_first = key_of(part.event), message.receives <= 1
        windows = self._beginning.event(part.event.scope, [key] if is_first else ())
        recalled = self._marks.recall([key], known=windows, consistently=not is_first)
        if key in recalled:
            note_repeated(part.event)
        return replace(part, again=recalled.may_be_sent(key))

    def _fan_out(self, message: EventMessage, part: EventSlice, *, stop_at: float) -> FannedOut | Rejected:
        """Fan a message out. Raises UnavailableError where a queue did not take all: it must come again."""
        event, span = part.event, part.span
        fields = EventFields(event.data)
        page = self._listeners.page(
            event.scope, event.name, span, lookups=partial(lookups, fields, visits=self._visits)
        )
        readable = [entry for entry in page.entries if isinstance(entry, IndexEntry)]
        if newer := [entry for entry in page.entries if isinstance(entry, NewerFormError)]:
            raise newer[0]
        unknown = [str(entry) for entry in page.entries if isinstance(entry, CorruptError)]
        cause = Cause.FAULT if unknown else Cause.COST
        version = self._listeners.version(event.scope)
        chunk_size = min(CHUNK_PACKS, ceil(CHUNK_BYTES / (len(event.body) + DESCRIPTION_BYTES)))
        packs, sent, asked = list[Pack](), 0, 0
        for entry in readable:
            try:
                if matches(entry, fields, visits=self._visits):
                    delivery = delivery_of(event, entry.webhook_id)
                    packs.append(
                        Pack(
                            entry.webhook_id,
                            event.scope,
                            (delivery,),
                            sent_at=message.sent_at,
                            again=part.again,
                            version=version,
                        )
                    )
            except CostlyQueryError:
                unknown.append(f"webhook {entry.webhook_id}: its query looks at over {self._visits} values")
            if len(packs) == chunk_size:
                sent += self._send(packs)
                packs = []
            asked += 1
            if self._time_left() < stop_at:
                break
        sent += self._send(packs)
        rest = readable[asked].sequence if asked < len(readable) else page.next_sequence
        if rest is not None:
            self._continue(replace(part, has_conditions=bool(page.fields)), at=rest, done=asked)
        if unknown:
            return Rejected(message, "; ".join(unknown), sent, cause=cause)
        if rest is not None or span != Span():  # other slices are counted in other invocations
            return FannedOut(message, sent)
        return fanned_out(message, event, listening=asked, deliveries=sent, is_repeated=part.again)

    def _send(self, packs: Sequence[Pack]) -> int:
        if packs and self._lane.send(packs):
            raise UnavailableError("the deliveries queue did not take all of an event's deliveries")
        return len(packs)

    def _continue(self, part: EventSlice, *, at: int, done: int) -> None:
        event, span, last = part.event, part.span, part.span.last
        if last is None:  # a webhook that is registered from now on does not get the event
            last = self._listeners.last_sequence(event.scope, event.name)
        spans = span.split(at=at, last=last, done=done, size=self._slice_size)
        if not self._events.send([replace(part, span=each) for each in spans]):
            raise UnavailableError("the events queue did not take the rest of a wide event")
