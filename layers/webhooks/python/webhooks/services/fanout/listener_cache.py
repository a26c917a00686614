"""The cache of listeners: pages of the index by community, for as long as its version stays the same.

It is bounded in bytes alone, as tenants decide how many webhooks they have and how long their queries are,
and producers may name communities that have none. What was used least recently makes room.
"""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field

from webhooks.domain.event_slice import Span
from webhooks.domain.scope import Scope
from webhooks.ports import ListenerPage
from webhooks.services.fanout.community_versions import Version

CACHED_BYTES = 64 * 1024 * 1024
COMMUNITY_BYTES = 1024  # of a community itself, with its two ids
PAGE_BYTES = 256  # of a page itself, beside its name: producers can invent names without listeners
FOUND_PAGES = 1024  # of a community, by conditions
EMPTY = ListenerPage((), next_sequence=None, bytes=0)
PLAIN, ALL = "", "all"

# The event's name, the span, and the condition of the listeners: PLAIN for those under none, ALL for each.
type PageKey = tuple[str, Span, str]
type Pages = OrderedDict[PageKey, ListenerPage]


@dataclass(slots=True)
class _Community:
    """`found`: pages by conditions; producers can invent values without listeners."""

    version: Version
    bytes: int = 0
    pages: Pages = field(default_factory=OrderedDict)
    found: Pages = field(default_factory=OrderedDict)

    def pages_of(self, key: PageKey) -> Pages:
        return self.pages if key[2] in (PLAIN, ALL) else self.found


class ListenerCache:
    """Pages by community. `size`: bytes of all together."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._bytes = 0
        self._communities: OrderedDict[Scope, _Community] = OrderedDict()
        self._needed: set[Scope] = set()  # communities of this batch

    @property
    def cached(self) -> tuple[int, int]:
        """The number of cached pages, and the bytes of these and of their communities."""
        return sum(len(each.pages) + len(each.found) for each in self._communities.values()), self._bytes

    def begin_batch(self) -> None:
        """Let the communities of the batch before be forgotten."""
        self._needed.clear()

    def needs(self, scope: Scope) -> bool:
        """Tell whether a community is one of this batch."""
        return scope in self._needed

    def need(self, scopes: Collection[Scope]) -> None:
        """Keep these communities, whose versions are known, until the batch ends."""
        for scope in scopes:
            self._communities.move_to_end(scope)
        self._needed.update(scopes)
        self._forget_others(self._size)

    def version(self, scope: Scope) -> Version | None:
        """Return the version that a community's pages are of; None where it is not known."""
        community = self._communities.get(scope)
        return None if community is None else community.version

    def take(self, scope: Scope, version: Version) -> bool:
        """Keep a version that was read; tell whether it is another one: the pages are forgotten then."""
        community = self._communities.get(scope)
        if community is not None and community.version.number == version.number:
            community.version = version
            return False
        if community is not None:
            self._forget(scope)
        self._communities[scope] = _Community(version, COMMUNITY_BYTES)
        self._bytes += COMMUNITY_BYTES
        return True

    def find(self, scope: Scope, key: PageKey) -> ListenerPage | None:
        """Return a page that is known; each one of a community is where nothing was ever registered."""
        community = self._communities.get(scope)
        if community is None:
            return None
        if community.version.number == 0:
            return EMPTY
        pages = community.pages_of(key)
        page = pages.get(key)
        if page is not None:
            pages.move_to_end(key)
        return page

    def keep(self, scope: Scope, key: PageKey, page: ListenerPage) -> None:
        """Cache a page as new as the community's version, if there is one and there is room."""
        if scope not in self._communities:
            return
        added = _bytes_of(key, page)
        room = self._size - added
        self._forget_others(room)
        if self._bytes > room:  # of the communities of this batch, whose versions are needed still
            for each in list(self._communities):
                self._drop_pages(each)
        if self._bytes > room:
            return
        community = self._communities[scope]
        community.pages_of(key)[key] = page
        if len(community.found) > FOUND_PAGES:
            added -= _bytes_of(*community.found.popitem(last=False))
        community.bytes += added
        self._bytes += added

    def _forget_others(self, room: int) -> None:
        """Forget communities that are not of this batch until the others' bytes leave room."""
        while self._bytes > room and (oldest := next(iter(self._communities))) not in self._needed:
            self._forget(oldest)

    def _drop_pages(self, scope: Scope) -> None:
        community = self._communities[scope]
        self._bytes -= community.bytes - COMMUNITY_BYTES
        community.bytes = COMMUNITY_BYTES
        community.pages.clear()
        community.found.clear()

    def _forget(self, scope: Scope) -> None:
        self._bytes -= self._communities.pop(scope).bytes


def _bytes_of(key: PageKey, page: ListenerPage) -> int:
    return PAGE_BYTES + len(key[0]) + page.bytes
