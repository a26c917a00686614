"""Reading a DynamoDB table: always consistently unless a name says otherwise, always to the end."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any

from webhooks.adapters.aws.backoff import Backoff
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import unavailable
from webhooks.adapters.dynamodb.items import Item, Key
from webhooks.domain.errors import UnavailableError

BATCH_KEYS = 100  # BatchGetItem's limit
TRIES = 8  # for what a batch leaves unprocessed


class Table:
    """One table."""

    def __init__(self, aws: AwsClients, name: str, *, backoff: Backoff | None = None) -> None:
        self.aws = aws
        self.name = name
        self.backoff = backoff or Backoff()

    def get(self, item_key: Key) -> Item | None:
        """Return an item as it is now."""
        with unavailable("dynamodb GetItem"):
            response = self.aws.dynamodb.get_item(TableName=self.name, Key=item_key, ConsistentRead=True)
        return response.get("Item")

    def get_eventually(self, item_key: Key) -> Item | None:
        """Return an item as it was a moment ago, at half the price."""
        with unavailable("dynamodb GetItem"):
            return self.aws.dynamodb.get_item(TableName=self.name, Key=item_key).get("Item")

    def get_many(self, keys: Iterable[Key], *, attributes: Sequence[str] = ()) -> list[Item]:
        """Return those items that exist, in any order; only the named attributes where there are any.

        The keys must differ from each other.
        """
        return [
            item
            for chunk in batched(keys, BATCH_KEYS, strict=False)
            for item in self._get_batch(chunk, attributes)
        ]

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
            with unavailable("dynamodb Query"):
                response = self.aws.dynamodb.query(**request)
            yield from response["Items"]
            if not response.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = response["LastEvaluatedKey"]

    def query_page(
        self, pk: str, *, first: str = "", last: str = "", limit: int, descending: bool = False
    ) -> tuple[list[Item], bool]:
        """Return what one Query reads of a partition, and whether it stopped before the end.

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
        with unavailable("dynamodb Query"):
            response = self.aws.dynamodb.query(**request)
        return response["Items"], bool(response.get("LastEvaluatedKey"))

    def _get_batch(self, keys: Sequence[Key], attributes: Sequence[str]) -> list[Item]:
        return get_batch(self.aws, {self.name: asked(keys, attributes)}, backoff=self.backoff)[self.name]


def asked(keys: Sequence[Key], attributes: Sequence[str] = ()) -> dict[str, Any]:
    """Return what BatchGetItem is asked of one table."""
    request: dict[str, Any] = {"Keys": list(keys), "ConsistentRead": True}
    if attributes:
        request["ProjectionExpression"] = ", ".join(f"#{name}" for name in attributes)
        request["ExpressionAttributeNames"] = {f"#{name}": name for name in attributes}
    return request


def get_batch(aws: AwsClients, request: Mapping[str, Any], *, backoff: Backoff) -> Mapping[str, list[Item]]:
    """Return the items that exist, in any order, by table.

    `request`: what is `asked` of each table, up to 100 keys in all. Raises UnavailableError.
    """
    found: dict[str, list[Item]] = defaultdict(list)
    for tries in range(TRIES):
        with unavailable("dynamodb BatchGetItem"):
            response = aws.dynamodb.batch_get_item(RequestItems=request)
        for table, items in response["Responses"].items():
            found[table] += items
        request = response.get("UnprocessedKeys", {})
        if not request:
            return found
        backoff.wait(tries)
    raise UnavailableError("dynamodb BatchGetItem: keys are left unprocessed")
