"""The delivery log in DynamoDB, as it is read: one by one, in pages, counted.

A page of undelivered ones comes from an index, which is a little behind: its items are read then, and those
that have changed meanwhile are left out.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from webhooks.adapters.aws.backoff import Backoff
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.delivery_counts import count_each_once
from webhooks.adapters.dynamodb.delivery_log_items import entry_from, item_key, key_from
from webhooks.adapters.dynamodb.delivery_log_rows import (
    NO_PAYLOAD,
    Filter,
    Positions,
    backlog_of,
    count_request,
    partitions_of,
    positions,
)
from webhooks.adapters.dynamodb.items import Item, key
from webhooks.adapters.dynamodb.merged_rows import rows
from webhooks.adapters.dynamodb.payload_store import DynamoPayloadStore
from webhooks.adapters.dynamodb.shared_rows import SharedRows, find_shared
from webhooks.adapters.dynamodb.table import Table, call
from webhooks.domain.delivery_log import (
    LATEST,
    UNDELIVERED,
    LogCount,
    LogEntry,
    LogKey,
    LogPage,
    LogQuery,
    Outcome,
)
from webhooks.domain.log_sharing import SPAN, lookups
from webhooks.ports import Clock

MAX_EXAMINED = 1000  # rows of a page that filters
SHARED_PART = 4  # the first read takes a shared item for so many rows of a page
COUNT_SECONDS = 15


class DynamoDeliveryLogReader:
    """The deliveries table. `clock`: monotonic."""

    def __init__(
        self,
        aws: AwsClients,
        table_name: str,
        *,
        clock: Clock = time.monotonic,
        backoff: Backoff | None = None,
    ) -> None:
        self._table = Table(aws, table_name, backoff=backoff)
        self._payloads = DynamoPayloadStore(aws, table_name, backoff=backoff)
        self._clock = clock

    def find(self, keys: Sequence[LogKey]) -> Mapping[LogKey, LogEntry]:
        """Return those that exist, read consistently."""
        found = self._find_own(keys)
        for group in lookups(each for each in keys if each not in found):
            shared = find_shared(self._table, group)
            found |= {each: entry for each, item in shared.items() if (entry := entry_from(item)) is not None}
        return found

    def _find_own(self, keys: Sequence[LogKey]) -> dict[LogKey, LogEntry]:
        wanted = {item_key(each): each for each in keys}
        items = self._table.get_many(key(*each) for each in wanted)
        return {
            wanted[item["pk"]["S"], item["sk"]["S"]]: entry
            for item in items
            if (entry := entry_from(item)) is not None
        }

    def newest(
        self, query: LogQuery, *, after: LogKey | None, size: int, reach: int | None = None
    ) -> LogPage:
        """Return a page, the newest delivery first. `reach`: of the page before, where it is known."""
        wanted = positions(query.since, query.until, below=after)
        return self._page(query, wanted, size=size, descending=True, reach=reach)

    def oldest(self, query: LogQuery, *, after: LogKey | None, size: int) -> LogPage:
        """Return a page, the oldest delivery first."""
        wanted = positions(query.since, query.until, above=after)
        return self._page(query, wanted, size=size, descending=False)

    def backlog(self, webhook_id: str, *, after: LogKey | None, size: int) -> LogPage:
        """Return a page of a webhook's held and recoverable deliveries, the oldest first."""
        wanted = positions(0, LATEST, above=after)
        found = rows(self._table, backlog_of(webhook_id), wanted, limit=size + 1, descending=False)
        chosen, last = _chosen(found, lambda _: True, size=size)
        return LogPage(self._present(chosen, _is_in_backlog), last)

    def count(self, query: LogQuery, *, at_most: int) -> LogCount:
        """Count deliveries, and stop after `at_most` of them, or after 15 seconds.

        Where the query filters, those that do not fit count as looked at, too. One that has several items
        counts once.
        """
        ends_at, filters = self._clock() + COUNT_SECONDS, _filters(query)
        if _has_shared(query):
            return count_each_once(
                self._table, query, filters, at_most=at_most, is_over=lambda: self._clock() >= ends_at
            )
        wanted = positions(query.since, query.until)
        without = self._tally(query, wanted, (*filters, NO_PAYLOAD), at_most=at_most, ends_at=ends_at)
        every = self._tally(query, wanted, filters, at_most=at_most, ends_at=ends_at) if filters else without
        deliveries = min(every.found if filters else every.examined, at_most)
        is_exact = without.is_exact and every.is_exact
        return LogCount(deliveries, min(without.found, deliveries), is_exact=is_exact)

    def payloads(self, keys: Sequence[LogKey]) -> Mapping[LogKey, str]:
        """Return the callback bodies that are kept."""
        by_id = {each.delivery_id: each for each in keys}
        return {by_id[each]: body for each, body in self._payloads.read(list(by_id)).items()}

    def _page(
        self, query: LogQuery, wanted: Positions, *, size: int, descending: bool, reach: int | None = None
    ) -> LogPage:
        partitions = partitions_of(query)
        shared = None
        if _has_shared(query):
            shared = SharedRows(
                self._table,
                query.webhook_id or "",
                wanted,
                limit=size // SHARED_PART + 1,
                descending=descending,
                reach=SPAN if reach is None else reach,
            )
        filters = _filters(query)
        found = rows(
            self._table,
            partitions,
            wanted,
            limit=size + 1,
            descending=descending,
            examined=MAX_EXAMINED if filters else 0,
            shared=shared,
        )
        chosen, last = _chosen(found, lambda row: all(each.fits(row) for each in filters), size=size)
        if any(each.index for each in partitions):
            return LogPage(self._present(chosen, lambda entry: _fits(entry, query)), last)
        entries = tuple(entry for row in chosen if (entry := entry_from(row)) is not None)
        return LogPage(entries, last, shared.reach(last) if shared and last and descending else None)

    def _present(self, chosen: Sequence[Item], fits: Callable[[LogEntry], bool]) -> tuple[LogEntry, ...]:
        """Return the entries of an index's lines as they are now, without those that do not fit any more."""
        keys = [key_from(row) for row in chosen]
        entries = self._find_own(keys)
        return tuple(entries[each] for each in keys if each in entries and fits(entries[each]))

    def _tally(
        self, query: LogQuery, wanted: Positions, filters: Sequence[Filter], *, at_most: int, ends_at: float
    ) -> "_Tally":
        found = examined = 0
        for partition in partitions_of(query):
            request = count_request(self._table, partition, wanted, filters)
            more = not wanted.is_empty
            while more:
                if examined > at_most or self._clock() >= ends_at:
                    return _Tally(found, examined, is_exact=False)
                response = call(self._table.aws, "query", **request, Limit=at_most + 1 - examined)
                found, examined = found + response["Count"], examined + response["ScannedCount"]
                more = "LastEvaluatedKey" in response
                request["ExclusiveStartKey"] = response.get("LastEvaluatedKey")
        return _Tally(found, examined, is_exact=examined <= at_most)


