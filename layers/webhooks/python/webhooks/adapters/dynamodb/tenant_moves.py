"""Tenants that move to another cell: changes of their webhooks are refused, at no cost for others.

The operator's command marks the HEAD of each community of the tenant, which every change writes anyway, and
raises its version; one item of the tenant stands for communities that do not exist yet. The service's own
changes (of a webhook whose endpoint is gone, say) go on: they have no idempotency record, and the other cell
makes them too.
"""

from typing import Any

from webhooks.adapters.dynamodb.items import Item, key
from webhooks.domain.scope import Scope

MOVING = "moving"  # an attribute of HEAD
UNMARKED = f"attribute_not_exists({MOVING})"


def mark_key(tenant_id: str) -> Item:
    """Return the key of the item that a moving tenant has."""
    return key(f"MOVING#{tenant_id}", "MOVING")


def new_community_check(table: str, scope: Scope) -> dict[str, Any]:
    """Return the action that lets a community begin only where its tenant does not move."""
    return {
        "ConditionCheck": {
            "TableName": table,
            "Key": mark_key(scope.tenant_id),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    }
