"""The contract of BatchReader: webhooks with their health, and log, in one call."""

from dataclasses import replace

import pytest

from tests.contract.backends import Backend
from tests.contract.webhooks_made import ACME, make_webhook
from tests.fakes.batch_reader import FakeBatchReader
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.subscriptions import FakeSubscriptions
from webhooks.adapters.dynamodb.batch_reader import DynamoBatchReader
from webhooks.adapters.dynamodb.delivery_log import DynamoDeliveryLog
from webhooks.adapters.dynamodb.health_store import DynamoHealthStore
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.delivery import Attempt, Delivery, delivery_id
from webhooks.domain.delivery_log import LogEntry, Logged, Outcome, log_key
from webhooks.domain.health import Health
from webhooks.domain.webhook import Webhook
from webhooks.ports import BatchReader, DeliveryLog, HealthStore, IdempotencyRecord, Subscriptions


class Opened:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.subscriptions: Subscriptions
        self.health: HealthStore
        self.log: DeliveryLog
        self.reader: BatchReader
        if backend.aws is None:
            memory = FakeSubscriptions(clock=backend.clock, random_bytes=backend.random_bytes)
            self.subscriptions = self.health = memory
            self.log = log = FakeDeliveryLog()
            self.reader = FakeBatchReader(memory, log)
            return
        tables = Tables(backend.table("subscriptions"), backend.table("access", sorted_by=None))
        deliveries = backend.table("deliveries")
        self.subscriptions = DynamoSubscriptions(
            backend.aws,
            tables,
            clock=backend.clock,
            random_bytes=backend.random_bytes,
            backoff=backend.backoff,
        )
        self.health = DynamoHealthStore(Table(backend.aws, tables.subscriptions))
        self.log = DynamoDeliveryLog(backend.aws, deliveries, days=30, backoff=backend.backoff)
        self.reader = DynamoBatchReader(
            backend.aws,
            subscriptions=tables.subscriptions,
            deliveries=deliveries,
            backoff=backend.backoff,
        )

    def add(self) -> Webhook:
        webhook = make_webhook(self.subscriptions.next_id(ACME, now=self.backend.clock()))
        self.subscriptions.add(webhook, IdempotencyRecord(webhook.id, "{}", int(self.backend.clock()) + 60))
        return webhook


@pytest.fixture
def opened(backend: Backend) -> Opened:
    return Opened(backend)


def entry(webhook: Webhook, number: int) -> LogEntry:
    event_id = f"event {number}"
    delivery_key = delivery_id(event_id, webhook.id, log_time=number)
    delivery = Delivery(delivery_key, event_id, "order.paid", number, "{}")
    return LogEntry(log_key(webhook.id, delivery), delivery, ACME, Outcome.DELIVERED, 1)


def test_webhooks_and_log_are_read_together(opened: Opened) -> None:
    webhooks = [opened.add() for _ in range(60)]
    entries = [entry(webhook, number) for number, webhook in enumerate(webhooks)]
    opened.log.record(entries[:50])
    absent = f"{webhooks[0].id[:-1]}{'0' if webhooks[0].id[-1] != '0' else '1'}"

    reading = opened.reader.read(
        [*((ACME, webhook.id) for webhook in webhooks), (ACME, absent)], [each.key for each in entries]
    )

    assert reading.webhooks == {(ACME, webhook.id): webhook for webhook in webhooks}
    assert reading.logged == {each.key: Logged(Outcome.DELIVERED, ()) for each in entries[:50]}


def test_a_webhook_is_read_with_its_health_which_survives_a_change(opened: Opened) -> None:
    webhook = opened.add()
    opened.health.save(webhook, Health(slow_since=1_700_000_000_000, failures=3))
    [slow] = opened.reader.read([(ACME, webhook.id)], []).webhooks.values()
    assert slow == replace(webhook, health=Health(slow_since=1_700_000_000_000, failures=3, version=1))

    opened.subscriptions.change(slow, replace(slow, revision=2), record=None)
    assert opened.reader.read([(ACME, webhook.id)], []).webhooks == {
        (ACME, webhook.id): replace(slow, revision=2)
    }


def test_the_log_tells_what_was_tried_and_what_is_kept(opened: Opened) -> None:
    webhook = opened.add()
    dead = replace(entry(webhook, 1), outcome=Outcome.DEAD, is_recoverable=True)
    dead = replace(dead, delivery=replace(dead.delivery, attempts=(Attempt(1, 5, 500),), earlier=2))
    opened.log.record([dead])
    assert opened.reader.read([], [dead.key]).logged == {
        dead.key: Logged(Outcome.DEAD, (Attempt(1, 5, 500),), 3, is_recoverable=True, has_payload=True)
    }
