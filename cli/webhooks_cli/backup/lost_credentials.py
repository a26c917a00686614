"""Brings back credentials that cannot be read, and changes nothing else: webhooks go on as they are."""

from collections.abc import Iterator
from itertools import islice

from webhooks_cli.aws import Account
from webhooks_cli.backup.aws_calls import Calls
from webhooks_cli.backup.community_writer import merged
from webhooks_cli.backup.comparison import grouped
from webhooks_cli.backup.credentials import CredentialReader, CredentialWriter
from webhooks_cli.backup.records import COMMUNITY, Read, Record
from webhooks_cli.backup.resources import Resources
from webhooks_cli.backup.target import CHUNK, Target
from webhooks_cli.backup.webhook_items import CREDENTIAL, Item
from webhooks_cli.credentials.forms import as_secret, credential_update


class LostCredentials:
    """The credentials of a deployment that a backup has. `notice` hears how many were looked at."""

    def __init__(self, account: Account, resources: Resources, calls: Calls, target: Target) -> None:
        self._account = account
        self._table = resources.subscriptions
        self._calls = calls
        self._target = target
        self._reader = CredentialReader(account, resources, calls)
        self._writer = CredentialWriter(account, resources, calls)
        self.seen = 0
        self.restored: list[str] = []  # ids of webhooks

    def restore(self, file: Read) -> None:
        """Bring back each credential that its webhook still names, and that is gone. Raises CliError."""
        for record, webhooks in grouped(file.records()):
            if record["kind"] == COMMUNITY:
                pairs = self._unchanged(record["pk"], webhooks)
                while chunk := list(islice(pairs, CHUNK)):
                    self.seen += len(chunk)
                    self.restored += filter(None, self._calls.each(self._restore, chunk))

    def _unchanged(self, pk: str, records: Iterator[Record]) -> Iterator[tuple[Item, Record]]:
        """Return the webhooks that name the same version of a credential as the backup's."""
        for stored, record in merged(self._target.webhooks(pk), records):
            if stored and record and "credential" in record:
                item, named = record["item"], as_secret(stored)
                if all(named.get(name) == item.get(name) for name in (*CREDENTIAL, "webhookId")):
                    yield stored, record

    def _restore(self, pair: tuple[Item, Record]) -> "str | None":
        stored, record = pair
        if self._reader.text_of(stored) is not None:
            return None
        item = self._writer.write(as_secret(stored), record["credential"])
        self._calls.call(
            "dynamodb UpdateItem", self._account.dynamodb.update_item, ("ConditionalCheckFailedException",),
            TableName=self._table,
            Key={"pk": stored["pk"], "sk": stored["sk"]},
            **credential_update(stored, item),
        )  # fmt: skip
        return str(stored["webhookId"]["S"])
