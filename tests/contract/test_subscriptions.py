"""The contract of Subscriptions and SubscriptionIndex, on the fake and on DynamoDB."""

from dataclasses import replace

import pytest

from tests.clocks import NOW
from tests.contract.backends import Backend
from tests.contract.stores import readable
from tests.contract.webhooks_made import ACME, changed, make_record, make_webhook, recorded_body
from tests.fakes.subscriptions import FakeSubscriptions
from webhooks.adapters.dynamodb.subscription_index import DynamoSubscriptionIndex
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.errors import (
    AlreadyProcessedError,
    CommunityFullError,
    CorruptError,
    InvalidInputError,
    StaleError,
)
from webhooks.domain.event_slice import Span
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Criteria, IndexEntry, Webhook
from webhooks.ports import IdempotencyRecord, SubscriptionIndex, Subscriptions

SOUTH = Scope("acme", "south")


class Store:
    """The two ports on one state, and helpers that set it up."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.subscriptions: Subscriptions
        self.index: SubscriptionIndex
        self._responses = 0
        if backend.aws is None:
            self.memory = FakeSubscriptions(clock=backend.clock, random_bytes=backend.random_bytes)
            self.subscriptions = self.index = self.memory
            return
        tables = Tables(backend.table("subscriptions"), backend.table("access", sorted_by=None))
        self.table = Table(backend.aws, tables.subscriptions, backoff=backend.backoff)
        self.subscriptions = DynamoSubscriptions(
            backend.aws,
            tables,
            clock=backend.clock,
            random_bytes=backend.random_bytes,
            backoff=backend.backoff,
        )
        self.index = DynamoSubscriptionIndex(self.table)

    def add(self, scope: Scope = ACME, **changes: object) -> Webhook:
        webhook = make_webhook(self.subscriptions.next_id(scope, now=NOW), scope, **changes)
        self.subscriptions.add(webhook, self.fresh_record())
        return webhook

    def fresh_record(self) -> IdempotencyRecord:
        self._responses += 1
        return make_record(f"response {self._responses}")

    def page(
        self, scope: Scope = ACME, *, index: int = 0, size: int = 25, tags: tuple[str, ...] = ()
    ) -> tuple[int, list[Webhook]]:
        page = self.subscriptions.page(scope, index=index, size=size, tags=tags)
        return page.total, list(page.webhooks)

    def entries(self, event_name: str, scope: Scope = ACME) -> list[IndexEntry | CorruptError]:
        page = self.index.listeners(scope, event_name, span=Span(), limit=500)
        assert page.next_sequence is None
        return list(page.entries)

    def listeners(self, event_name: str, scope: Scope = ACME) -> list[str]:
        return [entry.webhook_id for entry in readable(self.entries(event_name, scope))]

    def corrupt_entries(self, webhook: Webhook, event_name: str) -> None:
        if self.backend.aws is None:
            self.memory.corrupt_entries(webhook.id)
            return
        self.backend.aws.dynamodb.update_item(
            TableName=self.table.name,
            Key={
                "pk": {"S": f"E#{webhook.scope.tenant_id}#{webhook.scope.community_id}#{event_name}"},
                "sk": {"S": f"{int(webhook.id[8:16], 16):010d}"},
            },
            UpdateExpression="SET #query = :bad",
            ExpressionAttributeNames={"#query": "query"},
            ExpressionAttributeValues={":bad": {"S": "[7]"}},
        )

    def corrupt(self, webhook: Webhook) -> None:
        if self.backend.aws is None:
            self.memory.corrupt(webhook.scope, webhook.id)
            return
        self.backend.aws.dynamodb.update_item(
            TableName=self.table.name,
            Key={
                "pk": {"S": f"C#{webhook.scope.tenant_id}#{webhook.scope.community_id}"},
                "sk": {"S": f"W#{int(webhook.id[8:16], 16):010d}"},
            },
            UpdateExpression="SET #definition = :bad",
            ExpressionAttributeNames={"#definition": "definition"},
            ExpressionAttributeValues={":bad": {"S": '{"name": 7}'}},
        )


@pytest.fixture
def store(backend: Backend) -> Store:
    return Store(backend)


def test_a_webhook_is_read_back_as_it_was_stored(store: Store) -> None:
    webhook = store.add()
    assert store.subscriptions.get(ACME, webhook.id) == webhook


def test_no_restore_runs_unless_an_operator_began_one(store: Store) -> None:
    store.subscriptions.add(make_webhook(store.subscriptions.next_id(ACME, now=NOW)), make_record("a"))
    assert not store.subscriptions.is_restoring()


def test_ids_are_24_hex_characters_and_sort_by_creation(store: Store) -> None:
    ids = [store.subscriptions.next_id(ACME, now=NOW + n) for n in range(5)]
    assert ids == sorted(set(ids))
    assert all(len(each) == 24 and set(each) <= set("0123456789abcdef") for each in ids)


@pytest.mark.parametrize("webhook_id", ["", "x", "0" * 24, "A" * 24, "f" * 25, "٣" * 24, "f" * 24])
def test_an_unknown_id_is_absent(store: Store, webhook_id: str) -> None:
    store.add()
    assert store.subscriptions.get(ACME, webhook_id) is None


def test_an_id_with_a_known_sequence_and_other_random_bytes_is_absent(store: Store) -> None:
    webhook = store.add()
    forged = webhook.id[:-1] + ("0" if webhook.id[-1] != "0" else "1")
    assert store.subscriptions.get(ACME, forged) is None
    both = store.subscriptions.get_many([(ACME, forged), (ACME, webhook.id)])
    assert both == {(ACME, webhook.id): webhook}


def test_another_community_does_not_see_the_webhook(store: Store) -> None:
    webhook = store.add()
    assert store.subscriptions.get(SOUTH, webhook.id) is None
    assert store.page(SOUTH) == (0, [])


def test_many_webhooks_are_read_at_once_without_the_absent_ones(store: Store) -> None:
    one, other = store.add(), store.add(SOUTH)
    found = store.subscriptions.get_many(
        [(ACME, one.id), (SOUTH, other.id), (ACME, other.id), (ACME, one.id), (ACME, "nothing")]
    )
    assert found == {(ACME, one.id): one, (SOUTH, other.id): other}


def test_a_corrupt_webhook_is_an_error_of_its_own(store: Store) -> None:
    bad, good = store.add(), store.add()
    store.corrupt(bad)
    found = store.subscriptions.get_many([(ACME, bad.id), (ACME, good.id)])
    assert found[ACME, good.id] == good
    assert isinstance(found[ACME, bad.id], CorruptError)
    with pytest.raises(CorruptError):
        store.subscriptions.get(ACME, bad.id)


def test_a_corrupt_index_entry_is_an_error_among_the_others(store: Store) -> None:
    bad, good = store.add(), store.add()
    store.corrupt_entries(bad, "order.paid")
    found = store.entries("order.paid")
    assert [type(entry) for entry in found] == [CorruptError, IndexEntry]
    assert isinstance(found[1], IndexEntry)
    assert found[1].webhook_id == good.id


def test_a_page_leaves_out_corrupt_webhooks(store: Store) -> None:
    bad, good = store.add(), store.add()
    store.corrupt(bad)
    assert store.page() == (2, [good])


def test_a_record_is_stored_with_its_change(store: Store) -> None:
    webhook = make_webhook(store.subscriptions.next_id(ACME, now=NOW))
    assert store.subscriptions.find_record("k") is None
    store.subscriptions.add(webhook, make_record("k", "the response"))
    assert recorded_body(store.subscriptions, "k") == "the response"


def test_a_repeat_changes_nothing(store: Store) -> None:
    first = store.add()
    second = make_webhook(store.subscriptions.next_id(ACME, now=NOW))
    store.subscriptions.change(first, changed(first, name="new"), record=make_record("k"))
    stored = store.subscriptions.get(ACME, first.id)
    assert stored is not None
    version = store.index.versions([ACME]).by_scope
    with pytest.raises(AlreadyProcessedError):
        store.subscriptions.add(second, make_record("k"))
    with pytest.raises(AlreadyProcessedError):
        store.subscriptions.change(stored, changed(stored, tags=()), record=make_record("k"))
    with pytest.raises(AlreadyProcessedError):
        store.subscriptions.remove(stored, make_record("k"))
    assert store.page() == (1, [stored])
    assert store.index.versions([ACME]).by_scope == version


def test_a_repeat_is_known_even_if_the_webhook_is_stale(store: Store) -> None:
    webhook = store.add()
    store.subscriptions.change(webhook, changed(webhook, name="new"), record=make_record("k"))
    with pytest.raises(AlreadyProcessedError):
        store.subscriptions.change(webhook, changed(webhook, name="new"), record=make_record("k"))


def test_an_expired_record_makes_no_repeat(store: Store) -> None:
    webhook = store.add()
    store.subscriptions.change(webhook, changed(webhook, name="a"), record=make_record("k", "old"))
    store.backend.clock.now += 601
    assert store.subscriptions.find_record("k") is None
    stored = changed(webhook, name="a")
    store.subscriptions.remove(stored, replace(make_record("k", "new"), expires_at=int(NOW) + 2000))
    assert recorded_body(store.subscriptions, "k") == "new"


def test_a_record_names_the_webhook_and_its_revision(store: Store) -> None:
    webhook = make_webhook(store.subscriptions.next_id(ACME, now=NOW))
    store.subscriptions.add(webhook, make_record("add"))
    after = changed(webhook, name="new")
    store.subscriptions.change(webhook, after, record=make_record("change"))
    store.subscriptions.remove(after, make_record("remove"))
    records = [store.subscriptions.find_record(key) for key in ("add", "change", "remove")]
    assert [record and (record.webhook_id, record.revision) for record in records] == [
        (webhook.id, 1),
        (webhook.id, 2),
        (webhook.id, 0),
    ]
    assert len({record and record.token for record in records}) == 3


def test_a_record_is_replaced_only_by_its_own_token(store: Store) -> None:
    webhook = store.add()
    first = changed(webhook, name="first")
    store.subscriptions.change(webhook, first, record=make_record("k", "1"))
    record = store.subscriptions.find_record("k")
    assert record is not None

    # A token of another record replaces nothing, and nothing changes
    second = changed(first, name="second")
    with pytest.raises(AlreadyProcessedError):
        store.subscriptions.change(first, second, record=replace(make_record("k", "2"), replaces="another"))
    assert store.page() == (1, [first])

    # The record's own token replaces it, once
    replacing = replace(make_record("k", "2"), replaces=record.token)
    store.subscriptions.change(first, second, record=replacing)
    assert recorded_body(store.subscriptions, "k") == "2"
    with pytest.raises(AlreadyProcessedError):
        store.subscriptions.change(second, changed(second, name="third"), record=replacing)
    with pytest.raises(AlreadyProcessedError):
        store.subscriptions.remove(second, replacing)
    with pytest.raises(AlreadyProcessedError):
        store.subscriptions.add(make_webhook(store.subscriptions.next_id(ACME, now=NOW)), replacing)
    assert store.page() == (1, [second])


def test_a_change_that_may_replace_a_record_also_takes_effect_without_one(store: Store) -> None:
    webhook = store.add()
    store.subscriptions.remove(webhook, replace(make_record("k"), replaces="expired and gone"))
    assert store.page() == (0, [])


def test_a_community_takes_no_more_webhooks_than_its_limit(store: Store) -> None:
    stored = [store.add(), store.add(tags=())]
    third = make_webhook(store.subscriptions.next_id(ACME, now=NOW))
    for limit in (1, 2):
        with pytest.raises(CommunityFullError, match=f"has 2 webhooks, and this deployment allows {limit};"):
            store.subscriptions.add(third, make_record("k"), limit=limit)
    assert store.page() == (2, stored[::-1])
    assert store.subscriptions.find_record("k") is None
    store.subscriptions.add(third, make_record("k"), limit=3)
    store.subscriptions.remove(stored[0], store.fresh_record())
    store.subscriptions.add(stored[0], store.fresh_record(), limit=3)
    assert store.page()[0] == 3


def test_a_repeat_at_the_limit_is_a_repeat(store: Store) -> None:
    webhook = make_webhook(store.subscriptions.next_id(ACME, now=NOW))
    store.subscriptions.add(webhook, make_record("k"), limit=1)
    with pytest.raises(AlreadyProcessedError):
        store.subscriptions.add(
            make_webhook(store.subscriptions.next_id(ACME, now=NOW)), make_record("k"), limit=1
        )


def test_a_communitys_webhooks_are_counted(store: Store) -> None:
    assert store.subscriptions.count(ACME) == 0
    webhooks = [store.add(tags=tags) for tags in ((), ("a",))]
    store.subscriptions.change(webhooks[0], changed(webhooks[0], disabled=True), record=None)
    assert (store.subscriptions.count(ACME), store.subscriptions.count(SOUTH)) == (2, 0)
    store.subscriptions.remove(webhooks[1], store.fresh_record())
    assert store.subscriptions.count(ACME) == 1


def test_a_change_to_an_earlier_revision_is_stale(store: Store) -> None:
    webhook = store.add()
    newer = changed(webhook, name="newer", tags=("red",), event_names=("order.paid", "order.sent"))
    store.subscriptions.change(webhook, newer, record=None)
    with pytest.raises(StaleError):
        store.subscriptions.change(webhook, changed(webhook, tags=("green",)), record=store.fresh_record())
    with pytest.raises(StaleError):
        store.subscriptions.remove(webhook, store.fresh_record())
    assert store.page() == (1, [newer])
    assert store.page(tags=("green",)) == (0, [])


def test_a_change_to_a_deleted_webhook_is_stale(store: Store) -> None:
    webhook = store.add()
    store.subscriptions.remove(webhook, store.fresh_record())
    for record in (store.fresh_record(), None):
        with pytest.raises(StaleError):
            store.subscriptions.change(webhook, changed(webhook, name="x"), record=record)
    with pytest.raises(StaleError):
        store.subscriptions.remove(webhook, store.fresh_record())
    assert store.page() == (0, [])
    assert store.listeners("order.paid") == []


def test_every_part_of_a_webhook_can_change(store: Store) -> None:
    webhook = store.add()
    after = replace(
        changed(webhook, disabled=True, ttl=0, query=()),
        credential=None,
        disabled_reason="410 Gone",
        secret_version=2,
    )
    store.subscriptions.change(webhook, after, record=None)
    assert store.subscriptions.get(ACME, webhook.id) == after
    again = replace(changed(after, disabled=False), disabled_reason=None)
    store.subscriptions.change(after, again, record=None)
    assert store.subscriptions.get(ACME, webhook.id) == again


def test_the_index_has_enabled_webhooks_only(store: Store) -> None:
    webhook = store.add()
    store.add(disabled=True)
    assert store.listeners("order.paid") == [webhook.id]
    disabled = changed(webhook, disabled=True)
    store.subscriptions.change(webhook, disabled, record=None)
    assert store.listeners("order.paid") == []
    store.subscriptions.change(disabled, changed(disabled, disabled=False), record=None)
    assert store.listeners("order.paid") == [webhook.id]
    assert store.listeners("order.paid", SOUTH) == []


def test_an_index_entry_has_the_fields_that_matching_needs(store: Store) -> None:
    webhook = store.add()
    assert list(store.entries("order.created")) == [
        IndexEntry(webhook.id, Criteria.ALL, webhook.definition.query)
    ]
    after = changed(webhook, criteria=Criteria.ANY, query=({"a": 1},))
    store.subscriptions.change(webhook, after, record=None)
    assert list(store.entries("order.created")) == [IndexEntry(webhook.id, Criteria.ANY, ({"a": 1},))]


def test_the_index_follows_the_event_names(store: Store) -> None:
    webhook = store.add(event_names=("a", "b"))
    store.subscriptions.change(webhook, changed(webhook, event_names=("b", "c")), record=None)
    assert [store.listeners(name) for name in "abc"] == [[], [webhook.id], [webhook.id]]


def test_no_event_name_is_taken_for_another(store: Store) -> None:
    odd = ["a", "a#", "a#b", "A", "a b", "ä", "a%23b", "#", "com.acme/order:created", "受注 通知", "x" * 128]
    north = {name: store.add(event_names=(name,)).id for name in odd}
    south = {name: store.add(Scope("acme", "north-a"), event_names=(name,)).id for name in odd}
    for name in odd:
        assert store.listeners(name) == [north[name]]
        assert store.listeners(name, Scope("acme", "north-a")) == [south[name]]


def test_every_change_counts_in_the_version_of_its_community_only(store: Store) -> None:
    assert store.index.versions([ACME, SOUTH]).by_scope == {ACME: 0, SOUTH: 0}
    webhook = store.add()
    renamed = changed(webhook, name="new")
    store.subscriptions.change(webhook, renamed, record=None)
    store.subscriptions.remove(renamed, store.fresh_record())
    assert store.index.versions([ACME, SOUTH, ACME]).by_scope == {ACME: 3, SOUTH: 0}


def test_pages_are_newest_first_and_cover_everything_once(store: Store) -> None:
    webhooks = [store.add() for _ in range(7)]
    pages = [store.page(index=index, size=3) for index in range(4)]
    assert [webhook for _, page in pages for webhook in page] == webhooks[::-1]
    assert [len(page) for _, page in pages] == [3, 3, 1, 0]
    assert {total for total, _ in pages} == {7}


def test_a_community_without_webhooks_has_an_empty_page(store: Store) -> None:
    assert store.page() == (0, [])
    assert store.page(index=10**9, size=100, tags=("x",)) == (0, [])


def test_tags_filter_by_any_of_them_and_count_exactly(store: Store) -> None:
    blue, both, red = store.add(tags=("blue",)), store.add(tags=("blue", "red")), store.add(tags=("red",))
    store.add(tags=())
    assert store.page(tags=("blue",)) == (2, [both, blue])
    assert store.page(tags=("blue", "red", "red")) == (3, [red, both, blue])
    assert store.page(tags=("blue", "red"), index=1, size=2) == (3, [blue])
    store.subscriptions.change(both, changed(both, tags=("red",)), record=None)
    assert store.page(tags=("blue",)) == (1, [blue])


def test_no_tag_is_taken_for_another(store: Store) -> None:
    odd = ["a", "a#", "a#b", "A", "a b", "ä", "a%23b", "#", "00000000", "a#00000000"]
    webhooks = [store.add(tags=(tag,)) for tag in odd]
    for tag, webhook in zip(odd, webhooks, strict=True):
        assert store.page(tags=(tag,)) == (1, [webhook])
    assert store.page(tags=("b",)) == (0, [])


def test_a_deleted_webhook_leaves_no_trace_in_pages_and_index(store: Store) -> None:
    gone, stays = store.add(), store.add()
    store.subscriptions.remove(gone, store.fresh_record())
    assert store.page() == (1, [stays])
    assert store.page(tags=("blue",)) == (1, [stays])
    assert store.listeners("order.created") == [stays.id]
    assert store.subscriptions.get(ACME, gone.id) is None


def test_a_webhook_with_all_names_and_tags_that_fit_can_be_deleted(store: Store) -> None:
    names, tags = tuple(f"e{n}" for n in range(50)), tuple(f"t{n}" for n in range(45))
    webhook = store.add(event_names=names, tags=tags)
    store.subscriptions.remove(webhook, store.fresh_record())
    assert store.page() == (0, [])


def test_a_webhook_with_too_many_names_and_tags_is_refused(store: Store) -> None:
    names, tags = tuple(f"e{n}" for n in range(50)), tuple(f"t{n}" for n in range(46))
    with pytest.raises(InvalidInputError, match="together at most 95, these are 96"):
        store.add(event_names=names, tags=tags)
    assert store.page() == (0, [])


def test_a_change_of_too_many_entries_is_refused_with_advice(store: Store) -> None:
    webhook = store.add(event_names=tuple(f"e{n}" for n in range(50)))
    with pytest.raises(InvalidInputError, match="send two changes"):
        store.subscriptions.change(
            webhook, changed(webhook, event_names=tuple(f"f{n}" for n in range(50))), record=None
        )
    assert store.page() == (1, [webhook])


def test_a_definition_that_no_transaction_can_index_is_refused(store: Store) -> None:
    with pytest.raises(InvalidInputError, match="shorten its query"):
        store.add(query=({"text": "x" * 70_000},))
    assert store.page() == (0, [])


def test_pages_have_each_listener_once_and_in_order(store: Store) -> None:
    ids = [store.add().id for _ in range(7)]
    sequences = [int(each[8:16], 16) for each in ids]
    seen: list[tuple[str, int]] = []
    first: int | None = 0
    while first is not None:
        page = store.index.listeners(ACME, "order.paid", span=Span(first), limit=3)
        assert 0 < len(page.entries) <= 3
        assert page.bytes > 0
        seen += [(entry.webhook_id, entry.sequence) for entry in readable(page.entries)]
        first = page.next_sequence
    assert seen == list(zip(ids, sequences, strict=True))
    assert store.index.last_sequence(ACME, "order.paid") == sequences[-1]


def test_a_page_that_ends_with_the_last_listener_has_no_next_one(store: Store) -> None:
    for _ in range(3):
        store.add()
    assert store.index.listeners(ACME, "order.paid", span=Span(), limit=3).next_sequence is None


def test_a_span_has_both_its_ends(store: Store) -> None:
    ids = [store.add().id for _ in range(5)]
    sequences = [int(each[8:16], 16) for each in ids]
    page = store.index.listeners(ACME, "order.paid", span=Span(sequences[1], sequences[3]), limit=10)
    assert [entry.webhook_id for entry in readable(page.entries)] == ids[1:4]
    page = store.index.listeners(ACME, "order.paid", span=Span(sequences[1], sequences[3]), limit=2)
    assert page.next_sequence == sequences[3]


def test_a_name_without_listeners_has_no_last_sequence(store: Store) -> None:
    store.add()
    assert store.index.last_sequence(ACME, "order.lost") == 0
    assert not store.index.listeners(ACME, "order.lost", span=Span(), limit=3).entries
