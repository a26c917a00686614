"""The epoch: one item that counts all changes of webhooks, which fan-out reads in place of many versions.

A release before the epoch changes webhooks without counting. The item has the time of its first count: it is
relied on only when no such release can be running beside this one any more (docs/releases.md).
"""

from webhooks.adapters.dynamodb.items import Item
from webhooks.adapters.dynamodb.keys import EPOCH
from webhooks.adapters.dynamodb.table import Table, call

RELIABLE_AFTER = 4 * 3600  # seconds: the longest canary moves all traffic in 100 minutes


def next_epoch(table: Table, *, now: float) -> None:
    """Count a change. Raises UnavailableError."""
    call(
        table.aws,
        "update_item",
        TableName=table.name,
        Key=EPOCH,
        UpdateExpression="ADD #version :one SET #since = if_not_exists(#since, :now)",
        ExpressionAttributeNames={"#version": "version", "#since": "since"},
        ExpressionAttributeValues={":one": {"N": "1"}, ":now": {"N": str(int(now))}},
    )


def epoch_from(item: Item | None, *, now: float) -> int | None:
    """Read the epoch; None while it cannot be relied on."""
    if item is None or now < int(item["since"]["N"]) + RELIABLE_AFTER:
        return None
    return int(item["version"]["N"])
