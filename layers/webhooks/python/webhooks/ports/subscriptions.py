"""Webhooks: how the API changes them, fan-out finds them, and the dispatcher reads and marks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from webhooks.domain.errors import CorruptError
from webhooks.domain.health import Health
from webhooks.domain.scope import Scope
from webhooks.domain.values import value_type
from webhooks.domain.webhook import IndexEntry, Webhook

if TYPE_CHECKING:  # a function loads the values of its own use cases alone
    from webhooks.domain.event_slice import Span
    from webhooks.domain.listener_conditions import Condition


@value_type(frozen=True, slots=True)
class IdempotencyRecord:
    """The response to a state-changing request, which its exact repeat gets again until `expires_at`.

    `replaces`: the token of a record under the same key that no longer counts; no other is replaced.
    """

    key: str
    body: str
    expires_at: int
    replaces: str | None = None


DELETED = 0  # in place of a revision: webhooks begin at 1


@value_type(frozen=True, slots=True)
class StoredRecord:
    """An idempotency record as it is stored, with the revision of the webhook after the change, or DELETED.

    `token` is no other record's. `webhook_id` is None in records of versions that did not store it.
    """

    body: str
    token: str
    webhook_id: str | None
    revision: int


@value_type(frozen=True, slots=True)
class Page:
    """Webhooks of a page, newest first, and the number of all that fit the filter.

    `is_exact`: all webhooks were looked at.
    """

    total: int
    webhooks: Sequence[Webhook]
    is_exact: bool = True


class Subscriptions(Protocol):
    """Webhooks with their index, totals and version: every change is one transaction."""

    def next_id(self, scope: Scope, *, now: float) -> str:
        """Reserve a webhook id: 24 hex characters, sortable by time of creation, never given twice."""

    def add(self, webhook: Webhook, record: IdempotencyRecord, *, limit: int | None = None) -> None:
        """Store a new webhook. Raises AlreadyProcessedError where its key has a record: nothing is changed.

        Raises CommunityFullError where its community has `limit` webhooks already, InvalidWebhookError where
        it has so many event names and tags, or so long a definition, that no transaction holds it.
        """

    def count(self, scope: Scope) -> int:
        """Return how many webhooks a community has."""

    def change(self, before: Webhook, after: Webhook, *, record: IdempotencyRecord | None) -> None:
        """Replace a webhook.

        Raises StaleError if `before` is not the stored one, AlreadyProcessedError as `add`,
        InvalidWebhookError as `add`, and where too many event names and tags change at once.
        """

    def remove(self, webhook: Webhook, record: IdempotencyRecord) -> None:
        """Delete a webhook. Raises StaleError and AlreadyProcessedError as `change`."""

    def get(self, scope: Scope, webhook_id: str) -> Webhook | None:
        """Return a webhook as it is now."""

    def get_many(
        self, keys: Sequence[tuple[Scope, str]]
    ) -> Mapping[tuple[Scope, str], Webhook | CorruptError]:
        """Return the webhooks that exist, read consistently; a corrupt one as its error."""

    def is_restoring(self) -> bool:
        """Tell whether an operator restores the webhooks: some of them are missing then."""

    def page(self, scope: Scope, *, index: int, size: int, tags: Sequence[str]) -> Page:
        """Return a page by its number; `tags`: only webhooks that have any of them."""

    def find_record(self, idempotency_key: str) -> StoredRecord | None:
        """Return the record under an idempotency key."""

    def next_epoch(self) -> None:
        """Let fan-out see all changes up to now: `add`, `change` and `remove` do it for their own.

        For the repeat of a change that may have ended in between.
        """


@value_type(frozen=True, slots=True)
class ListenerPage:
    """Enabled webhooks that list an event's name, in the order of their sequence numbers.

    An entry that cannot be read is its error. `next_sequence`: the start of the next page, None at the end;
    `bytes`: of the entries in memory, at most. `fields`: those by which other listeners are found.
    """

    entries: Sequence[IndexEntry | CorruptError]
    next_sequence: int | None
    bytes: int
    fields: tuple[str, ...] = ()


def joined(pages: Sequence[ListenerPage], *, limit: int) -> ListenerPage:
    """Return the listeners of pages of the same span as one page; of the first page where two have one."""
    ends = [page.next_sequence for page in pages if page.next_sequence is not None]
    by_sequence: dict[int, IndexEntry | CorruptError] = {}
    for entry in chain.from_iterable(page.entries for page in pages):
        by_sequence.setdefault(entry.sequence, entry)
    sequences = sorted(each for each in by_sequence if not ends or each < min(ends))
    if len(sequences) > limit:
        ends = [sequences[limit]]
    return ListenerPage(
        [by_sequence[each] for each in sequences[:limit]],
        min(ends, default=None),
        sum(page.bytes for page in pages),
        tuple(dict.fromkeys(chain.from_iterable(page.fields for page in pages))),
    )


@value_type(frozen=True, slots=True)
class Versions:
    """Communities' versions, 0 for one that never had a webhook.

    `epoch`: of all communities, another one after each change of any; None while it cannot be relied on. It
    may have been read before or after the versions.
    """

    by_scope: Mapping[Scope, int]
    epoch: int | None


class SubscriptionIndex(Protocol):
    """Webhooks by event name, for fan-out."""

    def versions(self, scopes: Sequence[Scope]) -> Versions:
        """Return the epoch, and the present version of these communities: one call for 99 of them."""

    def listeners(self, scope: Scope, event_name: str, *, span: Span, limit: int) -> ListenerPage:
        """Return the first listeners of a span that are under no condition, and the fields of conditions.

        At most `limit`, and at least as new as the last version read.
        """

    def listeners_by(
        self, scope: Scope, event_name: str, condition: Condition, *, span: Span, limit: int
    ) -> ListenerPage:
        """Return the first listeners of a span that are under a condition."""

    def all_listeners(self, scope: Scope, event_name: str, *, span: Span, limit: int) -> ListenerPage:
        """Return the first listeners of a span, whatever they are under."""

    def last_sequence(self, scope: Scope, event_name: str) -> int:
        """Return the largest sequence number of the name's listeners, 0 without any."""


class HealthStore(Protocol):
    """Writes the health of endpoints, on their webhooks' items; finds webhooks that are not healthy."""

    def save(self, webhook: Webhook, health: Health) -> None:
        """Write a health over the webhook's, of the next version.

        Raises StaleError where the stored webhook or its health is another one, or gone.
        """

    def unhealthy(self, scope: Scope, *, after: str | None, size: int) -> Sequence[str]:
        """Return ids of a community's webhooks that may be in another state than healthy, in their order.

        `after`: the last id of the page before.
        """

    def all_unhealthy(self) -> Iterator[tuple[Scope, str]]:
        """Return those of all communities."""


class Communities(Protocol):
    """All communities that have or had webhooks."""

    def page(self, *, after: Scope | None, size: int) -> Sequence[Scope]:
        """Return a page of them, in their order; `after`: the last one of the page before."""
