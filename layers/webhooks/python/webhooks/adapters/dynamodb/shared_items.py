"""The items that several plain deliveries of a webhook share: of one write unit, in a partition of their own.

The sort key is the place of the newest delivery. The body is compressed, and has a column for each field: two
equal values next to each other cost next to nothing then. Ids of deliveries follow from the rest.
"""

import json
import logging
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from webhooks.adapters.dynamodb.attempt_history import storable
from webhooks.adapters.dynamodb.delivery_log_items import WRITE_UNIT, expires_at, item_key
from webhooks.adapters.dynamodb.items import Item, item_size, key, require_form
from webhooks.domain.delivery import Attempt, delivery_id
from webhooks.domain.delivery_log import LogEntry, LogKey, Outcome
from webhooks.domain.delivery_message import attempts_to_json
from webhooks.domain.forms import SHARED_ITEM
from webhooks.domain.http import PhaseTimes
from webhooks.domain.scope import Scope

BODY, COUNT = "body", "n"  # attributes
_LEVEL = 9  # of compression
_DIGITS = 8  # of the hash that tells items with the same newest delivery apart

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SharedItem:
    """A shared item as it was read: a value of each column for each delivery, from the oldest on."""

    webhook_id: str
    scope: Scope
    settled_at: int
    event_ids: Sequence[str]
    event_names: Sequence[str]
    log_times: Sequence[int]
    attempts: Sequence[Attempt]

    def items(self) -> list[Item]:
        """Return the items that the deliveries would have alone, from the oldest on."""
        return [self._item(number, self._key(number)) for number in range(len(self.attempts))]

    def place(self, number: int) -> str:
        """Return the sort key of one of those items."""
        return item_key(self._key(number))[1]

    def items_of(self, keys: Collection[LogKey]) -> dict[LogKey, Item]:
        """Return those of some deliveries; nothing is made of others, as a look may pass 100,000 of them."""
        times = {each.log_time for each in keys}
        return {
            log_key: self._item(number, log_key)
            for number, log_time in enumerate(self.log_times)
            if log_time in times and (log_key := self._key(number)) in keys
        }

    def _item(self, number: int, log_key: LogKey) -> Item:
        return key(*item_key(log_key)) | {
            "outcome": {"S": Outcome.DELIVERED.value},
            "eventId": {"S": storable(self.event_ids[number])},
            "eventName": {"S": storable(self.event_names[number])},
            "tenantId": {"S": self.scope.tenant_id},
            "communityId": {"S": self.scope.community_id},
            "settledAt": {"N": str(self.settled_at)},
            "attempts": {"S": json.dumps(attempts_to_json([self.attempts[number]]))},
        }

    def _key(self, number: int) -> LogKey:
        log_time = self.log_times[number]
        found = delivery_id(self.event_ids[number], self.webhook_id, log_time=log_time)
        return LogKey(self.webhook_id, log_time, found)


def shared_partition(webhook_id: str) -> str:
    """Return the partition of a webhook's shared items."""
    return f"S#{webhook_id}"


def shared_item(entries: Sequence[LogEntry], days: int) -> Item | None:
    """Return the item that plain entries share, which are sorted; None where it is over a write unit."""
    newest = entries[-1]
    digest = sha256("\n".join(each.key.delivery_id for each in entries).encode()).hexdigest()[:_DIGITS]
    item = key(shared_partition(newest.key.webhook_id), f"{item_key(newest.key)[1]}+{digest}") | {
        BODY: {"B": _body(entries)},
        COUNT: {"N": str(len(entries))},
        "expiresAt": {"N": str(expires_at(newest, days))},
    }
    return item if item_size(item) <= WRITE_UNIT else None


def read_shared(item: Item) -> SharedItem | None:
    """Read a shared item; None for one that cannot be read. Raises NewerFormError."""
    try:
        require_form(item, SHARED_ITEM)
        newest_at = shared_time(item)
        content = json.loads(zlib.decompress(item[BODY]["B"]))
        (tenant_id, community_id, settled_at), event_ids, *columns = content
        names, ages, begun, latencies, statuses, addresses, times = (
            each if isinstance(each, list) else [each] * len(event_ids) for each in columns
        )
        return SharedItem(
            item["pk"]["S"].removeprefix("S#"),
            Scope(tenant_id, community_id),
            settled_at,
            event_ids,
            names,
            [newest_at - age for age in ages],
            [
                Attempt(
                    settled_at - ago,
                    latency,
                    status,
                    address=address,
                    times=PhaseTimes(*phases) if phases else None,
                )
                for ago, latency, status, address, phases in zip(
                    begun, latencies, statuses, addresses, times, strict=True
                )
            ],
        )
    except (KeyError, ValueError, TypeError, zlib.error):
        logger.warning("delivery_log.corrupt", extra={"item": item["sk"]["S"]})
        return None


def shared_time(item: Item) -> int:
    """Return when the event of a shared item's newest delivery happened, in epoch ms."""
    return int(item["sk"]["S"].partition("-")[0], 16)


def _body(entries: Sequence[LogEntry]) -> bytes:
    newest = entries[-1]
    attempts = [each.delivery.attempts[0] for each in entries]
    content = [
        [newest.scope.tenant_id, newest.scope.community_id, newest.settled_at],
        [each.delivery.event_id for each in entries],
        _column([each.delivery.event_name for each in entries]),
        _column([newest.key.log_time - each.key.log_time for each in entries]),
        _column([newest.settled_at - each.at for each in attempts]),
        _column([each.latency_ms for each in attempts]),
        _column([each.status for each in attempts]),
        _column([each.address for each in attempts]),
        [each.times for each in attempts],
    ]
    return zlib.compress(json.dumps(content, separators=(",", ":")).encode(), _LEVEL)


def _column(values: Sequence[Any]) -> Any:
    """Return a column's values, or the one that all of them are."""
    return values[0] if all(each == values[0] for each in values) else values
