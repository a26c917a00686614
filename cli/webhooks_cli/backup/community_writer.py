"""Writes the webhooks of one community with all that belongs to them, chunk by chunk."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from webhooks_cli.backup.records import Record
from webhooks_cli.backup.webhook_items import CREDENTIAL, Bitmaps, Item, index_entries, is_same, sequence_in

Pair = tuple["Item | None", "Record | None"]  # a webhook of the table, and one of the file


@dataclass
class Restored:
    """Counts of a restore; `removed`: webhooks of the target that the backup does not have."""

    webhooks: int = 0
    written: int = 0
    removed: int = 0
    without_credential: int = 0
    communities: set[str] = field(default_factory=set)


class Writes(Protocol):
    """The writes of a deployment that is restored."""

    restored: Restored

    def with_credential(self, record: Record, stored: "Item | None") -> Item:
        """Make a webhook's credential, and return the webhook as it has it."""

    def conditional_entries(self, items: list[Item]) -> list[Item]:
        """Return the keys of those entries of webhooks that are under conditions."""

    def raise_version(self, pk: str) -> Item:
        """Raise a community's version, and return its HEAD."""

    def write(self, puts: list[Item], deletes: Iterable[Item] = ()) -> None:
        """Write and delete items."""

    def each(self, work: Callable[[Any], Any], arguments: Iterable[Any]) -> list[Any]:
        """Do the work for each argument, several at the same time."""


class CommunityWriter:
    """Writes a community's webhooks, entries and bitmaps, chunk by chunk."""

    def __init__(self, target: Writes, pk: str, seen: "Item | None") -> None:
        self._target = target
        self._pk = pk
        self._bitmaps = Bitmaps(pk)
        self._written: set[str] = set()  # sort keys of bitmaps
        self.seen = seen
        self.last = 0

    def write(self, chunk: list[Pair]) -> None:
        """Write the credentials, then the webhooks, then their index entries: each needs those before it."""
        target, restored = self._target, self._target.restored
        items = target.each(lambda pair: target.with_credential(pair[1], pair[0]) if pair[1] else None, chunk)
        puts: list[Item] = []
        removed: list[Item] = []
        entries: list[Item] = []
        old_entries: list[Item] = []
        replaced: list[Item] = []
        for (stored, record), item in zip(chunk, items):  # noqa: B905 - as of Python 3.10
            new = {} if item is None else index_entries(item)
            if stored and not (item and is_same(stored, item)):
                old_entries += [each for pk, each in index_entries(stored).items() if pk not in new]
                replaced.append(stored)
                restored.removed += 1
            if item is None:
                removed.append(stored or {})
                continue
            restored.webhooks += 1
            restored.without_credential += "credentialSecret" in item and "credential" not in (record or {})
            entries += new.values()
            if not (stored and is_same(stored, item) and _names_same_credential(stored, item)):
                puts.append(item)
        if self.seen and (puts or removed):
            self.seen = self._target.raise_version(self._pk)
        restored.written += len(puts)
        old_entries += target.conditional_entries(replaced)
        # The old entries first: once a webhook is overwritten, nothing tells which entries it had.
        target.write([], old_entries)
        target.write(puts, removed)
        target.write(entries)
        self._index([item for item in items if item])

    def _index(self, items: list[Item]) -> None:
        for item in items:
            self._put_bitmaps(self._bitmaps.add(item))
            self.last = sequence_in(item)

    def finish(self, stored: set[str]) -> list[int]:
        """Write the last bitmaps, delete those of the table that are not theirs; return the counts."""
        self._put_bitmaps(self._bitmaps.finish())
        stale = [{"pk": {"S": self._pk}, "sk": {"S": sk}} for sk in sorted(stored - self._written)]
        self._target.write([], stale)
        return self._bitmaps.counts

    def _put_bitmaps(self, bitmaps: list[Item]) -> None:
        self._written.update(item["sk"]["S"] for item in bitmaps)
        self._target.write(bitmaps)


def merged(stored: Iterator[Item], records: Iterable[Record]) -> Iterator[Pair]:
    """Join the table's webhooks with the file's by their numbers; both are in their order."""
    of_file = iter(records)
    item, record = next(stored, None), next(of_file, None)
    while item is not None or record is not None:
        order = _order(item, record)
        yield (item if order <= 0 else None), (record if order >= 0 else None)
        if order <= 0:
            item = next(stored, None)
        if order >= 0:
            record = next(of_file, None)


def _order(item: "Item | None", record: "Record | None") -> int:
    if item is None or record is None:
        return 1 if item is None else -1
    return sequence_in(item) - sequence_in(record["item"])


def _names_same_credential(one: Item, other: Item) -> bool:
    return all(one.get(name) == other.get(name) for name in CREDENTIAL)
