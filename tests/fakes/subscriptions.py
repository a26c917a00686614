"""Webhooks, their index and their pace in memory: three ports on one state, as one table serves all."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from threading import RLock

from tests.fakes.faults import Fault, effect, no_fault
from webhooks.adapters.dynamodb.keys import make_webhook_id, sequence_of
from webhooks.adapters.dynamodb.subscription_transaction import DELETED, Change
from webhooks.domain.errors import CommunityFullError, ConflictError
from webhooks.domain.event_slice import Span
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import IndexEntry, Webhook, has_any_tag
from webhooks.ports import (
    AlreadyProcessedError,
    Clock,
    CorruptError,
    IdempotencyRecord,
    ListenerPage,
    Page,
    RandomBytes,
    StaleError,
    StoredRecord,
)


class FakeSubscriptions:
    """Subscriptions, SubscriptionIndex and Pace."""

    def __init__(self, *, clock: Clock, random_bytes: RandomBytes, fault: Fault = no_fault) -> None:
        self._clock = clock
        self._random_bytes = random_bytes
        self._fault = fault
        self._lock = RLock()
        self._sequences: dict[Scope, int] = {}
        self._versions: dict[Scope, int] = {}
        self._webhooks: dict[tuple[Scope, str], Webhook] = {}  # in the order of their creation
        self._kept: dict[str, tuple[IdempotencyRecord, StoredRecord]] = {}
        self._tokens = count(1)
        self._corrupt: set[tuple[Scope, str]] = set()
        self._corrupt_entries: set[str] = set()

    def next_id(self, scope: Scope, *, now: float) -> str:
        """Reserve a webhook id."""
        with self._lock, effect(self._fault, "subscriptions.next_id"):
            sequence = self._sequences[scope] = self._sequences.get(scope, 0) + 1
            return make_webhook_id(now=now, sequence=sequence, random=self._random_bytes(4))

    def add(self, webhook: Webhook, kept: IdempotencyRecord, *, limit: int | None = None) -> None:
        """Store a new webhook."""
        with self._lock, effect(self._fault, "subscriptions.add"):
            self._check(None, webhook, kept)
            total = self.count(webhook.scope)
            if limit is not None and total >= limit:
                raise CommunityFullError(total, limit)
            if (webhook.scope, webhook.id) in self._webhooks:
                raise ConflictError("the webhook's id is taken; send the request again")
            self._write(webhook.scope, webhook.id, webhook)
            self._keep(kept, webhook.id, webhook.revision)

    def count(self, scope: Scope) -> int:
        """Return how many webhooks a community has."""
        with self._lock:
            return sum(owner == scope for owner, _ in self._webhooks)

    def change(self, before: Webhook, after: Webhook, *, kept: IdempotencyRecord | None) -> None:
        """Replace a webhook."""
        with self._lock, effect(self._fault, "subscriptions.change"):
            self._check(before, after, kept)
            self._write(after.scope, after.id, replace(after, slow_since=self._slow_since(after)))
            if kept is not None:
                self._keep(kept, after.id, after.revision)

    def remove(self, webhook: Webhook, kept: IdempotencyRecord) -> None:
        """Delete a webhook."""
        with self._lock, effect(self._fault, "subscriptions.remove"):
            self._check(webhook, None, kept)
            self._write(webhook.scope, webhook.id, None)
            self._keep(kept, webhook.id, DELETED)

    def get(self, scope: Scope, webhook_id: str) -> Webhook | None:
        """Return a webhook as it is now."""
        found = self.get_many([(scope, webhook_id)]).get((scope, webhook_id))
        if isinstance(found, CorruptError):
            raise found
        return found

    def get_many(
        self, keys: Sequence[tuple[Scope, str]]
    ) -> Mapping[tuple[Scope, str], Webhook | CorruptError]:
        """Return the webhooks that exist, what cannot be read as its error."""
        with self._lock:
            return {
                each: CorruptError(f"the stored webhook {each[1]} cannot be read")
                if each in self._corrupt
                else self._webhooks[each]
                for each in keys
                if each in self._webhooks
            }

    def page(self, scope: Scope, *, index: int, size: int, tags: Sequence[str]) -> Page:
        """Return a page by its number."""
        with self._lock:
            fitting = [
                webhook
                for webhook in reversed(self._in_order(scope))
                if not tags or has_any_tag(webhook.definition.tags, tags)
            ]
            taken = fitting[index * size : (index + 1) * size]
            readable = [webhook for webhook in taken if (scope, webhook.id) not in self._corrupt]
            return Page(len(fitting), readable)

    def find_record(self, key: str) -> StoredRecord | None:
        """Return the answer that is kept for the key."""
        with self._lock:
            kept, record = self._kept.get(key, (None, None))
            return record if kept and kept.expires_at > self._clock() else None

    def versions(self, scopes: Sequence[Scope]) -> Mapping[Scope, int]:
        """Return each community's version as it is now."""
        with self._lock:
            return {scope: self._versions.get(scope, 0) for scope in scopes}

    def listeners(self, scope: Scope, event_name: str, *, span: Span, limit: int) -> ListenerPage:
        """Return the first listeners of a span, an entry that cannot be read as its error."""
        with self._lock:
            found = [
                webhook
                for webhook in self._listening(scope, event_name)
                if span.first <= _sequence(webhook) and (span.last is None or _sequence(webhook) <= span.last)
            ]
            entries = [
                CorruptError(f"an index entry of {event_name} cannot be read")
                if webhook.id in self._corrupt_entries
                else IndexEntry(
                    webhook.id, webhook.definition.criteria, webhook.definition.query, _sequence(webhook)
                )
                for webhook in found[:limit]
            ]
            following = _sequence(found[limit]) if len(found) > limit else None
            return ListenerPage(entries, following, bytes=1000 * len(entries))

    def last_sequence(self, scope: Scope, event_name: str) -> int:
        """Return the largest sequence number of the name's listeners, 0 where there are none."""
        with self._lock:
            return max(map(_sequence, self._listening(scope, event_name)), default=0)

    def mark(self, scope: Scope, webhook_id: str, *, slow_since: int | None) -> None:
        """Write since when a webhook is slow."""
        with self._lock, effect(self._fault, "subscriptions.mark"):
            if (scope, webhook_id) in self._webhooks:
                stored = self._webhooks[scope, webhook_id]
                self._webhooks[scope, webhook_id] = replace(stored, slow_since=slow_since)

    def corrupt(self, scope: Scope, webhook_id: str) -> None:
        """Make a stored webhook unreadable, for a test."""
        with self._lock:
            self._corrupt.add((scope, webhook_id))

    def corrupt_entries(self, webhook_id: str) -> None:
        """Make a webhook's entries in the index unreadable, for a test."""
        with self._lock:
            self._corrupt_entries.add(webhook_id)

    def repair(self) -> None:
        """Make everything readable again, for a test."""
        with self._lock:
            self._corrupt.clear()
            self._corrupt_entries.clear()

    def _listening(self, scope: Scope, event_name: str) -> list[Webhook]:
        return [
            webhook
            for webhook in self._in_order(scope)
            if webhook.enabled and event_name in webhook.definition.event_names
        ]

    def _in_order(self, scope: Scope) -> list[Webhook]:
        found = (webhook for (owner, _), webhook in self._webhooks.items() if owner == scope)
        return sorted(found, key=_sequence)

    def _check(self, before: Webhook | None, after: Webhook | None, kept: IdempotencyRecord | None) -> None:
        Change.of(before, after, kept=kept, token="")
        if kept is not None and (record := self.find_record(kept.key)) and record.token != kept.replaces:
            raise AlreadyProcessedError
        if before is not None:
            stored = self._webhooks.get((before.scope, before.id))
            if stored is None or stored.revision != before.revision:
                raise StaleError

    def _keep(self, kept: IdempotencyRecord, webhook_id: str, revision: int) -> None:
        record = StoredRecord(kept.body, str(next(self._tokens)), webhook_id, revision)
        self._kept[kept.key] = kept, record

    def _slow_since(self, webhook: Webhook) -> int | None:
        """Return the mark as it is stored: a tenant's change leaves it alone."""
        return self._webhooks[webhook.scope, webhook.id].slow_since

    def _write(self, scope: Scope, webhook_id: str, webhook: Webhook | None) -> None:
        if webhook is None:
            del self._webhooks[scope, webhook_id]
        else:
            self._webhooks[scope, webhook_id] = webhook
        self._versions[scope] = self._versions.get(scope, 0) + 1


def _sequence(webhook: Webhook) -> int:
    return sequence_of(webhook.id) or 0
