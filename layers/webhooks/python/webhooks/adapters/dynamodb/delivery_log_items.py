"""The items of the delivery log: one for each delivery, of at most one write unit.

An undelivered one has the keys of both indexes, and its community in one of them; a delivered one has none.
"""

import json
import logging
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from webhooks.adapters.dynamodb.items import Item, key
from webhooks.domain.delivery import Attempt, Delivery
from webhooks.domain.delivery_log import UNDELIVERED, LogEntry, Logged, LogKey, Mark, Outcome, log_key_of
from webhooks.domain.delivery_message import attempts_from_json, attempts_to_json
from webhooks.domain.scope import Scope

WRITE_UNIT = 1024  # bytes
MAX_REASON, SHORT_REASON = 128, 16  # characters
LENGTHS = range(0, 1025, 16)  # of a response's texts: as much of them as a write unit holds
DAY = 86_400  # seconds
# The attributes that `logged_from` needs.
LOGGED = ("pk", "sk", "outcome", "attempts", "earlier", "payload", "recoverable")
OF, IN = "undeliveredOf", "undeliveredIn"  # keys of the indexes: by webhook, by community
RECOVERABLE = "recoverable"  # dead ones that are sent once more, in a partition of their own by webhook

logger = logging.getLogger(__name__)


def entry_item(entry: LogEntry, days: int) -> Item:
    """Return a delivery's item, with as much of its attempts as one write unit holds.

    Where that is too little for the rest too, its reason and its event's id are cut off.
    """
    fixed = _fixed(entry, days)
    room = WRITE_UNIT - item_size(fixed)
    for history in _histories(entry, room):
        if item_size(history) <= room:
            return fixed | history
    if entry.reason and len(entry.reason) > SHORT_REASON:
        return entry_item(replace(entry, reason=entry.reason[:SHORT_REASON]), days)
    fixed["eventId"] = {"S": _cut(fixed["eventId"]["S"], item_size(history) - room)}
    return fixed | history


def item_size(item: Item) -> int:
    """Return an item's bytes as DynamoDB counts them; for attributes of texts and numbers."""
    size = 0
    for name, value in item.items():
        ((kind, text),) = value.items()
        size += len(name) + (len(text.encode()) if kind == "S" else (len(text) + 1) // 2 + 1)
    return size


def entry_from(item: Item) -> LogEntry | None:
    """Read a delivery, without its body; None for an item that cannot be read."""
    try:
        log_key = key_from(item)
        if IN in item:
            tenant_id, community_id, _ = item[IN]["S"].split("#")
        else:
            tenant_id, community_id = item["tenantId"]["S"], item["communityId"]["S"]
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
            Scope(tenant_id, community_id),
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
    """Read the state of a delivery; None for an item that cannot be read."""
    try:
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
    """Return an item's partition and sort key: a webhook's deliveries in the order of their events."""
    webhook_id, _, position = log_key.delivery_id.partition("-")
    return partition(webhook_id), position


def key_from(item: Item) -> LogKey:
    """Read the key of an item, or of its line in an index. Raises KeyError, ValueError."""
    delivery_id = f"{item['pk']['S'].removeprefix('W#')}-{item['sk']['S']}"
    found = log_key_of(delivery_id)
    if found is None:
        raise ValueError(f"{delivery_id} is no delivery's id")
    return found


def partition(webhook_id: str) -> str:
    """Return the partition of a webhook's log."""
    return f"W#{webhook_id}"


def undelivered_of(webhook_id: str, state: str) -> str:
    """Return the partition of a webhook's undelivered; `state`: an outcome, or RECOVERABLE."""
    return f"{webhook_id}#{state}"


def undelivered_in(scope: Scope, outcome: Outcome) -> str:
    """Return the partition of a community's undelivered."""
    return f"{scope.tenant_id}#{scope.community_id}#{outcome.value}"


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
        state = RECOVERABLE if entry.is_recoverable else entry.outcome.value
        texts[OF] = undelivered_of(entry.key.webhook_id, state)
        texts[IN] = undelivered_in(entry.scope, entry.outcome)
    else:
        texts |= {"tenantId": entry.scope.tenant_id, "communityId": entry.scope.community_id}
    return (
        key(*item_key(entry.key))
        | {name: {"S": _storable(text)} for name, text in texts.items()}
        | {name: {"N": str(number)} for name, number in numbers.items()}
    )


def expires_at(entry: LogEntry, days: int) -> int:
    """Return when an entry and its payload expire, in epoch seconds."""
    return entry.settled_at // 1000 + days * DAY


def _histories(entry: LogEntry, room: int) -> Iterator[Item]:
    """Yield the attempts as attributes of an item, with less and less of them; the first has the most."""
    attempts, earlier = list(entry.delivery.attempts), entry.delivery.earlier
    if entry.outcome is Outcome.DELIVERED and attempts:
        attempts[-1] = _shortened(attempts[-1], 0)
    if any(attempt.excerpt or attempt.location for attempt in attempts):
        texts = _Texts(attempts, earlier)
        yield texts.history(texts.longest(room))
    bare = [_shortened(attempt, 0) for attempt in attempts]
    yield _history(bare, earlier)
    plain = [replace(attempt, times=None) for attempt in bare]
    for left_out in range(len(attempts)):
        yield _history([*plain[left_out:-1], bare[-1]], earlier + left_out)
    yield _history(plain[-1:], earlier + max(0, len(plain) - 1))
    yield _history([], earlier + len(plain))


@dataclass(frozen=True, slots=True)
class _Texts:
    """Attempts with texts of responses, all cut off at the same length."""

    attempts: Sequence[Attempt]
    earlier: int

    def history(self, length: int) -> Item:
        return _history([_shortened(attempt, length) for attempt in self.attempts], self.earlier)

    def longest(self, room: int) -> int:
        """Return the largest of LENGTHS with which the attributes have room, 0 where none has."""
        if item_size(self.history(LENGTHS[-1])) <= room:
            return LENGTHS[-1]
        fitting = bisect_right(LENGTHS, room, key=lambda length: item_size(self.history(length)))
        return LENGTHS[max(0, fitting - 1)]


def _history(attempts: Sequence[Attempt], earlier: int) -> Item:
    item: Item = {"attempts": {"S": _storable(_json(attempts))}}
    return item | ({"earlier": {"N": str(earlier)}} if earlier else {})


def _json(attempts: Sequence[Attempt]) -> str:
    return json.dumps(attempts_to_json(attempts), ensure_ascii=False, separators=(",", ":"))


def _shortened(attempt: Attempt, length: int) -> Attempt:
    if not attempt.excerpt and not attempt.location:
        return attempt
    excerpt, location = (attempt.excerpt or "")[:length], (attempt.location or "")[:length]
    return replace(attempt, excerpt=excerpt or None, location=location or None)


def _cut(text: str, over: int) -> str:
    """Take at least so many bytes from a text's end, and show it."""
    mark = "…"
    kept = text.encode()[: max(0, len(text.encode()) - over - len(mark.encode()))]
    return kept.decode("utf-8", "ignore") + mark


def _number(item: Item, name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None


def _storable(text: str) -> str:
    """Return a text as UTF-8 can write it: JSON can have half of a surrogate pair."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _warn(item: Item) -> None:
    logger.warning("delivery_log.corrupt", extra={"item": item["sk"]["S"]})
