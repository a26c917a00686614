"""The webhooks that listen to an event, page by page, read once for each version of their community."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

from webhooks.domain.errors import CorruptError, UnavailableError
from webhooks.domain.event_slice import Span
from webhooks.domain.listener_conditions import Condition
from webhooks.domain.scope import Scope
from webhooks.ports import Clock, ListenerPage, SubscriptionIndex, joined
from webhooks.services.fanout.community_versions import CommunityVersions, ReadVersions
from webhooks.services.fanout.listener_cache import ALL, CACHED_BYTES, EMPTY, PLAIN, ListenerCache, PageKey

READS = 3  # of a page whose community others change meanwhile
FEW_LOOKUPS = 3  # of an event among others: one with more that are not known is fanned out alone

# Returns an event's conditions on some fields, None where they are too many.
type Lookups = Callable[[Sequence[str]], Sequence[Condition] | None]


def no_lookups(_fields: Sequence[str]) -> None:
    """Let all listeners be read."""


class Listeners:
    """Reads the index. `limit`: listeners of a page; `cached_bytes`: of all that is cached together."""

    def __init__(
        self, index: SubscriptionIndex, *, limit: int, clock: Clock, cached_bytes: int = CACHED_BYTES
    ) -> None:
        self._index = index
        self._cache = ListenerCache(cached_bytes)
        self._versions = CommunityVersions(index, known=self._cache.version, clock=clock)
        self._limit = limit
        self._unchecked: set[Scope] = set()  # communities with new pages by conditions, or beside such

    @property
    def cached(self) -> tuple[int, int]:
        """The number of cached pages, and the bytes of these and of their communities."""
        return self._cache.cached

    def begin_batch(self, scopes: Collection[Scope], read: ReadVersions | None = None) -> Collection[Scope]:
        """Forget communities that changed, and return these: one consistent read for all scopes.

        `read`: in place of the index's versions. Raises UnavailableError.
        """
        self._cache.begin_batch()
        return self._refresh(sorted(scopes), read) if scopes else ()

    def refresh(self, scope: Scope, read: ReadVersions | None = None) -> None:
        """Do the same for a community that this batch has not refreshed yet. Raises UnavailableError."""
        if not self._cache.needs(scope):
            self._refresh([scope], read)

    def version(self, scope: Scope) -> int | None:
        """Return the community's version that pages are as new as; None where it is not known."""
        version = self._cache.version(scope)
        return None if version is None else version.number

    def known_page(self, scope: Scope, event_name: str, lookups: Lookups) -> ListenerPage | None:
        """Return the listeners that an event may match, as new as the version known; None without reading."""
        plain = self._cache.find(scope, (event_name, Span(), PLAIN))
        if plain is None or not plain.fields:
            return plain
        pages = [plain]
        conditions = lookups(plain.fields)
        if conditions is None:
            return None
        for each in conditions:
            page = self._cache.find(scope, (event_name, Span(), each.digest))
            if page is None:
                return None
            pages.append(page)
        return joined(pages, limit=self._limit) if len(pages) > 1 else plain

    def page(
        self,
        scope: Scope,
        event_name: str,
        span: Span,
        *,
        lookups: Lookups = no_lookups,
        read_at_most: int | None = None,
    ) -> ListenerPage:
        """Return the first listeners of a span that an event may match, as new as the last refresh.

        `lookups`: the event's conditions on some fields, None where they are too many: then all listeners are
        read. `read_at_most`: listeners to read of a page that is not known, so that reading does not take
        long: what is left out follows. Raises UnavailableError.

        A change may move a webhook from one partition to another that was read before. So a page of several
        ones is read again where its community changed meanwhile; with `read_at_most` only `moved` tells it.
        """
        for _ in range(READS):
            page = self._page(scope, event_name, span, lookups, read_at_most)
            if read_at_most is not None or not self.moved():
                return page
        raise UnavailableError("dynamodb: the community's webhooks change while they are read")

    def moved(self) -> Collection[Scope]:
        """Return the communities that may have changed while pages of several partitions were read."""
        if not self._unchecked:
            return ()
        try:
            versions = self._versions.read(sorted(self._unchecked))
        except UnavailableError:
            return frozenset(self._unchecked)
        self._unchecked.clear()
        return [scope for scope, version in versions.items() if self._cache.take(scope, version)]

    def last_sequence(self, scope: Scope, event_name: str) -> int:
        """Return the largest sequence number of the listeners, 0 without any. Raises UnavailableError."""
        return self._index.last_sequence(scope, event_name)

    def _page(
        self, scope: Scope, event_name: str, span: Span, lookups: Lookups, read_at_most: int | None
    ) -> ListenerPage:
        limit, index = read_at_most or self._limit, self._index
        plain = self._read(
            scope,
            (event_name, span, PLAIN),
            partial(index.listeners, scope, event_name, span=span, limit=limit),
            limit,
        )
        conditions = lookups(plain.fields) if plain.fields else ()
        if conditions is None:
            if read_at_most is not None:
                return replace(EMPTY, next_sequence=span.first)
            return self._read(
                scope,
                (event_name, span, ALL),
                partial(index.all_listeners, scope, event_name, span=span, limit=limit),
                limit,
            )
        if not conditions:
            return plain
        keys = {(event_name, span, each.digest): each for each in conditions}
        if read_at_most is not None and len(keys) > FEW_LOOKUPS:
            known = sum(self._cache.find(scope, key) is not None for key in keys)
            if len(keys) - known > FEW_LOOKUPS:
                return replace(EMPTY, next_sequence=span.first)
        found = [
            self._read(
                scope,
                key,
                partial(index.listeners_by, scope, event_name, condition, span=span, limit=limit),
                limit,
            )
            for key, condition in keys.items()
        ]
        return joined([plain, *found], limit=self._limit)

    def _read(self, scope: Scope, key: PageKey, read: Callable[[], ListenerPage], limit: int) -> ListenerPage:
        known = self._cache.find(scope, key)
        if known is not None:
            return known
        page = read()
        if page.fields or key[2] != PLAIN:
            self._unchecked.add(scope)
        is_part = limit < self._limit and page.next_sequence is not None
        # A repair by hand changes no version: a page with an unreadable entry is read anew each time.
        is_corrupt = any(isinstance(entry, CorruptError) for entry in page.entries)
        if not is_part and not is_corrupt:
            self._cache.keep(scope, key, page)
        return page

    def _refresh(self, scopes: Sequence[Scope], read: ReadVersions | None) -> Collection[Scope]:
        versions = self._versions.changed(scopes, read)
        changed = {scope for scope, version in versions.items() if self._cache.take(scope, version)}
        self._cache.need(scopes)
        return changed
