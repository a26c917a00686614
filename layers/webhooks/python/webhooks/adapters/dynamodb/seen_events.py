"""Marks of events in the deliveries table: an item for each window, with a binary set of hashes.

A mark is one write unit for all events of a batch that share a window, and `ADD` needs no read before it. An
item expires as the log's items do: after the rows that hold its events' deliveries.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from webhooks.adapters.aws.errors import error_code, unavailable
from webhooks.adapters.dynamodb.items import Item, ItemKey, key, require_form
from webhooks.adapters.dynamodb.table import BATCH_KEYS, Table, get_batch
from webhooks.domain.forms import SEEN_WINDOW
from webhooks.ports import Clock

PREFIX = "SEEN#"  # of the keys: fan-out's role reaches no others of the table
SORT_KEY = "SEEN"
HASHES = "hashes"
DAY = 86_400  # seconds


class DynamoSeenEvents:
    """Windows in the deliveries table. `days`: how long an item stays after its last mark."""

    def __init__(self, table: Table, *, days: int, clock: Clock) -> None:
        self._table = table
        self._days = days
        self._clock = clock

    def read(self, windows: Sequence[str], *, consistently: bool) -> Mapping[str, Collection[bytes]]:
        """Return the hashes of the windows that exist: one call for 100 of them."""
        found: dict[str, Collection[bytes]] = {}
        for begin in range(0, len(windows), BATCH_KEYS):
            request: dict[str, Any] = {
                self._table.name: {
                    "Keys": [window_key(each) for each in windows[begin : begin + BATCH_KEYS]],
                    "ConsistentRead": consistently,
                }
            }
            for _, items in get_batch(self._table.aws, request, backoff=self._table.backoff):
                found |= dict(map(window_from, items))
        return found

    def add(self, window: str, hashes: Sequence[bytes], *, below: int) -> Collection[bytes]:
        """Add to a window with fewer than `below` hashes; return those that it had before."""
        request: dict[str, Any] = {
            "TableName": self._table.name,
            "Key": window_key(window),
            "UpdateExpression": f"ADD {HASHES} :hashes SET expiresAt = :end",
            "ConditionExpression": f"attribute_not_exists({HASHES}) OR size({HASHES}) < :below",
            "ExpressionAttributeValues": {
                ":hashes": {"BS": list(hashes)},
                ":end": {"N": str(int(self._clock()) + self._days * DAY)},
                ":below": {"N": str(below)},
            },
            "ReturnValues": "UPDATED_OLD",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        with unavailable("dynamodb UpdateItem"):
            try:
                response = self._table.aws.dynamodb.update_item(**request)
            except ClientError as error:
                if error_code(error) == "ConditionalCheckFailedException":
                    return _hashes(_item_of(error))
                raise
        return _hashes(response.get("Attributes", {}))


def window_key(window: str) -> ItemKey:
    """Return the key of a window's item."""
    return key(f"{PREFIX}{window}", SORT_KEY)


def window_from(item: Item) -> tuple[str, frozenset[bytes]]:
    """Read a window's name and its hashes. Raises NewerFormError."""
    require_form(item, SEEN_WINDOW)
    return window_name(item), _hashes(item)


def window_name(item: Item) -> str:
    """Read the name of the window that an item or its key is of."""
    name: str = item["pk"]["S"]
    return name.removeprefix(PREFIX)


def _item_of(error: ClientError) -> Item:
    """Return the item that did not meet a condition, as the error has it."""
    response: dict[str, Any] = dict(error.response)
    item: Item = response["Item"]
    return item


def _hashes(item: Item) -> frozenset[bytes]:
    values = item.get(HASHES, {}).get("BS", ())
    return frozenset(map(bytes, values))
