"""Writing to a DynamoDB table in batches, each of them as often as items of it are left unprocessed."""

import logging
from collections.abc import Iterable
from itertools import batched
from typing import Any

from webhooks.adapters.aws.backoff import Backoff
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import unavailable
from webhooks.adapters.dynamodb.items import Item
from webhooks.domain.errors import UnavailableError

BATCH = 25  # BatchWriteItem's limit
TRIES = 5

type ItemId = tuple[str, str]  # partition and sort key

logger = logging.getLogger(__name__)


def put(item: Item) -> Item:
    """Return the request that writes an item."""
    return {"PutRequest": {"Item": item}}


def delete(item_key: Item) -> Item:
    """Return the request that deletes an item."""
    return {"DeleteRequest": {"Key": item_key}}


def write_all(aws: AwsClients, table: str, requests: Iterable[Item], *, backoff: Backoff) -> set[ItemId]:
    """Write and delete items that differ from each other; return those that were not written.

    A call that fails fails its own items only.
    """
    left: set[ItemId] = set()
    for chunk in batched(requests, BATCH, strict=False):
        left |= _write(aws, table, list(chunk), backoff=backoff)
    return left


def _write(aws: AwsClients, table: str, left: list[Any], *, backoff: Backoff) -> set[ItemId]:
    for tries in range(TRIES):
        try:
            with unavailable("dynamodb BatchWriteItem"):
                response = aws.dynamodb.batch_write_item(RequestItems={table: left})
        except UnavailableError as error:
            logger.warning("delivery_log.refused", extra={"reason": str(error), "items": len(left)})
            break
        left = response.get("UnprocessedItems", {}).get(table, [])
        if not left:
            break
        backoff.wait(tries)
    return set(map(_item_id, left))


def _item_id(request: Item) -> ItemId:
    written = request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"]
    return written["pk"]["S"], written["sk"]["S"]
