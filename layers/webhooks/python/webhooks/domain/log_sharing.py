"""Which deliveries share an item of the delivery log, and where one of them is looked for.

A shared item has plain deliveries of one webhook alone, so that it is never changed: what is known of each of
them is final. It is found by the event's time of the newest; SPAN bounds how far from it the others are.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from webhooks.domain.delivery import delivery_id
from webhooks.domain.delivery_log import LogEntry, LogKey, Outcome

SPAN = 2000  # ms of the events' times, between the oldest and the newest of a shared item
# Whole minutes are times that a producer rounded: any number of its events have the same one, and their
# shared items would overlap without end. An event without a time has time 0.
ROUNDED = 60_000


@dataclass(frozen=True, slots=True)
class Sharing[T]:
    """What becomes of entries: shared items with the entries in each, and entries with items of their own."""

    shared: tuple[tuple[tuple[LogEntry, ...], T], ...]
    own: tuple[LogEntry, ...]


def is_plain(entry: LogEntry) -> bool:
    """Tell whether all that the log has to say of a delivery is its one successful attempt."""
    delivery, key = entry.delivery, entry.key
    if not entry.is_new or entry.outcome is not Outcome.DELIVERED or delivery.tries != 1:
        return False
    if entry.reason or entry.mark or entry.has_payload or not may_share(key):
        return False
    if len(delivery.attempts) != 1 or delivery.attempts[0].reason:
        return False
    # The id is left out of a shared item, as it follows from the rest.
    return key.delivery_id == delivery_id(delivery.event_id, key.webhook_id, log_time=key.log_time)


def may_share(key: LogKey) -> bool:
    """Tell whether a delivery's time lets it share an item."""
    return is_exact(key.log_time)


def is_exact(log_time: int) -> bool:
    """Tell whether an event's time, in epoch ms, is neither missing nor one that a producer rounded."""
    return log_time > 0 and log_time % ROUNDED != 0


def share[T](entries: Sequence[LogEntry], encode: Callable[[Sequence[LogEntry]], T | None]) -> Sharing[T]:
    """Divide entries, which differ in their keys, into shared items and such of their own.

    `encode` returns the item that plain entries share, None where it is too large.
    """
    together: defaultdict[object, list[LogEntry]] = defaultdict(list)
    own: list[LogEntry] = []
    for entry in entries:
        if is_plain(entry):
            together[entry.key.webhook_id, entry.scope, entry.settled_at].append(entry)
        else:
            own.append(entry)
    shared: list[tuple[tuple[LogEntry, ...], T]] = []
    for group in together.values():
        for run in _runs(sorted(group, key=lambda entry: entry.key.delivery_id)):
            encoded = _encoded(run, encode)
            shared += encoded
            if not encoded:
                own += run
    return Sharing(tuple(shared), tuple(own))


def lookups(keys: Iterable[LogKey]) -> Iterator[Sequence[LogKey]]:
    """Yield the keys, in order, in groups of at most SPAN that one query can look for.

    So the shared items of each are of twice SPAN at most, whatever the number of keys.
    """
    group: list[LogKey] = []
    for key in sorted(keys, key=lambda each: each.delivery_id):
        if group and not (key.webhook_id == group[0].webhook_id and key.log_time <= group[0].log_time + SPAN):
            yield group
            group = []
        group.append(key)
    if group:
        yield group


def _runs(entries: Sequence[LogEntry]) -> Iterator[Sequence[LogEntry]]:
    """Yield sorted entries in groups of at most SPAN."""
    begin = 0
    for end in range(1, len(entries) + 1):
        if end == len(entries) or entries[end].key.log_time - entries[begin].key.log_time > SPAN:
            yield entries[begin:end]
            begin = end


def _encoded[T](
    run: Sequence[LogEntry], encode: Callable[[Sequence[LogEntry]], T | None]
) -> list[tuple[tuple[LogEntry, ...], T]]:
    """Put entries into as few items of equal size as hold them, of two or more each; empty where none do."""
    for parts in range(1, len(run) // 2 + 1):
        bounds = [len(run) * part // parts for part in range(parts + 1)]
        encoded = []
        for first, last in pairwise(bounds):
            item = encode(run[first:last])
            if item is None:
                break
            encoded.append((tuple(run[first:last]), item))
        else:
            return encoded
    return []
