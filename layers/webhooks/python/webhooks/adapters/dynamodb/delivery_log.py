"""The delivery log in DynamoDB: one item per delivery, of at most one write unit."""

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import batched
from typing import Any

from webhooks.adapters.aws.backoff import Backoff
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import unavailable
from webhooks.adapters.dynamodb.items import Item, key
from webhooks.domain.delivery import Attempt
from webhooks.domain.delivery_log import LogEntry, Logged, LogKey, Outcome
from webhooks.domain.delivery_message import attempts_from_json, attempts_to_json
from webhooks.domain.errors import UnavailableError

BATCH = 25  # BatchWriteItem's limit
TRIES = 5
WRITE_UNIT = 1024  # bytes
MAX_REASON = 128  # characters
EXCERPTS = (1024, 400, 160, 40, 0)  # lengths of a response's texts to try, until the item fits a write unit
DAY = 86_400  # seconds
LOGGED = ("pk", "sk", "outcome", "attempts", "earlier")  # the attributes that `logged_from` needs

logger = logging.getLogger(__name__)


class DynamoDeliveryLog:
    """The deliveries table. `days`: how long an item stays."""

    def __init__(
        self, aws: AwsClients, table_name: str, *, days: int, backoff: Backoff | None = None
    ) -> None:
        self._aws = aws
        self._table_name = table_name
        self._backoff = backoff or Backoff()
        self._days = days

    def record(self, entries: Sequence[LogEntry]) -> Sequence[LogEntry]:
        """Write the entries, each over its delivery's earlier one; returns those that were not written."""
        latest = {}  # by the item's key: a batch must not have one twice
        for entry in entries:
            item = entry_item(entry, self._days)
            latest[item["pk"]["S"], item["sk"]["S"]] = entry, item
        left: set[tuple[str, str]] = set()
        for chunk in batched(latest.values(), BATCH, strict=False):
            left |= self._write([item for _, item in chunk])
        return [latest[key][0] for key in latest if key in left]

    def _write(self, items: Sequence[Item]) -> set[tuple[str, str]]:
        """Write up to 25 items; return the keys of those that could not be written."""
        left: list[Any] = [{"PutRequest": {"Item": item}} for item in items]
        for tries in range(TRIES):
            try:
                with unavailable("dynamodb BatchWriteItem"):
                    response = self._aws.dynamodb.batch_write_item(RequestItems={self._table_name: left})
            except UnavailableError as error:
                logger.warning("delivery_log.refused", extra={"reason": str(error), "items": len(left)})
                break
            left = response.get("UnprocessedItems", {}).get(self._table_name, [])
            if not left:
                break
            self._backoff.wait(tries)
        written = [request["PutRequest"]["Item"] for request in left]
        return {(item["pk"]["S"], item["sk"]["S"]) for item in written}


def entry_item(entry: LogEntry, days: int) -> Item:
    """Return a delivery's item: excerpts of failures, and times, as far as one write unit holds them."""
    attempts = list(entry.delivery.attempts)
    if entry.outcome is Outcome.DELIVERED and attempts:
        attempts[-1] = _shortened(attempts[-1], 0)
    has_texts = any(attempt.excerpt or attempt.location for attempt in attempts)
    for length in EXCERPTS if has_texts else EXCERPTS[-1:]:
        item = _item(entry, [_shortened(attempt, length) for attempt in attempts], days=days)
        if item_size(item) <= WRITE_UNIT:
            return item
    return _item(entry, [replace(_shortened(each, 0), times=None) for each in attempts], days=days)


def item_size(item: Item) -> int:
    """Return an item's bytes as DynamoDB counts them; for attributes of texts and numbers."""
    return sum(len(name) + len(text.encode()) for name, value in item.items() for text in value.values())


def _item(entry: LogEntry, attempts: Iterable[Attempt], *, days: int) -> Item:
    delivery = entry.delivery
    item = key(*item_key(entry.key))
    attributes = {
        "outcome": entry.outcome.value,
        "attempts": json.dumps(attempts_to_json(list(attempts)), ensure_ascii=False, separators=(",", ":")),
        "eventId": delivery.event_id,
        "eventName": delivery.event_name,
        "tenantId": entry.scope.tenant_id,
        "communityId": entry.scope.community_id,
    }
    if entry.reason:
        attributes["reason"] = entry.reason[:MAX_REASON]
    if delivery.earlier:
        item["earlier"] = {"N": str(delivery.earlier)}
    return (
        item
        | {name: {"S": _storable(text)} for name, text in attributes.items()}
        | {
            "settledAt": {"N": str(entry.settled_at)},
            "expiresAt": {"N": str(entry.settled_at // 1000 + days * DAY)},
        }
    )


def logged_from(item: Item) -> Logged | None:
    """Read the state of a delivery; None for an item that cannot be read."""
    try:
        attempts = attempts_from_json(json.loads(item["attempts"]["S"]))
        earlier = int(item["earlier"]["N"]) if "earlier" in item else 0
        return Logged(Outcome(item["outcome"]["S"]), attempts, earlier + len(attempts))
    except (KeyError, ValueError, TypeError):
        logger.warning("delivery_log.corrupt", extra={"item": item["sk"]["S"]})
        return None


def item_key(log_key: LogKey) -> tuple[str, str]:
    """Return an item's partition and sort key: a webhook's deliveries in the order of their events."""
    webhook_id, _, position = log_key.delivery_id.partition("-")
    return f"W#{webhook_id}", position


def _shortened(attempt: Attempt, length: int) -> Attempt:
    excerpt, location = (attempt.excerpt or "")[:length], (attempt.location or "")[:length]
    return replace(attempt, excerpt=excerpt or None, location=location or None)


def _storable(text: str) -> str:
    """Return a text as UTF-8 can write it: JSON can have half of a surrogate pair."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
