"""Pages of webhooks by number. HEAD's counts and the bitmaps name a page's webhooks before they are read."""

import logging
from collections.abc import Iterable, Mapping, Sequence

from webhooks.adapters.dynamodb.items import Item, key
from webhooks.adapters.dynamodb.keys import (
    HEAD,
    community_pk,
    live_sk,
    segment_in,
    tag_prefix,
    webhook_sk,
)
from webhooks.adapters.dynamodb.sequence_bitmaps import (
    Head,
    PagePart,
    bitmap_from_bytes,
    counts_from_bytes,
    newest,
    page_parts,
    union,
)
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.dynamodb.tenant_moves import MOVING
from webhooks.adapters.dynamodb.webhook_items import webhook_from
from webhooks.domain.errors import CorruptError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook
from webhooks.ports import Page

READS = 4  # of a page that others change while it is read; the last one counts as it is

logger = logging.getLogger(__name__)


def head_from(item: Item) -> Head:
    """Read a community's HEAD. A HEAD that counts versions only has no totals yet."""
    return Head(
        version=int(item["version"]["N"]),
        total=int(item.get("total", {}).get("N", 0)),
        counts=counts_from_bytes(item.get("counts", {}).get("B", b"")),
        is_moving=MOVING in item,
    )


class SubscriptionPages:
    """Reads pages of the subscriptions table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def page(self, scope: Scope, *, index: int, size: int, tags: Sequence[str]) -> Page:
        """Return a page; `tags`: only webhooks that have any of them."""
        for reads in range(READS):
            head = self.head(scope)
            if tags:
                whole, page = self._tagged(scope, head, tags, skip=index * size, take=size)
            else:
                whole, page = self._all(scope, head, skip=index * size, take=size)
            if whole or reads == READS - 1:
                return page
            self._table.backoff.wait(reads)
        raise AssertionError("unreachable: the last read returns")

    def head(self, scope: Scope) -> Head:
        """Return a community's HEAD as it is now."""
        item = self._table.get(key(community_pk(scope), HEAD))
        return head_from(item) if item else Head()

    def _all(self, scope: Scope, head: Head, *, skip: int, take: int) -> tuple[bool, Page]:
        """Return the page, and whether no change came between its reads."""
        parts = list(page_parts(dict(enumerate(head.counts)), skip=skip, take=take))
        pk = community_pk(scope)
        items = self._table.get_many(key(pk, live_sk(part.segment)) for part in parts)
        bitmaps = _bitmaps(items)
        whole = all(bitmaps.get(part.segment, 0).bit_count() == head.counts[part.segment] for part in parts)
        found, webhooks = self._webhooks(scope, parts, bitmaps)
        return whole and found, Page(head.total, webhooks)

    def _tagged(
        self, scope: Scope, head: Head, tags: Sequence[str], *, skip: int, take: int
    ) -> tuple[bool, Page]:
        pk = community_pk(scope)
        bitmaps = union(
            pair
            for tag in dict.fromkeys(tags)
            for pair in _bitmaps(self._table.query(pk, prefix=tag_prefix(tag))).items()
        )
        counts = {segment: bits.bit_count() for segment, bits in bitmaps.items()}
        parts = list(page_parts(counts, skip=skip, take=take))
        found, webhooks = self._webhooks(scope, parts, bitmaps)
        whole = found and self.head(scope).version == head.version
        return whole, Page(sum(counts.values()), webhooks)

    def _webhooks(
        self, scope: Scope, parts: Iterable[PagePart], bitmaps: Mapping[int, int]
    ) -> tuple[bool, list[Webhook]]:
        """Return whether all of the parts' webhooks were there, and those that were, newest first."""
        pk = community_pk(scope)
        wanted = [
            webhook_sk(sequence) for part in parts for sequence in newest(bitmaps.get(part.segment, 0), part)
        ]
        items = {item["sk"]["S"]: item for item in self._table.get_many(key(pk, sk) for sk in wanted)}
        webhooks = []
        for sk in wanted:
            if sk in items:
                try:
                    webhooks.append(webhook_from(items[sk], scope))
                except CorruptError as error:  # one bad item must not take its neighbours' page with it
                    logger.warning("webhook.corrupt", extra={"reason": str(error)})
        return len(items) == len(wanted), webhooks


def _bitmaps(items: Iterable[Item]) -> dict[int, int]:
    return {segment_in(item["sk"]["S"]): bitmap_from_bytes(item["bits"]["B"]) for item in items}
