"""The contract of changes of state: Subscriptions beside HealthStore and Communities, fakes and DynamoDB."""

from dataclasses import replace

import pytest

from tests.clocks import NOW
from tests.contract.backends import Backend
from tests.contract.webhooks_made import ACME, changed, make_record, make_webhook
from tests.fakes.subscriptions import FakeSubscriptions
from webhooks.adapters.dynamodb.communities import DynamoCommunities
from webhooks.adapters.dynamodb.health_store import DynamoHealthStore
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.errors import StaleError
from webhooks.domain.health import Health, State, StateChange
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook
from webhooks.ports import Communities, HealthStore, Subscriptions

FAILING = Health(
    failing_since=1_790_000_000_000,
    backlog_since=1_790_000_000_000,
    failures=3,
    probe_at=1_790_000_030_000,
    probe_delay=30,
    changes=(StateChange(1_790_000_000_000, State.FAILING, "HTTP 503"),),
)


class Store:
    """The three ports on one state."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.subscriptions: Subscriptions
        self.health: HealthStore
        self.communities: Communities
        if backend.aws is None:
            memory = FakeSubscriptions(clock=backend.clock, random_bytes=backend.random_bytes)
            self.subscriptions = self.health = memory
            self.communities = memory.communities
            return
        tables = Tables(backend.table("subscriptions"), backend.table("access", sorted_by=None))
        table = Table(backend.aws, tables.subscriptions, backoff=backend.backoff)
        self.subscriptions = DynamoSubscriptions(
            backend.aws,
            tables,
            clock=backend.clock,
            random_bytes=backend.random_bytes,
            backoff=backend.backoff,
        )
        self.health, self.communities = DynamoHealthStore(table), DynamoCommunities(table)

    def add(self, scope: Scope = ACME, *, paused: bool = False, disabled: bool = False) -> Webhook:
        webhook_id = self.subscriptions.next_id(scope, now=NOW)
        webhook = make_webhook(webhook_id, scope, paused=paused, disabled=disabled)
        self.subscriptions.add(webhook, make_record(f"add {webhook_id} of {scope}"))
        return webhook

    def get(self, webhook: Webhook) -> Webhook:
        found = self.subscriptions.get(webhook.scope, webhook.id)
        assert found is not None
        return found

    def saved(self, webhook: Webhook, health: Health) -> Webhook:
        self.health.save(webhook, health)
        return self.get(webhook)

    def unhealthy(self, scope: Scope = ACME) -> list[str]:
        return list(self.health.unhealthy(scope, after=None, size=100))


@pytest.fixture
def store(backend: Backend) -> Store:
    return Store(backend)


def test_a_change_with_a_health_writes_both_at_once(store: Store) -> None:
    webhook = store.saved(store.add(), FAILING)
    paused = replace(changed(webhook, paused=True), health=webhook.health.changed(5, State.PAUSED, "why"))
    store.subscriptions.change(webhook, paused, record=None)
    assert store.get(webhook) == replace(paused, health=replace(paused.health, version=2))


def test_a_change_with_a_health_is_stale_where_another_health_was_written(store: Store) -> None:
    webhook = store.add()
    store.saved(webhook, FAILING)
    paused = replace(changed(webhook, paused=True), health=Health().changed(5, State.PAUSED, "why"))
    with pytest.raises(StaleError):
        store.subscriptions.change(webhook, paused, record=None)
    assert store.get(webhook) == replace(webhook, health=replace(FAILING, version=1))


def test_webhooks_that_are_not_healthy_are_listed_until_they_are(store: Store) -> None:
    store.add()
    paused, disabled, failing = store.add(paused=True), store.add(disabled=True), store.add()
    failing = store.saved(failing, FAILING)
    assert store.unhealthy() == [paused.id, disabled.id, failing.id]

    store.saved(failing, replace(failing.health, failing_since=None))
    assert failing.id in store.unhealthy(), "its deliveries are still to be sent"
    store.saved(store.get(failing), Health())
    resumed = replace(changed(paused, paused=False), health=Health().changed(5, State.HEALTHY, "resumed"))
    store.subscriptions.change(paused, resumed, record=None)
    store.subscriptions.change(disabled, changed(disabled, name="new"), record=None)
    assert store.unhealthy() == [disabled.id]
    store.subscriptions.remove(store.get(disabled), make_record("remove"))
    assert store.unhealthy() == []


def test_pages_of_the_unhealthy_have_each_of_one_community_once(store: Store) -> None:
    scopes = (ACME, Scope("acme", "north2"), Scope("acm", "enorth"), Scope("acme-", "north"))
    ids = {scope: [store.add(scope, paused=True).id for _ in range(5)] for scope in scopes}
    for scope in scopes:
        found: list[str] = []
        while page := store.health.unhealthy(scope, after=found[-1] if found else None, size=2):
            assert len(page) <= 2
            found += page
        assert found == ids[scope]
    everywhere = [(scope, webhook_id) for scope in scopes for webhook_id in ids[scope]]
    assert sorted(store.health.all_unhealthy(), key=str) == sorted(everywhere, key=str)


def test_pages_of_communities_have_each_once_and_those_without_webhooks_too(store: Store) -> None:
    scopes = {Scope("acme", f"c{number}") for number in range(12)} | {Scope("acme-", "c1"), Scope("b", "c1")}
    for scope in scopes:
        webhook = store.add(scope)
        store.subscriptions.remove(webhook, make_record(f"remove from {scope}"))
    found: list[Scope] = []
    while page := store.communities.page(after=found[-1] if found else None, size=3):
        assert len(page) <= 3
        found += page
    assert len(found) == len(scopes)
    assert set(found) == scopes


def test_a_deployment_without_webhooks_has_no_communities(store: Store) -> None:
    assert list(store.communities.page(after=None, size=10)) == []
    assert list(store.communities.page(after=ACME, size=10)) == []
