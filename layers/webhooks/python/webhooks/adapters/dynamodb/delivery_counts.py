"""Counts a webhook's deliveries: some have their own item, others are in shared items, a few in several.

Both are read from the oldest on. The deliveries of a shared item are of SPAN at most, so only those of the
last SPAN are remembered.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from webhooks.adapters.dynamodb.delivery_log_rows import (
    NO_PAYLOAD,
    Filter,
    Partition,
    Positions,
    partitions_of,
    positions,
    read,
)
from webhooks.adapters.dynamodb.items import Item
from webhooks.adapters.dynamodb.merged_rows import rows
from webhooks.adapters.dynamodb.shared_items import SharedItem, read_shared, shared_partition, shared_time
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.delivery_log import LATEST, LogCount, LogQuery
from webhooks.domain.log_sharing import SPAN

READ = 4000  # items of a read; DynamoDB ends it at a megabyte
COUNTED: Final = "sk, outcome, eventName, payload"  # the attributes that filters need
_BEHIND: Final = "~"  # sorts behind the hash of a shared item's key

# What a delivery adds to a count: whether it fits, and whether its payload is kept; None for none.
type _Step = tuple[bool, bool] | None


def count_each_once(
    table: Table, query: LogQuery, filters: Sequence[Filter], *, at_most: int, is_over: Callable[[], bool]
) -> LogCount:
    """Count the deliveries of a webhook that a query finds, each once. Stop after `at_most`, or once over.

    Those that do not fit count as looked at, too. Where a delivery has an item of its own, that one decides.
    """
    wanted = positions(query.since, query.until)
    if wanted.is_empty:
        return LogCount(0, 0, is_exact=True)
    limit = min(READ, at_most + 1)
    own = rows(
        table,
        partitions_of(query),
        wanted,
        limit=limit,
        descending=False,
        examined=READ,
        attributes=COUNTED,
    )
    found = without = examined = 0
    for step in _steps(own, _shared_items(table, query, limit=limit), query, filters):
        if is_over():
            return LogCount(found, without, is_exact=False)
        if step is None:
            continue
        if examined == at_most:
            return LogCount(found, without, is_exact=False)
        fits, has_payload = step
        examined += 1
        found += fits
        without += fits and not has_payload
    return LogCount(found, without, is_exact=True)


def _shared_items(table: Table, query: LogQuery, *, limit: int) -> Iterator[Item]:
    near = positions(query.since, min(query.until + SPAN, LATEST))
    return read(
        table,
        Partition("pk", shared_partition(query.webhook_id or "")),
        Positions(near.first, near.last + _BEHIND),
        limit=limit,
        descending=False,
        more=READ,
    )


def _steps(
    own: Iterator[Item], shared_items: Iterable[Item], query: LogQuery, filters: Sequence[Filter]
) -> Iterator[_Step]:
    """Yield what each item's deliveries add to a count."""
    places, event_ids = _Recent(), _Recent()  # of those with an own item, and of those in shared ones
    row = next(own, None)
    for item in shared_items:
        newest = shared_time(item)
        places.forget(newest - SPAN)
        event_ids.forget(newest - SPAN)
        while row is not None and _time(row) <= newest:
            places.add(_time(row), row["sk"]["S"])
            yield _step(row, filters)
            row = next(own, None)
        if (shared := read_shared(item)) is not None:
            yield from _shared_steps(shared, query, places, event_ids)
    while row is not None:
        yield _step(row, filters)
        row = next(own, None)


def _shared_steps(
    shared: SharedItem, query: LogQuery, places: "_Recent", event_ids: "_Recent"
) -> Iterator[_Step]:
    for number, log_time in enumerate(shared.log_times):
        is_new = query.since <= log_time <= query.until and event_ids.add(log_time, shared.event_ids[number])
        if is_new and log_time in places:  # a place is a hash, which most deliveries need not
            is_new = places.add(log_time, shared.place(number))
        yield (query.event_name in (None, shared.event_names[number]), False) if is_new else None


def _step(row: Item, filters: Sequence[Filter]) -> _Step:
    return all(each.fits(row) for each in filters), not NO_PAYLOAD.fits(row)


class _Recent:
    """What is known of deliveries, by the times of their events."""

    def __init__(self) -> None:
        self._at: dict[int, set[str]] = {}
        self._forgotten = 0

    def __contains__(self, log_time: int) -> bool:
        return log_time in self._at

    def add(self, log_time: int, text: str) -> bool:
        """Tell whether it was not there yet."""
        known = self._at.get(log_time)
        if known is None:
            self._at[log_time] = {text}
            return True
        if text in known:
            return False
        known.add(text)
        return True

    def forget(self, before: int) -> None:
        """Forget those before a time, once in SPAN."""
        if before >= self._forgotten + SPAN:
            self._at = {log_time: known for log_time, known in self._at.items() if log_time >= before}
            self._forgotten = before


def _time(row: Item) -> int:
    return int(row["sk"]["S"].partition("-")[0], 16)
