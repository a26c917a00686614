"""The health of endpoints, on their webhooks' items: read with the webhook, it costs no call.

Webhooks that are not healthy are in a sparse index, by their communities: a healthy one has no entry. An
entry may stay a little longer than the state lasts; readers look at the webhook itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from webhooks.adapters.aws.errors import error_code, unavailable
from webhooks.adapters.dynamodb.health_items import health_attributes, version_condition
from webhooks.adapters.dynamodb.keys import webhook_key
from webhooks.adapters.dynamodb.lists import (
    LIST_PK,
    LIST_SK,
    LISTS,
    SHARDS,
    list_attributes,
    scope_in,
    scope_sk,
    shard_of,
    unhealthy_pk,
)
from webhooks.adapters.dynamodb.table import Table, call
from webhooks.adapters.dynamodb.updates import update_request
from webhooks.domain.errors import StaleError
from webhooks.domain.health import Health
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook, sequence_of


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
        same_health, values = version_condition(webhook.health)
        request = update_request(
            self._table.name,
            webhook_key(webhook.scope, sequence),
            attributes={**health_attributes(after.health), **list_attributes(after)},
            condition=f"#webhookId = :id AND #revision = :revision AND {same_health}",
            values={":id": {"S": webhook.id}, ":revision": {"N": str(webhook.revision)}, **values},
        )
        with unavailable("dynamodb UpdateItem"):
            try:
                self._table.aws.dynamodb.update_item(**request)
            except ClientError as error:
                if error_code(error) == "ConditionalCheckFailedException":
                    raise StaleError from None
                raise

    def unhealthy(self, scope: Scope, *, after: str | None, size: int) -> Sequence[str]:
        """Return ids of a community's webhooks that may be in another state than healthy, in their order."""
        prefix = f"{scope_sk(scope)}#"
        request: dict[str, Any] = {
            "KeyConditionExpression": f"{LIST_PK} = :pk AND {LIST_SK} BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":pk": {"S": unhealthy_pk(shard_of(scope))},
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
                "ExpressionAttributeValues": {":pk": {"S": unhealthy_pk(shard)}},
            }
            while True:
                response = call(self._table.aws, "query", **request)
                for item in response["Items"]:
                    yield scope_in(item[LIST_SK]["S"]), item[LIST_SK]["S"].rpartition("#")[2]
                if "LastEvaluatedKey" not in response:
                    break
                request["ExclusiveStartKey"] = response["LastEvaluatedKey"]
