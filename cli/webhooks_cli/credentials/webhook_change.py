"""One change of a webhook's item by the command, which every function sees as a change by its tenant."""

from typing import Any

from webhooks_cli.aws import Account
from webhooks_cli.backup.aws_calls import Calls
from webhooks_cli.backup.epoch import next_epoch
from webhooks_cli.backup.webhook_items import HEAD, Item
from webhooks_cli.credentials.forms import credential_update

LOST = ("TransactionCanceledException", "TransactionConflictException", "TransactionInProgressException")


class WebhookChanges:
    """Changes webhooks of a table, each with its community's version."""

    def __init__(self, account: Account, table: str, calls: Calls) -> None:
        self._dynamodb = account.dynamodb
        self._table = table
        self._calls = calls

    def give_credential(self, before: Item, after: Item) -> bool:
        """Give a webhook another credential; return whether it was as before, and is changed."""
        revision = {"N": str(int(before["revision"]["N"]) + 1)}
        webhook: Any = {
            "TableName": self._table,
            "Key": {"pk": before["pk"], "sk": before["sk"]},
            **credential_update(before, after, revision=revision),
        }
        done = self._calls.call(
            "dynamodb TransactWriteItems",
            self._dynamodb.transact_write_items,
            LOST,
            TransactItems=[{"Update": webhook}, self._next_version(before["pk"])],
        )
        if done is not None:
            next_epoch(self._calls, self._dynamodb, self._table)
        return done is not None

    def _next_version(self, pk: Item) -> Any:
        """Return the action that raises a community's version: caches of its webhooks end with it."""
        return {
            "Update": {
                "TableName": self._table,
                "Key": {"pk": pk, "sk": {"S": HEAD}},
                "UpdateExpression": "ADD #version :one",
                "ConditionExpression": "attribute_exists(pk)",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": {":one": {"N": "1"}},
            }
        }
