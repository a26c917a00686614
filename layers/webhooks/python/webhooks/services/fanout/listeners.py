"""The webhooks that listen to an event, page by page, cached while the community's version stays the same.

The cache is bounded in bytes, as a tenant decides how many webhooks it has and how long their queries are.
"""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from webhooks.domain.errors import CorruptError
from webhooks.domain.event_slice import Span
from webhooks.domain.scope import Scope
from webhooks.ports import ListenerPage, SubscriptionIndex

CACHED_BYTES = 64 * 1024 * 1024
CACHED_COMMUNITIES = 256
PAGE_BYTES = 256  # of a page itself: producers can invent names without listeners
EMPTY = ListenerPage((), next_sequence=None, bytes=0)

type PageKey = tuple[str, Span]


@dataclass(slots=True)
class _Community:
    version: int
    bytes: int = 0
    pages: dict[PageKey, ListenerPage] = field(default_factory=dict)


class Listeners:
    """Reads the index. `limit`: listeners of a page; `cached_bytes`: of all cached pages together."""

    def __init__(self, index: SubscriptionIndex, *, limit: int, cached_bytes: int = CACHED_BYTES) -> None:
        self._index = index
        self._limit = limit
        self._cached_bytes = cached_bytes
        self._bytes = 0
        self._communities: OrderedDict[Scope, _Community] = OrderedDict()
        self._refreshed: set[Scope] = set()  # in this batch

    @property
    def cached(self) -> tuple[int, int]:
        """The number of cached pages, and their bytes."""
        return sum(len(each.pages) for each in self._communities.values()), self._bytes

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
        return None if community is None else community.version

    def knows(self, scope: Scope, event_name: str) -> bool:
        """Tell whether the listeners of a name are known without reading them."""
        community = self._communities.get(scope)
        return community is not None and (community.version == 0 or (event_name, Span()) in community.pages)

    def page(
        self, scope: Scope, event_name: str, span: Span, *, read_at_most: int | None = None
    ) -> ListenerPage:
        """Return the first listeners of a span, as new as the last refresh. Raises UnavailableError.

        `read_at_most`: listeners to read of a page that is not known, so that reading does not take long.
        """
        community = self._communities.get(scope)
        if community is not None and community.version == 0:  # nothing was ever registered there
            return EMPTY
        key = (event_name, span)
        if community is not None and key in community.pages:
            return community.pages[key]
        page = self._index.listeners(scope, event_name, span=span, limit=read_at_most or self._limit)
        is_part = read_at_most is not None and page.next_sequence is not None
        # A repair by hand changes no version: a page with an unreadable entry is read anew each time.
        is_corrupt = any(isinstance(entry, CorruptError) for entry in page.entries)
        if community is not None and not is_part and not is_corrupt:
            self._cache(scope, key, page)
        return page

    def last_sequence(self, scope: Scope, event_name: str) -> int:
        """Return the largest sequence number of the listeners, 0 without any. Raises UnavailableError."""
        return self._index.last_sequence(scope, event_name)

    def _refresh(self, scopes: Sequence[Scope]) -> None:
        versions = self._index.versions(scopes)
        for scope in scopes:
            version = versions.get(scope, 0)
            if scope in self._communities and self._communities[scope].version != version:
                self._forget(scope)
            self._communities.setdefault(scope, _Community(version))
            self._communities.move_to_end(scope)
        self._refreshed.update(scopes)
        while len(self._communities) > max(CACHED_COMMUNITIES, len(scopes)):
            self._forget(next(iter(self._communities)))

    def _cache(self, scope: Scope, key: PageKey, page: ListenerPage) -> None:
        size = PAGE_BYTES + page.bytes
        if size > self._cached_bytes:
            return
        while self._bytes + size > self._cached_bytes:
            others = (each for each, cached in self._communities.items() if cached.bytes and each != scope)
            self._drop_pages(next(others, scope))  # of the least recently used community
        community = self._communities[scope]
        community.pages[key] = page
        community.bytes += size
        self._bytes += size

    def _drop_pages(self, scope: Scope) -> None:
        community = self._communities[scope]
        self._bytes -= community.bytes
        community.bytes = 0
        community.pages.clear()

    def _forget(self, scope: Scope) -> None:
        self._drop_pages(scope)
        del self._communities[scope]
