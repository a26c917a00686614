"""The delivery log in memory: the writes of the dispatcher, and the reads of all.

Plain deliveries share items as in DynamoDB, and are hidden then from those who read single deliveries.
"""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from threading import RLock
from zlib import crc32

from tests.fakes.faults import Fault, effect, no_fault
from webhooks.domain.delivery_log import (
    KEPT,
    UNDELIVERED,
    LogCount,
    LogEntry,
    Logged,
    LogKey,
    LogPage,
    LogQuery,
    Mark,
    Outcome,
    PayloadStep,
    payload_step,
)
from webhooks.domain.log_looks import Look
from webhooks.domain.log_sharing import share
from webhooks.domain.scope import Scope

MAX_EXAMINED = 1000  # of a page that filters
MAX_SHARED = 10  # deliveries of a shared item

type _Placed = tuple[str, str]  # a place, and the id of the delivery


class FakeDeliveryLog:
    """DeliveryLog and DeliveryLogReader.

    `refused`: webhooks whose entries it does not write; `refused_payloads`: those whose payloads.
    """

    def __init__(self, *, keep_all_payloads: bool = False, fault: Fault = no_fault) -> None:
        self.refused: set[str] = set()
        self.refused_payloads: set[str] = set()
        self.items_of_unit = 4  # shared items that a read unit has
        self._kept = tuple(Outcome) if keep_all_payloads else KEPT
        self._fault = fault
        self._lock = RLock()
        self._entries: dict[str, LogEntry] = {}  # those with an item of their own, by the delivery's id
        self._shared: dict[str, LogEntry] = {}  # those of shared items
        # Shared items of a webhook, in their order: each with its key, and the ids of its deliveries.
        self._items: defaultdict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
        # Partitions, in their order, as the table and its index have them: places and deliveries' ids.
        self._of_webhook: defaultdict[str, list[_Placed]] = defaultdict(list)
        self._undelivered: defaultdict[Scope, list[_Placed]] = defaultdict(list)
        self._bodies: dict[str, str] = {}

    def record(self, entries: Sequence[LogEntry]) -> Sequence[LogEntry]:
        """Write the entries, each over its delivery's earlier one; returns those that were not written."""
        latest = {entry.key.delivery_id: entry for entry in entries}
        steps = {each: payload_step(entry, self._kept) for each, entry in latest.items()}
        written = {
            each: entry
            for each, entry in latest.items()
            if not (steps[each] is PayloadStep.WRITE and entry.key.webhook_id in self.refused_payloads)
        }
        if bodies := {
            each: entry.delivery.body for each, entry in written.items() if steps[each] is PayloadStep.WRITE
        }:
            with self._lock, effect(self._fault, "log.keep_payloads"):
                self._bodies |= bodies
        written = {each: entry for each, entry in written.items() if entry.key.webhook_id not in self.refused}
        with self._lock, effect(self._fault, "log.record"):
            sharing = share(
                [
                    replace(entry, has_payload=steps[each] in (PayloadStep.WRITE, PayloadStep.LEAVE))
                    for each, entry in written.items()
                ],
                lambda plain: plain if len(plain) <= MAX_SHARED else None,
            )
            for entries_of_item, _ in sharing.shared:
                self._write_shared(entries_of_item)
            for entry in sharing.own:
                self._write(entry)
        if gone := [each for each in written if steps[each] is PayloadStep.DELETE]:
            with self._lock, effect(self._fault, "log.remove_payloads"):
                for each in gone:
                    self._bodies.pop(each, None)
        return [entry for each, entry in latest.items() if each not in written]

    def entries(self) -> list[LogEntry]:
        """Return everything that was recorded, the last state of each delivery."""
        with self._lock:
            return list((self._shared | self._entries).values())

    def bodies(self) -> dict[str, str]:
        """Return the payloads that are kept, by their deliveries' ids."""
        with self._lock:
            return dict(self._bodies)

    def logged(self, keys: Iterable[LogKey]) -> dict[LogKey, Logged]:
        """Return the state of those that have an item of their own."""
        with self._lock:
            return _logged(keys, self._entries)

    def look(self, look: Look, *, units: int) -> dict[LogKey, Logged]:
        """Go on with a look, through so many units of shared items at most; return the state of what it finds."""
        found = dict[LogKey, Logged]()
        left = units * self.items_of_unit
        with self._lock:
            while left > 0 and (stretch := look.stretch()) is not None:
                left -= 1  # a query, also of nothing
                items = self._items[next(iter(look.open)).webhook_id]
                first, end = (bisect_left(items, (place,)) for place in stretch)
                read = items[first : min(end, first + left + 1)]
                left -= max(0, len(read) - 1)
                keys = {each.delivery_id: each for each in look.open}
                shared = {each: self._shared[each] for _, ids in read for each in ids if each in keys}
                found |= _logged(map(keys.__getitem__, shared), shared)
                look.end(found)
                look.came_to(stretch[1] if first + len(read) == end else read[-1][0])
        return found

    def find(self, keys: Sequence[LogKey]) -> Mapping[LogKey, LogEntry]:
        """Return those that exist."""
        with self._lock:
            found = ((each, self._entry(each.delivery_id)) for each in keys)
            return {each: _as_read(entry) for each, entry in found if entry is not None}

    def newest(
        self,
        query: LogQuery,
        *,
        after: LogKey | None,
        size: int,
        reach: int | None = None,  # noqa: ARG002 - it costs nothing to read more
    ) -> LogPage:
        """Return a page, the newest delivery first."""
        with self._lock:
            return _page(self._rows(query, after=after, is_newest_first=True), query, size=size)

    def oldest(self, query: LogQuery, *, after: LogKey | None, size: int) -> LogPage:
        """Return a page, the oldest delivery first."""
        with self._lock:
            return _page(self._rows(query, after=after), query, size=size)

    def backlog(self, webhook_id: str, *, after: LogKey | None, size: int) -> LogPage:
        """Return a page of a webhook's held and recoverable deliveries, the oldest first."""
        with self._lock:
            found = (
                row
                for row in self._from(self._of_webhook.get(webhook_id, []), after)
                if row.mark is not Mark.TEST
                and (row.outcome is Outcome.HELD or (row.outcome is Outcome.DEAD and row.is_recoverable))
            )
            rows = list(islice(found, size + 1))
        return LogPage(tuple(map(_as_read, rows[:size])), rows[size - 1].key if len(rows) > size else None)

    def count(self, query: LogQuery, *, at_most: int) -> LogCount:
        """Count deliveries, and stop after `at_most` of them."""
        with self._lock:
            rows = list(islice(self._rows(query), at_most + 1))
        found = [row for row in rows if _fits(row, query)][:at_most]
        without_payload = sum(not row.has_payload for row in found)
        return LogCount(len(found), without_payload, is_exact=len(rows) <= at_most)

    def payloads(self, keys: Sequence[LogKey]) -> Mapping[LogKey, str]:
        """Return the callback bodies that are kept."""
        with self._lock:
            return {each: self._bodies[each.delivery_id] for each in keys if each.delivery_id in self._bodies}

    def _write(self, entry: LogEntry) -> None:
        placed = _place(entry), entry.key.delivery_id
        before = self._entries.get(entry.key.delivery_id)
        is_first = self._entry(entry.key.delivery_id) is None
        self._entries[entry.key.delivery_id] = entry
        if is_first:
            insort(self._of_webhook[entry.key.webhook_id], placed)
        if before is not None and _is_indexed(before):
            partition = self._undelivered[before.scope]
            del partition[bisect_left(partition, placed)]
        if _is_indexed(entry):
            insort(self._undelivered[entry.scope], placed)

    def _write_shared(self, entries: Sequence[LogEntry]) -> None:
        for entry in entries:
            if self._entry(entry.key.delivery_id) is None:
                insort(self._of_webhook[entry.key.webhook_id], (_place(entry), entry.key.delivery_id))
            self._shared[entry.key.delivery_id] = entry
        ids = tuple(entry.key.delivery_id for entry in entries)
        item = f"{_place(entries[-1])}+{crc32(''.join(ids).encode()):08x}", ids
        items = self._items[entries[-1].key.webhook_id]
        if item not in items:
            insort(items, item)

    def _entry(self, delivery_id: str) -> LogEntry | None:
        """Return a delivery's own item, or else its part of a shared one."""
        return self._entries.get(delivery_id) or self._shared.get(delivery_id)

    def _rows(
        self, query: LogQuery, *, after: LogKey | None = None, is_newest_first: bool = False
    ) -> Iterator[LogEntry]:
        """Yield what the query's partitions have, in order, beyond a key."""
        if query.webhook_id is None:
            placed = self._undelivered.get(query.scope, [])
        else:
            placed = self._of_webhook.get(query.webhook_id, [])
        for row in self._from(placed, after, is_newest_first=is_newest_first):
            if query.since <= row.key.log_time <= query.until and _is_in_partition(row, query):
                yield row

    def _from(
        self, placed: Sequence[_Placed], after: LogKey | None, *, is_newest_first: bool = False
    ) -> Iterator[LogEntry]:
        if is_newest_first:
            end = len(placed) if after is None else bisect_left(placed, (_position(after), ""))
            order: Iterable[int] = range(end - 1, -1, -1)
        else:
            begin = 0 if after is None else bisect_right(placed, _position(after), key=lambda each: each[0])
            order = range(begin, len(placed))
        for index in order:
            entry = self._entry(placed[index][1])
            assert entry is not None
            yield entry


