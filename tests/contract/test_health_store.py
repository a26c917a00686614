"""The contract of HealthStore: the health of an endpoint, kept with its webhook."""

from dataclasses import replace

import pytest

from tests.contract.backends import Backend
from tests.contract.webhooks_made import ACME, changed, make_record, make_webhook
from tests.fakes.subscriptions import FakeSubscriptions
from webhooks.adapters.dynamodb.health_store import DynamoHealthStore
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.errors import StaleError
from webhooks.domain.health import KEPT_CHANGES, Health, State
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook
from webhooks.ports import HealthStore, Subscriptions

AT = 1_790_000_000_000  # epoch ms
OTHERS = Scope("acme", "south"), Scope("acme", "north2"), Scope("other", "north")
SLOW = Health(slow_since=AT)
COMPLETE = Health(
    slow_since=AT,
    failing_since=AT + 1,
    held_since=AT + 2,
    backlog_since=AT + 3,
    failures=11,
    failures_since=AT + 4,
    probe_at=AT + 5,
    probe_delay=30,
    recovery="0" * 24,
    recovery_at=AT + 6,
).changed(AT + 2, State.HELD, 'no "answer" \U0001f4da')


class Opened:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.subscriptions: Subscriptions
        self.health: HealthStore
        if backend.aws is None:
            memory = FakeSubscriptions(clock=backend.clock, random_bytes=backend.random_bytes)
            self.subscriptions = self.health = memory
            return
        tables = Tables(backend.table("subscriptions"), backend.table("access", sorted_by=None))
        self.subscriptions = DynamoSubscriptions(
            backend.aws,
            tables,
            clock=backend.clock,
            random_bytes=backend.random_bytes,
            backoff=backend.backoff,
        )
        self.health = DynamoHealthStore(Table(backend.aws, tables.subscriptions, backoff=backend.backoff))

    def add(self, scope: Scope = ACME) -> Webhook:
        webhook_id = self.subscriptions.next_id(scope, now=self.backend.clock())
        webhook = make_webhook(webhook_id, scope, paused=False)
        self.subscriptions.add(webhook, make_record(f"{scope.tenant_id} {scope.community_id} {webhook.id}"))
        return webhook

    def get(self, webhook: Webhook) -> Webhook:
        stored = self.subscriptions.get(webhook.scope, webhook.id)
        assert stored is not None
        return stored

    def save(self, webhook: Webhook, health: Health) -> Webhook:
        """Save a health and return the webhook as it is then."""
        self.health.save(webhook, health)
        return self.get(webhook)

    def all_unhealthy(self) -> set[tuple[Scope, str]]:
        found = list(self.health.all_unhealthy())
        assert len(set(found)) == len(found)
        return set(found)

    def unhealthy(self, scope: Scope = ACME) -> list[str]:
        return list(self.health.unhealthy(scope, after=None, size=100))


@pytest.fixture
def opened(backend: Backend) -> Opened:
    return Opened(backend)


@pytest.mark.parametrize("health", [Health(), SLOW, COMPLETE])
def test_a_health_is_read_with_its_webhook_and_its_version_counts(opened: Opened, health: Health) -> None:
    webhook = opened.add()
    assert webhook.health == Health()

    assert opened.save(webhook, health) == replace(webhook, health=replace(health, version=1))


def test_a_health_replaces_all_of_the_one_before(opened: Opened) -> None:
    webhook = opened.save(opened.add(), COMPLETE)
    assert opened.save(webhook, SLOW).health == replace(SLOW, version=2)
    assert opened.save(opened.get(webhook), Health()).health == Health(version=3)


def test_as_many_changes_of_state_as_are_kept_are_read_back(opened: Opened) -> None:
    health = Health()
    for number in range(KEPT_CHANGES + 5):
        health = health.changed(AT + number, State.SLOW, "x" * 200)

    changes = opened.save(opened.add(), health).health.changes

    assert changes == health.changes
    assert [each.at for each in changes] == [AT + number for number in range(5, KEPT_CHANGES + 5)]