@dataclass(frozen=True, slots=True)
class _Tally:
    """Deliveries that fit, and those that were looked at."""

    found: int
    examined: int
    is_exact: bool


def _chosen(
    found: Iterator[Item], fits: Callable[[Item], bool], *, size: int
) -> tuple[list[Item], LogKey | None]:
    """Take rows that fit; return them and the key after which the next page begins."""
    chosen: list[Item] = []
    last = None
    for examined, row in enumerate(found):
        if len(chosen) == size or examined == MAX_EXAMINED:
            return chosen, last
        if fits(row):
            chosen.append(row)
        last = key_from(row)
    return chosen, None


def _has_shared(query: LogQuery) -> bool:
    """Tell whether shared items can have what a query asks for: they have delivered ones of a webhook."""
    return query.webhook_id is not None and query.outcome in (None, Outcome.DELIVERED)


def _filters(query: LogQuery) -> Sequence[Filter]:
    """Return what the query's partitions have too much of."""
    filters = []
    if query.event_name is not None:
        filters.append(Filter("eventName", query.event_name))
    if query.outcome is not None and query.outcome not in UNDELIVERED:
        filters.append(Filter("outcome", query.outcome.value))
    return filters


def _fits(entry: LogEntry, query: LogQuery) -> bool:
    """Tell whether an undelivered one is still what the query asks for."""
    return entry.outcome in (UNDELIVERED if query.outcome is None else (query.outcome,))


def _is_in_backlog(entry: LogEntry) -> bool:
    return entry.outcome is Outcome.HELD or (entry.outcome is Outcome.DEAD and entry.is_recoverable)
