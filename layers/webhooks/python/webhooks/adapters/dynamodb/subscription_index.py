"""Webhooks by event name and communities' versions, for fan-out, from the subscriptions table."""

import logging
import time
from collections.abc import Sequence

from webhooks.adapters.dynamodb.epoch import epoch_from
from webhooks.adapters.dynamodb.items import Item, key
from webhooks.adapters.dynamodb.keys import EPOCH, HEAD, community_pk, entry_sk, listeners_pk
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.dynamodb.webhook_items import entry_from
from webhooks.domain.errors import CorruptError, NewerFormError
from webhooks.domain.event_slice import Span
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import IndexEntry
from webhooks.ports import Clock, ListenerPage, Versions

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
        by_pk = {community_pk(scope): scope for scope in scopes}
        items = self._table.get_many(
            [EPOCH, *(key(pk, HEAD) for pk in by_pk)], attributes=("pk", "version", "since")
        )
        by_key = {item["pk"]["S"]: item for item in items}
        epoch = epoch_from(by_key.pop(EPOCH["pk"]["S"], None), now=self._clock())
        found = {by_pk[pk]: int(item["version"]["N"]) for pk, item in by_key.items()}
        return Versions({scope: found.get(scope, 0) for scope in scopes}, epoch)

    def listeners(self, scope: Scope, event_name: str, *, span: Span, limit: int) -> ListenerPage:
        """Return the first listeners of a span: at most `limit`, and at most one Query's 1 MiB."""
        last = LAST if span.last is None else entry_sk(span.last)
        items, is_cut = self._table.query_page(
            listeners_pk(scope, event_name), first=entry_sk(span.first), last=last, limit=limit + 1
        )
        sequences = [int(item["sk"]["S"]) for item in items]
        next_sequence = sequences[-1] + 1 if is_cut else None
        if len(items) > limit:
            next_sequence = sequences[limit]
        taken = items[:limit]
        size = sum(ENTRY_BYTES + QUERY_FACTOR * len(item.get("query", {}).get("S", "")) for item in taken)
        return ListenerPage([_entry(item) for item in taken], next_sequence, size)

    def last_sequence(self, scope: Scope, event_name: str) -> int:
        """Return the largest sequence number of the name's listeners, 0 without any."""
        items, _ = self._table.query_page(listeners_pk(scope, event_name), limit=1, descending=True)
        return int(items[0]["sk"]["S"]) if items else 0


def _entry(item: Item) -> IndexEntry | CorruptError:
    try:
        return entry_from(item)
    except NewerFormError as error:  # its event is postponed, with this reason
        return error
    except CorruptError as error:
        logger.error("index.corrupt", extra={"reason": str(error)})  # noqa: TRY400 - a traceback adds nothing
        return error
