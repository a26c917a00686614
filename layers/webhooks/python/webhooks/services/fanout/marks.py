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
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from webhooks.domain.delivery import Pack
from webhooks.domain.errors import UnavailableError
from webhooks.domain.event import Event
from webhooks.domain.seen_events import FULL, LEVELS, EventKey, event_key
from webhooks.ports import SeenEvents

KEYS_AT_ONCE = 100  # of one call that reads: windows that may be needed are read along within it
WORTH = 2  # deliveries: a mark is a write unit, and so is the item of one in the log

# The hashes of windows that were read, by their names.
type Windows = Mapping[str, Collection[bytes]]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the marks tell of some events. `places`: the window for a new mark of each.

    `is_read`: False where the marks could not be read, so that any event may have been sent.
    """

    found: frozenset[EventKey] = frozenset()
    places: Mapping[EventKey, str] = field(default_factory=dict)
    is_read: bool = True

    def __contains__(self, key: EventKey) -> bool:
        """Tell whether an event has a mark."""
        return key in self.found

    def may_be_sent(self, key: EventKey) -> bool:
        """Tell whether deliveries of an event may have been sent in packs before."""
        return key in self.found or (not self.is_read and key.is_markable)


class EventMarks:
    """Reads and writes marks. For one thread."""

    def __init__(self, seen: SeenEvents) -> None:
        self._seen = seen
        self._levels = 1  # that the last batch needed: the next one reads as many in its first call

    def first_windows(self, keys: Iterable[EventKey]) -> Collection[str]:
        """Return the windows that `recall` reads of events in its first call."""
        pending = {each for each in keys if each.is_markable}
        return _windows(pending, self._next_levels(0, len(pending)))

    def recall(
        self, keys: Iterable[EventKey], *, known: Windows | None = None, consistently: bool = False
    ) -> Recalled:
        """Read the marks of events; the very last ones are found `consistently` only.

        `known`: windows that were read before, in another call.
        """
        pending = {each for each in keys if each.is_markable}
        try:
            return self._recall(pending, dict(known or {}), consistently=consistently)
        except UnavailableError as error:
            logger.warning("seen_events.unread", extra={"events": len(pending), "reason": str(error)})
            return Recalled(is_read=False)

    def _recall(
        self, pending: Collection[EventKey], known: dict[str, Collection[bytes]], *, consistently: bool
    ) -> Recalled:
        found, places = set[EventKey](), dict[EventKey, str]()
        level, needed = 0, 1
        while pending and level < LEVELS:
            levels = self._next_levels(level, len(pending))
            if missing := _windows(pending, levels) - known.keys():
                known |= self._seen.read(sorted(missing), consistently=consistently)
            full = []
            for key in pending:
                is_found, free = _look(key, levels, known)
                if is_found:
                    found.add(key)
                elif free is not None:
                    places[key] = key.window(free)
                else:
                    full.append(key)
                    continue
                needed = max(needed, levels.stop if free is None else free + 1)
            pending, level = full, levels.stop
        self._levels = needed
        return Recalled(frozenset(found), places)

    def _next_levels(self, level: int, events: int) -> range:
        """Return the levels that a call reads, from `level` on: one at least, more where they fit in it."""
        room = KEYS_AT_ONCE // max(1, events)
        return range(level, min(LEVELS, max(level + 1, min(self._levels, level + room))))

    def mark(
        self, packs: Sequence[Pack], recalled: Recalled, *, keys: Mapping[str, EventKey]
    ) -> Sequence[Pack]:
        """Mark the events of packs that have several deliveries; return the packs with what they say of it.

        A pack whose event another function marked since `recalled` says `again`, too. `keys`: of the events,
        by their deliveries' ids.
        """
        marked, raced = self._write(_by_window(packs, recalled, keys))
        if not marked and not raced:
            return packs
        return [pack if pack.again else _told(pack, marked, raced, keys) for pack in packs]

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


def key_of(event: Event) -> EventKey:
    """Return an event's key."""
    return event_key(event.scope, event.id, log_time=event.log_time)


def _windows(keys: Iterable[EventKey], levels: range) -> set[str]:
    return {key.window(level) for key in keys for level in levels}


def _look(key: EventKey, levels: range, windows: Windows) -> tuple[bool, int | None]:
    """Tell whether any level has the event's mark, and return the first level that is not full."""
    is_found, free = False, None
    for level in levels:
        hashes = windows.get(key.window(level), ())
        is_found = is_found or key.hash in hashes
        if free is None and len(hashes) < FULL:
            free = level
    return is_found, free


def _by_window(
    packs: Iterable[Pack], recalled: Recalled, keys: Mapping[str, EventKey]
) -> Mapping[str, set[EventKey]]:
    """Return the marks to write, by window, where they save more than they cost."""
    groups: dict[str, set[EventKey]] = defaultdict(set)
    saved = Counter[str]()
    for pack in packs:
        if pack.again or len(pack.deliveries) == 1:
            continue
        for delivery in pack.deliveries:
            key = keys[delivery.id]
            if (window := recalled.places.get(key)) is not None:
                groups[window].add(key)
                saved[window] += 1
    return {window: some for window, some in groups.items() if saved[window] >= WORTH}


def _told(pack: Pack, marked: set[EventKey], raced: set[EventKey], keys: Mapping[str, EventKey]) -> Pack:
    its = [keys[each.id] for each in pack.deliveries]
    if not raced.isdisjoint(its):
        return replace(pack, again=True)
    if marked.isdisjoint(its):
        return pack
    deliveries = tuple(
        each.marked() if key in marked else each for each, key in zip(pack.deliveries, its, strict=True)
    )
    return replace(pack, deliveries=deliveries)
