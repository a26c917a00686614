"""Pages of webhooks, also of those in a state or with a name, in bounded work.

There is no index of names or states: the webhooks themselves are looked at, the newest first. At most
EXAMINED of them for a page, so a page of a larger community may know of fewer than there are, and says so.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import batched

from webhooks.domain.health import State
from webhooks.domain.scope import Scope
from webhooks.domain.values import value_type
from webhooks.domain.webhook import Credential, Webhook, sequence_of
from webhooks.ports import Credentials, HealthStore, Page, Subscriptions
from webhooks.services.idempotency import CommunityRequest
from webhooks.services.webhook_credentials import WebhookCredentials

EXAMINED = 2_000  # webhooks: 20 reads, of at most 6.4 MB each
READ = 100
MAX_LISTED = 10_000  # ids of webhooks that are not healthy, of which the newest are looked at
LISTED = 1_000  # of them in one read


@value_type(frozen=True, slots=True)
class WebhookFilter:
    """The webhooks that are wanted: those with any of the tags, in the state, whose names begin so."""

    tags: Sequence[str] = ()
    state: State | None = None
    name: str | None = None

    @property
    def looks_at_many(self) -> bool:
        """Tell whether a page looks at up to EXAMINED webhooks, not at its own alone."""
        return self.state is not None or self.name is not None

    def fits(self, webhook: Webhook) -> bool:
        """Tell whether a webhook is wanted."""
        definition = webhook.definition
        return (
            (not self.tags or not set(self.tags).isdisjoint(definition.tags))
            and (self.state is None or self.state in webhook.states)
            and (self.name is None or definition.name.startswith(self.name))
        )


EVERY = WebhookFilter()


class WebhookPages:
    """The use cases that show webhooks. Requests are authorized before they come here."""

    def __init__(
        self, *, subscriptions: Subscriptions, health: HealthStore, credentials: Credentials
    ) -> None:
        self._subscriptions = subscriptions
        self._health = health
        self._credentials = WebhookCredentials(credentials)

    def fetch(
        self, request: CommunityRequest, *, index: int, size: int, wanted: WebhookFilter = EVERY
    ) -> tuple[Page, Sequence[Credential | None]]:
        """Return a page by its number, and each webhook's credential where the caller sees them.

        The page's total is of all webhooks that were looked at and are wanted.
        """
        page = self._page(request.scope, index=index, size=size, wanted=wanted)
        return page, self.credentials(request, page.webhooks)

    def credentials(
        self, request: CommunityRequest, webhooks: Sequence[Webhook]
    ) -> Sequence[Credential | None]:
        """Return the webhooks' credentials, in their order, None where the caller does not see them."""
        if not request.caller.sees_credentials:
            return [None] * len(webhooks)
        return self._credentials.of(webhooks)

    def _page(self, scope: Scope, *, index: int, size: int, wanted: WebhookFilter) -> Page:
        if wanted.state is not None:
            ids = unhealthy_ids(self._health, scope)
            found = self._stored(scope, ids[:EXAMINED])
            return _chosen(found, wanted, index=index, size=size, is_exact=len(ids) <= EXAMINED)
        if wanted.name is None:
            return self._subscriptions.page(scope, index=index, size=size, tags=wanted.tags)
        first = self._subscriptions.page(scope, index=0, size=READ, tags=wanted.tags)
        found = self._in_pages(scope, first, wanted.tags)
        return _chosen(found, wanted, index=index, size=size, is_exact=first.total <= EXAMINED)

    def _stored(self, scope: Scope, ids: Sequence[str]) -> Iterator[Webhook]:
        for some in batched(ids, READ, strict=False):
            stored = self._subscriptions.get_many([(scope, webhook_id) for webhook_id in some])
            for webhook_id in some:
                webhook = stored.get((scope, webhook_id))
                if isinstance(webhook, Webhook):
                    yield webhook

    def _in_pages(self, scope: Scope, first: Page, tags: Sequence[str]) -> Iterator[Webhook]:
        """Read page by page; a webhook that others push onto the next page meanwhile comes once."""
        seen: set[str] = set()
        for number in range(-(-min(first.total, EXAMINED) // READ)):
            page = self._subscriptions.page(scope, index=number, size=READ, tags=tags) if number else first
            for webhook in page.webhooks:
                if webhook.id not in seen:
                    seen.add(webhook.id)
                    yield webhook


def unhealthy_ids(health: HealthStore, scope: Scope) -> Sequence[str]:
    """Return ids of a community's webhooks that may not be healthy, the newest first; at most MAX_LISTED."""
    ids: list[str] = []
    while len(ids) < MAX_LISTED:
        page = health.unhealthy(scope, after=ids[-1] if ids else None, size=LISTED)
        ids += page
        if len(page) < LISTED:
            break
    return sorted(ids, key=lambda each: sequence_of(each) or 0, reverse=True)


def _chosen(
    found: Iterable[Webhook], wanted: WebhookFilter, *, index: int, size: int, is_exact: bool
) -> Page:
    total, webhooks = 0, []
    for webhook in found:
        if wanted.fits(webhook):
            if index * size <= total < (index + 1) * size:
                webhooks.append(webhook)
            total += 1
    return Page(total, webhooks, is_exact)
