"""The epoch of a table of webhooks, as commands that change webhooks count in it."""

from typing import Any

from webhooks_cli.backup.aws_calls import Calls
from webhooks_cli.backup.webhook_items import EPOCH


def next_epoch(calls: Calls, dynamodb: Any, table: str) -> None:
    """Count a change, so that fan-out reads the communities' versions, where it relies on the count.

    A first count is a function's: it is relied on some hours after, when all functions count.
    """
    calls.call(
        "dynamodb UpdateItem", dynamodb.update_item, ("ConditionalCheckFailedException",),
        TableName=table,
        Key=EPOCH,
        UpdateExpression="ADD #version :one",
        ConditionExpression="attribute_exists(pk)",
        ExpressionAttributeNames={"#version": "version"},
        ExpressionAttributeValues={":one": {"N": "1"}},
    )  # fmt: skip
