"""The webhooks that listen to an event, page by page, cached while the community's version stays the same.

The cache is bounded in bytes alone, as tenants decide how many webhooks they have and how long their queries
are, and producers may name communities that have none. What was used least recently makes room.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from webhooks.domain.errors import CorruptError, UnavailableError
from webhooks.domain.event_slice import Span
from webhooks.domain.listener_conditions import Condition
from webhooks.domain.scope import Scope
from webhooks.ports import Clock, ListenerPage, SubscriptionIndex, joined
from webhooks.services.fanout.community_versions import CommunityVersions, Version

CACHED_BYTES = 64 * 1024 * 1024
COMMUNITY_BYTES = 1024  # of a community itself, with its two ids
PAGE_BYTES = 256  # of a page itself, beside its name: producers can invent names without listeners
FOUND_PAGES = 1024  # of a community, by conditions
READS = 3  # of a page whose community others change meanwhile
FEW_LOOKUPS = 3  # of an event among others: one with more that are not known is fanned out alone
EMPTY = ListenerPage((), next_sequence=None, bytes=0)

# The event's name, the span, and the condition of the listeners: "" for those under none, "all" for each.
type PageKey = tuple[str, Span, str]
type Pages = OrderedDict[PageKey, ListenerPage]
# Returns an event's conditions on some fields, None where they are too many.
type Lookups = Callable[[Sequence[str]], Sequence[Condition] | None]


def no_lookups(_fields: Sequence[str]) -> None:
    """Let all listeners be read."""


@dataclass(slots=True)
class _Community:
    """`found`: pages by conditions; producers can invent values without listeners."""

    version: Version
    bytes: int = 0
    pages: Pages = field(default_factory=OrderedDict)
    found: Pages = field(default_factory=OrderedDict)

    def pages_of(self, key: PageKey) -> Pages:
        return self.pages if key[2] in ("", "all") else self.found


class Listeners:
    """Reads the index. `limit`: listeners of a page; `cached_bytes`: of all that is cached together."""

    def __init__(
        self, index: SubscriptionIndex, *, limit: int, clock: Clock, cached_bytes: int = CACHED_BYTES
    ) -> None:
        self._index = index
        self._versions = CommunityVersions(index, known=self._known_version, clock=clock)
        self._limit = limit
        self._cached_bytes = cached_bytes
        self._bytes = 0
        self._unchecked: set[Scope] = set()  # communities with new pages by conditions, or beside such
        self._communities: OrderedDict[Scope, _Community] = OrderedDict()
        self._refreshed: set[Scope] = set()  # in this batch

    @property
    def cached(self) -> tuple[int, int]:
        """The number of cached pages, and the bytes of these and of their communities."""
        return sum(len(each.pages) + len(each.found) for each in self._communities.values()), self._bytes

    def begin_batch(self, scopes: Collection[Scope]) -> None:
        """Forget communities that changed: one consistent read for all scopes. Raises UnavailableError."""
        self._refreshed.clear()
        if scopes:
            self._refresh(sorted(scopes))

    def refresh(self, scope: Scope) -> None:
        """Do the same for a community that this batch has not refreshed yet. Raises UnavailableError."""
        if scope not in self._refreshed:
            self._refresh([scope])

    def version(self, scope: Scope) -> int | None:
        """Return the community's version that pages are as new as; None where it is not known."""
        community = self._communities.get(scope)
        return None if community is None else community.version.number

    def knows(self, scope: Scope, event_name: str) -> bool:
        """Tell whether the listeners of a name are known without reading them."""
        community = self._communities.get(scope)
        return community is not None and (_is_empty(community) or (event_name, Span(), "") in community.pages)

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
        return [scope for scope, version in versions.items() if self._take(scope, version)]

    def _page(
        self, scope: Scope, event_name: str, span: Span, lookups: Lookups, read_at_most: int | None
    ) -> ListenerPage:
        community = self._communities.get(scope)
        if community is not None and _is_empty(community):
            return EMPTY
        limit, index = read_at_most or self._limit, self._index
        plain = self._read(
            scope,
            (event_name, span, ""),
            partial(index.listeners, scope, event_name, span=span, limit=limit),
            limit,
        )
        conditions = lookups(plain.fields) if plain.fields else ()
        if conditions is None:
            if read_at_most is not None:
                return replace(EMPTY, next_sequence=span.first)
            return self._read(
                scope,
                (event_name, span, "all"),
                partial(index.all_listeners, scope, event_name, span=span, limit=limit),
                limit,
            )
        if not conditions:
            return plain
        keys = {(event_name, span, each.digest): each for each in conditions}
        if read_at_most is not None and len(keys) > FEW_LOOKUPS:
            known = community.found if community is not None else {}
            if sum(key not in known for key in keys) > FEW_LOOKUPS:
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
        community = self._communities.get(scope)
        pages = None if community is None else community.pages_of(key)
        if pages is not None and key in pages:
            pages.move_to_end(key)
            return pages[key]
        page = read()
        if page.fields or key[2]:
            self._unchecked.add(scope)
        is_part = limit < self._limit and page.next_sequence is not None
        # A repair by hand changes no version: a page with an unreadable entry is read anew each time.
        is_corrupt = any(isinstance(entry, CorruptError) for entry in page.entries)
        if community is not None and not is_part and not is_corrupt:
            self._cache(scope, key, page)
        return page

    def last_sequence(self, scope: Scope, event_name: str) -> int:
        """Return the largest sequence number of the listeners, 0 without any. Raises UnavailableError."""
        return self._index.last_sequence(scope, event_name)

    def _known_version(self, scope: Scope) -> Version | None:
        community = self._communities.get(scope)
        return None if community is None else community.version

    def _take(self, scope: Scope, version: Version) -> bool:
        """Keep a version that was read; tell whether it is another one."""
        community = self._communities.get(scope)
        if community is not None and community.version.number == version.number:
            community.version = version
            return False
        if community is not None:
            self._forget(scope)
        self._communities[scope] = _Community(version, COMMUNITY_BYTES)
        self._bytes += COMMUNITY_BYTES
        return True

    def _refresh(self, scopes: Sequence[Scope]) -> None:
        for scope, version in self._versions.changed(scopes).items():
            self._take(scope, version)
        for scope in scopes:
            self._communities.move_to_end(scope)
        self._refreshed.update(scopes)
        self._forget_others(self._cached_bytes)

    def _cache(self, scope: Scope, key: PageKey, page: ListenerPage) -> None:
        size = _size(key, page)
        room = self._cached_bytes - size
        self._forget_others(room)
        if self._bytes > room:  # of the communities of this batch, whose versions are needed still
            for each in list(self._communities):
                self._drop_pages(each)
        if self._bytes > room:
            return
        community = self._communities[scope]
        pages = community.pages_of(key)
        pages[key] = page
        added = size
        if len(community.found) > FOUND_PAGES:
            added -= _size(*community.found.popitem(last=False))
        community.bytes += added
        self._bytes += added

    def _forget_others(self, room: int) -> None:
        """Forget communities that are not of this batch until the others' bytes leave room."""
        while self._bytes > room and (oldest := next(iter(self._communities))) not in self._refreshed:
            self._forget(oldest)

    def _drop_pages(self, scope: Scope) -> None:
        community = self._communities[scope]
        self._bytes -= community.bytes - COMMUNITY_BYTES
        community.bytes = COMMUNITY_BYTES
        community.pages.clear()
        community.found.clear()

    def _forget(self, scope: Scope) -> None:
        self._bytes -= self._communities.pop(scope).bytes


def _size(key: PageKey, page: ListenerPage) -> int:
    return PAGE_BYTES + len(key[0]) + page.bytes


def _is_empty(community: _Community) -> bool:
    return community.version.number == 0  # nothing was ever registered there
