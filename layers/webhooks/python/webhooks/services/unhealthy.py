"""Counts unhealthy webhooks by their state, tenants whose endpoints are down, and all tenants."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from webhooks.domain.health import State
from webhooks.domain.health_rules import shown
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook
from webhooks.ports import Communities

PAGE = 1000  # communities that are read at once


@dataclass(slots=True)
class Unhealthy:
    """Webhooks by their state. `tenants_held`: those with an open breaker of an enabled webhook."""

    states: Counter[State] = field(default_factory=Counter)
    tenants_held: set[str] = field(default_factory=set)

    def count(self, webhooks: Iterable[Webhook]) -> None:
        """Count webhooks. A paused one is counted as its endpoint is."""
        for webhook in webhooks:
            state = shown(webhook.health) if webhook.enabled else State.DISABLED
            self.states[state] += 1
            if state is State.HELD:
                self.tenants_held.add(webhook.scope.tenant_id)


def count_tenants(communities: Communities) -> int:
    """Return the number of tenants that have or had webhooks. Raises UnavailableError."""
    tenants: set[str] = set()
    after: Scope | None = None
    while page := communities.page(after=after, size=PAGE):
        tenants |= {scope.tenant_id for scope in page}
        after = page[-1]
    return len(tenants)
