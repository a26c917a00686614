"""The sparse index `lists` of the subscriptions table: communities, and webhooks that are not healthy.

Only items with both attributes are in it. Each list is spread over partitions by a hash of the community, as
one partition takes 1,000 writes a second.
"""

from hashlib import sha256

from webhooks.adapters.dynamodb.items import Item
from webhooks.domain.health import State
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook

LISTS = "lists"
LIST_PK, LIST_SK = "listPk", "listSk"
SHARDS = 16


def list_attributes(webhook: Webhook) -> dict[str, Item | None]:
    """Return the index's attributes of a webhook, None for those of a healthy one."""
    if webhook.states == (State.HEALTHY,) and webhook.health.backlog_since is None:
        return {LIST_PK: None, LIST_SK: None}
    return {
        LIST_PK: {"S": unhealthy_pk(shard_of(webhook.scope))},
        LIST_SK: {"S": f"{scope_sk(webhook.scope)}#{webhook.id}"},
    }


def head_attributes(scope: Scope) -> Item:
    """Return the index's attributes of a community's HEAD."""
    return {LIST_PK: {"S": communities_pk(shard_of(scope))}, LIST_SK: {"S": scope_sk(scope)}}


def unhealthy_pk(shard: int) -> str:
    """Return a partition of the webhooks that are not healthy."""
    return f"UNHEALTHY#{shard:02d}"


def communities_pk(shard: int) -> str:
    """Return a partition of the communities."""
    return f"COMMUNITIES#{shard:02d}"


def shard_of(scope: Scope) -> int:
    """Return the number of a community's partition in both lists."""
    return sha256(scope_sk(scope).encode()).digest()[0] % SHARDS


def scope_sk(scope: Scope) -> str:
    """Return a community's sort key; its webhooks' keys begin with it."""
    return f"{scope.tenant_id}#{scope.community_id}"


def scope_in(sk: str) -> Scope:
    """Read the community in a sort key."""
    tenant_id, community_id = sk.split("#")[:2]
    return Scope(tenant_id, community_id)
