"""Idempotency records as items of the access table, and back."""

from typing import Any

from webhooks.adapters.dynamodb.items import Item, require_form
from webhooks.domain.forms import IDEMPOTENCY_RECORD
from webhooks.ports import DELETED, IdempotencyRecord, StoredRecord

PREFIX = "answer#"  # stored: it stays


def record_key(idempotency_key: str) -> Item:
    """Return a record's key."""
    return {"pk": {"S": PREFIX + idempotency_key}}


def put_record(
    table: str, record: IdempotencyRecord, *, token: str, webhook_id: str, revision: int, now: int
) -> dict[str, Any]:
    """Return the action that writes a record unless there is one; the table removes expired ones days later.

    `token` marks the change that writes it; `now` in epoch seconds.
    """
    item = {
        "body": {"S": record.body},
        "expiresAt": {"N": str(record.expires_at)},
        "change": {"S": token},
        "webhookId": {"S": webhook_id},
        "revision": {"N": str(revision)},
    }
    put: dict[str, Any] = {
        "TableName": table,
        "Item": record_key(record.key) | item,
        "ConditionExpression": "attribute_not_exists(pk) OR expiresAt <= :now",
        "ExpressionAttributeValues": {":now": {"N": str(now)}},
    }
    if record.replaces is not None:
        put["ConditionExpression"] += " OR #change = :replaced"
        put["ExpressionAttributeNames"] = {"#change": "change"}
        put["ExpressionAttributeValues"] |= {":replaced": {"S": record.replaces}}
    return {"Put": put}


def record_from(item: Item | None, *, now: float) -> StoredRecord | None:
    """Read a record; None where there is none, or an expired one that the table has not removed yet.

    Raises NewerFormError.
    """
    if item is None or int(item["expiresAt"]["N"]) <= now:
        return None
    require_form(item, IDEMPOTENCY_RECORD)
    return StoredRecord(
        body=item["body"]["S"],
        token=item["change"]["S"],
        webhook_id=item["webhookId"]["S"] if "webhookId" in item else None,
        revision=int(item["revision"]["N"]) if "revision" in item else DELETED,
    )
