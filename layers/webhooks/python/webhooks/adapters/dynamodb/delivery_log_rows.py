"""The delivery log's partitions that a query is about, and the requests that read and count their rows.

A row is an item, or an index's line of it, which has its key, its event's name and whether a payload is kept.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, Final

from webhooks.adapters.dynamodb.delivery_log_items import IN, OF, RECOVERABLE
from webhooks.adapters.dynamodb.items import Item
from webhooks.adapters.dynamodb.log_partitions import (
    SHARDS,
    log_partitions,
    shards_of,
    undelivered_in,
    undelivered_of,
)
from webhooks.adapters.dynamodb.table import Table, call
from webhooks.domain.delivery_log import UNDELIVERED, LogKey, LogQuery, Outcome

OF_INDEX, IN_INDEX = "webhookUndelivered", "communityUndelivered"
MORE_ROWS = 250  # of a further read of a partition that is not in shards
_HASH: Final = 32  # hexadecimal digits, behind the 12 of the time
_LAST: Final = 16**44 - 1


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition of the table, or of the index whose partition key is `attribute`.

    `shards`: how many partitions its kind of deliveries is in, in equal parts.
    """

    attribute: str
    value: str
    index: str | None = None
    shards: int = 1


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
            Partition(IN, undelivered_in(query.scope, each, shard), IN_INDEX, SHARDS)
            for each in wanted
            if each in UNDELIVERED
            for shard in range(SHARDS)
        ]
    match query.outcome:
        case Outcome.DEAD if query.is_recoverable:
            states: Sequence[str] = (RECOVERABLE,)
        case Outcome.DEAD:
            states = (Outcome.DEAD.value, RECOVERABLE)
        case Outcome.RETRYING | Outcome.HELD:
            states = (query.outcome.value,)
        case _:
            of_webhook = log_partitions(query.webhook_id)
            return [Partition("pk", each, shards=len(of_webhook)) for each in of_webhook]
    return _undelivered(query.webhook_id, states)


def backlog_of(webhook_id: str) -> Sequence[Partition]:
    """Return the partitions of a webhook's held and recoverable deliveries."""
    return _undelivered(webhook_id, (Outcome.HELD.value, RECOVERABLE))


def _undelivered(webhook_id: str, states: Sequence[str]) -> Sequence[Partition]:
    shards = shards_of(webhook_id)
    return [
        Partition(OF, undelivered_of(webhook_id, state, shard), OF_INDEX, shards)
        for state in states
        for shard in range(shards)
    ]


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
    rest: int | None = None,
    attributes: str | None = None,
) -> Iterator[Item]:
    """Read the items of a partition.

    `limit`, `more`, `rest`: how many the first, the second and the further reads take; these as the second.
    """
    request = _request(table, partition, wanted) | {"ScanIndexForward": not descending, "Limit": limit}
    if attributes:
        request["ProjectionExpression"] = attributes
    second = max(limit, more)
    for following in chain((second,), repeat(rest or second)):
        response = call(table.aws, "query", **request)
        yield from response["Items"]
        if not response.get("LastEvaluatedKey"):
            return
        request |= {"ExclusiveStartKey": response["LastEvaluatedKey"], "Limit": following}


def _number(log_key: LogKey) -> int:
    return int(log_key.delivery_id.partition("-")[2].replace("-", ""), 16)


def _sort_key(number: int) -> str:
    text = f"{number:044x}"
    return f"{text[:-_HASH]}-{text[-_HASH:]}"
