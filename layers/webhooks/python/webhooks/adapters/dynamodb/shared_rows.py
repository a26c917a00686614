"""The deliveries of a webhook's shared items: in order, and looked for."""

import logging
from bisect import insort
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from webhooks.adapters.dynamodb.delivery_log_items import item_key
from webhooks.adapters.dynamodb.delivery_log_rows import Partition, Positions, positions, read
from webhooks.adapters.dynamodb.items import Item
from webhooks.adapters.dynamodb.shared_items import read_shared, shared_partition, shared_time
from webhooks.adapters.dynamodb.shared_looks import look_for
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.delivery_log import LATEST, LogKey
from webhooks.domain.log_looks import Look
from webhooks.domain.log_sharing import SPAN

MORE = 64  # shared items of a further read
# Read units of a request's look for deliveries: many events with one time could make it as long as the log. A
# delivery that it does not find is taken to be absent.
LOOK_UNITS = 1000
_BEHIND: Final = "~"  # sorts behind the hash of a shared item's key

logger = logging.getLogger(__name__)


class SharedRows:
    """Yields the deliveries within some positions as items, in order, and reads as far as it is iterated.

    `reach`: how many ms newer than the last position shared items with wanted deliveries are at most.
    """

    def __init__(
        self,
        table: Table,
        webhook_id: str,
        wanted: Positions,
        *,
        limit: int,
        descending: bool,
        reach: int = SPAN,
    ) -> None:
        self._table = table
        self._webhook_id = webhook_id
        self._wanted = wanted
        self._limit = limit
        self._descending = descending
        self._reach = reach
        self._seen: list[
            tuple[str, int]
        ] = []  # of each item: its oldest delivery's place, its newest one's time

    def __iter__(self) -> Iterator[Item]:
        pending: list[Item] = []
        place = -1 if self._descending else 0
        for item in chain(self._items(), (None,)):
            while pending and (item is None or self._is_before(pending[place], item)):
                yield pending.pop(place)
            for each in self._deliveries(item) if item is not None else ():
                insort(pending, each, key=_place)

    def reach(self, last: LogKey) -> int:
        """Return how many ms newer than a page's last delivery are items with older deliveries than it.

        One more, as an item is newer than its own newest delivery; 0 where there are none.
        """
        place = item_key(last)[1]
        newest = max((newest for oldest, newest in self._seen if oldest < place), default=-1)
        return min(max(0, newest + 1 - last.log_time), SPAN)

    def _items(self) -> Iterator[Item]:
        if self._wanted.is_empty:
            return iter(())
        end = self._wanted.last + _BEHIND
        if self._reach:
            at = int(self._wanted.last.partition("-")[0], 16)
            end = positions(0, min(at + self._reach + 1, LATEST)).last + _BEHIND
        return read(
            self._table,
            Partition("pk", shared_partition(self._webhook_id)),
            Positions(self._wanted.first, end),
            limit=self._limit,
            descending=self._descending,
            more=MORE,
        )

    def _deliveries(self, item: Item) -> list[Item]:
        shared = read_shared(item)
        found = shared.items() if shared else []
        if found:
            self._seen.append((_place(found[0]), shared_time(item)))
        return [each for each in found if self._wanted.first <= _place(each) <= self._wanted.last]

    def _is_before(self, delivery: Item, unread: Item) -> bool:
        """Tell whether a delivery comes before all deliveries of an item, and of those behind it."""
        if self._descending:
            return _place(delivery) > _place(unread)
        return int(_place(delivery).partition("-")[0], 16) < shared_time(unread) - SPAN


def find_shared(table: Table, group: Sequence[LogKey]) -> dict[LogKey, Item]:
    """Look for deliveries, as `lookups` groups them; return those that exist, as items of their own.

    Raises UnavailableError, and NewerFormError where one may be in an item of a later release.
    """
    webhook_id = group[0].webhook_id
    found = look_for(table, webhook_id, Look(group), units=LOOK_UNITS)
    for error in (found.error, *found.newer.values()):
        if error is not None:
            raise error
    if found.left:
        logger.warning("delivery_log.look_ended", extra={"webhook_id": webhook_id})
    return dict(found.items)


def _place(item: Item) -> str:
    return str(item["sk"]["S"])
