"""The DynamoDB transaction of a change: its actions, which are sent elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from webhooks.adapters.dynamodb.conditional_entries import Placed
from webhooks.adapters.dynamodb.health_items import health_attributes, version_condition
from webhooks.adapters.dynamodb.idempotency_items import put_record
from webhooks.adapters.dynamodb.items import Item
from webhooks.adapters.dynamodb.lists import list_attributes
from webhooks.adapters.dynamodb.sequence_bitmaps import Head, counts_to_bytes, segment_of, with_bit
from webhooks.adapters.dynamodb.tenant_moves import UNMARKED, new_community_check
from webhooks.adapters.dynamodb.updates import update_request
from webhooks.adapters.dynamodb.webhook_change import Change
from webhooks.adapters.dynamodb.webhook_items import OPTIONAL
from webhooks.domain.webhook import Webhook
from webhooks.ports import DELETED, IdempotencyRecord

type Purpose = Literal["webhook", "record", "index", "moving"]


@dataclass(frozen=True, slots=True)
class Action:
    """One action of the transaction; `purpose` tells the meaning of a failed condition."""

    purpose: Purpose
    request: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tables:
    """The names of the tables that a transaction writes to."""

    subscriptions: str
    access: str


def transaction(
    change: Change,
    tables: Tables,
    head: Head | None,
    bitmaps: Mapping[str, int],
    *,
    now: int,
    placed: Placed | None = None,
) -> list[Action]:
    """Return the actions of a change, upon the head and the bitmaps as they were read.

    `now`: in epoch seconds. `placed`: the writes of entries, where some are or may be under conditions.
    Raises InvalidWebhookError where these are too many.
    """
    table = tables.subscriptions
    placed = placed or Placed(change.entries)
    change.check_size(writes=len(change.bitmaps) + len(placed.writes) + len(placed.fields))
    first, *bitmaps_written = _bitmaps(change, table, head, bitmaps)
    index = [
        *bitmaps_written,
        *(_write(table, entry, item) for entry, item in placed.writes),
        *placed.requests(table),
    ]
    return [
        Action("webhook", _webhook(change, table)),
        *([Action("record", _record(change, tables.access, change.record, now))] if change.record else []),
        Action("index" if change.bitmaps else "moving", first),
        *(Action("index", request) for request in index),
        *_of_new_community(change, table, head),
    ]


def _of_new_community(change: Change, table: str, head: Head | None) -> list[Action]:
    if head is not None or not change.bitmaps:
        return []
    return [Action("moving", new_community_check(table, change.scope))]


def _webhook(change: Change, table: str) -> dict[str, Any]:
    key = change.webhook_key
    if change.before is None:
        item = key | change.attributes | _listed(change.after)
        return {"Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
    condition, values = "#revision = :before", {":before": {"N": str(change.before.revision)}}
    if change.after is None:
        return {
            "Delete": {
                "TableName": table,
                "Key": key,
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {"#revision": "revision"},
                "ExpressionAttributeValues": values,
            }
        }
    attributes = dict.fromkeys(OPTIONAL) | change.attributes
    if change.after.health == change.before.health:  # a health that was written meanwhile stays
        attributes |= _listed(change.after)
    else:
        version = change.before.health.version
        after = replace(change.after, health=replace(change.after.health, version=version + 1))
        attributes |= health_attributes(after.health) | list_attributes(after)
        same_health, more = version_condition(change.before.health)
        condition, values = f"{condition} AND {same_health}", values | more
    return {"Update": update_request(table, key, attributes=attributes, condition=condition, values=values)}


def _record(change: Change, table: str, record: IdempotencyRecord, now: int) -> dict[str, Any]:
    return put_record(
        table,
        record,
        token=change.token,
        webhook_id=change.webhook.id,
        revision=change.after.revision if change.after else DELETED,
        now=now,
    )


def _bitmaps(
    change: Change, table: str, head: Head | None, bitmaps: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Return the writes of HEAD and of the bitmaps: HEAD's version holds all of them together."""
    if not change.bitmaps:
        return [_next_version(table, change.head_key, change.head_list, is_own=change.record is None)]
    difference = (change.after is not None) - (change.before is not None)
    after = (head or Head()).counted(segment_of(change.sequence), difference)
    counts = counts_to_bytes(after.counts)
    written = {
        sk: with_bit(bitmaps.get(sk, 0), change.sequence, is_set=is_set)
        for sk, is_set in change.bitmaps.items()
    }
    return [
        _put_head(table, change.head_key | change.head_list, head, after, counts),
        *(
            _write(table, change.head_key | {"sk": {"S": sk}}, {"bits": {"B": raw}} if raw else None)
            for sk, raw in written.items()
        ),
    ]


def _write(table: str, key: Item, attributes: Item | None) -> dict[str, Any]:
    """Return the action that puts an item, or deletes it where it has no attributes."""
    if attributes is None:
        return {"Delete": {"TableName": table, "Key": key}}
    return {"Put": {"TableName": table, "Item": key | attributes}}


def _listed(webhook: Webhook | None) -> Item:
    """Return the attributes that list a webhook that its tenant paused or disabled; none for others.

    Other states are listed by those who write them: here they may be older than the stored ones.
    """
    if webhook is None or not (webhook.definition.paused or webhook.definition.disabled):
        return {}
    return {name: value for name, value in list_attributes(webhook).items() if value is not None}


def _next_version(table: str, head_key: Item, head_list: Item, *, is_own: bool) -> dict[str, Any]:
    """Count the change only: it touches no bitmap, so it need not be the next one after the version read.

    `is_own`: the service's own change, which a tenant's move does not stop.
    """
    condition = {} if is_own else {"ConditionExpression": UNMARKED}
    return {
        "Update": {
            "TableName": table,
            "Key": head_key,
            "UpdateExpression": "ADD version :one SET "
            + ", ".join(f"{name} = :{name}" for name in head_list),
            "ExpressionAttributeValues": {
                ":one": {"N": "1"},
                **{f":{name}": value for name, value in head_list.items()},
            },
            **condition,
        }
    }


def _put_head(table: str, head_key: Item, read: Head | None, after: Head, counts: bytes) -> dict[str, Any]:
    totals = {
        "version": {"N": str(after.version)},
        "total": {"N": str(after.total)},
        "counts": {"B": counts},
    }
    put = _write(table, head_key, totals)
    put["Put"]["ConditionExpression"] = "attribute_not_exists(pk)"
    if read is not None:
        put["Put"]["ConditionExpression"] = "version = :read"
        put["Put"]["ExpressionAttributeValues"] = {":read": {"N": str(read.version)}}
    return put
