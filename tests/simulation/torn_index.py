"""The index as BatchGetItem reads it: its items are as of different times, in any order."""

from collections.abc import Callable, Sequence
from random import Random

from webhooks.domain.event_slice import Span
from webhooks.domain.listener_conditions import Condition
from webhooks.domain.scope import Scope
from webhooks.ports import ListenerPage, SubscriptionIndex, Versions


class TornIndex:
    """Reads an index; `pause` lets others run between the items of one call."""

    def __init__(self, index: SubscriptionIndex, *, pause: Callable[[], None], random: Random) -> None:
        self._index = index
        self._pause = pause
        self._random = random

    def versions(self, scopes: Sequence[Scope]) -> Versions:
        if self._random.random() < 0.5:
            return Versions(self._versions(scopes), self._epoch())
        epoch = self._epoch()
        return Versions(self._versions(scopes), epoch)

    def _versions(self, scopes: Sequence[Scope]) -> dict[Scope, int]:
        found: dict[Scope, int] = {}
        for scope in scopes:
            self._pause()
            found[scope] = self._index.versions([scope]).by_scope[scope]
        return found

    def _epoch(self) -> int | None:
        self._pause()
        return self._index.versions([]).epoch

    def listeners(self, scope: Scope, event_name: str, *, span: Span, limit: int) -> ListenerPage:
        return self._index.listeners(scope, event_name, span=span, limit=limit)

    def all_listeners(self, scope: Scope, event_name: str, *, span: Span, limit: int) -> ListenerPage:
        return self._index.all_listeners(scope, event_name, span=span, limit=limit)

    def listeners_by(
        self, scope: Scope, event_name: str, condition: Condition, *, span: Span, limit: int
    ) -> ListenerPage:
        return self._index.listeners_by(scope, event_name, condition, span=span, limit=limit)

    def last_sequence(self, scope: Scope, event_name: str) -> int:
        return self._index.last_sequence(scope, event_name)
