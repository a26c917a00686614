"""The directory of cells: one table with an item for each cell, and one for each tenant that was assigned.

Producers and routers read it (docs/cells.md has their code): a tenant's item names its cell, the cell's item
its addresses. The tenant `*` stands for all that have no item of their own.
"""

from typing import Any

from webhooks_cli.aws import Account
from webhooks_cli.backup.aws_calls import Calls
from webhooks_cli.cells.entries import (
    TENANT_PREFIX,
    Cell,
    Item,
    Move,
    Tenant,
    cell_from,
    cells_of,
    move_item,
    tenant_from,
)
from webhooks_cli.errors import MissingError, RefusedError
from webhooks_cli.license import ANY

CELLS, TENANT = "CELLS", "TENANT"
REFUSED = ("ConditionalCheckFailedException",)
ABSENT = ("TransactionCanceledException",)
UNMOVED = "attribute_not_exists(#move) AND (attribute_not_exists(cell) OR cell = :cell)"


class Directory:
    """The table of the directory."""

    def __init__(self, account: Account, table: str, calls: Calls) -> None:
        self._dynamodb = account.dynamodb
        self._table = table
        self._calls = calls

    def cells(self) -> list[Cell]:
        """Return all cells in the order of their names."""
        items = self._calls.pages(
            "dynamodb Query", self._dynamodb.query,
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": CELLS}},
        )  # fmt: skip
        return [cell_from(item) for item in items]

    def cell(self, name: str) -> Cell:
        """Return a cell. Raises MissingError."""
        item = self._get(CELLS, name)
        if item is None:
            raise MissingError(f"the directory has no cell {name}: `webhooks cells list` shows those it has")
        return cell_from(item)

    def put_cell(self, cell: Cell) -> None:
        """Add a cell, or change its addresses."""
        item = {
            "pk": {"S": CELLS},
            "sk": {"S": cell.name},
            "stack": {"S": cell.stack},
            "region": {"S": cell.region},
            "apiUrl": {"S": cell.api_url},
            "eventsQueueUrl": {"S": cell.events_queue_url},
        }
        self._call("PutItem", self._dynamodb.put_item, Item=item)

    def remove_cell(self, name: str) -> None:
        """Remove a cell. Raises RefusedError where a tenant is in it, or moves from or to it."""
        tenants = self.tenants(name)
        if tenants:
            named = ", ".join(each.id for each in tenants[:3])
            raise RefusedError(f"the cell {name} has {len(tenants)} tenants ({named}): move them first")
        self._call("DeleteItem", self._dynamodb.delete_item, Key=_key(CELLS, name))

    def tenants(self, cell: "str | None" = None) -> list[Tenant]:
        """Return the tenants that have an entry, or those that a cell has, gets or gives away."""
        items = self._calls.pages(
            "dynamodb Scan", self._dynamodb.scan,
            TableName=self._table,
            ConsistentRead=True,
            FilterExpression="begins_with(pk, :prefix)",
            ExpressionAttributeValues={":prefix": {"S": TENANT_PREFIX}},
        )  # fmt: skip
        found = [tenant_from(item) for item in items]
        chosen = [each for each in found if cell is None or cell in cells_of(each)]
        return sorted(chosen, key=lambda each: each.id)

    def tenant(self, tenant_id: str) -> Tenant:
        """Return a tenant's entry, or that of all others under its id. Raises MissingError."""
        item = self._get(f"{TENANT_PREFIX}{tenant_id}", TENANT)
        if item is not None:
            return tenant_from(item)
        item = self._get(f"{TENANT_PREFIX}{ANY}", TENANT)
        if item is None:
            raise MissingError(
                f"the directory has no cell for the tenant {tenant_id}, and none for all others: "
                "`webhooks tenant assign` names one"
            )
        return Tenant(tenant_id, item["cell"]["S"], is_default=True)

    def assign(self, tenant_id: str, cell: str) -> None:
        """Give a tenant its first cell. Raises RefusedError where it has another one."""
        present = self._get(f"{TENANT_PREFIX}{tenant_id}", TENANT)
        if present and present["cell"]["S"] != cell:
            raise RefusedError(
                f"the tenant {tenant_id} is in the cell {present['cell']['S']}: `webhooks tenant move` moves "
                "it with its webhooks"
            )
        if present:
            return
        key = _key(f"{TENANT_PREFIX}{tenant_id}", TENANT)
        self._transact(
            tenant_id, cell,
            {"Put": {
                "TableName": self._table,
                "Item": {**key, "cell": {"S": cell}},
                "ConditionExpression": "attribute_not_exists(pk)",
            }},
        )  # fmt: skip

    def begin(self, tenant: Tenant, move: Move) -> None:
        """Note a move. Raises RefusedError where another one has begun, or the cell was removed."""
        self._transact(
            tenant.id, move.target,
            {"Update": {
                "TableName": self._table,
                "Key": _key(f"{TENANT_PREFIX}{tenant.id}", TENANT),
                "UpdateExpression": "SET cell = :cell, #move = :move",
                "ConditionExpression": UNMOVED,
                "ExpressionAttributeNames": {"#move": "move"},
                "ExpressionAttributeValues": {":cell": {"S": tenant.cell}, ":move": {"M": move_item(move)}},
            }},
        )  # fmt: skip

    def record(self, tenant_id: str, before: Move, after: Move, *, cell: "str | None" = None) -> None:
        """Note that a step is done; `cell`: where the tenant is from now on. Raises RefusedError."""
        values: Item = {
            ":after": {"M": move_item(after)}, ":id": {"S": before.id}, ":step": {"S": before.step}
        }  # fmt: skip
        if cell is not None:
            values[":cell"] = {"S": cell}
        self._settle(
            tenant_id, before, after,
            UpdateExpression="SET #move = :after" + (", cell = :cell" if cell is not None else ""),
            ExpressionAttributeValues=values,
        )  # fmt: skip

    def end(self, tenant_id: str, move: Move) -> None:
        """Note that a move is over."""
        self._settle(
            tenant_id, move, None,
            UpdateExpression="REMOVE #move",
            ExpressionAttributeValues={":id": {"S": move.id}, ":step": {"S": move.step}},
        )  # fmt: skip

    def _settle(self, tenant_id: str, before: Move, after: "Move | None", **update: Any) -> None:
        done = self._call(
            "UpdateItem", self._dynamodb.update_item,
            passed=REFUSED,
            Key=_key(f"{TENANT_PREFIX}{tenant_id}", TENANT),
            ConditionExpression="#move.id = :id AND #move.step = :step",
            ExpressionAttributeNames={"#move": "move"},
            **update,
        )  # fmt: skip
        if done is None and self.tenant(tenant_id).move != after:  # else its own response was lost
            raise RefusedError(
                f"the move of {tenant_id} went on elsewhere, after the step {before.step}: does another run "
                "of this command work on it? `webhooks tenant show` shows its step"
            )

    def _transact(self, tenant_id: str, cell: str, action: Item) -> None:
        """Change a tenant's entry while its cell is in the directory."""
        check = {
            "ConditionCheck": {
                "TableName": self._table,
                "Key": _key(CELLS, cell),
                "ConditionExpression": "attribute_exists(pk)",
            }
        }
        done = self._calls.call(
            "dynamodb TransactWriteItems", self._dynamodb.transact_write_items, ABSENT,
            TransactItems=[check, action],
        )  # fmt: skip
        if done is None:
            raise RefusedError(
                f"the entry of {tenant_id} was changed at the same time, or the cell {cell} was removed: "
                "look at `webhooks tenant show`, and run the command again"
            )

    def _get(self, pk: str, sk: str) -> "Item | None":
        found: Item = self._call("GetItem", self._dynamodb.get_item, Key=_key(pk, sk), ConsistentRead=True)
        item: Item | None = found.get("Item")
        return item

    def _call(self, operation: str, method: Any, passed: tuple[str, ...] = (), **request: Any) -> Any:
        return self._calls.call(f"dynamodb {operation}", method, passed, TableName=self._table, **request)


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
