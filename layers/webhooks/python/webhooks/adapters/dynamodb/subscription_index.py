"""Webhooks by event name and communities' versions, for fan-out, from the subscriptions table."""

import logging
import time
from collections.abc import Iterable, Sequence

from webhooks.adapters.dynamodb.conditional_entries import fields_from
from webhooks.adapters.dynamodb.epoch import epoch_from
from webhooks.adapters.dynamodb.items import Item, ItemKey, key
from webhooks.adapters.dynamodb.keys import (
    EPOCH,
    HEAD,
    community_pk,
    condition_pk,
    conditional_pk,
    entry_sk,
    fields_key,
    listeners_pk,
)
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.dynamodb.webhook_items import entry_from
from webhooks.domain.errors import CorruptError, NewerFormError
from webhooks.domain.event_slice import Span
from webhooks.domain.listener_conditions import Condition
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import IndexEntry
from webhooks.ports import Clock, ListenerPage, Versions, joined

VERSION_ATTRIBUTES = ("pk", "version", "since")
LAST = "9" * 10  # sorts behind every sequence number that an entry can have
# Memory of an entry: an object, and a parsed query of up to 24 times its text ("{}," is a dict).
ENTRY_BYTES, QUERY_FACTOR = 600, 24

logger = logging.getLogger(__name__)


class DynamoSubscriptionIndex:
    """The index entries and the communities' versions."""

    def __init__(self, table: Table, *, clock: Clock = time.time) -> None:
        self._table = table
        self._clock = clock

    def versions(self, scopes: Sequence[Scope]) -> Versions:
        """Return the epoch, and each community's version as it is now."""
        items = self._table.get_many(version_keys(scopes), attributes=VERSION_ATTRIBUTES)
        return versions_from(items, scopes, now=self._clock())

    def listeners(self, scope: Scope, event_name: str, *, span: Span, limit: int) -> ListenerPage:
        """Return the first listeners of a span that are under no condition: `limit`, or one Query's 1 MiB."""
        pk, first = listeners_pk(scope, event_name), entry_sk(span.first)
        if span.first == 0:
            items, is_cut = self._query(pk, span, limit + 2)
            own = items.pop(0) if items and items[0]["sk"]["S"] == first else None
            fields = fields_from(own) if own else ()
        else:
            items, is_cut = self._query(pk, span, limit + 1)
            # Read last: the first webhook that is moved under a condition meanwhile is in neither otherwise.
            fields = self._fields(scope, event_name)
        return _page(items, is_cut, limit, fields)

    def listeners_by(
        self, scope: Scope, event_name: str, condition: Condition, *, span: Span, limit: int
    ) -> ListenerPage:
        """Return the first listeners of a span that are under a condition."""
        pk = condition_pk(scope, event_name, condition.digest)
        return _page(*self._query(pk, span, limit + 1), limit)

    def all_listeners(self, scope: Scope, event_name: str, *, span: Span, limit: int) -> ListenerPage:
        """Return the first listeners of a span, whatever they are under."""
        plain = self.listeners(scope, event_name, span=span, limit=limit)
        if not plain.fields:
            return plain
        items, is_cut = self._query(conditional_pk(scope, event_name), span, limit + 1)
        return joined([plain, _page(items, is_cut, limit)], limit=limit)

    def last_sequence(self, scope: Scope, event_name: str) -> int:
        """Return the largest sequence number of the name's listeners, 0 without any."""
        plain = listeners_pk(scope, event_name)
        last = self._last(plain)
        if self._fields(scope, event_name):  # plain ones again: a change may move one from place to place
            last = max(last, self._last(conditional_pk(scope, event_name)), self._last(plain))
        return last

    def _last(self, pk: str) -> int:
        items, _ = self._table.query_page(pk, limit=1, descending=True)
        return int(items[0]["sk"]["S"]) if items else 0

    def _fields(self, scope: Scope, event_name: str) -> tuple[str, ...]:
        items = self._table.get_many([fields_key(scope, event_name)])
        return fields_from(items[0]) if items else ()

    def _query(self, pk: str, span: Span, limit: int) -> tuple[list[Item], bool]:
        last = LAST if span.last is None else entry_sk(span.last)
        return self._table.query_page(pk, first=entry_sk(span.first), last=last, limit=limit)


def version_keys(scopes: Iterable[Scope]) -> list[ItemKey]:
    """Return the keys of the epoch and of communities' versions."""
    return [EPOCH, *(key(pk, HEAD) for pk in dict.fromkeys(map(community_pk, scopes)))]


def versions_from(items: Iterable[Item], scopes: Sequence[Scope], *, now: float) -> Versions:
    """Read these communities' versions, and the epoch."""
    by_pk = {item["pk"]["S"]: item for item in items}
    epoch = epoch_from(by_pk.pop(EPOCH["pk"]["S"], None), now=now)
    heads = {scope: by_pk.get(community_pk(scope)) for scope in scopes}
    return Versions({scope: int(head["version"]["N"]) if head else 0 for scope, head in heads.items()}, epoch)


def _page(items: Sequence[Item], is_cut: bool, limit: int, fields: tuple[str, ...] = ()) -> ListenerPage:  # noqa: FBT001 - as a Query has it
    """Return a page of the items of one Query that was asked for more than the limit."""
    sequences = [int(item["sk"]["S"]) for item in items]
    next_sequence = sequences[-1] + 1 if is_cut and sequences else None
    if len(items) > limit:
        next_sequence = sequences[limit]
    taken = items[:limit]
    size = sum(ENTRY_BYTES + QUERY_FACTOR * len(item.get("query", {}).get("S", "")) for item in taken)
    return ListenerPage([_entry(item) for item in taken], next_sequence, size, fields)


def _entry(item: Item) -> IndexEntry | CorruptError:
    try:
        return entry_from(item)
    except CorruptError as error:
        error.sequence = int(item["sk"]["S"])
        if isinstance(error, NewerFormError):  # its event is postponed, with this reason
            return error
        logger.error("index.corrupt", extra={"reason": str(error)})  # noqa: TRY400 - a traceback adds nothing
        return error
