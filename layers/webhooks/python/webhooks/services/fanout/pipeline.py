"""From a batch of events to one delivery for each webhook that wants one.

decode -> refresh -> match -> pack -> send. Small events that few webhooks want are worked on together, so
that their deliveries share packs. A large, wide or costly event and a message that was received before come
after them, each alone and within its share of the time: the rest continues as slices (sliced_fanout). A
message is acknowledged once each of its deliveries is on the deliveries queue or in a slice on the events
queue, or once it is in the dead-letter queue with the reason.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import batched

from webhooks.domain.delivery import DESCRIPTION_BYTES, Delivery, delivery_of, pack_deliveries
from webhooks.domain.errors import InvalidEventError, UnavailableError
from webhooks.domain.event import Event, parse_event
from webhooks.domain.event_slice import EventSlice, Span, is_slice, parse_slice
from webhooks.domain.matching import CostlyQueryError, EventFields, matches
from webhooks.domain.poison import poison_reason
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import IndexEntry
from webhooks.ports import EventsDlq, EventsQueue, FastLane, SubscriptionIndex, TimeLeft
from webhooks.services.fanout.listeners import Listeners
from webhooks.services.fanout.sliced import SlicedFanout

SLICE = 500  # listeners of an event: more continue as slices
LIGHT_TEXT = 64 * 1024  # characters of a message that shares packs
LIGHT_LISTENERS = 50  # that are read on the way; more are read alone, and known from then on
LIGHT_BYTES = 2 * 1024 * 1024  # of all its deliveries together
LIGHT_SECONDS = 0.02  # of matching: costlier events must not delay the others of their batch
LIGHT_VISITS = 50_000  # of an event's values by one query: about as long
SENT_AT_ONCE = 100  # packs, between two looks at the time
# Seconds before the invocation's end from which nothing is begun: an AWS call and its consequences still fit.
STOP_BEFORE = 12.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EventMessage:
    """A message of the events queue. `sent_at` in epoch ms; `receives`: how often it was received so far."""

    id: str
    text: str
    sent_at: int
    receives: int = 1
    receipt: str = ""

    def parse(self) -> EventSlice:
        """Return the event, and which listeners are to get it. Raises InvalidEventError."""
        if is_slice(self.text):
            return parse_slice(self.text)
        return EventSlice(parse_event(self.text, message_id=self.id, sent_at=self.sent_at))


@dataclass(slots=True)
class _Batch:
    """A batch so far: messages that must come again, those that are done and not deleted, and counts."""

    failed: set[str] = field(default_factory=set)
    refreshed: set[Scope] = field(default_factory=set)  # communities: once for all events of the batch
    done: list[EventMessage] = field(default_factory=list)
    events: int = 0
    deliveries: int = 0
    unmatched: int = 0


class Fanout:
    """Fans events out. `time_left`: of the running invocation; `slice_size`: listeners taken at once."""

    def __init__(
        self,
        *,
        index: SubscriptionIndex,
        lane: FastLane,
        events: EventsQueue,
        events_dlq: EventsDlq,
        time_left: TimeLeft,
        slice_size: int = SLICE,
    ) -> None:
        self._listeners = Listeners(index, limit=slice_size)
        self._sliced = SlicedFanout(
            self._listeners, lane=lane, events=events, size=slice_size, time_left=time_left
        )
        self._read_at_most = min(LIGHT_LISTENERS, slice_size)
        self._lane = lane
        self._events = events
        self._events_dlq = events_dlq
        self._time_left = time_left

    def fan_out(self, messages: Sequence[EventMessage]) -> set[str]:
        """Fan a batch out; returns the ids of the messages that must come again."""
        batch = _Batch()
        alone = [message for message in messages if not _is_light(message)]
        light = self._refreshed([message for message in messages if _is_light(message)], batch)
        for is_known in (True, False):  # to read listeners takes time, for which the others do not wait
            some = [each for each in light if self._listeners.knows(each[1].scope, each[1].name) is is_known]
            alone += self._work_together(some, batch)
        # A message that was received before is last, and before it the largest: neither takes others with it.
        alone.sort(key=lambda message: (message.receives > 1, len(message.text)))
        for position, message in enumerate(alone):
            self._work_alone(message, batch, share=1 / (len(alone) - position))
        counts = {"events": batch.events, "deliveries": batch.deliveries, "failed": len(batch.failed)}
        logger.info("batch.fanned_out", extra={**counts, "unmatched": batch.unmatched})
        return batch.failed

    def _work_together(
        self, events: Sequence[tuple[EventMessage, Event]], batch: _Batch
    ) -> list[EventMessage]:
        """Fan out events that few webhooks want, in shared packs; returns those that are heavy work."""
        wanted: dict[tuple[Scope, str], list[Delivery]] = defaultdict(list)
        needed_by: dict[str, set[str]] = defaultdict(set)
        heavy: list[EventMessage] = []
        fanned_out: list[EventMessage] = []
        for message, event in events:
            with self._boundary(message, batch):
                matching = self._match(event, batch)
                if matching is None:
                    heavy.append(message)
                    continue
                batch.events += 1
                for webhook_id in matching:
                    delivery = delivery_of(event, webhook_id)
                    wanted[event.scope, webhook_id].append(delivery)
                    needed_by[delivery.id].add(message.id)
                fanned_out.append(message)
        for delivery_id in self._send(wanted):
            batch.failed |= needed_by[delivery_id]
        batch.deliveries += sum(map(len, wanted.values()))
        batch.done += [message for message in fanned_out if message.id not in batch.failed]
        return heavy

    def _refreshed(
        self, messages: Sequence[EventMessage], batch: _Batch
    ) -> Sequence[tuple[EventMessage, Event]]:
        """Decode messages, and make sure of what is known of their communities in one read."""
        events: list[tuple[EventMessage, Event]] = []
        for message in messages:
            with self._boundary(message, batch):
                events.append((message, message.parse().event))
        try:
            self._refresh({event.scope for _, event in events}, batch)
        except UnavailableError as error:
            batch.failed |= {message.id for message, _ in events}
            logger.warning("batch.postponed", extra={"events": len(events), "reason": str(error)})
            return []
        return events

    def _refresh(self, scopes: set[Scope], batch: _Batch) -> None:
        self._listeners.refresh(sorted(scopes - batch.refreshed))
        batch.refreshed |= scopes

    def _match(self, event: Event, batch: _Batch) -> list[str] | None:
        """Return the webhooks that want an event; None where that, or to send it to them, is heavy work."""
        page = self._listeners.page(event.scope, event.name, Span(), read_at_most=self._read_at_most)
        entries = [entry for entry in page.entries if isinstance(entry, IndexEntry)]
        if page.next_sequence is not None or len(entries) < len(page.entries):
            return None
        fields, stop_at = EventFields(event.data), self._time_left() - LIGHT_SECONDS
        matching = []
        for entry in entries:
            try:
                if matches(entry, fields, visits=LIGHT_VISITS):
                    matching.append(entry.webhook_id)
            except CostlyQueryError:
                return None
            if self._time_left() < stop_at:
                return None
        if len(matching) * (len(event.body) + DESCRIPTION_BYTES) > LIGHT_BYTES:
            return None
        self._count(event, batch, matching=len(matching), listening=len(entries))
        return matching

    def _send(self, wanted: Mapping[tuple[Scope, str], Sequence[Delivery]]) -> set[str]:
        """Send deliveries, packed by webhook; returns the ids of those that the queue did not take."""
        packs = (
            pack
            for (scope, webhook_id), deliveries in wanted.items()
            for pack in pack_deliveries(webhook_id, scope, deliveries=deliveries)
        )
        lost: set[str] = set()
        for some in batched(packs, SENT_AT_ONCE, strict=False):
            try:
                refused = some if self._time_left() < STOP_BEFORE else self._lane.send(some)
            except UnavailableError as error:
                logger.warning("packs.not_sent", extra={"packs": len(some), "reason": str(error)})
                refused = some
            lost |= {delivery.id for pack in refused for delivery in pack.deliveries}
        return lost

    def _work_alone(self, message: EventMessage, batch: _Batch, *, share: float) -> None:
        """Fan one event out within its share of the time; messages that are done are deleted before."""
        left = self._time_left()
        if left <= STOP_BEFORE:
            batch.failed.add(message.id)
            logger.warning("event.not_begun", extra={"message_id": message.id})
            return
        if batch.done:
            self._events.delete([each.receipt for each in batch.done])
            batch.done.clear()
        stop_at = left - (left - STOP_BEFORE) * share
        with self._boundary(message, batch):
            part = message.parse()
            self._refresh({part.event.scope}, batch)
            sliced = self._sliced.work(part, stop_at=stop_at)
            batch.events += 1
            batch.deliveries += sliced.deliveries
            if part.span == Span() and not sliced.is_continued:
                self._count(part.event, batch, matching=sliced.deliveries, listening=sliced.listening)
            # It is dead for those of whom nothing is known, to be redriven once they are well.
            if sliced.unknown:
                self._dead_letter(message, batch, reason="; ".join(sliced.unknown))
            else:
                batch.done.append(message)

    @contextmanager
    def _boundary(self, message: EventMessage, batch: _Batch) -> Iterator[None]:
        """Keep what goes wrong with one message from the others of its batch."""
        try:
            yield
        except InvalidEventError as error:
            logger.warning("event.invalid", extra={"message_id": message.id, "reason": str(error)})
            self._dead_letter(message, batch, reason=str(error))
        except UnavailableError as error:
            batch.failed.add(message.id)
            logger.warning("event.postponed", extra={"message_id": message.id, "reason": str(error)})
        except Exception as error:  # a fault of ours
            logger.exception("event.fault", extra={"message_id": message.id, "receives": message.receives})
            reason = poison_reason(error, message.receives)
            if reason is None:
                batch.failed.add(message.id)
            else:
                self._dead_letter(message, batch, reason=reason)

    def _dead_letter(self, message: EventMessage, batch: _Batch, *, reason: str) -> None:
        try:
            self._events_dlq.send_to_dlq(message.text, reason)
        except UnavailableError as error:
            batch.failed.add(message.id)
            logger.warning("event.not_dead_lettered", extra={"message_id": message.id, "reason": str(error)})
        else:
            batch.done.append(message)

    def _count(self, event: Event, batch: _Batch, *, matching: int, listening: int) -> None:
        counts = {"listening": listening, "matching": matching}
        if matching == 0:
            batch.unmatched += 1
            logger.info("event.unmatched", extra={**_facts(event), **counts})
        elif logger.isEnabledFor(logging.DEBUG):
            logger.debug("event.fanned_out", extra={**_facts(event), **counts})


def _is_light(message: EventMessage) -> bool:
    return message.receives <= 1 and len(message.text) <= LIGHT_TEXT and not is_slice(message.text)


def _facts(event: Event) -> dict[str, str]:
    return {
        "event_id": event.id,
        "event_name": event.name,
        "tenant_id": event.scope.tenant_id,
        "community_id": event.scope.community_id,
    }
