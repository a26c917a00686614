"""The mark of a slow endpoint, on its webhook's item: it is read with the webhook and costs no call."""

from typing import Any

from botocore.exceptions import ClientError

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import error_code, unavailable
from webhooks.adapters.dynamodb.items import key
from webhooks.adapters.dynamodb.keys import community_pk, webhook_sk
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import sequence_of


class DynamoSlowMarks:
    """Marks items of the subscriptions table; leaves the tenant's own attributes alone."""

    def __init__(self, aws: AwsClients, table_name: str) -> None:
        self._aws = aws
        self._table_name = table_name

    def mark(self, scope: Scope, webhook_id: str, *, slow_since: int | None) -> None:
        """Write since when it is slow, in epoch seconds, or None: quick. A webhook that is gone is fine."""
        sequence = sequence_of(webhook_id)
        if sequence is None:
            return
        request: dict[str, Any] = {
            "TableName": self._table_name,
            "Key": key(community_pk(scope), webhook_sk(sequence)),
            "UpdateExpression": "REMOVE slowSince",
            "ConditionExpression": "webhookId = :id",
            "ExpressionAttributeValues": {":id": {"S": webhook_id}},
        }
        if slow_since is not None:
            request["UpdateExpression"] = "SET slowSince = :since"
            request["ExpressionAttributeValues"][":since"] = {"N": str(slow_since)}
        with unavailable("dynamodb UpdateItem"):
            try:
                self._aws.dynamodb.update_item(**request)
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
