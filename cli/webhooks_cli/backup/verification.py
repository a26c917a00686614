"""Reads a restored deployment back: every record of the file must be in it, with the same digest."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from webhooks_cli.aws import Account
from webhooks_cli.backup.aws_calls import Calls
from webhooks_cli.backup.credentials import CredentialReader
from webhooks_cli.backup.key_secrets import TITLES, KeySecrets, is_newer
from webhooks_cli.backup.records import (
    ACCESS,
    COMMUNITY,
    OTHER,
    SECRET,
    WEBHOOK,
    Contents,
    Read,
    Record,
    Summary,
)
from webhooks_cli.backup.resources import Resources
from webhooks_cli.backup.webhook_items import HEAD, Item

CHUNK = 100
NAMED = 5


class Verification:
    """Compares a file with a deployment. `differing`: the records that are not there as they were saved."""

    def __init__(self, account: Account, resources: Resources, calls: Calls, keys: KeySecrets) -> None:
        self._dynamodb = account.dynamodb
        self._resources = resources
        self._calls = calls
        self._keys = keys
        self._credentials = CredentialReader(account, resources, calls)
        self._contents = Contents()
        self._webhooks = 0  # of the community that is read
        self._community: Record | None = None
        self.summary: Summary | None = None
        self.differing: list[str] = []
        self.differences = 0

    @property
    def digest(self) -> str:
        """Return the digest of the contents that were read back."""
        return self._contents.digest

    @property
    def is_same(self) -> bool:
        """Tell whether everything of the file was found, with the same digest."""
        return not self.differences and self.digest == self._expected

    def run(self, file: Read, notice: Callable[[int, int], None]) -> None:
        """Read the target by the file's records. Raises CliError."""
        records = file.records()
        done = 0
        while chunk := list(islice(records, CHUNK)):
            self._chunk(chunk)
            done += sum(record["kind"] == WEBHOOK for record in chunk)
            notice(done, 0)
        self._end_community()
        self._expected = file.whole.contents

    def _chunk(self, records: Sequence[Record]) -> None:
        for record in records:
            if record["kind"] == SECRET and is_newer(record["value"], self._keys.read(record["name"])):
                self._differs(f"the {TITLES[record['name']]}")
        for kind, table in (
            (ACCESS, self._resources.access),
            (OTHER, self._resources.subscriptions),
        ):
            some = [record for record in records if record["kind"] == kind]
            for record, stored in zip(some, self._stored(table, some)):  # noqa: B905 - as of Python 3.10
                if stored != record["item"]:
                    self._differs(f"the item {record['item']['pk']['S']}")
                if stored is not None:
                    self._contents.add(kind, stored)
        webhooks = [record for record in records if record["kind"] == WEBHOOK]
        stored_ones = self._stored(self._resources.subscriptions, webhooks)
        found = iter(
            self._calls.each(lambda item: self._credentials.read(item) if item else None, stored_ones)
        )
        for record in records:
            if record["kind"] == COMMUNITY:
                self._end_community()
                self._community, self._webhooks = record, 0
            elif record["kind"] == WEBHOOK:
                self._webhook(record, next(found))

    def _webhook(self, record: Record, found: Any) -> None:
        self._webhooks += 1
        saved, read = Contents(), Contents()
        saved.add_record(record)
        if found is not None:
            item, credential = found
            for contents in (read, self._contents):
                contents.add_record({"kind": WEBHOOK, "item": item, "credential": credential})
        if saved.digest != read.digest:
            self._differs(f"the webhook {record['item'].get('webhookId', {}).get('S', '?')}")

    def _end_community(self) -> None:
        """Compare the total of the community that was read with its number of webhooks."""
        community, self._community = self._community, None
        if community is None:
            return
        key = {"pk": {"S": community["pk"]}, "sk": {"S": HEAD}}
        [head] = self._calls.get_many(self._dynamodb, self._resources.subscriptions, [key]) or [{}]
        if int(head.get("total", {}).get("N", "-1")) != self._webhooks:
            self._differs(f"the number of webhooks of {community['pk'][2:].replace('#', '/')}")

    def _stored(self, table: str, records: Sequence[Record]) -> "list[Item | None]":
        keys = [_key(record["item"]) for record in records]
        found = self._calls.get_many(self._dynamodb, table, keys)
        by_key = {_text(item): item for item in found}
        return [by_key.get(_text(key)) for key in keys]

    def _differs(self, name: str) -> None:
        self.differences += 1
        if len(self.differing) < NAMED:
            self.differing.append(name)


def _key(item: Item) -> Item:
    return {name: item[name] for name in ("pk", "sk") if name in item}


def _text(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item.get("sk", {}).get("S", "")
