"""The rows of several partitions of the delivery log, in the order of the deliveries' events.

For a delivery that has a shared item alone a row is the item that it would have otherwise.
"""

import heapq
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from math import isqrt
from typing import Final

from webhooks.adapters.dynamodb.delivery_log_rows import MORE_ROWS, Partition, Positions, read
from webhooks.adapters.dynamodb.items import Item
from webhooks.adapters.dynamodb.table import Table

READERS = 4  # partitions that are read at the same time
_POSITION: Final = re.compile(r"[0-9a-f]{12}-[0-9a-f]{32}", re.ASCII)


def rows(
    table: Table,
    partitions: Sequence[Partition],
    wanted: Positions,
    *,
    limit: int,
    descending: bool,
    examined: int = 0,
    shared: Iterable[Item] | None = None,
    attributes: str | None = None,
) -> Iterator[Item]:
    """Read the partitions' rows, merged with `shared`, in exact order.

    `limit`: how many of each kind the first reads take; `examined`: the further ones, where it is more;
    `attributes` of each, all without it.
    A delivery that has an item of its own and a shared one has one row, its own item.
    """
    if wanted.is_empty:
        return
    each = [
        _own(
            read(
                table,
                partition,
                wanted,
                limit=_part(limit, partition.shards),
                descending=descending,
                more=_part(max(limit, examined), partition.shards) if partition.shards > 1 else MORE_ROWS,
                attributes=attributes,
            )
        )
        for partition in partitions
    ]
    begun = _begun([*each, *([] if shared is None else [iter(shared)])])
    found = heapq.merge(*begun, key=lambda row: str(row["sk"]["S"]), reverse=descending)
    if shared is None:
        yield from found
        return
    before = ""
    for row in found:
        if row["sk"]["S"] != before:
            yield row
        before = row["sk"]["S"]


def _part(limit: int, shards: int) -> int:
    """Return how many rows of one shard are enough, with few exceptions, where `limit` of all are wanted.

    Their number in a shard is as that of heads of a coin: two standard deviations are added, and one row to
    know that the shard has no earlier one.
    """
    if shards == 1:
        return limit
    part = -(-limit // shards)
    return min(limit, part + 2 * isqrt(part) + 1)


def _begun(sources: Sequence[Iterator[Item]]) -> Sequence[Iterator[Item]]:
    """Let several sources make their first reads at the same time."""
    if len(sources) <= 1:
        return sources
    with ThreadPoolExecutor(min(READERS, len(sources))) as readers:
        first = list(readers.map(lambda source: list(islice(source, 1)), sources))
    return [chain(*pair) for pair in zip(first, sources, strict=True)]


def _own(items: Iterable[Item]) -> Iterator[Item]:
    """Leave out items of an earlier release, whose keys have another form: they have no id, and expire."""
    return (item for item in items if _POSITION.fullmatch(item["sk"]["S"]))
