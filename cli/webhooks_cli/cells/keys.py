"""The keys that cells share, so that callers and receivers notice no move: the template's three secrets."""

from typing import Any

from webhooks_cli.backup.key_secrets import TITLES, KeySecrets, state
from webhooks_cli.backup.resources import SECRETS
from webhooks_cli.backup.webhook_items import HEAD
from webhooks_cli.cells.opened import Opened
from webhooks_cli.errors import RefusedError

CURVE = "EcCurveName"


def differing_keys(one: Opened, other: Opened) -> list[str]:
    """Return the titles of the keys that two cells do not share."""
    states = [{name: state(_keys(cell).read(name)) for name in SECRETS} for cell in (one, other)]
    return [TITLES[name] for name in SECRETS if states[0][name] != states[1][name]]


def refuse_other_keys(one: Opened, other: Opened) -> None:
    """Raise RefusedError where two cells sign with different keys."""
    refuse_other_curve(one, other)
    found = differing_keys(one, other)
    if found:
        raise RefusedError(
            f"the cells {one.cell.name} and {other.cell.name} have different keys (the {', the '.join(found)}"
            "): receivers would refuse the callbacks; `webhooks cells join` copies the newer ones"
        )


def refuse_other_curve(one: Opened, other: Opened) -> None:
    curves = [cell.resources.parameters.get(CURVE) for cell in (one, other)]
    if all(curves) and curves[0] != curves[1]:
        raise RefusedError(
            f"the keys of {one.cell.name} are on the curve {curves[0]}, those of {other.cell.name} on "
            f"{curves[1]}: deploy both with the same {CURVE}"
        )


def join(cell: Opened, other: Opened) -> tuple[list[str], list[str]]:
    """Copy the keys of another cell where they are newer; return the titles of the copied and of the kept.

    Raises RefusedError where keys would end that callers or receivers know.
    """
    refuse_other_curve(cell, other)
    keys, saved = _keys(cell), {name: _keys(other).read(name) for name in SECRETS}
    foreign = [name for name in SECRETS if state(keys.read(name))["seed"] != state(saved[name])["seed"]]
    reset = [TITLES[name] for name in foreign if keys.is_of_another(name, saved[name])]
    if reset:
        raise RefusedError(
            f"the {' and the '.join(reset)} of {cell.cell.name} were reset there, and are its own: "
            "nothing was written"
        )
    if foreign and _has_webhooks(cell):
        raise RefusedError(
            f"the cell {cell.cell.name} has webhooks already, and their receivers know its own keys: join a "
            "cell before it has tenants; nothing was written"
        )
    copied = [TITLES[name] for name in SECRETS if keys.write(name, saved[name])]
    return copied, [title for title in TITLES.values() if title not in copied]


def _keys(cell: Opened) -> KeySecrets:
    return KeySecrets(cell.account, cell.resources, cell.calls)


def _has_webhooks(cell: Opened) -> bool:
    request: Any = {
        "TableName": cell.resources.subscriptions,
        "ConsistentRead": True,
        "FilterExpression": "sk = :head AND #total > :none",
        "ExpressionAttributeNames": {"#total": "total"},
        "ExpressionAttributeValues": {":head": {"S": HEAD}, ":none": {"N": "0"}},
        "ProjectionExpression": "pk",
    }
    return any(True for _ in cell.calls.pages("dynamodb Scan", cell.account.dynamodb.scan, **request))
