"""A tenant that moves to another cell: its changes are refused with a sentence, and no other change is."""

from typing import Any

import pytest

from tests.clocks import NOW
from tests.contract.backends import Backend, backend_named
from tests.contract.test_subscriptions import SOUTH, Store
from tests.contract.webhooks_made import ACME, changed, make_record, make_webhook
from webhooks.adapters.dynamodb.keys import HEAD, community_key
from webhooks.adapters.dynamodb.subscription_commits import SubscriptionCommits
from webhooks.adapters.dynamodb.tenant_moves import mark_key
from webhooks.domain.errors import TenantMovingError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook
from webhooks.entrypoints.api.errors import error_response

OTHER = Scope("other", "main")


@pytest.fixture
def store(backend: Backend) -> Store:
    return Store(backend)


def mark(store: Store, scope: Scope = ACME) -> None:
    """Mark a community and its tenant, as the operator's command does."""
    if store.backend.aws is None:
        store.memory.moving.add(scope.tenant_id)
        return
    dynamodb = store.backend.clients.dynamodb
    dynamodb.put_item(TableName=store.table.name, Item=mark_key(scope.tenant_id))
    dynamodb.update_item(
        TableName=store.table.name,
        Key=community_key(scope, HEAD),
        UpdateExpression="ADD version :one SET moving = :to",
        ExpressionAttributeValues={":one": {"N": "1"}, ":to": {"S": "two"}},
    )


def new(store: Store, scope: Scope) -> Webhook:
    return make_webhook(store.subscriptions.next_id(scope, now=NOW), scope)


def test_every_change_of_a_moving_tenant_is_refused(store: Store) -> None:
    webhook = store.add()
    mark(store)
    with pytest.raises(TenantMovingError):
        store.subscriptions.add(new(store, ACME), make_record("a"))
    with pytest.raises(TenantMovingError):
        store.subscriptions.change(webhook, changed(webhook, name="b"), record=make_record("b"))
    with pytest.raises(TenantMovingError):
        store.subscriptions.change(webhook, changed(webhook, tags=("c",)), record=make_record("c"))
    with pytest.raises(TenantMovingError):
        store.subscriptions.remove(webhook, make_record("d"))
    assert store.page() == (1, [webhook])


def test_a_community_that_does_not_exist_yet_is_refused_too(store: Store) -> None:
    store.add()
    mark(store)
    with pytest.raises(TenantMovingError):
        store.subscriptions.add(new(store, SOUTH), make_record("a"))
    assert store.page(SOUTH) == (0, [])


def test_other_tenants_are_changed_as_before(store: Store) -> None:
    store.add()
    mark(store)
    webhook = store.add(OTHER)
    store.subscriptions.change(webhook, changed(webhook, name="b"), record=make_record("b"))
    assert store.page(OTHER)[0] == 1


def test_the_services_own_changes_go_on(store: Store) -> None:
    webhook = store.add()
    mark(store)
    store.subscriptions.change(webhook, changed(webhook, disabled=True), record=None)
    assert store.listeners("order.paid") == []


@pytest.mark.parametrize("scope", [ACME, SOUTH])
def test_a_change_that_read_before_the_mark_is_refused(scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    with backend_named("moto") as backend:
        store = Store(backend)
        webhook = store.add()
        transact = SubscriptionCommits._transact  # noqa: SLF001
        marks = [ACME]

        def late(*arguments: Any) -> Any:
            if marks:
                mark(store, marks.pop())
            return transact(*arguments)

        def change() -> None:
            if scope == ACME:
                store.subscriptions.remove(webhook, make_record("d"))
            else:
                store.subscriptions.add(new(store, SOUTH), make_record("d"))

        monkeypatch.setattr(SubscriptionCommits, "_transact", late)
        with pytest.raises(TenantMovingError):
            change()
        assert store.page() == (1, [webhook])
        assert store.page(SOUTH) == (0, [])


def test_the_refusal_is_a_503_that_says_when_and_where_to_try_again() -> None:
    response = error_response(TenantMovingError())
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "30"
    assert "being moved to another cell" in str(response.body)
