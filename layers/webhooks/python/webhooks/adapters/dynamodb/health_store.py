"""The health of endpoints, on their webhooks' items: read with the webhook, it costs no call.

Webhooks that are not healthy are in a sparse index, by their communities: a healthy one has no entry. An
entry may stay a little longer than the state lasts; readers look at the webhook itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError

from webhooks.adapters.aws.errors import error_code, unavailable
from webhooks.adapters.dynamodb.health_items import VERSION, health_attributes
from webhooks.adapters.dynamodb.items import Item, key
from webhooks.adapters.dynamodb.keys import community_pk, webhook_sk
from webhooks.adapters.dynamodb.table import Table, call
from webhooks.domain.errors import StaleError
from webhooks.domain.health import Health, State
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook, sequence_of

LISTS = "lists"  # the index: sparse, by `listPk` and `listSk`
LIST_PK, LIST_SK = "listPk", "listSk"
SHARDS = 16  # of all communities' unhealthy webhooks: a partition takes 1,000 writes a second


class DynamoHealthStore:
    """Writes to webhooks' items of the subscriptions table; leaves the tenant's own attributes alone."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def save(self, webhook: Webhook, health: Health) -> None:
        """Write a health of the next version. Raises StaleError, UnavailableError."""
        sequence = sequence_of(webhook.id)
        if sequence is None:
            raise StaleError
        after = replace(webhook, health=replace(health, version=webhook.health.version + 1))
        attributes = {**health_attributes(after.health), **list_attributes(after)}
        written = {name: value for name, value in attributes.items() if value is not None}
        removed = [name for name, value in attributes.items() if value is None]
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in written)
        if removed:
            update += " REMOVE " + ", ".join(f"#{name}" for name in removed)
        condition = "webhookId = :id AND #revision = :revision AND "
        values: Item = {":id": {"S": webhook.id}, ":revision": {"N": str(webhook.revision)}}
        if webhook.health.version:
            condition += f"#{VERSION} = :before"
            values[":before"] = {"N": str(webhook.health.version)}
        else:
            condition += f"attribute_not_exists(#{VERSION})"
        request: dict[str, Any] = {
            "TableName": self._table.name,
            "Key": key(community_pk(webhook.scope), webhook_sk(sequence)),
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {f"#{name}": name for name in (*attributes, "revision")},
            "ExpressionAttributeValues": values | {f":{name}": value for name, value in written.items()},
        }
        with unavailable("dynamodb UpdateItem"):
            try:
                self._table.aws.dynamodb.update_item(**request)
            except ClientError as error:
                if error_code(error) == "ConditionalCheckFailedException":
                    raise StaleError from None
                raise

    def unhealthy(self, scope: Scope, *, after: str | None, size: int) -> Sequence[str]:
        """Return ids of a community's webhooks that may be in another state than healthy, in their order."""
        prefix = f"{scope.tenant_id}#{scope.community_id}#"
        request: dict[str, Any] = {
            "KeyConditionExpression": f"{LIST_PK} = :pk AND {LIST_SK} BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":pk": {"S": unhealthy_pk(scope)},
                ":first": {"S": f"{prefix}{after}~" if after else prefix},
                ":last": {"S": f"{prefix}~"},
            },
            "Limit": size,
        }
        items = call(self._table.aws, "query", TableName=self._table.name, IndexName=LISTS, **request)[
            "Items"
        ]
        return [item[LIST_SK]["S"].rpartition("#")[2] for item in items]

    def all_unhealthy(self) -> Iterator[tuple[Scope, str]]:
        """Return those of all communities."""
        for shard in range(SHARDS):
            request: dict[str, Any] = {
                "TableName": self._table.name,
                "IndexName": LISTS,
                "KeyConditionExpression": f"{LIST_PK} = :pk",
                "ExpressionAttributeValues": {":pk": {"S": _shard_pk(shard)}},
            }
            while True:
                response = call(self._table.aws, "query", **request)
                for item in response["Items"]:
                    tenant_id, community_id, webhook_id = item[LIST_SK]["S"].split("#")
                    yield Scope(tenant_id, community_id), webhook_id
                if "LastEvaluatedKey" not in response:
                    break
                request["ExclusiveStartKey"] = response["LastEvaluatedKey"]


def list_attributes(webhook: Webhook) -> dict[str, Item | None]:
    """Return the index's attributes of a webhook, None for those of a healthy one."""
    if webhook.states == (State.HEALTHY,) and webhook.health.backlog_since is None:
        return {LIST_PK: None, LIST_SK: None}
    scope = webhook.scope
    return {
        LIST_PK: {"S": unhealthy_pk(scope)},
        LIST_SK: {"S": f"{scope.tenant_id}#{scope.community_id}#{webhook.id}"},
    }


def unhealthy_pk(scope: Scope) -> str:
    """Return the index's partition of a community's webhooks."""
    text = f"{scope.tenant_id}#{scope.community_id}"
    return _shard_pk(sha256(text.encode()).digest()[0] % SHARDS)


def _shard_pk(shard: int) -> str:
    return f"UNHEALTHY#{shard:02d}"
