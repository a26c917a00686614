"""Copies a tenant from one cell into another, and compares both: webhooks by the backup's reader and writer.

Ids, sequence numbers, health, pauses and credentials are those of the source. Its licenses come too, and the
idempotency records of its webhooks, so that a repeated request gets its response in either cell.
"""

from collections.abc import Callable, Iterator
from typing import Any

from webhooks_cli.backup.comparison import grouped
from webhooks_cli.backup.records import ACCESS, COMMUNITY, WEBHOOK, Contents, Record
from webhooks_cli.backup.source import Source
from webhooks_cli.backup.target import Target, scope_in
from webhooks_cli.backup.webhook_items import HEAD, Item
from webhooks_cli.cells.marks import communities
from webhooks_cli.cells.opened import Opened
from webhooks_cli.errors import RefusedError

LICENSE, ANSWER = "license#", "answer#"
NAMED = 3


class TenantCopy:
    """A tenant in two cells. `notice` hears how many webhooks are done; `clock` in epoch seconds."""

    def __init__(
        self,
        source: Opened,
        target: Opened,
        tenant_id: str,
        *,
        clock: Callable[[], float],
        notice: Callable[[int, int], None],
    ) -> None:
        self._source = source
        self._target = target
        self._tenant = tenant_id
        self._clock = clock
        self._notice = notice
        self.webhooks = 0
        self.without_credential: list[str] = []  # ids of webhooks

    @property
    def source_name(self) -> str:
        return self._source.cell.name

    @property
    def target_name(self) -> str:
        return self._target.cell.name

    def write(self) -> None:
        """Make the tenant of the target that of the source; a repeat changes what differs."""
        target = Target(self._target.account, self._target.resources, self._target.calls)
        found = communities(self._source, self._tenant)
        ids: set[str] = set()
        for pk in sorted(set(communities(self._target, self._tenant)) - set(found)):
            target.empty_community(pk)
        for pk in found:
            for community, webhooks in grouped(self._records(self._source, pk)):
                if community["kind"] == COMMUNITY:
                    target.restore_community(community, _noted(webhooks, ids), exists=True)
                    self._notice(len(ids), len(ids))
        self.webhooks = len(ids)
        access = [*self._licenses(self._source), *self._idempotency_records(ids)]
        self._target.calls.write(self._target.account.dynamodb, self._target.resources.access, access)
        self._target.count_change()

    def remove(self, cell: Opened) -> None:
        """Remove the tenant's webhooks from a cell; counters, licenses and the delivery log stay.

        The orphan cleanup deletes the secrets that no webhook names any more.
        """
        target = Target(cell.account, cell.resources, cell.calls)
        for pk in communities(cell, self._tenant):
            target.empty_community(pk)
        cell.count_change()

    def differences(self) -> list[str]:
        """Return what differs between both cells, such as webhooks by their ids; health does not count."""
        both = sorted({*communities(self._source, self._tenant), *communities(self._target, self._tenant)})
        differing: list[str] = []
        for pk in both:
            one, other = (self._digests(cell, pk) for cell in (self._source, self._target))
            differing += sorted(name for name in {**one, **other} if one.get(name) != other.get(name))
        licenses = [self._license_digest(cell) for cell in (self._source, self._target)]
        return differing + (["the licenses"] if licenses[0] != licenses[1] else [])

    def refuse_differences(self) -> None:
        """Raise RefusedError where both cells differ."""
        found = self.differences()
        if found:
            raise RefusedError(
                f"the copy of {self._tenant} in the cell {self._target.cell.name} differs from the original "
                f"({', '.join(found[:NAMED])}), and nothing was switched: run the command again"
            )

    def _digests(self, cell: Opened, pk: str) -> dict[str, str]:
        """Return a digest of each webhook with its credential, and the community's total."""
        digests = {}
        for record in self._records(cell, pk):
            if record["kind"] == WEBHOOK:
                contents = Contents()
                contents.add_record(record)
                digests[f"the webhook {record['item']['webhookId']['S']}"] = contents.digest
            elif record["kind"] == COMMUNITY:
                totals = [
                    item.get("total", {}).get("N", "0") for item in record["items"] if item["sk"]["S"] == HEAD
                ]
                digests[f"the number of webhooks of {scope_in(pk)}"] = "".join(totals)
        return digests

    def _license_digest(self, cell: Opened) -> str:
        contents = Contents()
        for item in self._licenses(cell):
            contents.add(ACCESS, item)
        return contents.digest

    def _records(self, cell: Opened, pk: str) -> Iterator[Record]:
        source = Source(cell.account, cell.resources, cell.calls, clock=self._clock)
        yield from source.community(pk, 0)
        if cell is self._source:
            self.without_credential += source.missing_credentials

    def _licenses(self, cell: Opened) -> Iterator[Item]:
        return self._access(
            cell, "begins_with(pk, :prefix) AND tenantId = :tenant", prefix=LICENSE, tenant=self._tenant
        )

    def _idempotency_records(self, ids: "set[str]") -> Iterator[Item]:
        now = str(int(self._clock()))
        for item in self._access(self._source, "begins_with(pk, :prefix)", prefix=ANSWER):
            if item.get("webhookId", {}).get("S") in ids and int(item["expiresAt"]["N"]) > int(now):
                yield item

    def _access(self, cell: Opened, condition: str, **values: str) -> Iterator[Item]:
        request: Any = {
            "TableName": cell.resources.access,
            "ConsistentRead": True,
            "FilterExpression": condition,
            "ExpressionAttributeValues": {f":{name}": {"S": value} for name, value in values.items()},
        }
        return cell.calls.pages("dynamodb Scan", cell.account.dynamodb.scan, **request)


def _noted(webhooks: Iterator[Record], ids: "set[str]") -> Iterator[Record]:
    for record in webhooks:
        ids.add(record["item"]["webhookId"]["S"])
        yield record
