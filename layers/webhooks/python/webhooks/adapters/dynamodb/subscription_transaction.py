"""What a change of one webhook writes, as one DynamoDB transaction: decided here, sent elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from webhooks.adapters.dynamodb.items import Item, key
from webhooks.adapters.dynamodb.keys import (
    HEAD,
    community_pk,
    entry_sk,
    listeners_pk,
    live_sk,
    sequence_of,
    tag_sk,
    webhook_sk,
)
from webhooks.adapters.dynamodb.sequence_bitmaps import (
    Head,
    bit_of,
    bitmap_to_bytes,
    counts_to_bytes,
    segment_of,
)
from webhooks.adapters.dynamodb.webhook_items import (
    OPTIONAL,
    definition_text,
    entry_attributes,
    webhook_attributes,
)
from webhooks.domain.errors import InvalidInputError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook
from webhooks.ports import IdempotencyRecord, StoredRecord

MAX_ACTIONS = 100  # of a transaction
FIXED_ACTIONS = 3  # the webhook, its answer and HEAD
MAX_NAMES_AND_TAGS = MAX_ACTIONS - FIXED_ACTIONS - 1  # with LIVE: more, and it could not be deleted
DELETED = 0  # as a revision: webhooks begin at 1
MAX_DEFINITION = 65_536  # bytes: with it in 50 index entries a transaction stays below 4 MB

type Purpose = Literal["webhook", "answer", "layout"]


@dataclass(frozen=True, slots=True)
class Action:
    """One action of the transaction, and what a failure of its condition means."""

    purpose: Purpose
    request: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tables:
    """The names of the tables that a transaction writes to."""

    subscriptions: str
    access: str


@dataclass(frozen=True, slots=True)
class Change:
    """A webhook before and after; None where there is none. `token` marks what this change wrote."""

    scope: Scope
    sequence: int
    before: Webhook | None
    after: Webhook | None
    kept: IdempotencyRecord | None
    token: str

    @classmethod
    def of(
        cls, before: Webhook | None, after: Webhook | None, *, kept: IdempotencyRecord | None, token: str
    ) -> Self:
        """Return the change. Raises InvalidInputError where no transaction can hold it."""
        one = before or after
        sequence = sequence_of(one.id) if one else None
        if one is None or sequence is None:
            raise ValueError("a change needs a webhook whose id came from next_id")
        change = cls(one.scope, sequence, before, after, kept, token)
        change._check_size()
        return change

    @property
    def flips(self) -> Mapping[str, bool]:
        """Return the bitmaps in which the webhook's bit changes, by sort key, and whether it is set then."""
        segment = segment_of(self.sequence)
        before, after = _tags(self.before), _tags(self.after)
        flipped = {tag_sk(tag, segment): True for tag in after if tag not in before}
        flipped |= {tag_sk(tag, segment): False for tag in before if tag not in after}
        if (self.before is None) is not (self.after is None):
            flipped[live_sk(segment)] = self.after is not None
        return flipped

    def actions(
        self, tables: Tables, head: Head | None, bitmaps: Mapping[str, int], *, now: int
    ) -> list[Action]:
        """Return the transaction, upon the head and the bitmaps as they were read. `now` in epoch seconds."""
        return [
            Action("webhook", self._webhook(tables.subscriptions)),
            *([Action("answer", self._record(tables.access, self.kept, now=now))] if self.kept else []),
            *[Action("layout", request) for request in self._layout(tables.subscriptions, head, bitmaps)],
            *[Action("layout", request) for request in self._entries(tables.subscriptions)],
        ]

    def _check_size(self) -> None:
        if self.after is None:
            return
        names, tags = len(set(self.after.definition.event_names)), len(_tags(self.after))
        if names + tags > MAX_NAMES_AND_TAGS:
            raise InvalidInputError(
                [f"eventNames, tags: together at most {MAX_NAMES_AND_TAGS}, these are {names + tags}"]
            )
        if (size := len(definition_text(self.after.definition))) > MAX_DEFINITION:
            raise InvalidInputError(
                [f"the webhook: as JSON it may have {MAX_DEFINITION} bytes, it has {size}; shorten its query"]
            )
        changed = len(self.flips) + len(self._entries(""))
        if changed + FIXED_ACTIONS > MAX_ACTIONS:
            problem = (
                f"eventNames, tags: one change may add, remove or rewrite {MAX_ACTIONS - FIXED_ACTIONS} of "
                f"them, this one does {changed}; send two changes, each with a part"
            )
            raise InvalidInputError([problem])

    def _webhook(self, table: str) -> dict[str, Any]:
        place = key(community_pk(self.scope), webhook_sk(self.sequence))
        if self.after is None:
            return {"Delete": {"TableName": table, "Key": place} | _revision_is(self.before)}
        attributes = webhook_attributes(self.after) | {"change": {"S": self.token}}
        if self.before is None:
            item = place | attributes
            return {
                "Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
            }
        update = {"TableName": table, "Key": place} | _revision_is(self.before)
        update["UpdateExpression"] = "SET " + ", ".join(f"#{name} = :{name}" for name in attributes)
        if absent := [name for name in OPTIONAL if name not in attributes]:
            update["UpdateExpression"] += " REMOVE " + ", ".join(absent)
        update["ExpressionAttributeNames"] |= {f"#{name}": name for name in attributes}
        update["ExpressionAttributeValues"] |= {f":{name}": value for name, value in attributes.items()}
        return {"Update": update}

    def _record(self, table: str, kept: IdempotencyRecord, *, now: int) -> dict[str, Any]:
        """Keep the answer unless there is one; the table removes expired ones only days later."""
        one = self.after or self.before
        item = {
            "body": {"S": kept.body},
            "expiresAt": {"N": str(kept.expires_at)},
            "change": {"S": self.token},
            "webhookId": {"S": one.id if one else ""},
            "revision": {"N": str(self.after.revision if self.after else DELETED)},
        }
        put: dict[str, Any] = {
            "TableName": table,
            "Item": key(answer_pk(kept.key)) | item,
            "ConditionExpression": "attribute_not_exists(pk) OR expiresAt <= :now",
            "ExpressionAttributeValues": {":now": {"N": str(now)}},
        }
        if kept.replaces is not None:
            put["ConditionExpression"] += " OR #change = :replaced"
            put["ExpressionAttributeNames"] = {"#change": "change"}
            put["ExpressionAttributeValues"] |= {":replaced": {"S": kept.replaces}}
        return {"Put": put}

    def _layout(self, table: str, head: Head | None, bitmaps: Mapping[str, int]) -> list[dict[str, Any]]:
        """Return the writes of HEAD and of the bitmaps: HEAD's version holds all of them together."""
        pk = community_pk(self.scope)
        if not self.flips:
            return [_next_version(table, pk)]
        before = head or Head()
        difference = (self.after is not None) - (self.before is not None)
        requests = [_put_head(table, pk, head, before.counted(segment_of(self.sequence), difference))]
        for sk, is_set in self.flips.items():
            bit, bits = bit_of(self.sequence), bitmaps.get(sk, 0)
            bits = bits | bit if is_set else bits & ~bit
            if bits:
                item = key(pk, sk) | {"bits": {"B": bitmap_to_bytes(bits)}}
                requests.append({"Put": {"TableName": table, "Item": item}})
            else:
                requests.append({"Delete": {"TableName": table, "Key": key(pk, sk)}})
        return requests

    def _entries(self, table: str) -> list[dict[str, Any]]:
        """Return the writes of the index: only what is not there yet as it must be."""
        before, after = _listened(self.before), _listened(self.after)
        requests: list[dict[str, Any]] = []
        for name in dict.fromkeys((*before, *after)):
            place = key(listeners_pk(self.scope, name), entry_sk(self.sequence))
            if name not in after:
                requests.append({"Delete": {"TableName": table, "Key": place}})
            elif after[name] != before.get(name):
                requests.append({"Put": {"TableName": table, "Item": place | after[name]}})
        return requests


