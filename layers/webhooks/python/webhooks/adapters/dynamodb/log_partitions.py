"""The partitions of the delivery log: several for a webhook, and several for each state in the indexes.

A partition of DynamoDB takes 1,000 write units a second, and a delivery that is held takes one in each of
three: the webhook's log, and both indexes. The last digit of a delivery's id, which is a hash's, chooses
among SHARDS of each, so that they are equally busy, whatever the times of events are. A shard is in the name
of a partition, but for the first one, which is all that webhooks made before decision 36 have.
"""

from collections.abc import Sequence
from typing import Final

from webhooks.domain.delivery_log import Outcome
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import has_shards

SHARDS: Final = 4  # of 1,000 deliveries a second each
_OF_DIGIT: Final = {f"{number:x}": number % SHARDS for number in range(16)}
_ENDS: Final = ("", *(f"#{number}" for number in range(1, SHARDS)))


def shard_of(delivery_id: str) -> int:
    """Return the number of the shard that a delivery is in, from 0."""
    return _OF_DIGIT[delivery_id[-1]] if has_shards(delivery_id) else 0


def shards_of(webhook_id: str) -> int:
    """Return the number of shards that a webhook's deliveries are in."""
    return SHARDS if has_shards(webhook_id) else 1


def log_partition(webhook_id: str, shard: int) -> str:
    """Return a partition of a webhook's log."""
    return f"W#{webhook_id}{_ENDS[shard]}"


def log_partitions(webhook_id: str) -> Sequence[str]:
    """Return all partitions of a webhook's log."""
    return [log_partition(webhook_id, shard) for shard in range(shards_of(webhook_id))]


def webhook_id_in(pk: str) -> str:
    """Read the webhook's id in the partition key of an item of its log."""
    return pk.split("#")[1]


def undelivered_of(webhook_id: str, state: str, shard: int) -> str:
    """Return a partition of a webhook's undelivered; `state`: an outcome, or another part of them."""
    return f"{webhook_id}#{state}{_ENDS[shard]}"


def undelivered_in(scope: Scope, outcome: Outcome, shard: int) -> str:
    """Return a partition of a community's undelivered."""
    return f"{scope.tenant_id}#{scope.community_id}#{outcome.value}{_ENDS[shard]}"


def scope_in(undelivered: str) -> Scope:
    """Read the community in the name of a partition of its undelivered. Raises ValueError."""
    tenant_id, community_id, _ = undelivered.split("#", 2)
    return Scope(tenant_id, community_id)
