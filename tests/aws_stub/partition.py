"""The items of a DynamoDB partition, in the order of their sort keys."""

import json
from base64 import b64encode
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.aws_stub.item_size import item_bytes
from webhooks.adapters.dynamodb.items import Item


@dataclass(slots=True)
class Partition:
    """Items by sort key, each as JSON with its size in bytes."""

    keys: list[str] = field(default_factory=list)
    items: dict[str, tuple[str, int]] = field(default_factory=dict)

    def put(self, sk: str, item: Item) -> int:
        """Store an item; return its size."""
        if sk not in self.items:
            insort(self.keys, sk)
        size = item_bytes(item)
        self.items[sk] = json.dumps(item, default=lambda raw: b64encode(raw).decode()), size
        return size

    def remove(self, sk: str) -> None:
        del self.items[sk], self.keys[bisect_left(self.keys, sk)]

    def between(self, low: str, high: str, *, after: str | None, forward: bool) -> Iterable[str]:
        first, end = bisect_left(self.keys, low), bisect_right(self.keys, high)
        if after is not None and forward:
            first = max(first, bisect_right(self.keys, after))
        elif after is not None:
            end = min(end, bisect_left(self.keys, after))
        positions = range(first, end)
        return (self.keys[each] for each in (positions if forward else reversed(positions)))
