"""From a batch of events to one delivery for each webhook that wants one.

read -> match -> pack -> send. An event is acknowledged once every delivery of it is on the deliveries queue,
or once it is in the events dead-letter queue with the reason.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from webhooks.domain.delivery import Delivery, Pack, delivery_of, pack_deliveries
from webhooks.domain.errors import InvalidEventError, UnavailableError
from webhooks.domain.event import Event, parse_event
from webhooks.domain.matching import EventFields, matches
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import IndexEntry
from webhooks.ports import CorruptError, DeadEvents, FastLane, SubscriptionIndex

logger = logging.getLogger(__name__)

CACHED_COMMUNITIES = 256
CACHED_NAMES = 1024  # of a community


@dataclass(frozen=True, slots=True)
class EventMessage:
    """A message of the events queue; `sent_at` in epoch ms."""

    id: str
    text: str
    sent_at: int


@dataclass(frozen=True, slots=True)
class Read:
    """A message that is an event."""

    message: EventMessage
    event: Event


@dataclass(slots=True)
class Community:
    """What is known of a community's index at a version: its listeners by event name."""

    version: int
    listeners: dict[str, Sequence[IndexEntry]] = field(default_factory=dict)


class Fanout:
    """Fans events out. Keeps what it read of an index while the community's version stays the same."""

    def __init__(self, *, index: SubscriptionIndex, lane: FastLane, dead_events: DeadEvents) -> None:
        self._index = index
        self._lane = lane
        self._dead_events = dead_events
        self._communities: dict[Scope, Community] = {}

    def fan_out(self, messages: Sequence[EventMessage]) -> set[str]:
        """Fan a batch out; returns the ids of the messages that must come again."""
        failed: set[str] = set()
        events = list(self._read(messages, failed))
        wanted: dict[tuple[Scope, str], list[tuple[str, Delivery]]] = defaultdict(list)
        for read in self._refreshed(events, failed):
            try:
                matching = self._match(read, failed)
            except UnavailableError as error:
                failed.add(read.message.id)
                logger.warning("event.postponed", extra={**_facts(read.event), "reason": str(error)})
                continue
            except Exception:  # the boundary of one event: a fault of ours costs no other's
                failed.add(read.message.id)
                logger.exception("event.fault", extra=_facts(read.event))
                continue
            for entry in matching:
                delivery = delivery_of(read.event, entry.webhook_id)
                wanted[read.event.scope, entry.webhook_id].append((read.message.id, delivery))
        failed |= self._send(wanted)
        counts = {"events": len(events), "deliveries": sum(map(len, wanted.values())), "failed": len(failed)}
        logger.info("batch.fanned_out", extra=counts)
        return failed

    def _read(self, messages: Sequence[EventMessage], failed: set[str]) -> Iterable[Read]:
        for message in messages:
            try:
                yield Read(message, parse_event(message.text, message_id=message.id, sent_at=message.sent_at))
            except InvalidEventError as error:
                logger.warning("event.invalid", extra={"message_id": message.id, "reason": str(error)})
                if not self._bury(message, reason=str(error)):
                    failed.add(message.id)
            except Exception:  # the boundary of one message: a fault of ours costs no other's
                failed.add(message.id)
                logger.exception("event.fault", extra={"message_id": message.id})

    def _bury(self, message: EventMessage, *, reason: str) -> bool:
        try:
            self._dead_events.bury(message.text, reason)
        except UnavailableError as error:
            logger.warning("event.not_buried", extra={"message_id": message.id, "reason": str(error)})
            return False
        return True

    def _refreshed(self, events: Sequence[Read], failed: set[str]) -> Sequence[Read]:
        """Forget what changed since it was read: one consistent read for all communities of the batch."""
        scopes = sorted({read.event.scope for read in events})
        if not scopes:
            return []
        try:
            versions = self._index.versions(scopes)
        except UnavailableError as error:
            failed.update(read.message.id for read in events)
            logger.warning("batch.postponed", extra={"events": len(events), "reason": str(error)})
            return []
        for scope in scopes:
            known = self._communities.pop(scope, None)
            version = versions.get(scope, 0)
            # Put last again, so that the first one is the longest unused.
            self._communities[scope] = known if known and known.version == version else Community(version)
        while len(self._communities) > max(CACHED_COMMUNITIES, len(scopes)):
            del self._communities[next(iter(self._communities))]
        return events

    def _match(self, read: Read, failed: set[str]) -> Sequence[IndexEntry]:
        event, found = read.event, self._listeners(read.event)
        listeners = [entry for entry in found if isinstance(entry, IndexEntry)]
        # Whether they wanted it nobody knows: it is dead for them, to be redriven once they are well.
        corrupt = [str(entry) for entry in found if isinstance(entry, CorruptError)]
        if corrupt and not self._bury(read.message, reason="; ".join(corrupt)):
            failed.add(read.message.id)
        fields = EventFields(event.data)
        matching = [entry for entry in listeners if matches(entry, fields)]
        if logger.isEnabledFor(logging.DEBUG):
            counts = {"listening": len(listeners), "matching": len(matching)}
            logger.debug("event.fanned_out", extra={**_facts(event), **counts})
        return matching

    def _listeners(self, event: Event) -> Sequence[IndexEntry | CorruptError]:
        community = self._communities[event.scope]
        if community.version == 0:  # nobody ever registered anything there
            return ()
        if event.name in community.listeners:
            return community.listeners[event.name]
        found = self._index.listeners(event.scope, event.name)
        readable = [entry for entry in found if isinstance(entry, IndexEntry)]
        if len(readable) == len(found):  # a repair by hand counts no version
            if len(community.listeners) >= CACHED_NAMES:  # producers can make names up without end
                community.listeners.clear()
            community.listeners[event.name] = readable
        return found

    def _send(self, wanted: Mapping[tuple[Scope, str], Sequence[tuple[str, Delivery]]]) -> set[str]:
        """Send what is wanted, packed by webhook; returns the messages with a delivery that was not taken."""
        packs: list[Pack] = []
        needed_by: dict[str, set[str]] = defaultdict(set)
        for (scope, webhook_id), pairs in wanted.items():
            packs.extend(pack_deliveries(webhook_id, scope, deliveries=[pair[1] for pair in pairs]))
            for message_id, delivery in pairs:
                needed_by[delivery.id].add(message_id)
        if not packs:
            return set()
        try:
            lost = self._lane.send(packs)
        except UnavailableError as error:
            logger.warning("packs.not_sent", extra={"packs": len(packs), "reason": str(error)})
            lost = packs
        return {
            message for pack in lost for delivery in pack.deliveries for message in needed_by[delivery.id]
        }


def _facts(event: Event) -> dict[str, str]:
    return {
        "event_id": event.id,
        "event_name": event.name,
        "tenant_id": event.scope.tenant_id,
        "community_id": event.scope.community_id,
    }
