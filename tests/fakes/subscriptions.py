"""Webhooks, their index and their health in memory: three ports on one state, as one table serves all."""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from itertools import count
from threading import RLock
from typing import Any

from tests.fakes.faults import Fault, effect, no_fault
from tests.fakes.plain_index import PlainIndex
from webhooks.domain.errors import (
    AlreadyProcessedError,
    CommunityFullError,
    ConflictError,
    CorruptError,
    InvalidWebhookError,
    StaleError,
    TenantMovingError,
    UnavailableError,
)
from webhooks.domain.event_slice import Span
from webhooks.domain.health import Health, State
from webhooks.domain.json_text import write_json
from webhooks.domain.scope import Scope
from webhooks.domain.text import camel_case
from webhooks.domain.webhook import IndexEntry, Webhook, make_webhook_id, sequence_of
from webhooks.domain.webhook_size import size_problems
from webhooks.ports import (
    DELETED,
    Clock,
    IdempotencyRecord,
    ListenerPage,
    Page,
    RandomBytes,
    StoredRecord,
    Versions,
)


class FakeSubscriptions(PlainIndex):
    """Subscriptions, SubscriptionIndex and HealthStore."""

    def __init__(self, *, clock: Clock, random_bytes: RandomBytes, fault: Fault = no_fault) -> None:
        self._clock = clock
        self._random_bytes = random_bytes
        self._fault = fault
        self._lock = RLock()
        self._sequences: dict[Scope, int] = {}
        self._versions: dict[Scope, int] = {}
        self._webhooks: dict[tuple[Scope, str], Webhook] = {}  # in the order of their creation
        self._ordered: defaultdict[Scope, list[str]] = defaultdict(list)  # ids by their sequence
        self._records: dict[str, tuple[IdempotencyRecord, StoredRecord]] = {}
        self._tokens = count(1)
        self._corrupt: set[tuple[Scope, str]] = set()
        self._corrupt_entries: set[str] = set()
        self.communities = FakeCommunities(self._versions, self._lock)
        self.restoring = False
        self.epoch: int | None = 1
        self.moving: set[str] = set()  # tenants

    def next_id(self, scope: Scope, *, now: float) -> str:
        """Reserve a webhook id."""
        with self._lock, effect(self._fault, "subscriptions.next_id"):
            sequence = self._sequences[scope] = self._sequences.get(scope, 0) + 1
            return make_webhook_id(now=now, sequence=sequence, random=self._random_bytes(4))

    def add(self, webhook: Webhook, record: IdempotencyRecord, *, limit: int | None = None) -> None:
        """Store a new webhook."""
        with self._lock, effect(self._fault, "subscriptions.add"):
            self._check(None, webhook, record)
            total = self.count(webhook.scope)
            if limit is not None and total >= limit:
                raise CommunityFullError(total, limit)
            if (webhook.scope, webhook.id) in self._webhooks:
                raise ConflictError("the webhook's id is taken; send the request again")
            self._write(webhook.scope, webhook.id, webhook)
            self._write_record(record, webhook.id, webhook.revision)
        self._end_change(record)

    def count(self, scope: Scope) -> int:
        """Return how many webhooks a community has."""
        with self._lock:
            return len(self._ordered.get(scope, []))

    def change(self, before: Webhook, after: Webhook, *, record: IdempotencyRecord | None) -> None:
        """Replace a webhook."""
        with self._lock, effect(self._fault, "subscriptions.change"):
            self._check(before, after, record)
            self._write(after.scope, after.id, replace(after, health=self._health(before, after)))
            if record is not None:
                self._write_record(record, after.id, after.revision)
        self._end_change(record)

    def remove(self, webhook: Webhook, record: IdempotencyRecord) -> None:
        """Delete a webhook."""
        with self._lock, effect(self._fault, "subscriptions.remove"):
            self._check(webhook, None, record)
            self._write(webhook.scope, webhook.id, None)
            self._write_record(record, webhook.id, DELETED)
        self._end_change(record)

    def get(self, scope: Scope, webhook_id: str) -> Webhook | None:
        """Return a webhook as it is now."""
        found = self.get_many([(scope, webhook_id)]).get((scope, webhook_id))
        if isinstance(found, CorruptError):
            raise found
        return found

    def get_many(
        self, keys: Sequence[tuple[Scope, str]]
    ) -> Mapping[tuple[Scope, str], Webhook | CorruptError]:
        """Return the webhooks that exist, a corrupt one as its error."""
        with self._lock:
            return {
                each: CorruptError(f"the stored webhook {each[1]} cannot be read")
                if each in self._corrupt
                else self._webhooks[each]
                for each in keys
                if each in self._webhooks
            }

    def is_restoring(self) -> bool:
        """Tell whether an operator restores the webhooks."""
        return self.restoring

    def page(self, scope: Scope, *, index: int, size: int, tags: Sequence[str]) -> Page:
        """Return a page by its number."""
        with self._lock:
            fitting = [
                webhook_id
                for webhook_id in reversed(self._ordered.get(scope, []))
                if not tags or not set(tags).isdisjoint(self._webhooks[scope, webhook_id].definition.tags)
            ]
            taken = fitting[index * size : (index + 1) * size]
            readable = [self._webhooks[scope, each] for each in taken if (scope, each) not in self._corrupt]
            return Page(len(fitting), readable)

    def find_record(self, idempotency_key: str) -> StoredRecord | None:
        """Return the record under an idempotency key."""
        with self._lock:
            record, stored = self._records.get(idempotency_key, (None, None))
            return stored if record and record.expires_at > self._clock() else None

    def next_epoch(self) -> None:
        """Let fan-out see all changes up to now."""
        with self._lock, effect(self._fault, "subscriptions.next_epoch"):
            if self.epoch is not None:
                self.epoch += 1

    def versions(self, scopes: Sequence[Scope]) -> Versions:
        """Return the epoch, and each community's version as it is now."""
        with self._lock:
            return Versions({scope: self._versions.get(scope, 0) for scope in scopes}, self.epoch)

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

    def save(self, webhook: Webhook, health: Health) -> None:
        """Write the health of a webhook."""
        with self._lock, effect(self._fault, "health.save"):
            stored = self._webhooks.get((webhook.scope, webhook.id))
            if (
                stored is None
                or stored.revision != webhook.revision
                or stored.health.version != webhook.health.version
            ):
                raise StaleError
            health = replace(health, version=stored.health.version + 1)
            self._webhooks[webhook.scope, webhook.id] = replace(stored, health=health)

    def unhealthy(self, scope: Scope, *, after: str | None, size: int) -> Sequence[str]:
        """Return ids of a community's webhooks that are not healthy, in their order."""
        with self._lock:
            found = sorted(webhook_id for owner, webhook_id in self._unhealthy() if owner == scope)
            return [webhook_id for webhook_id in found if after is None or webhook_id > after][:size]

    def all_unhealthy(self) -> Iterator[tuple[Scope, str]]:
        """Return those of all communities."""
        with self._lock:
            return iter(self._unhealthy())

    def now(self, webhook_id: str) -> Webhook | None:
        """Return a webhook as it is stored, for a test."""
        with self._lock:
            return next((each for each in self._webhooks.values() if each.id == webhook_id), None)

    def put(self, webhook: Webhook) -> None:
        """Store a webhook without a request, for a test."""
        with self._lock:
            self._write(webhook.scope, webhook.id, webhook)
            self.next_epoch()

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
        return [self._webhooks[scope, webhook_id] for webhook_id in self._ordered.get(scope, [])]

    def _check(self, before: Webhook | None, after: Webhook | None, record: IdempotencyRecord | None) -> None:
        _check_size(before, after)
        if (
            record is not None
            and (stored := self.find_record(record.key))
            and stored.token != record.replaces
        ):
            raise AlreadyProcessedError
        one = after or before
        if record is not None and one is not None and one.scope.tenant_id in self.moving:
            raise TenantMovingError
        if before is not None:
            known = self._webhooks.get((before.scope, before.id))
            if known is None or known.revision != before.revision:
                raise StaleError

    def _end_change(self, record: IdempotencyRecord | None) -> None:
        try:
            self.next_epoch()
        except UnavailableError:
            if record is not None:
                raise

    def _write_record(self, record: IdempotencyRecord, webhook_id: str, revision: int) -> None:
        stored = StoredRecord(record.body, str(next(self._tokens)), webhook_id, revision)
        self._records[record.key] = record, stored

    def _health(self, before: Webhook, after: Webhook) -> Health:
        """Return the health as it is stored, where the change itself leaves it alone."""
        stored = self._webhooks[after.scope, after.id].health
        if before.health == after.health:
            return stored
        if stored.version != before.health.version:
            raise StaleError
        return replace(after.health, version=stored.version + 1)

    def _unhealthy(self) -> list[tuple[Scope, str]]:
        return [
            key
            for key, webhook in self._webhooks.items()
            if webhook.states != (State.HEALTHY,) or webhook.health.backlog_since is not None
        ]

    def _write(self, scope: Scope, webhook_id: str, webhook: Webhook | None) -> None:
        if webhook is None:
            del self._webhooks[scope, webhook_id]
            self._ordered[scope].remove(webhook_id)
        else:
            if (scope, webhook_id) not in self._webhooks:
                insort(self._ordered[scope], webhook_id, key=lambda each: sequence_of(each) or 0)
            self._webhooks[scope, webhook_id] = webhook
        self._versions[scope] = self._versions.get(scope, 0) + 1


