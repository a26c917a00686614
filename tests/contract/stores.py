"""Subscriptions of a backend, and everything that can be seen of them, as plain values to compare."""

from collections.abc import Iterable

from tests.contract.backends import Backend
from tests.fakes.subscriptions import FakeSubscriptions
from webhooks.adapters.dynamodb.subscription_index import DynamoSubscriptionIndex
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.errors import CorruptError
from webhooks.domain.event_slice import Span
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import IndexEntry, Webhook
from webhooks.ports import SubscriptionIndex, Subscriptions


def open_stores(backend: Backend) -> tuple[Subscriptions, SubscriptionIndex]:
    """Return both ports on one state of their own."""
    if backend.aws is None:
        memory = FakeSubscriptions(clock=backend.clock, random_bytes=backend.random_bytes)
        return memory, memory
    tables = Tables(backend.table("subscriptions"), backend.table("access", sorted_by=None))
    subscriptions = DynamoSubscriptions(
        backend.aws, tables, clock=backend.clock, random_bytes=backend.random_bytes, backoff=backend.backoff
    )
    return subscriptions, DynamoSubscriptionIndex(
        Table(backend.aws, tables.subscriptions, backoff=backend.backoff)
    )


def all_pages(
    subscriptions: Subscriptions, scope: Scope, *, size: int, tags: tuple[str, ...] = ()
) -> list[Webhook]:
    """Read page by page to the end; asserts that the total is the same on each and right."""
    webhooks: list[Webhook] = []
    total, index = 1, 0
    while index * size < total:
        page = subscriptions.page(scope, index=index, size=size, tags=tags)
        total = page.total
        webhooks += page.webhooks
        index += 1
    assert len(webhooks) == total
    assert list(subscriptions.page(scope, index=index, size=size, tags=tags).webhooks) == []
    return webhooks


def readable(entries: Iterable[IndexEntry | CorruptError]) -> list[IndexEntry]:
    """Return the entries; asserts that none is corrupt."""
    found = [entry for entry in entries if isinstance(entry, IndexEntry)]
    assert found == list(entries)
    return found


def assert_consistent(
    stores: tuple[Subscriptions, SubscriptionIndex],
    scope: Scope,
    expected: Iterable[Webhook],
    *,
    event_names: Iterable[str],
    tags: Iterable[str],
    size: int = 4,
) -> None:
    """Assert that pages, totals, tags and index agree with the expected webhooks."""
    subscriptions, index = stores
    newest_first = sorted(expected, key=lambda webhook: webhook.id[8:16], reverse=True)
    assert all_pages(subscriptions, scope, size=size) == newest_first
    for tag in tags:
        tagged = [webhook for webhook in newest_first if tag in webhook.definition.tags]
        assert all_pages(subscriptions, scope, size=size, tags=(tag,)) == tagged
    some = set(list(tags)[:2])
    any_of = [webhook for webhook in newest_first if some & set(webhook.definition.tags)]
    assert all_pages(subscriptions, scope, size=size, tags=tuple(sorted(some))) == (
        any_of if some else newest_first
    )
    for name in event_names:
        entries = [
            IndexEntry(webhook.id, webhook.definition.criteria, webhook.definition.query)
            for webhook in newest_first
            if webhook.enabled and name in webhook.definition.event_names
        ]
        found = readable(index.listeners(scope, name, span=Span(), limit=1000).entries)
        assert sorted(found, key=lambda entry: entry.webhook_id) == sorted(
            entries, key=lambda entry: entry.webhook_id
        )
    keys = [(scope, webhook.id) for webhook in newest_first]
    assert subscriptions.get_many(keys) == dict(zip(keys, newest_first, strict=True))
