"""Small events, fanned out together: the deliveries of a batch for one webhook share packs.

decode -> match -> begin -> pack -> send. A stage hands a message back as `Costly` as soon as it sees that the
message is too much work. Events whose listeners are known are matched first, so that the one call that tells
whether these listeners are the present ones reads the marks of just the events that a webhook wants. They are
sent before other listeners are read.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import batched

from webhooks.domain.delivery import DESCRIPTION_BYTES, Delivery, Pack, delivery_of, pack_deliveries
from webhooks.domain.errors import UnavailableError
from webhooks.domain.event import parse_event
from webhooks.domain.event_array import is_array
from webhooks.domain.event_slice import Span, is_slice
from webhooks.domain.listener_conditions import lookups
from webhooks.domain.matching import CostlyQueryError, EventFields, matches
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import IndexEntry
from webhooks.ports import FastLane, ListenerPage, TimeLeft
from webhooks.services.fanout.beginning import Beginning
from webhooks.services.fanout.listeners import Listeners
from webhooks.services.fanout.marks import EventMarks, Recalled, Windows, key_of
from webhooks.services.fanout.outcomes import failure, fanned_out, note_repeated
from webhooks.services.fanout.stages import (
    STOP_BEFORE,
    Costly,
    Decoded,
    EventMessage,
    EventName,
    Failed,
    FannedOut,
    Matched,
    Result,
)

SMALL_TEXT = 64 * 1024  # characters of a message
SMALL_LISTENERS = 50  # read for an event; a longer list is read when its event is fanned out alone
SMALL_BYTES = 2 * 1024 * 1024  # of all deliveries of an event
SMALL_SECONDS = 0.02  # of matching: a costlier event must not delay the others of its batch
SMALL_VISITS = 50_000  # of an event's values by one query: about as long
SENT_AT_ONCE = 100  # packs, between two looks at the time

logger = logging.getLogger(__name__)


class FanoutTogether:
    """Fans small events out. `time_left`: of the running invocation."""

    def __init__(
        self,
        listeners: Listeners,
        *,
        beginning: Beginning,
        marks: EventMarks,
        lane: FastLane,
        time_left: TimeLeft,
        slice_size: int,
        visits: int,
    ) -> None:
        self._listeners = listeners
        self._beginning = beginning
        self._marks = marks
        self._lane = lane
        self._time_left = time_left
        self._visits = visits
        self._read_at_most = min(SMALL_LISTENERS, slice_size)

    def fan_out(self, messages: Sequence[EventMessage]) -> list[Result | Costly]:
        """Fan messages out; returns the result of each, and the costly ones as they came."""
        read = [self._read(message) for message in messages]
        waiting = [each for each in read if isinstance(each, Decoded | Matched)]
        results: list[Result | Costly] = [each for each in read if not isinstance(each, Decoded | Matched)]
        try:
            changed, windows = self._begin(waiting)
        except UnavailableError as error:
            logger.warning("batch.postponed", extra={"messages": len(waiting), "reason": str(error)})
            return [*results, *(Failed(each.message) for each in waiting)]
        known = [each for each in waiting if isinstance(each, Matched) and each.event.scope not in changed]
        results += self._send(known, windows)
        sent = {each.message.id for each in known}
        # Reading listeners takes a while, in which others may mark events: the windows are read again.
        others = [each for each in waiting if each.message.id not in sent]
        return results + self._send([self._match(each) for each in others], {})

    def _read(self, message: EventMessage) -> Decoded | Matched | Costly | Result:
        """Decode an event, and match it where its listeners are known.

        That holds if the community turns out to be unchanged; else, and after a fault, the event is matched
        again. A matched event leaves no data behind: memory that is used again at once is in the
        processor's cache.
        """
        stage = _decode(message)
        if not isinstance(stage, Decoded):
            return stage
        event, fields = stage.event, EventFields(stage.event.data)
        try:
            page = self._listeners.known_page(
                event.scope, event.name, partial(lookups, fields, visits=self._visits)
            )
            return stage if page is None else self._matched(stage, fields, page)
        except CostlyQueryError:
            return Costly(message)
        except Exception:  # noqa: BLE001 - as above
            return stage

    def _begin(self, stages: Sequence[Decoded | Matched]) -> tuple[Collection[Scope], Windows]:
        """Read the versions of all communities at once, and the marks of the events that a webhook wants."""
        keys = [each.key for each in stages if isinstance(each, Matched) and each.deliveries]
        return self._beginning.batch({each.event.scope for each in stages}, keys)

    def _match(self, stage: Decoded | Matched) -> Matched | Costly | Result:
        """Match an event with the present listeners."""
        if isinstance(stage, Matched):
            again = _decode(stage.message)
            if not isinstance(again, Decoded):
                return again
            stage = again
        event, fields = stage.event, EventFields(stage.event.data)
        try:
            page = self._listeners.page(
                event.scope,
                event.name,
                Span(),
                lookups=partial(lookups, fields, visits=self._visits),
                read_at_most=self._read_at_most,
            )
            return self._matched(stage, fields, page)
        except CostlyQueryError:
            return Costly(stage.message)
        except Exception as error:  # noqa: BLE001 - the boundary of one message
            return failure(stage.message, error)

    def _matched(self, stage: Decoded, fields: EventFields, page: ListenerPage) -> Matched | Costly:
        event, stop_at = stage.event, self._time_left() - SMALL_SECONDS
        entries = [entry for entry in page.entries if isinstance(entry, IndexEntry)]
        if page.next_sequence is not None or len(entries) < len(page.entries):
            return Costly(stage.message)
        matching = []
        for entry in entries:
            if matches(entry, fields, visits=self._visits):
                matching.append(entry.webhook_id)
            if self._time_left() < stop_at:
                return Costly(stage.message)
        if len(matching) * (len(event.body) + DESCRIPTION_BYTES) > SMALL_BYTES:
            return Costly(stage.message)
        deliveries = {webhook_id: delivery_of(event, webhook_id) for webhook_id in matching}
        known = EventName(event.id, event.name, event.scope)
        return Matched(stage.message, known, deliveries, listening=len(entries), key=key_of(event))

    def _send(self, stages: Sequence[Matched | Costly | Result], windows: Windows) -> list[Result | Costly]:
        """Send the deliveries of all events; an event comes again unless the queue took all of its own."""
        if not stages:
            return []
        moved = self._listeners.moved()  # events of these are matched anew, alone
        stages = [
            Costly(each.message) if isinstance(each, Matched) and each.event.scope in moved else each
            for each in stages
        ]
        matched = [each for each in stages if isinstance(each, Matched)]
        recalled = self._marks.recall((each.key for each in matched if each.deliveries), known=windows)
        keys = {delivery.id: each.key for each in matched for delivery in each.deliveries.values()}
        packs = self._marks.mark(self._packs(matched, recalled), recalled, keys=keys)
        refused = {delivery.id for pack in self._refused(packs) for delivery in pack.deliveries}
        return [_sent(each, refused, recalled) if isinstance(each, Matched) else each for each in stages]

    def _packs(self, matched: Iterable[Matched], recalled: Recalled) -> list[Pack]:
        """Pack deliveries by webhook; those that may have been sent before in packs of their own."""
        groups: dict[tuple[Scope, str, bool], list[tuple[Delivery, int]]] = defaultdict(list)
        for each in matched:
            again = recalled.may_be_sent(each.key)
            for webhook_id, delivery in each.deliveries.items():
                groups[each.event.scope, webhook_id, again].append((delivery, each.message.sent_at))
        return [
            replace(pack, again=again, version=self._listeners.version(scope))
            for (scope, webhook_id, again), some in groups.items()
            for pack in pack_deliveries(
                webhook_id,
                scope,
                deliveries=[delivery for delivery, _ in some],
                sent_at=min(sent_at for _, sent_at in some),
            )
        ]

    def _refused(self, packs: Iterable[Pack]) -> list[Pack]:
        """Send packs; returns those that the queue did not take, or that there was no time for."""
        refused: list[Pack] = []
        for some in batched(packs, SENT_AT_ONCE, strict=False):
            try:
                refused += some if self._time_left() < STOP_BEFORE else self._lane.send(some)
            except UnavailableError as error:
                logger.warning("packs.not_sent", extra={"packs": len(some), "reason": str(error)})
                refused += some
        return refused


def _decode(message: EventMessage) -> Decoded | Costly | Result:
    is_small = message.receives <= 1 and len(message.text) <= SMALL_TEXT
    if not is_small or is_slice(message.text) or is_array(message.text):
        return Costly(message)
    try:
        return Decoded(message, parse_event(message.text, message_id=message.id, sent_at=message.sent_at))
    except Exception as error:  # noqa: BLE001 - the boundary of one message: it harms no other of its batch
        return failure(message, error)


def _sent(matched: Matched, refused: Collection[str], recalled: Recalled) -> FannedOut | Failed:
    if any(delivery.id in refused for delivery in matched.deliveries.values()):
        return Failed(matched.message)
    if is_repeated := matched.key in recalled:
        note_repeated(matched.event)
    return fanned_out(
        matched.message,
        matched.event,
        listening=matched.listening,
        deliveries=len(matched.deliveries),
        is_repeated=is_repeated,
    )