def _is_indexed(row: LogEntry) -> bool:
    return row.outcome in UNDELIVERED and row.mark is not Mark.TEST


def _is_in_partition(row: LogEntry, query: LogQuery) -> bool:
    """Tell whether the partition that a query reads has a row of its webhook or its community."""
    if query.webhook_id is None:
        return query.outcome in (None, row.outcome)
    if query.is_recoverable and not row.is_recoverable:
        return False
    return query.outcome not in UNDELIVERED or (_is_indexed(row) and row.outcome is query.outcome)


def _fits(row: LogEntry, query: LogQuery) -> bool:
    return query.event_name in (None, row.delivery.event_name) and query.outcome in (None, row.outcome)


def _page(rows: Iterable[LogEntry], query: LogQuery, *, size: int) -> LogPage:
    found: list[LogEntry] = []
    last: LogKey | None = None
    for examined, row in enumerate(rows):
        if len(found) == size or examined == MAX_EXAMINED:
            return LogPage(tuple(found), last)
        if _fits(row, query):
            found.append(_as_read(row))
        last = row.key
    return LogPage(tuple(found), None)


def _as_read(entry: LogEntry) -> LogEntry:
    delivery = replace(entry.delivery, log_time=entry.key.log_time, body="")
    return replace(entry, delivery=delivery, is_new=False)


def _logged(keys: Iterable[LogKey], entries: Mapping[str, LogEntry]) -> dict[LogKey, Logged]:
    found = ((each, entries.get(each.delivery_id)) for each in keys)
    return {
        log_key: Logged(
            entry.outcome,
            entry.delivery.attempts,
            tries=entry.delivery.tries,
            is_recoverable=entry.is_recoverable,
            has_payload=entry.has_payload,
        )
        for log_key, entry in found
        if entry is not None
    }


def _place(row: LogEntry) -> str:
    return _position(row.key)


def _position(log_key: LogKey) -> str:
    """Return a delivery's place among its webhook's: the time of its event, then its hash."""
    return log_key.delivery_id.partition("-")[2]