@pytest.mark.parametrize("saved", [1, 2])
def test_a_health_upon_another_one_than_the_stored_is_refused(opened: Opened, saved: int) -> None:
    webhook = opened.add()
    for _ in range(saved):
        before, webhook = webhook, opened.save(webhook, SLOW)

    with pytest.raises(StaleError):
        opened.health.save(before, COMPLETE)
    with pytest.raises(StaleError):
        opened.health.save(replace(webhook, health=replace(SLOW, version=saved + 1)), COMPLETE)

    assert opened.get(webhook) == webhook


def test_a_health_of_a_changed_webhook_is_refused(opened: Opened) -> None:
    webhook = opened.add()
    after = changed(webhook, name="another")
    opened.subscriptions.change(webhook, after, record=None)

    with pytest.raises(StaleError):
        opened.health.save(webhook, SLOW)

    assert opened.get(webhook) == after
    assert opened.unhealthy() == []


def test_a_health_of_a_webhook_that_is_gone_is_refused_and_creates_none(opened: Opened) -> None:
    webhook = opened.add()
    opened.subscriptions.remove(webhook, make_record("gone"))

    with pytest.raises(StaleError):
        opened.health.save(webhook, SLOW)
    with pytest.raises(StaleError):
        opened.health.save(replace(webhook, id="x"), SLOW)

    assert opened.subscriptions.get(ACME, webhook.id) is None
    assert opened.all_unhealthy() == set()


def test_a_health_survives_a_change_of_its_webhook(opened: Opened) -> None:
    webhook = opened.save(opened.add(), COMPLETE)
    after = changed(webhook, name="another")

    opened.subscriptions.change(webhook, after, record=None)

    assert opened.get(webhook) == after
    assert opened.unhealthy() == [webhook.id]


def test_a_health_that_was_saved_meanwhile_survives_a_change(opened: Opened) -> None:
    webhook = opened.add()
    opened.health.save(webhook, SLOW)
    after = changed(webhook, name="another")

    opened.subscriptions.change(webhook, after, record=None)

    assert opened.get(webhook) == replace(after, health=replace(SLOW, version=1))


@pytest.mark.parametrize(
    "health",
    [
        SLOW,
        Health(failing_since=AT),
        Health(held_since=AT, probe_at=AT, probe_delay=30),
        Health(backlog_since=AT),
        COMPLETE,
    ],
)
def test_a_webhook_is_listed_until_it_is_healthy_again(opened: Opened, health: Health) -> None:
    opened.add()
    webhook = opened.add()
    assert opened.unhealthy() == []

    webhook = opened.save(webhook, health)
    assert opened.unhealthy() == [webhook.id]
    assert opened.all_unhealthy() == {(ACME, webhook.id)}

    opened.save(webhook, Health(changes=webhook.health.changes))
    assert opened.unhealthy() == []
    assert opened.all_unhealthy() == set()


def test_failures_alone_make_no_webhook_unhealthy(opened: Opened) -> None:
    webhook = opened.save(opened.add(), Health(failures=3, failures_since=AT))
    assert webhook.states == (State.HEALTHY,)
    assert opened.unhealthy() == []


def test_a_webhook_that_is_deleted_is_no_longer_listed(opened: Opened) -> None:
    webhook = opened.save(opened.add(), SLOW)
    opened.subscriptions.remove(webhook, make_record("gone"))
    assert opened.all_unhealthy() == set()


def test_each_community_lists_its_own(opened: Opened) -> None:
    webhooks = [opened.add(scope) for scope in (ACME, *OTHERS)]
    for webhook in webhooks:
        opened.health.save(webhook, SLOW)

    for webhook in webhooks:
        assert opened.unhealthy(webhook.scope) == [webhook.id]
    assert opened.all_unhealthy() == {(webhook.scope, webhook.id) for webhook in webhooks}


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_pages_bring_each_unhealthy_webhook_once_in_the_order_of_ids(opened: Opened, size: int) -> None:
    webhooks = [opened.add() for _ in range(9)]
    for webhook in webhooks[1:8]:
        opened.health.save(webhook, SLOW)

    found: list[str] = []
    while page := opened.health.unhealthy(ACME, after=found[-1] if found else None, size=size):
        assert len(page) <= size
        found += page

    assert found == sorted(webhook.id for webhook in webhooks[1:8])
