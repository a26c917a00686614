"""The indexes of template.yaml's tables, and the billed units of keeping them."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.aws_stub.item_size import WRITE_UNIT, item_bytes, units
from webhooks.adapters.dynamodb.items import Item


@dataclass(frozen=True, slots=True)
class Index:
    """A sparse index: its keys, and the attributes that it has beside its keys and the table's."""

    partition: str
    sort: str
    attributes: tuple[str, ...] = ()

    def line(self, item: Item | None) -> Item | None:
        """Return an item's line; None for one that lacks a key."""
        if item is None or self.partition not in item or self.sort not in item:
            return None
        names = ("pk", "sk", self.partition, self.sort, *self.attributes)
        return {name: item[name] for name in names if name in item}


INDEXES: Mapping[str, Mapping[str, Index]] = {
    "deliveries": {
        "webhookUndelivered": Index("undeliveredOf", "sk", ("payload", "eventName")),
        "communityUndelivered": Index("undeliveredIn", "sk", ("payload", "eventName")),
    },
    "subscriptions": {"lists": Index("listPk", "listSk")},
}


def index_units(before: Item | None, after: Item | None, index: Index) -> int:
    """Return the units of a change from one line of an index to another.

    Source: "Provisioned throughput considerations for global secondary indexes" in DynamoDB's developer guide.
    """
    if before == after:
        return 0
    keys = (index.partition, index.sort)
    if before and after and any(before[name] != after[name] for name in keys):
        return _units(before) + _units(after)
    return max(_units(before) if before else 0, _units(after) if after else 0)


def _units(line: Item) -> int:
    return units(item_bytes(line), WRITE_UNIT)
