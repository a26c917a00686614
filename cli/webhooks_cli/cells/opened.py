"""A cell of the directory with its account, tables, queues and secrets."""

import re
from dataclasses import dataclass
from functools import cached_property

from webhooks_cli.aws import Account
from webhooks_cli.backup.aws_calls import Calls
from webhooks_cli.backup.epoch import next_epoch
from webhooks_cli.backup.resources import Resources, target_resources
from webhooks_cli.cells.entries import Cell, Item
from webhooks_cli.deployment import Deployment

NAMES = re.compile(r"#(\w+)")


@dataclass(frozen=True)
class Opened:
    """A cell that is read and written."""

    cell: Cell
    account: Account
    calls: Calls

    @cached_property
    def resources(self) -> Resources:
        return target_resources(self.account)

    def count_change(self) -> None:
        """Let fan-out see what was written to the table of webhooks."""
        next_epoch(self.calls, self.account.dynamodb, self.resources.subscriptions)

    def update(self, table: str, key: Item, expression: str, condition: str, **values: Item) -> bool:
        """Update an item; False where its condition did not hold. Names of attributes begin with `#`."""
        names = NAMES.findall(f"{expression} {condition}")
        named: Item = {"ExpressionAttributeNames": {f"#{name}": name for name in names}}
        if values:
            named["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
        done = self.calls.call(
            "dynamodb UpdateItem", self.account.dynamodb.update_item, ("ConditionalCheckFailedException",),
            TableName=table,
            Key=key,
            UpdateExpression=expression,
            ConditionExpression=condition,
            **named,
        )  # fmt: skip
        return done is not None


def open_cell(cell: Cell, calls: Calls) -> Opened:
    """Return a cell with its account, by its stack's outputs."""
    deployment = Deployment(origin=f"the cell {cell.name}", stack=cell.stack, region=cell.region)
    return Opened(cell, Account(deployment), calls)
