"""The first read of fan-out, from an index and marks in memory."""

from collections.abc import Collection, Sequence

from webhooks.domain.errors import UnavailableError
from webhooks.domain.scope import Scope
from webhooks.ports import FanoutContext, SeenEvents, SubscriptionIndex


class FakeFanoutReader:
    """Reads both, one after the other. Where the marks fail, it leaves them out."""

    def __init__(self, index: SubscriptionIndex, seen: SeenEvents) -> None:
        self._index = index
        self._seen = seen

    def read(self, scopes: Sequence[Scope], windows: Sequence[str]) -> FanoutContext:
        versions = self._index.versions(scopes)
        read: dict[str, Collection[bytes]] = {}
        if windows:
            try:
                found = self._seen.read(windows, consistently=False)
                read = {each: found.get(each, frozenset()) for each in windows}
            except UnavailableError:
                pass
        return FanoutContext(versions, read)
