"""Where a webhook's index entries are: under its event's name, or under conditions that find it.

The first listeners of a name are in one partition, which fan-out reads as a whole. Once these are many,
another webhook with a usable condition has its entry once in the partition of each of its conditions, and
once in that of all such webhooks, for events with too many values to look up. The name's fields tell which
values of an event are looked up. They are only added to, in the transaction of the first entry: a reader of
an entry's version sees its field.

Any place is right for any entry. The one of all such webhooks names the conditions that the webhook is under.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from webhooks.adapters.dynamodb.epoch import epoch_from
from webhooks.adapters.dynamodb.items import Item, key, require_form
from webhooks.adapters.dynamodb.keys import (
    EPOCH,
    condition_pk,
    conditional_pk,
    entry_sk,
    fields_key,
    listeners_pk,
)
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.errors import CorruptError
from webhooks.domain.forms import INDEX_FIELDS, VERSION
from webhooks.domain.json_text import write_json
from webhooks.domain.listener_conditions import MAX_FIELDS, Condition, alternatives
from webhooks.domain.scope import Scope
from webhooks.domain.values import value_type
from webhooks.domain.webhook import Webhook
from webhooks.ports import Clock

PLAIN_LISTENERS = 100  # of a name: from this number on conditions are used
COUNTED_NAMES = 4  # names whose listeners one change counts
MAX_NAMES_AND_TAGS = 24  # of a webhook under conditions: its deletion must fit a transaction with all entries
MAX_ENTRIES = 24  # under conditions, of all names of a webhook
CROWDED = 50  # listeners up to which conditions are compared


@value_type(frozen=True, slots=True)
class Entries:
    """The attributes of a webhook's index entries by event name, before and after a change."""

    scope: Scope
    sequence: int
    old: Mapping[str, Item]
    new: Mapping[str, Item]

    @property
    def names(self) -> Sequence[str]:
        """All names, each once."""
        return list(dict.fromkeys((*self.old, *self.new)))


@value_type(frozen=True, slots=True)
class Placed:
    """The writes of a change's entries, and the fields that names get, with those before: None for none."""

    writes: Sequence[tuple[Item, Item | None]]
    fields: Sequence[tuple[Item, Sequence[str], Sequence[str] | None]] = ()

    def requests(self, table: str) -> Iterable[dict[str, Any]]:
        """Return the actions that add the fields."""
        for item_key, fields, before in self.fields:
            item = item_key | fields_attributes(fields)
            put: dict[str, Any] = {"TableName": table, "Item": item}
            put["ConditionExpression"] = "attribute_not_exists(pk)"
            if before is not None:
                put["ConditionExpression"] = "#fields = :before"
                put["ExpressionAttributeNames"] = {"#fields": "fields"}
                put["ExpressionAttributeValues"] = {":before": fields_attributes(before)["fields"]}
            yield {"Put": put}


def fields_attributes(fields: Sequence[str]) -> Item:
    """Return the attributes of a name's fields. A release before them takes the item for a newer entry."""
    return {VERSION: {"N": str(INDEX_FIELDS.newest)}, "fields": {"S": write_json(list(fields))}}


