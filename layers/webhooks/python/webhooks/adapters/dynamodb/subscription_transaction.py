"""The DynamoDB transaction that one change of a webhook makes: decided here, sent elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from webhooks.adapters.dynamodb.conditional_entries import Placed
from webhooks.adapters.dynamodb.health_items import health_attributes, version_condition
from webhooks.adapters.dynamodb.idempotency_items import put_record
from webhooks.adapters.dynamodb.items import Item
from webhooks.adapters.dynamodb.keys import HEAD, community_key, entry_key, live_sk, tag_sk, webhook_key
from webhooks.adapters.dynamodb.lists import head_attributes, list_attributes
from webhooks.adapters.dynamodb.sequence_bitmaps import Head, counts_to_bytes, segment_of, with_bit
from webhooks.adapters.dynamodb.tenant_moves import UNMARKED, new_community_check
from webhooks.adapters.dynamodb.updates import update_request
from webhooks.adapters.dynamodb.webhook_items import OPTIONAL, index_entries, webhook_attributes
from webhooks.domain.errors import InvalidWebhookError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook, sequence_of
from webhooks.domain.webhook_size import size_problems
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


@dataclass(frozen=True, slots=True)
class Change:
    """A webhook before and after; None where there is none. `token` marks the items of this change.

    `head_list`: the attributes that put HEAD into the list of communities; a HEAD of an earlier release gets
    them with its community's next change.
    `bitmaps`: the sort keys of the bitmaps in which the webhook's bit changes, and whether it is set then;
    `old_entries`, `new_entries`: the attributes of the index entries by event name, before and after.
    """

    before: Webhook | None
    after: Webhook | None
    record: IdempotencyRecord | None
    token: str
    sequence: int
    webhook_key: Item
    head_key: Item
    head_list: Item
    attributes: Item = field(repr=False)
    bitmaps: Mapping[str, bool]
    old_entries: Mapping[str, Item] = field(repr=False)
    new_entries: Mapping[str, Item] = field(repr=False)

    @classmethod
    def of(
        cls, before: Webhook | None, after: Webhook | None, *, record: IdempotencyRecord | None, token: str
    ) -> Self:
        """Return the change. Raises InvalidWebhookError where no transaction can hold it."""
        one = after or before
        sequence = sequence_of(one.id) if one else None
        if one is None or sequence is None:
            raise ValueError("a change needs a webhook whose id came from next_id")
        attributes = webhook_attributes(after) | {"change": {"S": token}} if after else {}
        old, new = index_entries(before), index_entries(after)
        segment = segment_of(sequence)
        old_tags, new_tags = (each.definition.tags if each else () for each in (before, after))
        bitmaps = {
            tag_sk(tag, segment): tag in new_tags
            for tag in dict.fromkeys((*new_tags, *old_tags))
            if (tag in new_tags) is not (tag in old_tags)
        }
        if before is None or after is None:
            bitmaps[live_sk(segment)] = after is not None
        change = cls(
            before,
            after,
            record,
            token,
            sequence,
            webhook_key=webhook_key(one.scope, sequence),
            head_key=community_key(one.scope, HEAD),
            head_list=head_attributes(one.scope),
            attributes=attributes,
            bitmaps=bitmaps,
            old_entries=old,
            new_entries=new,
        )
        if after is not None:
            size = len(attributes["definition"]["S"])
            problems = size_problems(
                after.definition, definition_bytes=size, writes=len(bitmaps) + len(change.entries)
            )
            if problems:
                raise InvalidWebhookError(problems)
        return change

    @property
    def scope(self) -> Scope:
        """The community."""
        one = self.after or self.before
        if one is None:
            raise ValueError("a change has a webhook")
        return one.scope

    @property
    def entries(self) -> Sequence[tuple[Item, Item | None]]:
        """The index entries that change where none is under a condition: None for one that goes."""
        old, new = self.old_entries, self.new_entries
        return [
            (entry_key(self.scope, name, self.sequence), new.get(name))
            for name in dict.fromkeys((*old, *new))
            if old.get(name) != new.get(name)
        ]

    def actions(
        self,
        tables: Tables,
        head: Head | None,
        bitmaps: Mapping[str, int],
        *,
        now: int,
        placed: Placed | None = None,
    ) -> list[Action]:
        """Return the transaction, upon the head and the bitmaps as they were read. `now` in epoch seconds.

        `placed`: the writes of entries, where some are or may be under conditions. Raises
        InvalidWebhookError where these are too many.
        """
        table = tables.subscriptions
        placed = placed or Placed(self.entries)
        if self.after is not None:
            writes = len(self.bitmaps) + len(placed.writes) + len(placed.fields)
            size = len(self.attributes["definition"]["S"])
            if problems := size_problems(self.after.definition, definition_bytes=size, writes=writes):
                raise InvalidWebhookError(problems)
        first, *bitmaps_written = self._bitmaps(table, head, bitmaps)
        index = [
            *bitmaps_written,
            *(_write(table, entry, item) for entry, item in placed.writes),
            *placed.requests(table),
        ]
        return [
            Action("webhook", self._webhook(table)),
            *([Action("record", self._record(tables.access, self.record, now))] if self.record else []),
            Action("index" if self.bitmaps else "moving", first),
            *(Action("index", request) for request in index),
            *self._of_new_community(table, head),
        ]

    def _of_new_community(self, table: str, head: Head | None) -> list[Action]:
        if head is not None or not self.bitmaps:
            return []
        one = self.after or self.before
        return [Action("moving", new_community_check(table, one.scope))] if one else []

    def _webhook(self, table: str) -> dict[str, Any]:
        key = self.webhook_key
        if self.before is None:
            item = key | self.attributes | _listed(self.after)
            return {
                "Put": {"TableName": table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
            }
        condition, values = "#revision = :before", {":before": {"N": str(self.before.revision)}}
        if self.after is None:
            return {
                "Delete": {
                    "TableName": table,
                    "Key": key,
                    "ConditionExpression": condition,
                    "ExpressionAttributeNames": {"#revision": "revision"},
                    "ExpressionAttributeValues": values,
                }
            }
        attributes = dict.fromkeys(OPTIONAL) | self.attributes
        if self.after.health == self.before.health:  # a health that was written meanwhile stays
            attributes |= _listed(self.after)
        else:
            version = self.before.health.version
            after = replace(self.after, health=replace(self.after.health, version=version + 1))
            attributes |= health_attributes(after.health) | list_attributes(after)
            same_health, more = version_condition(self.before.health)
            condition, values = f"{condition} AND {same_health}", values | more
        return {
            "Update": update_request(table, key, attributes=attributes, condition=condition, values=values)
        }

    def _record(self, table: str, record: IdempotencyRecord, now: int) -> dict[str, Any]:
        one = self.after or self.before
        return put_record(
            table,
            record,
            token=self.token,
            webhook_id=one.id if one else "",
            revision=self.after.revision if self.after else DELETED,
            now=now,
        )

    def _bitmaps(self, table: str, head: Head | None, bitmaps: Mapping[str, int]) -> list[dict[str, Any]]:
        """Return the writes of HEAD and of the bitmaps: HEAD's version holds all of them together."""
        if not self.bitmaps:
            return [_next_version(table, self.head_key, self.head_list, is_own=self.record is None)]
        difference = (self.after is not None) - (self.before is not None)
        after = (head or Head()).counted(segment_of(self.sequence), difference)
        counts = counts_to_bytes(after.counts)
        written = {
            sk: with_bit(bitmaps.get(sk, 0), self.sequence, is_set=is_set)
            for sk, is_set in self.bitmaps.items()
        }
        return [
            _put_head(table, self.head_key | self.head_list, head, after, counts),
            *(
                _write(table, self.head_key | {"sk": {"S": sk}}, {"bits": {"B": raw}} if raw else None)
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
