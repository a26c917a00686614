"""Subscriptions where DynamoDB fails, responds late, or is changed by another writer in between."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.aws_stub.faulty_clients import (
    FaultyClients,
    Replacement,
    after,
    cancel,
    fail,
    forever,
    lose_response,
    repeat,
    time_out,
    works,
)
from tests.clocks import NOW
from tests.contract.backends import Backend, backend_named
from tests.contract.webhooks_made import ACME, changed, make_record, make_webhook, recorded_body
from webhooks.adapters.dynamodb.epoch import RELIABLE_AFTER
from webhooks.adapters.dynamodb.items import key
from webhooks.adapters.dynamodb.keys import webhook_key
from webhooks.adapters.dynamodb.subscription_index import DynamoSubscriptionIndex
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.errors import (
    AlreadyProcessedError,
    ConflictError,
    CorruptError,
    StaleError,
    UnavailableError,
)
from webhooks.domain.event_slice import Span
from webhooks.domain.health import State
from webhooks.domain.json_text import write_json
from webhooks.domain.webhook import IndexEntry, Webhook
from webhooks.ports import StoredRecord, Versions


@pytest.fixture
def backend() -> Iterator[Backend]:
    with backend_named("moto") as opened:
        yield opened


@pytest.fixture
def tables(backend: Backend) -> Tables:
    return Tables(backend.table("subscriptions"), backend.table("access", sorted_by=None))


class Opened:
    """Subscriptions, sound and with faults, on the same tables."""

    def __init__(self, backend: Backend, tables: Tables) -> None:
        self.backend = backend
        self.tables = tables
        self.sound = self.with_faults()
        self.table = Table(backend.clients, tables.subscriptions)
        self.index = DynamoSubscriptionIndex(self.table, clock=backend.clock)

    def with_faults(self, **replacements: list[Replacement]) -> DynamoSubscriptions:
        clients = FaultyClients(self.backend.clients, **replacements)
        return DynamoSubscriptions(
            clients,
            self.tables,
            clock=self.backend.clock,
            random_bytes=self.backend.random_bytes,
            backoff=self.backend.backoff,
        )

    def new(self, **changes: Any) -> Webhook:
        return make_webhook(self.sound.next_id(ACME, now=NOW), **changes)

    def stored(self, **changes: Any) -> Webhook:
        webhook = self.new(**changes)
        self.sound.add(webhook, make_record(f"add {webhook.id}"))
        return webhook

    def item(self, webhook: Webhook) -> dict[str, Any]:
        found = self.table.get(webhook_key(webhook.scope, int(webhook.id[8:16], 16)))
        assert found is not None
        return found

    def put(self, item: dict[str, Any]) -> None:
        self.backend.clients.dynamodb.put_item(TableName=self.table.name, Item=item)

    def all(self) -> tuple[int, list[Webhook]]:
        page = self.sound.page(ACME, index=0, size=100, tags=())
        return page.total, list(page.webhooks)


@pytest.fixture
def opened(backend: Backend, tables: Tables) -> Opened:
    return Opened(backend, tables)


def test_an_item_of_a_release_without_the_newer_fields_has_their_defaults(opened: Opened) -> None:
    webhook = opened.stored()
    item = opened.item(webhook)
    stored = json.loads(item["definition"]["S"], parse_float=Decimal)
    for name in ("paused", "rateLimit", "recover"):
        del stored[name]
    opened.put(item | {"definition": {"S": write_json(stored)}})
    definition = replace(webhook.definition, paused=False, rate_limit=None, recover=None)
    assert opened.sound.get(ACME, webhook.id) == replace(webhook, definition=definition)


@pytest.mark.parametrize("fault", [lose_response, repeat])
def test_an_add_with_a_lost_response_is_done(opened: Opened, fault: Replacement) -> None:
    webhook = opened.new()
    opened.with_faults(transact_write_items=[fault]).add(webhook, make_record("k"))
    assert opened.all() == (1, [webhook])
    assert opened.index.versions([ACME]).by_scope == {ACME: 1}


@pytest.mark.parametrize("fault", [lose_response, repeat])
@pytest.mark.parametrize("idempotency_key", ["k", None])
def test_a_change_with_a_lost_response_is_done(
    opened: Opened, fault: Replacement, idempotency_key: str | None
) -> None:
    webhook = opened.stored()
    after_it = changed(webhook, name="new", tags=("red",))
    record = make_record(idempotency_key) if idempotency_key else None
    opened.with_faults(transact_write_items=[fault]).change(webhook, after_it, record=record)
    assert opened.all() == (1, [after_it])


@pytest.mark.parametrize("fault", [lose_response, repeat])
def test_a_change_of_state_with_a_lost_response_is_done_once(opened: Opened, fault: Replacement) -> None:
    webhook = opened.stored(paused=False)
    health = webhook.health.changed(5, State.PAUSED, "paused by its tenant")
    paused = replace(changed(webhook, paused=True), health=health)
    opened.with_faults(transact_write_items=[fault]).change(webhook, paused, record=None)
    assert opened.all() == (1, [replace(paused, health=replace(health, version=1))])


@pytest.mark.parametrize("fault", [lose_response, repeat])
def test_a_removal_with_a_lost_response_is_done(opened: Opened, fault: Replacement) -> None:
    webhook = opened.stored()
    opened.with_faults(transact_write_items=[fault]).remove(webhook, make_record("k"))
    assert opened.all() == (0, [])


def test_a_change_that_never_arrived_is_unavailable_and_changes_nothing(opened: Opened) -> None:
    webhook = opened.stored()
    with pytest.raises(UnavailableError, match="TransactWriteItems: ReadTimeoutError"):
        opened.with_faults(transact_write_items=[time_out]).remove(webhook, make_record("k"))
    assert opened.all() == (1, [webhook])
    assert opened.sound.find_record("k") is None


@pytest.mark.parametrize(
    "fault",
    [
        cancel("None", "None", "TransactionConflict"),
        cancel("TransactionConflict", "ThrottlingError"),
        cancel("None", "None", "ConditionalCheckFailed"),
        fail("TransactionInProgressException"),
    ],
)
def test_a_lost_race_is_run_again(opened: Opened, fault: Replacement) -> None:
    webhook = opened.new()
    opened.with_faults(transact_write_items=[fault, fault]).add(webhook, make_record("k"))
    assert opened.all() == (1, [webhook])


def test_a_change_between_read_and_write_is_not_lost(opened: Opened) -> None:
    first = opened.stored(tags=("blue",))
    mine = opened.new(tags=("blue",))
    others = []
    faulty = opened.with_faults(
        transact_write_items=[after(lambda: others.append(opened.stored(tags=("blue",)))), works]
    )
    faulty.add(mine, make_record("k"))
    assert opened.all() == (3, [others[0], mine, first])
    assert opened.sound.page(ACME, index=0, size=9, tags=("blue",)).total == 3


def test_a_race_that_is_always_lost_ends_in_a_conflict(opened: Opened) -> None:
    webhook = opened.new()
    faulty = opened.with_faults(transact_write_items=forever(cancel("None", "None", "TransactionConflict")))
    with pytest.raises(ConflictError, match="send the request again"):
        faulty.add(webhook, make_record("k"))
    assert opened.all() == (0, [])


def test_a_stale_change_is_stale_although_the_race_is_lost_too(opened: Opened) -> None:
    webhook = opened.stored()
    with pytest.raises(StaleError):
        opened.with_faults(
            transact_write_items=[cancel("ConditionalCheckFailed", "None", "ConditionalCheckFailed")]
        ).change(webhook, changed(webhook, tags=()), record=make_record("k"))


@pytest.mark.parametrize("fault", [fail("AccessDeniedException"), cancel("ValidationError")])
def test_an_error_names_the_operation_and_nothing_of_the_request(opened: Opened, fault: Replacement) -> None:
    with pytest.raises(UnavailableError) as raised:
        opened.with_faults(transact_write_items=[fault]).add(opened.new(), make_record("k"))
    assert "TransactWriteItems" in str(raised.value)
    assert "SECRET" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


@pytest.mark.parametrize("fault", [lose_response, repeat])
def test_an_add_with_a_lost_response_that_fills_the_community_is_done(
    opened: Opened, fault: Replacement
) -> None:
    webhook = opened.new()
    opened.with_faults(transact_write_items=[fault]).add(webhook, make_record("k"), limit=1)
    assert opened.all() == (1, [webhook])


def test_an_add_that_fills_the_community_is_done_despite_a_lost_race(opened: Opened) -> None:
    def in_progress(real: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        real(**request)
        return fail("TransactionInProgressException")(real, request)

    webhook = opened.new()
    opened.with_faults(transact_write_items=[in_progress]).add(webhook, make_record("k"), limit=1)
    assert opened.all() == (1, [webhook])


def test_the_last_free_slot_goes_to_the_first_writer(opened: Opened) -> None:
    faster: list[Webhook] = []
    faulty = opened.with_faults(transact_write_items=[after(lambda: faster.append(opened.stored())), works])
    with pytest.raises(ConflictError, match="has 1 webhooks, and this deployment allows 1"):
        faulty.add(opened.new(), make_record("k"), limit=1)
    assert opened.all() == (1, faster)


@pytest.mark.parametrize("fault", [lose_response, repeat])
def test_a_change_with_a_replaced_record_and_a_lost_response_is_done(
    opened: Opened, fault: Replacement
) -> None:
    webhook = opened.stored()
    first = changed(webhook, name="a")
    opened.sound.change(webhook, first, record=make_record("k", "1"))
    record = opened.sound.find_record("k")
    assert record is not None
    second = changed(first, name="b")
    opened.with_faults(transact_write_items=[fault]).change(
        first, second, record=replace(make_record("k", "2"), replaces=record.token)
    )
    assert opened.all() == (1, [second])
    assert recorded_body(opened.sound, "k") == "2"


def test_a_record_of_an_earlier_version_is_read(opened: Opened) -> None:
    item = {"body": {"S": "old"}, "change": {"S": "t"}, "expiresAt": {"N": str(int(NOW) + 60)}}
    opened.backend.clients.dynamodb.put_item(TableName=opened.tables.access, Item=key("answer#k") | item)
    assert opened.sound.find_record("k") == StoredRecord("old", "t", None, 0)
    with pytest.raises(AlreadyProcessedError):
        opened.sound.add(opened.new(), make_record("k"))


def test_unprocessed_keys_are_read_again(opened: Opened) -> None:
    webhooks = [opened.stored() for _ in range(5)]

    def half(real: Callable[..., Any], request: Mapping[str, Any]) -> dict[str, Any]:
        (table, asked), *_ = request["RequestItems"].items()
        response = real(RequestItems={table: {**asked, "Keys": asked["Keys"][:1]}})
        return {**response, "UnprocessedKeys": {table: {**asked, "Keys": asked["Keys"][1:]}}}

    faulty = opened.with_faults(batch_get_item=[half, half, half])
    keys = [(ACME, webhook.id) for webhook in webhooks]
    assert faulty.get_many(keys) == dict(zip(keys, webhooks, strict=True))


def test_keys_that_stay_unprocessed_are_unavailable(opened: Opened) -> None:
    webhook = opened.stored()

    def none(_real: Callable[..., Any], request: Mapping[str, Any]) -> dict[str, Any]:
        return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}

    with pytest.raises(UnavailableError, match="unprocessed"):
        opened.with_faults(batch_get_item=forever(none)).get(ACME, webhook.id)


def test_more_than_a_hundred_webhooks_are_read_in_several_calls(opened: Opened) -> None:
    webhook = opened.stored()
    keys = [(ACME, f"{0:08x}{n:08x}{0:08x}") for n in range(250)] + [(ACME, webhook.id)]
    assert opened.sound.get_many(keys) == {(ACME, webhook.id): webhook}


def test_a_page_that_changes_during_the_read_is_read_again(opened: Opened) -> None:
    old = opened.stored()
    newer: list[Webhook] = []
    faulty = opened.with_faults(batch_get_item=[after(lambda: newer.append(opened.stored()))])
    page = faulty.page(ACME, index=0, size=10, tags=())
    assert (page.total, list(page.webhooks)) == (2, [newer[0], old])


def test_a_page_whose_tags_change_during_the_read_is_read_again(opened: Opened) -> None:
    moving = opened.stored(tags=("red",))
    moved = changed(moving, tags=("blue",))
    faulty = opened.with_faults(query=[works, after(lambda: opened.sound.change(moving, moved, record=None))])
    page = faulty.page(ACME, index=0, size=10, tags=("blue", "red"))
    assert (page.total, list(page.webhooks)) == (1, [moved])


def test_a_corrupt_index_entry_costs_no_other_webhook_its_events(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    webhook, other = opened.stored(), opened.stored()
    opened.backend.clients.dynamodb.update_item(
        TableName=opened.tables.subscriptions,
        Key=key("E#acme#north#order.paid", f"{int(webhook.id[8:16], 16):010d}"),
        UpdateExpression="SET #query = :bad",
        ExpressionAttributeNames={"#query": "query"},
        ExpressionAttributeValues={":bad": {"S": "[7]"}},
    )
    bad, good = opened.index.listeners(ACME, "order.paid", span=Span(), limit=500).entries
    assert isinstance(bad, CorruptError)
    assert isinstance(good, IndexEntry)
    assert good.webhook_id == other.id
    assert "index.corrupt" in caplog.text


def test_attributes_of_a_later_version_survive_a_change(opened: Opened) -> None:
    webhook = opened.stored()
    item_key = key("C#acme#north", f"W#{int(webhook.id[8:16], 16):010d}")
    opened.backend.clients.dynamodb.update_item(
        TableName=opened.tables.subscriptions,
        Key=item_key,
        UpdateExpression="SET health = :health",
        ExpressionAttributeValues={":health": {"S": "well"}},
    )
    opened.sound.change(webhook, changed(webhook, name="new"), record=None)
    item = opened.backend.clients.dynamodb.get_item(TableName=opened.tables.subscriptions, Key=item_key)[
        "Item"
    ]
    assert item["health"] == {"S": "well"}


def test_a_record_expires_by_the_clock_of_the_table(opened: Opened) -> None:
    opened.sound.add(opened.new(), make_record("k"))
    item = opened.backend.clients.dynamodb.get_item(TableName=opened.tables.access, Key=key("answer#k"))[
        "Item"
    ]
    assert item["expiresAt"] == {"N": str(int(NOW) + 600)}


def test_a_deleted_webhook_leaves_only_totals_and_the_counter(opened: Opened) -> None:
    webhook = opened.stored()
    opened.sound.remove(webhook, make_record("k"))
    items = opened.backend.clients.dynamodb.scan(TableName=opened.tables.subscriptions)["Items"]
    assert sorted(item["sk"]["S"] for item in items) == ["EPOCH", "HEAD", "NEXT"]


def test_changes_are_counted_in_an_epoch_that_is_relied_on_after_hours(opened: Opened) -> None:
    assert opened.index.versions([]).epoch is None
    webhook = opened.stored()
    assert opened.index.versions([ACME]) == Versions({ACME: 1}, None)  # an older release may still run

    opened.backend.clock.now += RELIABLE_AFTER - 1
    assert opened.index.versions([]).epoch is None
    opened.backend.clock.now += 1
    assert opened.index.versions([ACME]) == Versions({ACME: 1}, 1)
    changed_once = changed(webhook, name="new")
    opened.sound.change(webhook, changed_once, record=make_record("change"))
    opened.sound.remove(changed_once, make_record("remove"))
    assert opened.index.versions([ACME]) == Versions({ACME: 3}, 3)

    opened.sound.next_epoch()
    assert opened.index.versions([]).epoch == 4


def test_a_change_takes_one_call_and_one_write_unit_for_the_epoch(opened: Opened) -> None:
    webhook, calls = opened.stored(), list[str]()
    store = opened.with_faults(
        transact_write_items=forever(after(lambda: calls.append("commit"))),
        update_item=forever(after(lambda: calls.append("count"))),
    )
    store.change(webhook, changed(webhook, name="new"), record=make_record("change"))
    assert calls == ["commit", "count"]


def test_a_change_that_cannot_be_counted_is_unavailable_to_its_client_alone(opened: Opened) -> None:
    webhook = opened.stored()
    with pytest.raises(UnavailableError):
        opened.with_faults(update_item=[fail("ThrottlingException")]).change(
            webhook, changed(webhook, name="new"), record=make_record("change")
        )
    stored = opened.sound.get(ACME, webhook.id)
    assert stored is not None
    assert stored.definition.name == "new"

    opened.with_faults(update_item=[fail("ThrottlingException")]).change(
        stored, changed(stored, disabled=True), record=None
    )
    assert opened.index.versions([ACME]).by_scope == {ACME: 3}
