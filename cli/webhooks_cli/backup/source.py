"""Reads a deployment as the records of a backup, while it works.

Each webhook is as it was at one time between the begin and the end. Its community's HEAD and counter are read
before it; the restore makes totals and bitmaps from the webhooks, so none of them can disagree.
"""

from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any

from webhooks_cli import __version__
from webhooks_cli.aws import Account
from webhooks_cli.backup.aws_calls import Calls
from webhooks_cli.backup.credentials import CredentialReader
from webhooks_cli.backup.key_secrets import KeySecrets
from webhooks_cli.backup.records import (
    ACCESS,
    COMMUNITY,
    DELIVERY,
    FORM,
    HEADER,
    OTHER,
    SECRET,
    WEBHOOK,
    Record,
)
from webhooks_cli.backup.resources import SECRETS, Resources
from webhooks_cli.backup.webhook_items import COMMUNITY as COMMUNITY_PK
from webhooks_cli.backup.webhook_items import ENTRY, EPOCH, HEAD, LIVE, RESTORING, TAG, Item
from webhooks_cli.backup.webhook_items import WEBHOOK as WEBHOOK_SK
from webhooks_cli.timestamps import show_timestamp

CHUNK = 100  # webhooks whose credentials are read at the same time
NOT_SAVED = {EPOCH["pk"]["S"], RESTORING["pk"]["S"]}  # a deployment's own


class Source:
    """A deployment that is read. `clock` in epoch seconds; `notice` hears how many webhooks are read."""

    def __init__(
        self,
        account: Account,
        resources: Resources,
        calls: Calls,
        *,
        clock: Callable[[], float],
        notice: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> None:
        self._account = account
        self._resources = resources
        self._calls = calls
        self._credentials = CredentialReader(account, resources, calls)
        self._clock = clock
        self._notice = notice
        self.missing_credentials: list[str] = []  # ids of webhooks
        self._done = 0

    def records(self, *, with_deliveries: bool) -> Iterator[Record]:
        """Return the records of a backup, first its header. Raises CliError."""
        yield self._header(with_deliveries=with_deliveries)
        yield from self._secrets()
        yield from self._access()
        communities, total, others = self._communities()
        yield from ({"kind": OTHER, "item": item} for item in others)
        for pk in communities:
            yield from self.community(pk, total)
        if with_deliveries:
            yield from self._deliveries()

    def _header(self, *, with_deliveries: bool) -> Record:
        stack = self._resources.stack
        return {
            "kind": HEADER,
            "form": FORM,
            "version": __version__,
            "createdAt": show_timestamp(int(self._clock())),
            "stack": stack.get("StackName", ""),
            "stackId": stack.get("StackId", ""),
            "parameters": self._resources.parameters,
            "names": dict(self._resources.names),
            "withDeliveries": with_deliveries,
        }

    def _secrets(self) -> Iterator[Record]:
        keys = KeySecrets(self._account, self._resources, self._calls)
        for name in SECRETS:
            yield {"kind": SECRET, "name": name, "value": keys.read(name)}

    def _access(self) -> Iterator[Record]:
        """Return the licenses; records of requests expire within minutes, and are left out."""
        items = self._scan(self._resources.access, FilterExpression="attribute_not_exists(expiresAt)")
        return ({"kind": ACCESS, "item": item} for item in items)

    def _communities(self) -> tuple[list[str], int, list[Item]]:
        """Return the partitions of all communities in order, their webhooks' number, and unknown items."""
        found: list[str] = []
        others: list[Item] = []
        total = 0
        items = self._scan(
            self._resources.subscriptions,
            FilterExpression="sk = :head OR NOT (begins_with(pk, :community) OR begins_with(pk, :entry))",
            ExpressionAttributeValues={
                ":head": {"S": HEAD}, ":community": {"S": COMMUNITY_PK}, ":entry": {"S": ENTRY},
            },
        )  # fmt: skip
        for item in items:
            pk = item["pk"]["S"]
            if pk.startswith(COMMUNITY_PK):
                found.append(pk)
                total += int(item.get("total", {}).get("N", "0"))
            elif pk not in NOT_SAVED:
                others.append(item)
        return sorted(found), total, others

    def community(self, pk: str, total: int) -> Iterator[Record]:
        """Return a community's own items, then its webhooks; not the bitmaps, which are made from these."""
        items = (
            item
            for item in query(self._calls, self._account, self._resources.subscriptions, pk)
            if not item["sk"]["S"].startswith((LIVE, TAG))
        )
        own: list[Item] = []
        after: list[Item] = []
        first: list[Item] = []
        for item in items:
            if item["sk"]["S"].startswith(WEBHOOK_SK):
                first.append(item)
                break
            own.append(item)
        yield {"kind": COMMUNITY, "pk": pk, "items": own}
        yield from self._webhooks(_up_to_others(chain(first, items), after), total)
        yield from ({"kind": OTHER, "item": item} for item in after)

    def _webhooks(self, items: Iterator[Item], total: int) -> Iterator[Record]:
        while chunk := list(islice(items, CHUNK)):
            for found in self._calls.each(self._credentials.read, chunk):
                if found is None:
                    continue
                item, credential = found
                if credential is None and "credentialSecret" in item:
                    self.missing_credentials.append(item["webhookId"]["S"])
                known = {} if credential is None else {"credential": credential}
                yield {"kind": WEBHOOK, "item": item, **known}
            self._done += len(chunk)
            self._notice(self._done, max(self._done, total))

    def _deliveries(self) -> Iterator[Record]:
        now = {":now": {"N": str(int(self._clock()))}}
        items = self._scan(
            self._resources.deliveries,
            FilterExpression="attribute_not_exists(expiresAt) OR expiresAt > :now",
            ExpressionAttributeValues=now,
        )
        for item in items:
            yield {"kind": DELIVERY, "item": item}

    def _scan(self, table: str, **request: Any) -> Iterator[Item]:
        method = self._account.dynamodb.scan
        return self._calls.pages("dynamodb Scan", method, TableName=table, ConsistentRead=True, **request)


def _up_to_others(items: Iterator[Item], others: list[Item]) -> Iterator[Item]:
    """Return the webhooks; add the items behind them to `others`."""
    for item in items:
        if item["sk"]["S"].startswith(WEBHOOK_SK):
            yield item
        else:
            others.append(item)


def query(calls: Calls, account: Account, table: str, pk: str, prefix: str = "") -> Iterator[Item]:
    """Return the items of a partition in their order, or those whose sort keys begin with the prefix."""
    condition, values = "pk = :pk", {":pk": {"S": pk}}
    if prefix:
        condition, values = f"{condition} AND begins_with(sk, :prefix)", {**values, ":prefix": {"S": prefix}}
    return calls.pages(
        "dynamodb Query",
        account.dynamodb.query,
        TableName=table,
        ConsistentRead=True,
        KeyConditionExpression=condition,
        ExpressionAttributeValues=values,
    )
