"""Reading a DynamoDB table: always consistently unless a name says otherwise, always to the end."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any

from webhooks.adapters.aws.backoff import Backoff
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import AWS_ERRORS, unavailable_error
from webhooks.adapters.dynamodb.items import Item, ItemKey
from webhooks.domain.errors import UnavailableError

BATCH_KEYS = 100  # BatchGetItem's limit
TRIES = 8  # for the keys that a batch leaves unprocessed


def call(aws: AwsClients, method: str, **request: Any) -> Any:
    """Call an operation by its method of the client. Raises UnavailableError."""
    try:
        return getattr(aws.dynamodb, method)(**request)
    except AWS_ERRORS as error:
        operation = "".join(map(str.capitalize, method.split("_")))
        raise unavailable_error(f"dynamodb {operation}", error) from None


class Table:
    """One table."""

    def __init__(self, aws: AwsClients, name: str, *, backoff: Backoff | None = None) -> None:
        self.aws = aws
        self.name = name
        self.backoff = backoff or Backoff()

    def get(self, item_key: ItemKey) -> Item | None:
        """Return an item as it is now."""
        response = call(self.aws, "get_item", TableName=self.name, Key=item_key, ConsistentRead=True)
        item: Item | None = response.get("Item")
        return item

    def get_eventually(self, item_key: ItemKey) -> Item | None:
        """Return an item, eventually consistent, at half the price."""
        item: Item | None = call(self.aws, "get_item", TableName=self.name, Key=item_key).get("Item")
        return item

    def get_many(self, keys: Iterable[ItemKey], *, attributes: Sequence[str] = ()) -> list[Item]:
        """Return those items that exist, in any order; only the named attributes where there are any.

        The keys must differ from each other.
        """
        found = get_items(
            self.aws,
            [(self.name, item_key) for item_key in keys],
            attributes={self.name: attributes},
            backoff=self.backoff,
        )
        return found[self.name]

    def query(self, pk: str, *, prefix: str = "") -> Iterator[Item]:
        """Return the items of a partition whose sort key begins with the prefix, in its order."""
        request: dict[str, Any] = {
            "TableName": self.name,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
        }
        if prefix:
            request["KeyConditionExpression"] += " AND begins_with(sk, :prefix)"
            request["ExpressionAttributeValues"][":prefix"] = {"S": prefix}
        while True:
            response = call(self.aws, "query", **request)
            yield from response["Items"]
            if not response.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = response["LastEvaluatedKey"]

    def count(self, pk: str, *, limit: int) -> int:
        """Return how many items a partition has, `limit` at most and eventually consistent."""
        response = call(
            self.aws,
            "query",
            TableName=self.name,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
            Select="COUNT",
            Limit=limit,
        )
        count: int = response["Count"]
        return count

    def query_page(
        self, pk: str, *, first: str = "", last: str = "", limit: int, descending: bool = False
    ) -> tuple[list[Item], bool]:
        """Return the items that one Query reads of a partition, and whether it stopped before the end.

        `first`, `last`: the sort keys to read, both included; both or none.
        """
        request: dict[str, Any] = {
            "TableName": self.name,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ScanIndexForward": not descending,
            "Limit": limit,
        }
        if last:
            request["KeyConditionExpression"] += " AND sk BETWEEN :first AND :last"
            request["ExpressionAttributeValues"] |= {":first": {"S": first}, ":last": {"S": last}}
        response = call(self.aws, "query", **request)
        return response["Items"], bool(response.get("LastEvaluatedKey"))


def get_items(
    aws: AwsClients,
    wanted: Sequence[tuple[str, ItemKey]],
    *,
    attributes: Mapping[str, Sequence[str]],
    backoff: Backoff,
    eventually: Collection[str] = (),
) -> Mapping[str, list[Item]]:
    """Return the items that exist, in any order, by table: one call for each 100 pairs of table and key.

    `attributes`: the named ones of a table, all where it names none. The pairs must differ from each other.
    `eventually`: the tables that are read eventually consistent, at half the price.
    """
    found: dict[str, list[Item]] = defaultdict(list)
    for chunk in batched(wanted, BATCH_KEYS, strict=False):
        request = batch_request(chunk, attributes=attributes, eventually=eventually)
        for table, items in get_batch(aws, request, backoff=backoff):
            found[table] += items
    return found


def batch_request(
    wanted: Iterable[tuple[str, ItemKey]],
    *,
    attributes: Mapping[str, Sequence[str]],
    eventually: Collection[str] = (),
) -> dict[str, Any]:
    """Return the request of BatchGetItem for up to 100 pairs of table and key, as `get_items` says."""
    request: dict[str, Any] = {}
    for table, item_key in wanted:
        asked = request.setdefault(table, {"Keys": [], "ConsistentRead": table not in eventually})
        asked["Keys"].append(item_key)
    for table, asked in request.items():
        if names := attributes.get(table):
            asked["ProjectionExpression"] = ", ".join(f"#{name}" for name in names)
            asked["ExpressionAttributeNames"] = {f"#{name}": name for name in names}
    return request


def get_batch(
    aws: AwsClients, request: Mapping[str, Any], *, backoff: Backoff
) -> Sequence[tuple[str, list[Item]]]:
    found: list[tuple[str, list[Item]]] = []
    for tries in range(TRIES):
        response = call(aws, "batch_get_item", RequestItems=request)
        found += response["Responses"].items()
        request = response.get("UnprocessedKeys", {})
        if not request:
            return found
        backoff.wait(tries)
    raise UnavailableError("dynamodb BatchGetItem: keys are left unprocessed")
