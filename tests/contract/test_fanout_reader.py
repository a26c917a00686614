"""The contract of FanoutReader: versions as the index has them, and windows as the marks have them."""

from dataclasses import dataclass

import pytest

from tests.clocks import NOW
from tests.contract.backends import Backend
from tests.contract.webhooks_made import ACME, make_record, make_webhook
from tests.fakes.fanout_reader import FakeFanoutReader
from tests.fakes.seen_events import FakeSeenEvents
from tests.fakes.subscriptions import FakeSubscriptions
from webhooks.adapters.dynamodb.epoch import RELIABLE_AFTER
from webhooks.adapters.dynamodb.fanout_reader import DynamoFanoutReader
from webhooks.adapters.dynamodb.seen_events import DynamoSeenEvents
from webhooks.adapters.dynamodb.subscription_index import DynamoSubscriptionIndex
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.scope import Scope
from webhooks.ports import FanoutReader, SeenEvents, SubscriptionIndex, Subscriptions

OTHER = Scope("acme", "other")
ONE = bytes(8)


@dataclass
class Opened:
    """The port, with those that write what it reads."""

    subscriptions: Subscriptions
    index: SubscriptionIndex
    seen: SeenEvents
    reader: FanoutReader

    def add(self) -> None:
        webhook = make_webhook(self.subscriptions.next_id(ACME, now=NOW), ACME)
        self.subscriptions.add(webhook, make_record(webhook.id))


@pytest.fixture
def opened(backend: Backend) -> Opened:
    if backend.aws is None:
        memory, marks = (
            FakeSubscriptions(clock=backend.clock, random_bytes=backend.random_bytes),
            FakeSeenEvents(),
        )
        return Opened(memory, memory, marks, FakeFanoutReader(memory, marks))
    tables = Tables(backend.table("subscriptions"), backend.table("access", sorted_by=None))
    webhooks = Table(backend.aws, tables.subscriptions, backoff=backend.backoff)
    deliveries = Table(backend.aws, backend.table("deliveries"), backoff=backend.backoff)
    index = DynamoSubscriptionIndex(webhooks, clock=backend.clock)
    return Opened(
        DynamoSubscriptions(
            backend.aws,
            tables,
            clock=backend.clock,
            random_bytes=backend.random_bytes,
            backoff=backend.backoff,
        ),
        index,
        DynamoSeenEvents(deliveries, days=30, clock=backend.clock),
        DynamoFanoutReader(index, webhooks, deliveries, clock=backend.clock),
    )


@pytest.mark.parametrize("windows", [[], ["a", "b"]])
def test_versions_are_those_of_the_index(windows: list[str], backend: Backend, opened: Opened) -> None:
    opened.add()
    opened.add()
    backend.clock.now += RELIABLE_AFTER
    versions = opened.reader.read([ACME, OTHER], windows).versions
    assert versions == opened.index.versions([ACME, OTHER])
    assert versions.by_scope == {ACME: 2, OTHER: 0}
    assert versions.epoch is not None
    assert opened.reader.read([], windows).versions == opened.index.versions([])


def test_windows_are_told_whether_they_exist_or_not(opened: Opened) -> None:
    opened.seen.add("a", [ONE], below=90)
    windows = opened.reader.read([ACME], ["a", "b"]).windows
    assert {name: set(hashes) for name, hashes in windows.items()} == {"a": {ONE}, "b": set()}


def test_of_more_than_a_call_takes_every_version_is_read(opened: Opened) -> None:
    opened.add()
    opened.seen.add("w0", [ONE], below=90)
    names = [f"w{number}" for number in range(120)]
    scopes = [ACME, *(Scope("acme", f"c{number}") for number in range(50))]
    context = opened.reader.read(scopes, names)
    assert context.versions.by_scope == {**dict.fromkeys(scopes, 0), ACME: 1}
    assert set(context.windows["w0"]) == {ONE}
    assert context.windows.keys() <= set(names)
    many = [ACME, *(Scope("acme", f"c{number}") for number in range(150))]
    assert opened.reader.read(many, names).versions.by_scope == {**dict.fromkeys(many, 0), ACME: 1}
