"""An index without conditions: each listener of a name is among its plain ones."""

from abc import ABC, abstractmethod

from webhooks.domain.event_slice import Span
from webhooks.domain.listener_conditions import Condition
from webhooks.domain.scope import Scope
from webhooks.ports import ListenerPage


class PlainIndex(ABC):
    """The parts of SubscriptionIndex that are about conditions."""

    @abstractmethod
    def listeners(self, scope: Scope, event_name: str, /, *, span: Span, limit: int) -> ListenerPage:
        """Return the first listeners of a span."""

    def all_listeners(self, scope: Scope, event_name: str, *, span: Span, limit: int) -> ListenerPage:
        """Return the first listeners of a span."""
        return self.listeners(scope, event_name, span=span, limit=limit)

    def listeners_by(
        self, scope: Scope, event_name: str, condition: Condition, *, span: Span, limit: int
    ) -> ListenerPage:
        """Return none."""
        raise AssertionError(condition, scope, event_name, span, limit)
