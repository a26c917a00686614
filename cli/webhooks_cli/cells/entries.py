"""The entries of the directory: cells, tenants and their moves, as values and as items of its table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TENANT_PREFIX = "TENANT#"

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """A stack of this service; `region` is the one that it is deployed in."""

    name: str
    stack: str
    region: str
    api_url: str
    events_queue_url: str

    def document(self) -> dict[str, Any]:
        return {
            "cell": self.name,
            "stack": self.stack,
            "region": self.region,
            "apiUrl": self.api_url,
            "eventsQueueUrl": self.events_queue_url,
        }


@dataclass(frozen=True, slots=True)
class Move:
    """A move that has begun. `step`: the last one that is done; `times`: when each was, in epoch seconds."""

    id: str
    source: str
    target: str
    step: str
    times: Mapping[str, int] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        return {"from": self.source, "to": self.target, "step": self.step, "times": dict(self.times)}


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant's entry; `is_default`: it has none of its own, and lives where the tenant `*` does."""

    id: str
    cell: str
    move: "Move | None" = None
    is_default: bool = False

    def document(self) -> dict[str, Any]:
        return {
            "tenant": self.id,
            "cell": self.cell,
            "isDefault": self.is_default,
            "move": self.move.document() if self.move else None,
        }


def cells_of(tenant: Tenant) -> set[str]:
    move = tenant.move
    return {tenant.cell, *((move.source, move.target) if move else ())}


def cell_from(item: Item) -> Cell:
    return Cell(
        item["sk"]["S"],
        stack=item["stack"]["S"],
        region=item["region"]["S"],
        api_url=item["apiUrl"]["S"],
        events_queue_url=item["eventsQueueUrl"]["S"],
    )


def tenant_from(item: Item) -> Tenant:
    move = move_from(item["move"]["M"]) if "move" in item else None
    return Tenant(item["pk"]["S"][len(TENANT_PREFIX) :], item["cell"]["S"], move)


def move_item(move: Move) -> Item:
    return {
        "id": {"S": move.id},
        "source": {"S": move.source},
        "target": {"S": move.target},
        "step": {"S": move.step},
        "times": {"M": {name: {"N": str(at)} for name, at in move.times.items()}},
    }


def move_from(item: Item) -> Move:
    times = {name: int(value["N"]) for name, value in item["times"]["M"].items()}
    return Move(item["id"]["S"], item["source"]["S"], item["target"]["S"], item["step"]["S"], times)
