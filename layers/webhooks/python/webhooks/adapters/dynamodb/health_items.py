"""A webhook's health as attributes of its item, beside its tenant's own.

An item without an attribute has its default: a healthy webhook has none of them, but the history.
"""

import json

from webhooks.adapters.dynamodb.items import Item
from webhooks.domain.health import HEALTHY, Health, State, StateChange
from webhooks.domain.json_text import write_json
from webhooks.domain.text import camel_case

NUMBERS = (
    "slow_since",
    "failing_since",
    "held_since",
    "backlog_since",
    "failures",
    "failures_since",
    "probe_at",
    "probe_delay",
    "recovery_at",
)
VERSION = "healthVersion"
CHANGES = "stateChanges"
RECOVERY = "recovery"


def health_attributes(health: Health) -> dict[str, Item | None]:
    """Return each attribute of a health, None for one that the item does not have."""
    attributes: dict[str, Item | None] = {}
    for name in NUMBERS:
        value = getattr(health, name)
        attributes[camel_case(name)] = {"N": str(value)} if value else None
    changes = [[each.at, each.state.value, each.reason] for each in health.changes]
    return attributes | {
        RECOVERY: {"S": health.recovery} if health.recovery else None,
        CHANGES: {"S": write_json(changes)} if changes else None,
        VERSION: {"N": str(health.version)} if health.version else None,
    }


def health_from(item: Item) -> Health:
    """Read the health of a webhook's item. Raises KeyError, TypeError, ValueError."""
    if VERSION not in item:
        return HEALTHY
    numbers = {name: int(item[stored]["N"]) for name in NUMBERS if (stored := camel_case(name)) in item}
    changes = json.loads(item[CHANGES]["S"]) if CHANGES in item else ()
    return Health(
        **numbers,
        recovery=item[RECOVERY]["S"] if RECOVERY in item else None,
        changes=tuple(StateChange(int(at), State(state), str(reason)) for at, state, reason in changes),
        version=int(item[VERSION]["N"]),
    )


def version_condition(health: Health) -> tuple[str, Item]:
    """Return the condition that an item has this health's version, and the condition's values."""
    if not health.version:
        return f"attribute_not_exists(#{VERSION})", {}
    return f"#{VERSION} = :healthBefore", {":healthBefore": {"N": str(health.version)}}
