"""The items of the delivery log: one for each delivery, of at most one write unit.

An undelivered one has the keys of both indexes, and its community in one of them; a delivered one has none.
"""

import json
import logging
from dataclasses import replace

from webhooks.adapters.dynamodb.attempt_history import histories, storable
from webhooks.adapters.dynamodb.items import Item, item_size, key, require_form
from webhooks.adapters.dynamodb.log_partitions import (
    log_partition,
    scope_in,
    shard_of,
    undelivered_in,
    undelivered_of,
    webhook_id_in,
)
from webhooks.domain.delivery import Delivery
from webhooks.domain.delivery_log import UNDELIVERED, LogEntry, Logged, LogKey, Mark, Outcome, log_key_of
from webhooks.domain.delivery_message import attempts_from_json
from webhooks.domain.forms import LOG_ITEM, VERSION
from webhooks.domain.scope import Scope

WRITE_UNIT = 1024  # bytes
MAX_REASON, SHORT_REASON = 128, 16  # characters
DAY = 86_400  # seconds
# The attributes that `logged_from` needs.
LOGGED = ("pk", "sk", "outcome", "attempts", "earlier", "payload", "recoverable", VERSION)
OF, IN = "undeliveredOf", "undeliveredIn"  # keys of the indexes: by webhook, by community
RECOVERABLE = "recoverable"  # dead ones that are sent once more, in a partition of their own by webhook

logger = logging.getLogger(__name__)


def entry_item(entry: LogEntry, days: int) -> Item:
    """Return a delivery's item, with as much of its attempts as one write unit holds.

    Where that is too little for the rest too, its reason and its event's id are cut off.
    """
    fixed = _fixed(entry, days)
    room = WRITE_UNIT - item_size(fixed)
    for history in histories(entry, room):
        if item_size(history) <= room:
            return fixed | history
    if entry.reason and len(entry.reason) > SHORT_REASON:
        return entry_item(replace(entry, reason=entry.reason[:SHORT_REASON]), days)
    fixed["eventId"] = {"S": _cut(fixed["eventId"]["S"], item_size(history) - room)}
    return fixed | history


def entry_from(item: Item) -> LogEntry | None:
    """Read a delivery, without its body; None for an item that cannot be read. Raises NewerFormError."""
    try:
        require_form(item, LOG_ITEM)
        log_key = key_from(item)
        if IN in item:
            scope = scope_in(item[IN]["S"])
        else:
            scope = Scope(item["tenantId"]["S"], item["communityId"]["S"])
        delivery = Delivery(
            id=log_key.delivery_id,
            event_id=item["eventId"]["S"],
            event_name=item["eventName"]["S"],
            log_time=log_key.log_time,
            body="",
            attempts=attempts_from_json(json.loads(item["attempts"]["S"])),
            earlier=_number(item, "earlier") or 0,
        )
        return LogEntry(
            log_key,
            delivery,
            scope,
            outcome=Outcome(item["outcome"]["S"]),
            settled_at=int(item["settledAt"]["N"]),
            reason=item["reason"]["S"] if "reason" in item else None,
            next_at=_number(item, "nextAt"),
            mark=Mark(item["mark"]["S"]) if "mark" in item else None,
            is_recoverable=RECOVERABLE in item,
            has_payload="payload" in item,
        )
    except (KeyError, ValueError, TypeError):
        _warn(item)
        return None


def logged_from(item: Item) -> Logged | None:
    """Read the state of a delivery; None for an item that cannot be read. Raises NewerFormError."""
    try:
        require_form(item, LOG_ITEM)
        attempts = attempts_from_json(json.loads(item["attempts"]["S"]))
        return Logged(
            Outcome(item["outcome"]["S"]),
            attempts,
            tries=(_number(item, "earlier") or 0) + len(attempts),
            is_recoverable=RECOVERABLE in item,
            has_payload="payload" in item,
        )
    except (KeyError, ValueError, TypeError):
        _warn(item)
        return None


def item_key(log_key: LogKey) -> tuple[str, str]:
    """Return an item's partition and sort key: a shard's deliveries in the order of their events."""
    webhook_id, _, position = log_key.delivery_id.partition("-")
    return log_partition(webhook_id, shard_of(log_key.delivery_id)), position


def key_from(item: Item) -> LogKey:
    """Read the key of an item, or of its line in an index. Raises KeyError, ValueError."""
    delivery_id = f"{webhook_id_in(item['pk']['S'])}-{item['sk']['S']}"
    found = log_key_of(delivery_id)
    if found is None:
        raise ValueError(f"{delivery_id} is no delivery's id")
    return found


def _fixed(entry: LogEntry, days: int) -> Item:
    """Return an item without its attempts."""
    texts = {
        "outcome": entry.outcome.value,
        "eventId": entry.delivery.event_id,
        "eventName": entry.delivery.event_name,
    }
    numbers = {"settledAt": entry.settled_at, "expiresAt": expires_at(entry, days)}
    if entry.reason:
        texts["reason"] = entry.reason[:MAX_REASON]
    if entry.mark:
        texts["mark"] = entry.mark.value
    if entry.next_at is not None:
        numbers["nextAt"] = entry.next_at
    if entry.has_payload:
        numbers["payload"] = 1
    if entry.is_recoverable:
        numbers[RECOVERABLE] = 1
    if entry.outcome in UNDELIVERED and entry.mark is not Mark.TEST:
        is_recoverable = entry.is_recoverable and entry.outcome is Outcome.DEAD
        state = RECOVERABLE if is_recoverable else entry.outcome.value
        shard = shard_of(entry.key.delivery_id)
        texts[OF] = undelivered_of(entry.key.webhook_id, state, shard)
        texts[IN] = undelivered_in(entry.scope, entry.outcome, shard)
    else:
        texts |= {"tenantId": entry.scope.tenant_id, "communityId": entry.scope.community_id}
    return (
        key(*item_key(entry.key))
        | {name: {"S": storable(text)} for name, text in texts.items()}
        | {name: {"N": str(number)} for name, number in numbers.items()}
    )


def expires_at(entry: LogEntry, days: int) -> int:
    """Return when an entry and its payload expire, in epoch seconds."""
    return entry.settled_at // 1000 + days * DAY


def _cut(text: str, over: int) -> str:
    """Take at least so many bytes from a text's end, and show it."""
    mark = "…"
    kept = text.encode()[: max(0, len(text.encode()) - over - len(mark.encode()))]
    return kept.decode("utf-8", "ignore") + mark


def _number(item: Item, name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None


def _warn(item: Item) -> None:
    logger.warning("delivery_log.corrupt", extra={"item": item["sk"]["S"]})
