"""Hands undelivered deliveries of a tenant over: from the log of its old cell into that of the new one.

A delivery's payload comes first, then its item, then the mark of its webhook's backlog, from which the new
cell sends it; last the old item ends as `skipped`. A repeat of any step changes nothing: ids and keys are the
same in both cells.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from hashlib import sha256
from itertools import islice, product
from typing import Any

from webhooks_cli.backup.source import query
from webhooks_cli.backup.webhook_items import COMMUNITY, Item
from webhooks_cli.cells.marks import communities
from webhooks_cli.cells.opened import Opened

INDEX, IN, OF = "communityUndelivered", "undeliveredIn", "undeliveredOf"
HELD, DEAD, SKIPPED = "held", "dead", "skipped"
RECOVERABLE = "recoverable"
MOVED = "its tenant moved to the cell "  # the reason of a delivery that another cell has
UNKNOWN = "attribute_not_exists(pk) OR (outcome = :skipped AND begins_with(#reason, :moved))"
CHUNK = 100
SHARDS = 16
LOG_SHARDS = ("", "#1", "#2", "#3")  # ends of the names of an index's partitions
REFUSED = ("ConditionalCheckFailedException",)


@dataclass
class Handover:
    """Hands deliveries over. `moved` counts them, `dead` those copied to be replayed.

    `clock` in epoch seconds.
    """

    source: Opened
    target: Opened
    tenant_id: str
    clock: Callable[[], float]
    moved: int = 0
    dead: int = 0
    _marked: "set[tuple[str, str]]" = field(default_factory=set)

    @cached_property
    def _communities(self) -> "list[str]":
        """Return the tenant's communities in the old cell, which begin no more."""
        return communities(self.source, self.tenant_id)

    def round(self) -> int:
        """Hand over what is held or recoverable now; return how many deliveries that were."""
        before = self.moved
        for pk in self._communities:
            for items in self._undelivered(pk, HELD, DEAD):
                backlog = [item for item in items if _is_backlog(item)]
                self._copy(backlog)
                self._mark_backlogs(pk, backlog)
                self.moved += sum(self.source.calls.each(partial(self._end, pk), backlog))
        return self.moved - before

    def copy_dead(self) -> None:
        """Copy the dead deliveries, so that they can be replayed; they stay in the old log too."""
        for pk in self._communities:
            for items in self._undelivered(pk, DEAD):
                dead = [item for item in items if not _is_backlog(item)]
                self._copy(dead)
                self.dead += len(dead)

    def check(self) -> None:
        """Let the new cell look at the webhooks that got a backlog; its schedule would do it in minutes."""
        url = self.target.account.find("recoveryQueueUrl")
        for pk, webhook_id in sorted(self._marked):
            tenant, community = pk[len(COMMUNITY) :].split("#")
            text = f'{{"tenantId":"{tenant}","communityId":"{community}","webhookId":"{webhook_id}"}}'
            self.target.calls.call(
                "sqs SendMessage", self.target.account.sqs.send_message,
                QueueUrl=url,
                MessageBody=text,
                MessageGroupId=sha256(f"{tenant}\n{community}".encode()).hexdigest()[:32],
            )  # fmt: skip
        self._marked.clear()

    def _undelivered(self, pk: str, *outcomes: str) -> "Iterator[list[Item]]":
        """Return the items of a community's deliveries with these outcomes, as they are now."""
        for outcome, shard in product(outcomes, LOG_SHARDS):
            lines = self._lines(f"{pk[len(COMMUNITY) :]}#{outcome}{shard}")
            while chunk := list(islice(lines, CHUNK)):
                keys = [{"pk": line["pk"], "sk": line["sk"]} for line in chunk]
                found = self.source.calls.get_many(
                    self.source.account.dynamodb, self.source.resources.deliveries, keys
                )
                yield [item for item in found if IN in item and item["outcome"]["S"] == outcome]

    def _lines(self, partition: str) -> "Iterator[Item]":
        """Return the lines of a partition of the index."""
        return self.source.calls.pages(
            "dynamodb Query", self.source.account.dynamodb.query,
            TableName=self.source.resources.deliveries,
            IndexName=INDEX,
            KeyConditionExpression=f"{IN} = :in",
            ExpressionAttributeValues={":in": {"S": partition}},
        )  # fmt: skip

    def _copy(self, items: Sequence[Item]) -> None:
        """Write payloads, then items that the new log does not have, or has from before an earlier move."""
        self.source.calls.each(self._copy_one, items)

    def _copy_one(self, item: Item) -> None:
        if "payload" in item:
            chunks = query(
                self.source.calls, self.source.account, self.source.resources.deliveries, _payload_pk(item)
            )
            for chunk in chunks:  # not by `calls.write`, which waits for the workers of which this is one
                self._put(chunk)
        self._put(
            item,
            ConditionExpression=UNKNOWN,
            ExpressionAttributeNames={"#reason": "reason"},
            ExpressionAttributeValues={":skipped": {"S": SKIPPED}, ":moved": {"S": MOVED}},
        )

    def _put(self, item: Item, **condition: Any) -> None:
        self.target.calls.call(
            "dynamodb PutItem", self.target.account.dynamodb.put_item, REFUSED,
            TableName=self.target.resources.deliveries, Item=item, **condition,
        )  # fmt: skip

    def _mark_backlogs(self, pk: str, items: Sequence[Item]) -> None:
        for webhook_id in {_webhook_id(item) for item in items}:
            if (pk, webhook_id) not in self._marked:
                self._mark_backlog(pk, webhook_id)
                self._marked.add((pk, webhook_id))

    def _mark_backlog(self, pk: str, webhook_id: str) -> None:
        """Note in the new cell that a webhook has a backlog; one that was deleted there has none."""
        sequence = int(webhook_id[8:16], 16)
        scope = pk[len(COMMUNITY) :]
        self.target.update(
            self.target.resources.subscriptions,
            {"pk": {"S": pk}, "sk": {"S": f"W#{sequence:010d}"}},
            "SET backlogSince = if_not_exists(backlogSince, :now), listPk = :list, listSk = :sk "
            "ADD #healthVersion :one",
            "#webhookId = :id",
            now={"N": str(int(self.clock() * 1000))},
            list={"S": f"UNHEALTHY#{sha256(scope.encode()).digest()[0] % SHARDS:02d}"},
            sk={"S": f"{scope}#{webhook_id}"},
            one={"N": "1"},
            id={"S": webhook_id},
        )

    def _end(self, pk: str, item: Item) -> bool:
        """End a delivery in the old log, unless it changed meanwhile: the next round finds it then."""
        tenant, community = pk[len(COMMUNITY) :].split("#")
        return self.source.update(
            self.source.resources.deliveries,
            {"pk": item["pk"], "sk": item["sk"]},
            "SET #outcome = :skipped, #reason = :reason, #tenantId = :tenant, #communityId = :community "
            f"REMOVE #{IN}, #{OF}, #{RECOVERABLE}",
            "#outcome = :read AND #settledAt = :at",
            skipped={"S": SKIPPED},
            reason={"S": f"{MOVED}{self.target.cell.name}"},
            tenant={"S": tenant},
            community={"S": community},
            read=item["outcome"],
            at=item["settledAt"],
        )


def _is_backlog(item: Item) -> bool:
    return bool(item["outcome"]["S"] == HELD or RECOVERABLE in item)


def _payload_pk(item: Item) -> str:
    return f"P#{_webhook_id(item)}-{item['sk']['S']}"


def _webhook_id(item: Item) -> str:
    return str(item["pk"]["S"].split("#")[1])
