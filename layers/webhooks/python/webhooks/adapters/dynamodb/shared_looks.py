"""Looks for deliveries in a webhook's shared items, within a number of read units."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from webhooks.adapters.dynamodb.delivery_log_items import WRITE_UNIT
from webhooks.adapters.dynamodb.delivery_log_rows import Partition, Positions, read
from webhooks.adapters.dynamodb.items import Item, item_size
from webhooks.adapters.dynamodb.shared_items import read_shared, shared_partition
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.delivery_log import LogKey
from webhooks.domain.errors import NewerFormError, UnavailableError
from webhooks.domain.log_looks import Look

READ_UNIT: Final = 4096  # bytes of a query, read consistently
ITEMS_OF_UNIT: Final = READ_UNIT // WRITE_UNIT  # at least: a shared item is a write unit at most
AT_ONCE: Final = 64  # units of a query at most: a delivery that is found spares the next one
LEAST_PART: Final = 8  # a look ends with less than this part of its units: small items would take many calls


@dataclass(frozen=True, slots=True)
class Found:
    """Deliveries as items of their own; `newer`: those that an item of a later release may have.

    `left`: those to go on with, each with the key of an item that the look came to. `error`: what ended it.
    """

    items: Mapping[LogKey, Item]
    newer: Mapping[LogKey, NewerFormError]
    left: Mapping[LogKey, str]
    error: UnavailableError | None = None


def look_for(table: Table, webhook_id: str, look: Look, *, units: int) -> Found:
    """Go on with a look, which reads consistently, and takes so many read units at most, one at least.

    Where the table does not answer, what was read before is kept.
    """
    partition = Partition("pk", shared_partition(webhook_id))
    found, newer, left = dict[LogKey, Item](), dict[LogKey, NewerFormError](), units
    while (stretch := look.stretch()) is not None and left * LEAST_PART >= units:
        limit = min(left, AT_ONCE) * ITEMS_OF_UNIT
        positions = Positions(*stretch)
        try:
            items = list(islice(read(table, partition, positions, limit=limit, descending=False), limit))
        except UnavailableError as error:
            return Found(found, newer, look.left(), error)
        left -= max(1, -(-sum(map(item_size, items)) // READ_UNIT))
        wanted = look.open
        for item in items:
            try:
                shared = read_shared(item)
            except NewerFormError as error:
                touched = look.touched(item["sk"]["S"]) - found.keys()
                newer |= dict.fromkeys(touched, error)
                continue
            found |= shared.items_of(wanted) if shared else {}
        look.end(found.keys() | newer.keys())
        look.came_to(items[-1]["sk"]["S"] if len(items) == limit else stretch[1])
    return Found(found, newer, look.left())
