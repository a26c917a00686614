"""Health, its lists and the list of communities where DynamoDB fails, or takes effect without a response."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.aws_stub.faulty_clients import FaultyClients, Replacement, fail, lose_response, time_out
from tests.clocks import NOW
from tests.contract.backends import Backend, backend_named
from tests.contract.webhooks_made import ACME, changed, make_record, make_webhook
from webhooks.adapters.dynamodb.communities import DynamoCommunities
from webhooks.adapters.dynamodb.health_store import DynamoHealthStore
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.errors import StaleError, UnavailableError
from webhooks.domain.health import Health, State
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook

SLOW = Health(slow_since=5)


class Opened:
    """The stores on one table of their own, sound and with faults."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.tables = Tables(backend.table("subscriptions"), backend.table("access", sorted_by=None))
        self.subscriptions = DynamoSubscriptions(
            backend.clients, self.tables, clock=backend.clock, random_bytes=backend.random_bytes
        )
        self.table = self.with_faults()
        self.health = DynamoHealthStore(self.table)

    def with_faults(self, **faults: list[Replacement]) -> Table:
        return Table(FaultyClients(self.backend.clients, **faults), self.tables.subscriptions)

    def add(self, scope: Scope = ACME) -> Webhook:
        webhook = make_webhook(self.subscriptions.next_id(scope, now=NOW), scope)
        self.subscriptions.add(webhook, make_record(f"add {webhook.id}"))
        return webhook

    def get(self, webhook: Webhook) -> Webhook:
        found = self.subscriptions.get(webhook.scope, webhook.id)
        assert found is not None
        return found


@pytest.fixture
def opened() -> Iterator[Opened]:
    with backend_named("moto") as backend:
        yield Opened(backend)


@pytest.mark.parametrize(
    "read",
    [
        lambda table: DynamoHealthStore(table).unhealthy(ACME, after=None, size=10),
        lambda table: list(DynamoHealthStore(table).all_unhealthy()),
        lambda table: DynamoCommunities(table).page(after=None, size=10),
    ],
)
@pytest.mark.parametrize("fault", [time_out, fail("InternalServerError")])
def test_a_list_that_cannot_be_read_is_unavailable(
    opened: Opened, read: Callable[[Table], object], fault: Replacement
) -> None:
    with pytest.raises(UnavailableError, match="dynamodb Query"):
        read(opened.with_faults(query=[fault]))


def test_a_health_that_was_written_without_a_response_is_stale_at_the_next_try(opened: Opened) -> None:
    webhook = opened.add()
    with pytest.raises(UnavailableError, match="dynamodb UpdateItem"):
        DynamoHealthStore(opened.with_faults(update_item=[lose_response])).save(webhook, SLOW)
    with pytest.raises(StaleError):
        opened.health.save(webhook, SLOW)
    assert opened.get(webhook).health == replace(SLOW, version=1)


def test_a_health_that_could_not_be_written_changes_nothing(opened: Opened) -> None:
    webhook = opened.add()
    with pytest.raises(UnavailableError):
        DynamoHealthStore(opened.with_faults(update_item=[fail("InternalServerError")])).save(webhook, SLOW)
    assert opened.get(webhook) == webhook
    assert list(opened.health.all_unhealthy()) == []


def test_a_webhook_that_a_release_before_disabled_is_listed_from_its_next_change_on(opened: Opened) -> None:
    webhook = opened.add()
    disabled = changed(webhook, disabled=True)
    opened.subscriptions.change(webhook, disabled, record=None)
    unlisted(opened, f"W#{int(webhook.id[8:16], 16):010d}")
    assert opened.health.unhealthy(ACME, after=None, size=10) == []
    opened.subscriptions.change(disabled, changed(disabled, name="new"), record=None)
    assert opened.health.unhealthy(ACME, after=None, size=10) == [webhook.id]
    assert opened.get(webhook).states == (State.DISABLED,)


@pytest.mark.parametrize(
    "tags", [("blue", "a#b"), ()]
)  # a change of the head's version alone, and of a bitmap
def test_a_community_of_a_release_before_is_listed_from_its_next_change_on(
    opened: Opened, tags: tuple[str, ...]
) -> None:
    webhook, communities = opened.add(), DynamoCommunities(opened.table)
    unlisted(opened, "HEAD")
    assert communities.page(after=None, size=10) == []
    opened.subscriptions.change(webhook, changed(webhook, name="new", tags=tags), record=None)
    assert communities.page(after=None, size=10) == [ACME]


def test_a_change_upon_an_old_health_lists_no_webhook_that_is_healthy_by_now(opened: Opened) -> None:
    webhook = opened.add()
    opened.health.save(webhook, SLOW)
    slow = opened.get(webhook)
    opened.health.save(slow, Health())
    opened.subscriptions.change(slow, changed(slow, name="new"), record=None)
    assert opened.health.unhealthy(ACME, after=None, size=10) == []


def unlisted(opened: Opened, sk: str) -> None:
    """Take an item out of the list, as a release without lists wrote it."""
    opened.backend.clients.dynamodb.update_item(
        TableName=opened.table.name,
        Key={"pk": {"S": "C#acme#north"}, "sk": {"S": sk}},
        UpdateExpression="REMOVE listPk, listSk",
    )
