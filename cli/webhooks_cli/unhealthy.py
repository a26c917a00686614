"""How many webhooks of each community are not healthy; for operators, from the table's index."""

from collections import Counter
from collections.abc import Iterator

from webhooks_cli.aws import Account, aws_errors

INDEX, LIST_PK, LIST_SK = "lists", "listPk", "listSk"
SHARDS = 16  # partitions of the index's list
SHARD_MAX = 1_000  # webhooks that are counted of each

Unhealthy = Counter[tuple[str, str]]  # by tenant and community


def unhealthy_pk(shard: int) -> str:
    """Return a partition of the list of webhooks that are not healthy."""
    return f"UNHEALTHY#{shard:02d}"


def unhealthy_webhooks(account: Account) -> tuple[Unhealthy, bool]:
    """Count them, and tell whether all were counted. Raises CliError."""
    table = account.find("subscriptionsTable")
    found: Unhealthy = Counter()
    is_whole = True
    for shard in range(SHARDS):
        keys = list(_keys(account, table, unhealthy_pk(shard)))
        is_whole = is_whole and len(keys) < SHARD_MAX
        found.update((key.split("#")[0], key.split("#")[1]) for key in keys)
    return found, is_whole


def _keys(account: Account, table: str, partition: str) -> Iterator[str]:
    """Yield the sort keys of one partition, as `tenant#community#webhook`."""
    with aws_errors("dynamodb Query"):
        page = account.dynamodb.query(
            TableName=table,
            IndexName=INDEX,
            KeyConditionExpression=f"{LIST_PK} = :pk",
            ExpressionAttributeValues={":pk": {"S": partition}},
            Limit=SHARD_MAX,
        )
    for item in page["Items"]:
        yield item[LIST_SK]["S"]