def _tags(webhook: Webhook | None) -> Sequence[str]:
    return tuple(dict.fromkeys(webhook.definition.tags)) if webhook else ()


def _listened(webhook: Webhook | None) -> Mapping[str, Item]:
    if webhook is None or not webhook.enabled:
        return {}
    entry = entry_attributes(webhook)
    return dict.fromkeys(webhook.definition.event_names, entry)


def _revision_is(webhook: Webhook | None) -> dict[str, Any]:
    return {
        "ConditionExpression": "#revision = :before",
        "ExpressionAttributeNames": {"#revision": "revision"},
        "ExpressionAttributeValues": {":before": {"N": str(webhook.revision if webhook else 0)}},
    }


def _next_version(table: str, pk: str) -> dict[str, Any]:
    """Count the change only: it touches no bitmap, so it need not be the next one after what was read."""
    return {
        "Update": {
            "TableName": table,
            "Key": key(pk, HEAD),
            "UpdateExpression": "ADD version :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }


def _put_head(table: str, pk: str, read: Head | None, after: Head) -> dict[str, Any]:
    put: dict[str, Any] = {
        "TableName": table,
        "Item": key(pk, HEAD)
        | {
            "version": {"N": str(after.version)},
            "total": {"N": str(after.total)},
            "counts": {"B": counts_to_bytes(after.counts)},
        },
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    if read is not None:
        put["ConditionExpression"] = "version = :read"
        put["ExpressionAttributeValues"] = {":read": {"N": str(read.version)}}
    return {"Put": put}


def answer_pk(answer_key: str) -> str:
    """Return the key of a kept answer in the access table."""
    return f"answer#{answer_key}"


def record_from(item: Item) -> StoredRecord:
    """Read a kept answer."""
    return StoredRecord(
        body=item["body"]["S"],
        token=item["change"]["S"],
        webhook_id=item["webhookId"]["S"] if "webhookId" in item else None,
        revision=int(item["revision"]["N"]) if "revision" in item else DELETED,
    )
