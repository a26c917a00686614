"""The marks of events that were sent in packs: with them a repeat by the producer is recognised.

The delivery log keeps plain deliveries of a pack together, without a key of each. So an event is marked
before a pack with several deliveries is sent, and its deliveries say so. An event with a mark may have been
sent, or not: it is fanned out as any other, in packs that say `again`, and the dispatcher looks for its
deliveries in the whole log. A mark is never a reason to send nothing: nothing is lost where a function ends
between the mark and the send, and a webhook that was registered meanwhile gets its delivery.

Only the packs of the function that marks an event first have marked deliveries. So the packs of one event
find each other in any order in which they are dispatched: the first ones look for the keys that the others
have, and the others look everywhere.

An event without a mark, as no window had room for it, or as the table was unavailable, costs an item in the
log for each of its deliveries, and nothing else.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from webhooks.domain.delivery import Delivery, Pack
from webhooks.domain.errors import UnavailableError
from webhooks.domain.event import Event
from webhooks.domain.scope import Scope
from webhooks.domain.seen_events import FULL, LEVELS, EventKey, event_key
from webhooks.ports import SeenEvents

KEYS_AT_ONCE = 100  # of one call that reads: windows that may be needed are read along within it
WORTH = 2  # deliveries: a mark is a write unit, and so is the item of one in the log

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the marks tell of some events. `places`: the window for a new mark of each.

    `is_read`: False where the marks could not be read, so that any event may have been sent.
    """

    found: frozenset[EventKey] = frozenset()
    places: Mapping[EventKey, str] = field(default_factory=dict)
    is_read: bool = True

    def __contains__(self, event: Event) -> bool:
        """Tell whether an event has a mark."""
        return event_key(event.scope, event.id, log_time=event.log_time) in self.found

    def may_be_sent(self, event: Event) -> bool:
        """Tell whether deliveries of an event may have been sent in packs before."""
        key = event_key(event.scope, event.id, log_time=event.log_time)
        return key in self.found or (key.is_markable and not self.is_read)


class EventMarks:
    """Reads and writes marks. For one thread."""

    def __init__(self, seen: SeenEvents) -> None:
        self._seen = seen
        self._levels = 1  # that the last batch needed: the next one reads as many in its first call

    def recall(self, events: Iterable[Event], *, consistently: bool = False) -> Recalled:
        """Read the marks of events; the very last ones are found `consistently` only."""
        keys = {event_key(each.scope, each.id, log_time=each.log_time) for each in events}
        try:
            return self._recall({each for each in keys if each.is_markable}, consistently=consistently)
        except UnavailableError as error:
            logger.warning("seen_events.unread", extra={"events": len(keys), "reason": str(error)})
            return Recalled(is_read=False)

    def _recall(self, pending: set[EventKey], *, consistently: bool) -> Recalled:
        found, places = set[EventKey](), dict[EventKey, str]()
        level, needed, at_once = 0, 1, self._levels
        while pending and level < LEVELS:
            room = max(1, KEYS_AT_ONCE // len(pending))
            levels = range(level, min(LEVELS, max(level + 1, min(at_once, level + room))))
            wanted = {each.window(at) for each in pending for at in levels}
            windows = self._seen.read(sorted(wanted), consistently=consistently)
            for key in list(pending):
                its = [windows.get(key.window(at), frozenset()) for at in levels]
                free = next((at for at, hashes in zip(levels, its, strict=True) if len(hashes) < FULL), None)
                if any(key.hash in hashes for hashes in its):
                    found.add(key)
                elif free is not None:
                    places[key] = key.window(free)
                else:
                    continue
                pending.discard(key)
                needed = max(needed, levels.stop if free is None else free + 1)
            level = levels.stop
        self._levels = needed
        return Recalled(frozenset(found), places)

    def mark(self, packs: Sequence[Pack], recalled: Recalled) -> list[Pack]:
        """Mark the events of packs that have several deliveries; return the packs with what they say of it.

        A pack whose event another function marked since `recalled` says `again`, too.
        """
        marked, raced = self._write(_by_window(packs, recalled))
        return [pack if pack.again else _told(pack, marked, raced) for pack in packs]

    def _write(self, groups: Mapping[str, set[EventKey]]) -> tuple[set[EventKey], set[EventKey]]:
        """Write marks; return those that are new, and those that were there before."""
        marked, raced = set[EventKey](), set[EventKey]()
        for window, keys in groups.items():
            try:
                before = self._seen.add(window, sorted(each.hash for each in keys), below=FULL)
            except UnavailableError as error:  # each further call would take as long
                logger.warning("seen_events.not_marked", extra={"window": window, "reason": str(error)})
                break
            there = {each for each in keys if each.hash in before}
            raced |= there
            if len(before) < FULL:
                marked |= keys - there
        return marked, raced


def _by_window(packs: Iterable[Pack], recalled: Recalled) -> Mapping[str, set[EventKey]]:
    """Return the marks to write, by window, where they save more than they cost."""
    groups: dict[str, set[EventKey]] = defaultdict(set)
    saved = Counter[str]()
    for pack in packs:
        if pack.again or len(pack.deliveries) == 1:
            continue
        for delivery in pack.deliveries:
            key = _key(pack.scope, delivery)
            if (window := recalled.places.get(key)) is not None:
                groups[window].add(key)
                saved[window] += 1
    return {window: keys for window, keys in groups.items() if saved[window] >= WORTH}


def _told(pack: Pack, marked: set[EventKey], raced: set[EventKey]) -> Pack:
    keys = [_key(pack.scope, each) for each in pack.deliveries]
    if not raced.isdisjoint(keys):
        return replace(pack, again=True)
    if marked.isdisjoint(keys):
        return pack
    deliveries = tuple(
        replace(each, is_marked=True) if key in marked else each
        for each, key in zip(pack.deliveries, keys, strict=True)
    )
    return replace(pack, deliveries=deliveries)


def _key(scope: Scope, delivery: Delivery) -> EventKey:
    return event_key(scope, delivery.event_id, log_time=delivery.log_time)
