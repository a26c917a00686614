"""The subscriptions table's items: index entries and bitmaps of webhooks, and a community's totals.

These are copies of the service's rules (`webhooks.adapters.dynamodb`): the command has no service beside it.
"""

import json
import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any

from webhooks_cli.event_files import write_json

Item = dict[str, Any]

COMMUNITY, ENTRY, WEBHOOK = "C#", "E#", "W#"  # the beginnings of keys
CONDITIONAL, CONDITION = "E##ALL#", "E##BY#"  # of entries that conditions find
HEAD, NEXT = "HEAD", "NEXT"
LIVE, TAG = "LIVE#", "TAG#"
TAG_HASH = 32
SEGMENT = 4096
EPOCH = {"pk": {"S": "EPOCH"}, "sk": {"S": "EPOCH"}}  # counts all changes of webhooks
RESTORING = {"pk": {"S": "RESTORING"}, "sk": {"S": "RESTORING"}}  # present while a restore runs

CREDENTIAL = ("credentialSecret", "credentialVersion", "credentialSealed")
# The service's own facts about an endpoint: they change without a change of the webhook.
HEALTH = (
    "slowSince", "failingSince", "heldSince", "backlogSince", "failures", "failuresSince", "probeAt",
    "probeDelay", "recoveryAt", "recovery", "stateChanges", "healthVersion", "listPk", "listSk",
)  # fmt: skip


def sequence_in(item: Mapping[str, Any]) -> int:
    """Return the sequence number in a webhook's key."""
    return int(item["sk"]["S"][len(WEBHOOK) :])


def path_of(item: Mapping[str, Any]) -> str:
    """Return the part of the names of a webhook's secrets between prefix and random end."""
    _, tenant, community = item["pk"]["S"].split("#")
    return f"{tenant}/{community}/{item['webhookId']['S']}"


def is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two items are one webhook without a change in between."""
    return all(one.get(name) == other.get(name) for name in ("webhookId", "revision"))


def without(item: Mapping[str, Any], *names: str) -> Item:
    return {name: value for name, value in item.items() if name not in names}


def definition_of(item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Read a webhook's definition; None where it cannot be read: it then has no index entries and no tags."""
    try:
        definition = json.loads(item["definition"]["S"], parse_float=Decimal)
        names, tags, query = (definition.get(name, []) for name in ("eventNames", "tags", "query"))
        texts = all(isinstance(each, list) for each in (names, tags, query)) and all(
            isinstance(each, str) for each in (*names, *tags)
        )
        is_whole = texts and isinstance(item["webhookId"]["S"], str)
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError):
        return None
    return definition if is_whole else None


def index_entries(item: Mapping[str, Any]) -> dict[str, Item]:
    """Return a webhook's index entries by their partition; a disabled webhook has none."""
    definition = definition_of(item)
    if definition is None or item.get("disabled", {}).get("BOOL", False):
        return {}
    attributes = {
        "webhookId": item["webhookId"],
        "criteria": {"S": definition.get("criteria", "ANY")},
        "query": {"S": write_json(definition.get("query", []))},
    }
    sk = {"S": f"{sequence_in(item):010d}"}
    scope = item["pk"]["S"][len(COMMUNITY) :]
    partitions = [f"{ENTRY}{scope}#{name}" for name in definition["eventNames"]]
    return {pk: {"pk": {"S": pk}, "sk": sk, **attributes} for pk in partitions}


def fields_keys(items: Iterable[Item]) -> dict[tuple[str, str], Item]:
    """Return the keys of the fields of webhooks' names, by the community's partition and the name."""
    return {
        (item["pk"]["S"], name): {
            "pk": {"S": f"{ENTRY}{item['pk']['S'][len(COMMUNITY) :]}#{name}"},
            "sk": {"S": f"{0:010d}"},
        }
        for item in items
        for name in (definition_of(item) or {"eventNames": []})["eventNames"]
    }


def conditional_keys(item: Item, names: Iterable[str]) -> list[Item]:
    """Return the keys of a webhook's entries among all that are under conditions, of some of its names."""
    scope = item["pk"]["S"][len(COMMUNITY) :]
    sk = {"S": f"{sequence_in(item):010d}"}
    listed = set((definition_of(item) or {"eventNames": []})["eventNames"])
    return [{"pk": {"S": f"{CONDITIONAL}{scope}#{name}"}, "sk": sk} for name in names if name in listed]


def keys_under_conditions(entry: Item) -> list[Item]:
    """Return the keys of an entry among all that are under conditions, and under each of its conditions."""
    tenant, community, name = entry["pk"]["S"][len(CONDITIONAL) :].split("#", 2)
    digests = json.loads(entry["conditions"]["S"])
    partitions = [entry["pk"]["S"], *(f"{CONDITION}{tenant}#{community}#{each}#{name}" for each in digests)]
    return [{"pk": {"S": pk}, "sk": entry["sk"]} for pk in partitions]


class Bitmaps:
    """The bitmaps and counts of a community, built from its webhooks in the order of their numbers."""

    def __init__(self, pk: str) -> None:
        self._pk = pk
        self._bits: dict[str, int] = defaultdict(int)  # by the beginning of the sort key, of one segment
        self._segment = 0
        self.counts: list[int] = []

    def add(self, item: Mapping[str, Any]) -> list[Item]:
        """Count a webhook; return the bitmaps of the segment before it, where it begins another."""
        segment, bit = divmod(sequence_in(item), SEGMENT)
        finished = self.finish() if segment != self._segment else []
        self._segment = segment
        definition = definition_of(item) or {}
        for prefix in (LIVE, *map(_tag_prefix, definition.get("tags", []))):
            self._bits[prefix] |= 1 << bit
        self.counts += [0] * (segment + 1 - len(self.counts))
        self.counts[segment] += 1
        return finished

    def finish(self) -> list[Item]:
        """Return the bitmaps of the last segment."""
        items = [
            {
                "pk": {"S": self._pk},
                "sk": {"S": f"{prefix}{self._segment:08d}"},
                "bits": {"B": bits.to_bytes(SEGMENT // 8, "big")},
            }
            for prefix, bits in self._bits.items()
        ]
        self._bits.clear()
        return items


def _tag_prefix(tag: str) -> str:
    return f"{TAG}{sha256(tag.encode('utf-8', 'surrogatepass')).hexdigest()[:TAG_HASH]}#"


def head_with(head: Mapping[str, Any], counts: list[int], version: int) -> Item:
    """Return a community's HEAD with totals of these counts. HEAD keeps a segment that became empty."""
    before = len(head.get("counts", {}).get("B", b"")) // 2
    padded = counts + [0] * (before - len(counts))
    return {
        **head,
        "version": {"N": str(version)},
        "total": {"N": str(sum(counts))},
        "counts": {"B": struct.pack(f">{len(padded)}H", *padded)},
    }
