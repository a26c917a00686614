"""The communities of a deployment, from the index of the heads."""

from collections.abc import Sequence

from webhooks.adapters.dynamodb.lists import (
    LIST_PK,
    LIST_SK,
    LISTS,
    SHARDS,
    communities_pk,
    scope_in,
    scope_sk,
    shard_of,
)
from webhooks.adapters.dynamodb.table import Table, call
from webhooks.domain.scope import Scope


class DynamoCommunities:
    """Reads the index `lists` of the subscriptions table, one partition after another."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def page(self, *, after: Scope | None, size: int) -> Sequence[Scope]:
        """Return a page of them, in their order: at most one query for each partition.

        A community of an earlier release is missing until its next change.
        """
        found: list[Scope] = []
        first = shard_of(after) if after else 0
        for shard in range(first, SHARDS):
            last = scope_sk(after) if after and shard == first else ""
            found += self._partition(shard, last, size=size - len(found))
            if len(found) == size:
                break
        return found

    def _partition(self, shard: int, last: str, *, size: int) -> list[Scope]:
        condition, values = f"{LIST_PK} = :pk", {":pk": {"S": communities_pk(shard)}}
        if last:
            condition, values = f"{condition} AND {LIST_SK} > :last", values | {":last": {"S": last}}
        response = call(
            self._table.aws,
            "query",
            TableName=self._table.name,
            IndexName=LISTS,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            Limit=size,
        )
        return [scope_in(item[LIST_SK]["S"]) for item in response["Items"]]
