"""Restores a backup in three passes over its file: compare with the target, write, read back.

Nothing is written before the whole file was read and its digest held. Each pass needs little memory, and each
can be repeated: a restore that was cut off is run again, and ends as if it had not been.
"""

from collections.abc import Callable, Iterator

from webhooks_cli.aws import Account
from webhooks_cli.backup.aws_calls import WRITES, Calls
from webhooks_cli.backup.comparison import Comparison, compare, grouped
from webhooks_cli.backup.key_secrets import TITLES, KeySecrets
from webhooks_cli.backup.records import (
    ACCESS,
    COMMUNITY,
    DELIVERY,
    OTHER,
    SECRET,
    WEBHOOK,
    Read,
    Record,
    Summary,
)
from webhooks_cli.backup.resources import Resources
from webhooks_cli.backup.target import Target
from webhooks_cli.backup.verification import Verification
from webhooks_cli.backup.webhook_items import Item

AT_ONCE = WRITES * 8  # items


class Restoration:
    """A file and the deployment that it is restored into. `open_file` gives its records from the begin."""

    def __init__(
        self,
        account: Account,
        resources: Resources,
        calls: Calls,
        open_file: Callable[[], Read],
        notice: Callable[[int, int], None],
    ) -> None:
        self._account = account
        self._resources = resources
        self._calls = calls
        self._open = open_file
        self._notice = notice
        self.target = Target(account, resources, calls)
        self._keys = KeySecrets(account, resources, calls)
        self.kept_keys: list[str] = []  # the same in the target, or newer

    def compare(self) -> tuple[Summary, Comparison]:
        """Read the whole file, and compare its webhooks with the target's. Raises CliError."""
        return compare(self._open(), self.target, self._keys, self._resources)

    def write(self, summary: Summary, found: Comparison) -> None:
        """Write everything; the mark in the table stays until it was read back. Raises CliError."""
        self.target.begin()
        total = summary.counts.get(WEBHOOK, 0)
        deliveries = Batch(self._calls, self._account, self._resources.deliveries)
        access = Batch(self._calls, self._account, self._resources.access)
        for record, webhooks in grouped(self._open().records()):
            kind = record["kind"]
            if kind == SECRET and not self._keys.write(record["name"], record["value"]):
                self.kept_keys.append(TITLES[record["name"]])
            elif kind == ACCESS:
                access.put(record["item"])
            elif kind == OTHER:
                self.target.put([record["item"]])
            elif kind == COMMUNITY:
                exists = record["pk"] in found.communities
                self.target.restore_community(record, self._counted(webhooks, total), exists=exists)
            elif kind == DELIVERY:
                deliveries.put(record["item"])
        access.flush()
        deliveries.flush()
        for pk in sorted(found.missing):
            self.target.empty_community(pk)

    def verify(self) -> Verification:
        """Read the target back and compare it with the file; then take the mark off the table."""
        check = Verification(self._account, self._resources, self._calls, self._keys)
        check.run(self._open(), self._notice)
        self.target.end()
        return check

    def _counted(self, webhooks: Iterator[Record], total: int) -> Iterator[Record]:
        for record in webhooks:
            yield record
            self._notice(self.target.restored.webhooks, total)


class Batch:
    """Items that are written many at a time."""

    def __init__(self, calls: Calls, account: Account, table: str) -> None:
        self._calls = calls
        self._dynamodb = account.dynamodb
        self._table = table
        self._items: list[Item] = []

    def put(self, item: Item) -> None:
        self._items.append(item)
        if len(self._items) == AT_ONCE:
            self.flush()

    def flush(self) -> None:
        self._calls.write(self._dynamodb, self._table, self._items)
        self._items = []
