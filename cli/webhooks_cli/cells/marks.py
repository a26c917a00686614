"""Marks that stop changes of a tenant's webhooks in a cell: the API refuses them, and goes on reading.

These are copies of the service's rules (`webhooks.adapters.dynamodb.tenant_moves`). The tenant's own mark
comes first: a community that begins after it is refused, and each one that began before is found.
"""

from collections.abc import Iterator

from webhooks_cli.backup.webhook_items import COMMUNITY, HEAD, WEBHOOK, Item
from webhooks_cli.cells.opened import Opened

MOVING = "moving"  # an attribute of HEAD


def mark_key(tenant_id: str) -> Item:
    return {"pk": {"S": f"MOVING#{tenant_id}"}, "sk": {"S": "MOVING"}}


def communities(cell: Opened, tenant_id: str) -> list[str]:
    """Return the partitions of a tenant's communities; a copy that was cut off may have no HEAD yet."""
    return sorted(set(_partitions(cell, tenant_id, "(sk = :head OR begins_with(sk, :webhook))", head=HEAD)))


def webhook_count(cell: Opened, tenant_id: str) -> int:
    """Return how many webhooks a tenant has in a cell."""
    return sum(1 for _ in _partitions(cell, tenant_id, "begins_with(sk, :webhook)"))


def _partitions(cell: Opened, tenant_id: str, condition: str, **values: str) -> Iterator[str]:
    """Yield the partition of each item of a tenant that fits; `:webhook` begins the keys of webhooks."""
    values |= {"prefix": f"{COMMUNITY}{tenant_id}#", "webhook": WEBHOOK}
    items = cell.calls.pages(
        "dynamodb Scan", cell.account.dynamodb.scan,
        TableName=cell.resources.subscriptions,
        ConsistentRead=True,
        FilterExpression=f"begins_with(pk, :prefix) AND {condition}",
        ExpressionAttributeValues={f":{name}": {"S": value} for name, value in values.items()},
        ProjectionExpression="pk",
    )  # fmt: skip
    return (item["pk"]["S"] for item in items)


def mark(cell: Opened, tenant_id: str, to: str) -> None:
    """Stop changes; a version that is raised with the mark fails those that have read HEAD."""
    table = cell.resources.subscriptions
    cell.calls.write(cell.account.dynamodb, table, [{**mark_key(tenant_id), "cell": {"S": to}}])
    for pk in communities(cell, tenant_id):
        cell.update(
            table,
            _head(pk),
            f"ADD #version :one SET #{MOVING} = :to",
            f"attribute_exists(#pk) AND attribute_not_exists(#{MOVING})",
            one={"N": "1"},
            to={"S": to},
        )


def unmark(cell: Opened, tenant_id: str) -> None:
    """Let changes be made again."""
    table = cell.resources.subscriptions
    for pk in communities(cell, tenant_id):
        cell.update(
            table,
            _head(pk),
            f"ADD #version :one REMOVE #{MOVING}",
            f"attribute_exists(#{MOVING})",
            one={"N": "1"},
        )
    cell.calls.write(cell.account.dynamodb, table, [], [mark_key(tenant_id)])


def _head(pk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": HEAD}}