class FakeCommunities:
    """Communities, as the versions of webhooks have them."""

    def __init__(self, versions: Mapping[Scope, int], lock: AbstractContextManager[object]) -> None:
        self._versions = versions
        self._lock = lock

    def page(self, *, after: Scope | None, size: int) -> Sequence[Scope]:
        """Return a page of them, in their order."""
        with self._lock:
            return sorted(scope for scope in self._versions if after is None or scope > after)[:size]


def _sequence(webhook: Webhook) -> int:
    return sequence_of(webhook.id) or 0


def _check_size(before: Webhook | None, after: Webhook | None) -> None:
    """Raise InvalidWebhookError where the table's transaction would be too large."""
    if after is None:
        return
    old, new = _index_writes(before), _index_writes(after)
    writes = sum(old.get(name) != new.get(name) for name in {**old, **new}) + (before is None)
    size = len(write_json(_stored(asdict(after.definition))))
    if problems := size_problems(after.definition, definition_bytes=size, writes=writes):
        raise InvalidWebhookError(problems)


def _index_writes(webhook: Webhook | None) -> dict[str, str]:
    """Return a webhook's tags and event names in the index, and a text of its entry under each."""
    if webhook is None:
        return {}
    definition = webhook.definition
    names = () if definition.disabled else definition.event_names
    entry = definition.criteria + write_json(definition.query)
    return {f"tag {tag}": "" for tag in definition.tags} | {f"name {name}": entry for name in names}


def _stored(fields: dict[str, Any]) -> dict[str, Any]:
    """Return a definition as the table stores it, whose size counts."""
    endpoint = {camel_case(name): value for name, value in fields["endpoint"].items()}
    return {
        camel_case(name): value for name, value in fields.items() if name not in ("endpoint", "disabled")
    } | {"api": endpoint}
