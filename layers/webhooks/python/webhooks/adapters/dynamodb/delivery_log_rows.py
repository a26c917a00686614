"""The delivery log's partitions, and their rows in the order of the deliveries' events.

A row is an item, or an index's line of it, which has its key, its event's name and whether a payload is kept.
For a delivery that has a shared item alone it is the item that it would have otherwise.
"""

import heapq
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from webhooks.adapters.dynamodb.delivery_log_items import (
    IN,
    OF,
    RECOVERABLE,
    partition,
    undelivered_in,
    undelivered_of,
)
from webhooks.adapters.dynamodb.items import Item
from webhooks.adapters.dynamodb.table import Table, call
from webhooks.domain.delivery_log import UNDELIVERED, LogKey, LogQuery, Outcome

OF_INDEX, IN_INDEX = "webhookUndelivered", "communityUndelivered"
MORE_ROWS = 250  # of a further read of a partition
_HASH: Final = 32  # hexadecimal digits, behind the 12 of the time
_LAST: Final = 16**44 - 1
_POSITION: Final = re.compile(r"[0-9a-f]{12}-[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition of the table, or of the index whose partition key is `attribute`."""

    attribute: str
    value: str
    index: str | None = None


@dataclass(frozen=True, slots=True)
class Positions:
    """The sort keys to read, both included."""

    first: str
    last: str

    @property
    def is_empty(self) -> bool:
        """Tell whether there are none."""
        return self.first > self.last


@dataclass(frozen=True, slots=True)
class Filter:
    """A text that an attribute of a row must have; None: it must not have the attribute."""

    attribute: str
    text: str | None

    def fits(self, row: Item) -> bool:
        """Tell whether a row has it."""
        return row.get(self.attribute) == (None if self.text is None else {"S": self.text})


NOWHERE: Final = Positions("1", "0")
NO_PAYLOAD: Final = Filter("payload", None)


def partitions_of(query: LogQuery) -> Sequence[Partition]:
    """Return the partitions that have a query's deliveries, and others of them only where it is filtered."""
    if query.webhook_id is None:
        wanted = (query.outcome,) if query.outcome else UNDELIVERED
        return [
            Partition(IN, undelivered_in(query.scope, each), IN_INDEX)
            for each in wanted
            if each in UNDELIVERED
        ]
    match query.outcome:
        case Outcome.DEAD if query.is_recoverable:
            states: Sequence[str] = (RECOVERABLE,)
        case Outcome.DEAD:
            states = (Outcome.DEAD.value, RECOVERABLE)
        case Outcome.RETRYING | Outcome.HELD:
            states = (query.outcome.value,)
        case _:
            return [Partition("pk", partition(query.webhook_id))]
    return [Partition(OF, undelivered_of(query.webhook_id, state), OF_INDEX) for state in states]


def backlog_of(webhook_id: str) -> Sequence[Partition]:
    """Return the partitions of a webhook's held and recoverable deliveries."""
    states = (Outcome.HELD.value, RECOVERABLE)
    return [Partition(OF, undelivered_of(webhook_id, state), OF_INDEX) for state in states]


def positions(
    since: int, until: int, *, above: LogKey | None = None, below: LogKey | None = None
) -> Positions:
    """Return the sort keys of deliveries whose events happened in a time (epoch ms), both ends included.

    `above`, `below`: only those that sort behind or before another delivery.
    """
    first, last = since << 4 * _HASH, ((until + 1) << 4 * _HASH) - 1
    if above is not None:
        first = max(first, _number(above) + 1)
    if below is not None:
        last = min(last, _number(below) - 1)
    return Positions(_sort_key(max(0, first)), _sort_key(min(last, _LAST))) if first <= last else NOWHERE


def rows(
    table: Table,
    partitions: Sequence[Partition],
    wanted: Positions,
    *,
    limit: int,
    descending: bool,
    shared: Iterable[Item] | None = None,
    more: int = MORE_ROWS,
    attributes: str | None = None,
) -> Iterator[Item]:
    """Read the partitions' rows, merged with `shared`; `limit`, `more`, `attributes`: of each, as in `read`.

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
                limit=limit,
                descending=descending,
                more=more,
                attributes=attributes,
            )
        )
        for partition in partitions
    ]
    found = heapq.merge(*each, shared or (), key=lambda row: str(row["sk"]["S"]), reverse=descending)
    if shared is None:
        yield from found
        return
    before = ""
    for row in found:
        if row["sk"]["S"] != before:
            yield row
        before = row["sk"]["S"]


def count_request(
    table: Table, partition: Partition, wanted: Positions, filters: Sequence[Filter]
) -> dict[str, Any]:
    """Return the request that counts a partition's rows, and those that fit all filters."""
    request = _request(table, partition, wanted) | {"Select": "COUNT"}
    conditions = []
    for number, each in enumerate(filters):
        if each.text is None:
            conditions.append(f"attribute_not_exists({each.attribute})")
        else:
            conditions.append(f"{each.attribute} = :text{number}")
            request["ExpressionAttributeValues"][f":text{number}"] = {"S": each.text}
    return request | {"FilterExpression": " AND ".join(conditions)}


def _request(table: Table, partition: Partition, wanted: Positions) -> dict[str, Any]:
    """Return the request for a partition's rows: consistent, but for an index, which cannot be."""
    return {
        "TableName": table.name,
        **({"IndexName": partition.index} if partition.index else {"ConsistentRead": True}),
        "KeyConditionExpression": f"{partition.attribute} = :pk AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {
            ":pk": {"S": partition.value},
            ":first": {"S": wanted.first},
            ":last": {"S": wanted.last},
        },
    }


def read(
    table: Table,
    partition: Partition,
    wanted: Positions,
    *,
    limit: int,
    descending: bool,
    more: int = MORE_ROWS,
    attributes: str | None = None,
) -> Iterator[Item]:
    """Read the items of a partition; `limit`, `more`: how many the first and the further reads take."""
    request = _request(table, partition, wanted) | {"ScanIndexForward": not descending, "Limit": limit}
    if attributes:
        request["ProjectionExpression"] = attributes
    while True:
        response = call(table.aws, "query", **request)
        yield from response["Items"]
        if not response.get("LastEvaluatedKey"):
            return
        request |= {"ExclusiveStartKey": response["LastEvaluatedKey"], "Limit": max(limit, more)}


def _own(items: Iterable[Item]) -> Iterator[Item]:
    """Leave out items of an earlier release, whose keys have another form: they have no id, and expire."""
    return (item for item in items if _POSITION.fullmatch(item["sk"]["S"]))


def _number(log_key: LogKey) -> int:
    return int(log_key.delivery_id.partition("-")[2].replace("-", ""), 16)


def _sort_key(number: int) -> str:
    text = f"{number:044x}"
    return f"{text[:-_HASH]}-{text[-_HASH:]}"
