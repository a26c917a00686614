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
    each = []
    for partition in partitions:
        first, second, rest = _limits(partition.shards, limit, examined)
        found = read(
            table,
            partition,
            wanted,
            limit=first,
            descending=descending,
            more=second,
            rest=rest,
            attributes=attributes,
        )
        each.append(_own(found))
    begun = _begun([*each, *([] if shared is None else [iter(shared)])])
    merged = heapq.merge(*begun, key=lambda row: str(row["sk"]["S"]), reverse=descending)
    if shared is None:
        yield from merged
        return
    before = ""
    for row in merged:
        if row["sk"]["S"] != before:
            yield row
        before = row["sk"]["S"]


def _limits(shards: int, limit: int, examined: int) -> tuple[int, int, int]:
    """Return how many rows the first read of a partition takes, the second one, and each of the others.

    A shard has its part of `limit` rows, more or less, as coins fall: the first read adds two standard
    deviations, and one row by which the shard is known to have no earlier one. The second read goes on to
    the part of `examined`.
    """
    if shards == 1:
        more = max(limit, MORE_ROWS)
        return limit, more, more
    part, whole = -(-limit // shards), -(-examined // shards)
    first = min(limit, part + 2 * isqrt(part) + 1)
    return first, max(first, whole - first), max(first, 2 * isqrt(whole))


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
