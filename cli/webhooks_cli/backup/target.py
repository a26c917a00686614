"""The deployment that a backup is restored into: which of its webhooks are others, and all writes.

Webhooks are compared in the order of their sequence numbers, those of the file with those of the table, so
that a community of any size needs little memory.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from webhooks_cli.aws import Account
from webhooks_cli.backup.aws_calls import Calls
from webhooks_cli.backup.community_writer import CommunityWriter, Restored, merged
from webhooks_cli.backup.credentials import CredentialWriter
from webhooks_cli.backup.epoch import next_epoch
from webhooks_cli.backup.records import Record
from webhooks_cli.backup.resources import Resources
from webhooks_cli.backup.source import query
from webhooks_cli.backup.webhook_items import (
    COMMUNITY,
    HEAD,
    LIVE,
    NEXT,
    RESTORING,
    TAG,
    WEBHOOK,
    Item,
    conditional_keys,
    fields_keys,
    head_with,
    is_same,
    keys_under_conditions,
    without,
)
from webhooks_cli.errors import RefusedError

CHUNK = 100  # webhooks that are written at the same time


class Target:
    """The tables and secrets of a deployment that is written."""

    def __init__(self, account: Account, resources: Resources, calls: Calls) -> None:
        self._dynamodb = account.dynamodb
        self._account = account
        self._calls = calls
        self._table = resources.subscriptions
        self._credentials = CredentialWriter(account, resources, calls)
        self.restored = Restored()

    def communities(self) -> set[str]:
        """Return the partitions of communities that have any item."""
        request: Any = {
            "TableName": self._table,
            "ConsistentRead": True,
            "FilterExpression": "begins_with(pk, :community)",
            "ExpressionAttributeValues": {":community": {"S": COMMUNITY}},
            "ProjectionExpression": "pk",
        }
        pages = self._calls.pages("dynamodb Scan", self._dynamodb.scan, **request)
        return {item["pk"]["S"] for item in pages}

    def webhooks(self, pk: str) -> Iterator[Item]:
        """Return a community's webhooks in the order of their numbers."""
        return query(self._calls, self._account, self._table, pk, WEBHOOK)

    def others(self, pk: str, records: Iterable[Record]) -> Iterator[Item]:
        """Return a community's webhooks that the backup does not have, or not as they are now."""
        for stored, record in merged(self.webhooks(pk), records):
            if stored and not (record and is_same(stored, record["item"])):
                yield stored

    def begin(self) -> None:
        """Mark the table: the orphan cleanup deletes nothing while the mark is there."""
        self._calls.write(self._dynamodb, self._table, [RESTORING])

    def end(self) -> None:
        next_epoch(self._calls, self._dynamodb, self._table)
        self._calls.write(self._dynamodb, self._table, [], [RESTORING])

    def put(self, items: list[Item]) -> None:
        """Write items that are neither webhooks nor of their index."""
        self._calls.write(self._dynamodb, self._table, items)

    def restore_community(self, community: Record, records: Iterator[Record], *, exists: bool) -> None:
        """Make a community's webhooks those of the records. `exists`: the table may have items of it."""
        pk = community["pk"]
        own = {item["sk"]["S"]: item for item in community["items"]}
        self.restored.communities.add(pk)
        seen = self._get(pk, HEAD) if exists else None
        self._raise_counter(pk, own.get(NEXT))
        self._calls.write(
            self._dynamodb, self._table, [item for sk, item in own.items() if sk not in (HEAD, NEXT)]
        )
        writer = CommunityWriter(self, pk, seen)
        stored = self.webhooks(pk) if exists else iter(())
        pairs = merged(stored, records)
        while chunk := list(islice(pairs, CHUNK)):
            writer.write(chunk)
        counts = writer.finish(self._bitmap_keys(pk) if exists else set())
        self._raise_counter(pk, {"last": {"N": str(writer.last)}})
        if head := own.get(HEAD) or writer.seen:
            self._write_head(head, counts, writer.seen)
            next_epoch(self._calls, self._dynamodb, self._table)

    def empty_community(self, pk: str) -> None:
        """Delete the webhooks of a community that the backup does not have; its counters stay."""
        self.restore_community({"pk": pk, "items": []}, iter(()), exists=True)

    def _write_head(self, head: Item, counts: list[int], seen: "Item | None") -> None:
        """Write HEAD last: with its version, fan-out reads the community's index anew."""
        saved = int(head["version"]["N"])
        item = head_with(head, counts, saved)
        if seen == item:
            return
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if seen:
            version = seen["version"]["N"]
            item["version"] = {"N": str(max(saved, int(version) + 1))}
            condition = {
                "ConditionExpression": "version = :seen",
                "ExpressionAttributeValues": {":seen": {"N": version}},
            }
        done = self._calls.call(
            "dynamodb PutItem", self._dynamodb.put_item, ("ConditionalCheckFailedException",),
            TableName=self._table, Item=item, **condition,
        )  # fmt: skip
        if done is None:
            raise RefusedError(
                f"{scope_in(item['pk']['S'])}: its webhooks were changed while they were restored; keep "
                "callers away from the API, and run the command again"
            )

    def _raise_counter(self, pk: str, counter: "Item | None") -> None:
        """Let sequence numbers begin behind this one; a counter that is further stays."""
        if counter is None or counter["last"]["N"] == "0":
            return
        attributes = without(counter, "pk", "sk")
        self._calls.call(
            "dynamodb UpdateItem", self._dynamodb.update_item, ("ConditionalCheckFailedException",),
            TableName=self._table,
            Key={"pk": {"S": pk}, "sk": {"S": NEXT}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            ConditionExpression="attribute_not_exists(#last) OR #last < :last",
            ExpressionAttributeNames={f"#{name}": name for name in attributes},
            ExpressionAttributeValues={f":{name}": value for name, value in attributes.items()},
        )  # fmt: skip

    def _bitmap_keys(self, pk: str) -> set[str]:
        return {
            item["sk"]["S"]
            for prefix in (LIVE, TAG)
            for item in query(self._calls, self._account, self._table, pk, prefix)
        }

    def _get(self, pk: str, sk: str) -> "Item | None":
        return next(
            iter(self._calls.get_many(self._dynamodb, self._table, [{"pk": {"S": pk}, "sk": {"S": sk}}])),
            None,
        )

    def with_credential(self, record: Record, stored: "Item | None") -> Item:
        """Make a webhook's credential, and return the webhook as it has it."""
        return self._credentials.write(record["item"], record.get("credential"), stored)

    def conditional_entries(self, items: list[Item]) -> list[Item]:
        """Return the keys of those entries of webhooks that are under conditions."""
        fields = fields_keys(items)
        have = {
            item["pk"]["S"]
            for item in self._calls.get_many(self._dynamodb, self._table, list(fields.values()))
        }
        names = [name for (_, name), key in fields.items() if key["pk"]["S"] in have]
        keys = [key for item in items for key in conditional_keys(item, names)]
        entries = self._calls.get_many(self._dynamodb, self._table, keys)
        return [key for entry in entries for key in keys_under_conditions(entry)]

    def raise_version(self, pk: str) -> Item:
        """Raise a community's version before its webhooks change, so that no other state has this one."""
        updated = self._calls.call(
            "dynamodb UpdateItem", self._dynamodb.update_item,
            TableName=self._table,
            Key={"pk": {"S": pk}, "sk": {"S": HEAD}},
            UpdateExpression="ADD version :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="ALL_NEW",
        )  # fmt: skip
        found: Item = updated["Attributes"]
        return found

    def write(self, puts: list[Item], deletes: Iterable[Item] = ()) -> None:
        keys = [{"pk": item["pk"], "sk": item["sk"]} for item in deletes]
        self._calls.write(self._dynamodb, self._table, puts, keys)

    def each(self, work: Any, arguments: Iterable[Any]) -> list[Any]:
        return self._calls.each(work, arguments)


def scope_in(pk: str) -> str:
    """Return a community as people write it."""
    return pk[len(COMMUNITY) :].replace("#", "/")
