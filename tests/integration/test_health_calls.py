"""The calls to AWS that health and filtered pages take: bounded, and none beyond the two reads of a healthy one."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.aws_stub.counts import counted
from tests.clocks import NOW
from tests.contract.backends import Backend, backend_named
from tests.contract.webhooks_made import ACME, make_record, make_webhook
from tests.fakes.credentials import FakeCredentials
from tests.simulation.tenants import CALLER
from webhooks.adapters.dynamodb.delivery_log_reader import DynamoDeliveryLogReader
from webhooks.adapters.dynamodb.health_store import DynamoHealthStore
from webhooks.adapters.dynamodb.log_partitions import SHARDS
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.health import Health, State
from webhooks.services.endpoint_health import EndpointHealth
from webhooks.services.idempotency import CommunityRequest
from webhooks.services.webhook_pages import WebhookFilter, WebhookPages

WEBHOOKS = 6


class Opened:
    """The use cases over tables with some webhooks, of which the last has a backlog."""

    def __init__(self, backend: Backend) -> None:
        self.aws = backend.clients
        tables = Tables(backend.table("subscriptions"), backend.table("access", sorted_by=None))
        subscriptions = DynamoSubscriptions(
            self.aws, tables, clock=backend.clock, random_bytes=backend.random_bytes
        )
        store = DynamoHealthStore(Table(self.aws, tables.subscriptions))
        self.webhooks = [
            replace(make_webhook(subscriptions.next_id(ACME, now=NOW)), credential=None)
            for _ in range(WEBHOOKS)
        ]
        for webhook in self.webhooks:
            subscriptions.add(webhook, make_record(webhook.id))
        store.save(self.webhooks[-1], Health(held_since=1, backlog_since=1))
        self.health = EndpointHealth(
            subscriptions=subscriptions,
            health=store,
            log=DynamoDeliveryLogReader(self.aws, backend.table("deliveries")),
            clock=backend.clock,
        )
        self.pages = WebhookPages(
            subscriptions=subscriptions,
            health=store,
            credentials=FakeCredentials(clock=backend.clock, random_bytes=backend.random_bytes),
        )

    def fetch(self, wanted: WebhookFilter) -> object:
        request = CommunityRequest(CALLER, ACME, "", 0)
        return self.pages.fetch(request, index=0, size=25, wanted=wanted)


@pytest.fixture(scope="module")
def opened() -> Iterator[Opened]:
    with backend_named("moto") as backend:
        yield Opened(backend)


@pytest.mark.parametrize(
    ("work", "calls"),
    [
        # Of a webhook's log: the shards of deliveries' items, and the items that several share
        (lambda it: it.health.get(ACME, it.webhooks[0].id), {"BatchGetItem": 1, "Query": SHARDS + 1}),
        # And the index, for held and for recoverable ones
        (lambda it: it.health.get(ACME, it.webhooks[-1].id), {"BatchGetItem": 1, "Query": 3 * SHARDS + 1}),
        (
            lambda it: it.health.several(ACME, [each.id for each in it.webhooks[:-1]]),
            {"BatchGetItem": 1, "Query": (SHARDS + 1) * (WEBHOOKS - 1)},
        ),
        # Unhealthy ones; undelivered ones by three outcomes; the oldest of each
        (
            lambda it: it.health.community(ACME),
            {"GetItem": 1, "BatchGetItem": 1, "Query": 1 + 3 * SHARDS + 3 * SHARDS},
        ),
        (
            lambda it: it.health.series(ACME, it.webhooks[0].id, since=None, until=None),
            {"BatchGetItem": 1, "Query": SHARDS + 1},
        ),
        (lambda it: it.fetch(WebhookFilter(state=State.HELD)), {"Query": 1, "BatchGetItem": 1}),
        (lambda it: it.fetch(WebhookFilter(name="B")), {"GetItem": 1, "BatchGetItem": 2}),
        (lambda it: it.fetch(WebhookFilter()), {"GetItem": 1, "BatchGetItem": 2}),
    ],
)
def test_each_request_takes_as_many_calls_as_it_must(
    opened: Opened, work: Callable[[Opened], object], calls: dict[str, int]
) -> None:
    with counted(opened.aws) as counts:
        work(opened)
    assert counts.calls == Counter(calls)
    assert counts.write_units == 0