def fields_from(item: Item) -> tuple[str, ...]:
    """Read the fields. Raises CorruptError."""
    try:
        require_form(item, INDEX_FIELDS)
        found = json.loads(item["fields"]["S"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise CorruptError(f"the fields of {item['pk']['S']} cannot be read")
    return tuple(found)


class ConditionalEntries:
    """Places index entries. `plain_listeners`: of a name, that are under no condition."""

    def __init__(self, table: Table, *, clock: Clock, plain_listeners: int = PLAIN_LISTENERS) -> None:
        self._table = table
        self._clock = clock
        self._plain_listeners = plain_listeners

    def concerns(self, before: Webhook | None, after: Webhook | None, sequence: int) -> bool:
        """Tell whether entries may be under conditions: only in a community that had many webhooks."""
        has_query = any(each is not None and each.definition.query for each in (before, after))
        return has_query and sequence > self._plain_listeners

    def place(self, entries: Entries, after: Webhook | None, *, room: int) -> Placed:
        """Return the writes of a webhook's entries, those that stay as they are left out.

        `room`: writes that the transaction takes; where entries under conditions need more, there are none.
        """
        fields, is_reliable = self._fields(entries)
        stored = self._stored(entries, fields)
        found = self._found(entries, fields, after) if is_reliable else {}
        placed = _placed(entries, stored, fields, found)
        if found and len(placed.writes) + len(placed.fields) > room:
            placed = _placed(entries, stored, fields, {})
        return placed

    def _fields(self, entries: Entries) -> tuple[dict[str, tuple[str, ...]], bool]:
        """Return the names' fields, and whether no release can run that does not know them."""
        keys = {listeners_pk(entries.scope, name): name for name in entries.names}
        items = self._table.get_many([EPOCH, *(key(pk, entry_sk(0)) for pk in keys)])
        by_pk = {item["pk"]["S"]: item for item in items}
        epoch = epoch_from(by_pk.pop(EPOCH["pk"]["S"], None), now=self._clock())
        return {keys[pk]: fields_from(item) for pk, item in by_pk.items()}, epoch is not None

    def _stored(self, entries: Entries, fields: Collection[str]) -> dict[str, Item]:
        """Return the webhook's entries among those under conditions, by name."""
        keys = {conditional_pk(entries.scope, name): name for name in entries.old if name in fields}
        items = self._table.get_many([key(pk, entry_sk(entries.sequence)) for pk in keys]) if keys else []
        return {keys[item["pk"]["S"]]: item for item in items}

    def _found(
        self, entries: Entries, fields: Mapping[str, Sequence[str]], after: Webhook | None
    ) -> dict[str, Sequence[Condition]]:
        """Return the conditions that find the webhook, by each name under which they are used."""
        scope, new = entries.scope, entries.new
        if after is None or not new:
            return {}
        definition = after.definition
        groups = alternatives(definition.criteria, definition.query)
        is_large = len(set(definition.event_names)) + len(set(definition.tags)) > MAX_NAMES_AND_TAGS
        if not groups or is_large or len(new) * (len(groups) + 1) > MAX_ENTRIES:
            return {}
        crowded = [name for name in new if name not in fields][:COUNTED_NAMES]
        used = {name: () for name in crowded if self._is_crowded(scope, name)} | {
            name: fields[name] for name in new if name in fields
        }
        return {
            name: conditions
            for name, known in used.items()
            if (conditions := self._chosen(scope, name, groups, known))
        }

    def _is_crowded(self, scope: Scope, name: str) -> bool:
        limit = self._plain_listeners
        return limit == 0 or self._table.count(listeners_pk(scope, name), limit=limit) >= limit

    def _chosen(
        self, scope: Scope, name: str, groups: Sequence[Sequence[Condition]], known: Sequence[str]
    ) -> Sequence[Condition]:
        """Return one condition of each group, the one with the fewest listeners; none where a group has none.

        A field that is known costs no event another lookup.
        """
        chosen: list[Condition] = []
        fields = set(known)
        for group in groups:
            possible = [each for each in group if each.field in fields or len(fields) < MAX_FIELDS]
            if not possible:
                return ()
            ranks = [
                (self._listeners(scope, name, each) if len(possible) > 1 else 0, each.field not in fields)
                for each in possible
            ]
            best = possible[min(range(len(possible)), key=ranks.__getitem__)]
            fields.add(best.field)
            chosen.append(best)
        return list(dict.fromkeys(chosen))

    def _listeners(self, scope: Scope, name: str, condition: Condition) -> int:
        return self._table.count(condition_pk(scope, name, condition.digest), limit=CROWDED)


def _placed(
    entries: Entries,
    stored: Mapping[str, Item],
    fields: Mapping[str, Sequence[str]],
    found: Mapping[str, Sequence[Condition]],
) -> Placed:
    writes: dict[tuple[str, str], Item | None] = {}
    added: list[tuple[Item, Sequence[str], Sequence[str] | None]] = []
    scope, sk, old, new = entries.scope, entry_sk(entries.sequence), entries.old, entries.new
    for name in entries.names:
        before, conditions = stored.get(name), found.get(name, ())
        if old.get(name) == new.get(name) and (before is None or conditions):
            continue  # it stays where it is
        if name in old:
            writes[listeners_pk(scope, name), sk] = None
        if before is not None:
            gone = [condition_pk(scope, name, digest) for digest in json.loads(before["conditions"]["S"])]
            writes |= {(pk, sk): None for pk in (conditional_pk(scope, name), *gone)}
        if name not in new:
            continue
        if not conditions:
            writes[listeners_pk(scope, name), sk] = new[name]
            continue
        digests = sorted(each.digest for each in conditions)
        writes |= {(condition_pk(scope, name, digest), sk): new[name] for digest in digests}
        writes[conditional_pk(scope, name), sk] = new[name] | {"conditions": {"S": write_json(digests)}}
        known = fields.get(name)
        more = [each.field for each in conditions if each.field not in (known or ())]
        if more:
            added.append((fields_key(scope, name), [*(known or ()), *dict.fromkeys(more)], known))
    return Placed([(key(pk, sk), item) for (pk, sk), item in writes.items()], added)
