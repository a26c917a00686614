"""Several writers at once: after each race the index, the totals and the pages agree with the webhooks.

moto is not isolated between threads, so this needs an emulator.
"""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from signing import Curve, PrivateKey
from tests.clocks import NOW
from tests.contract.backends import Backend, backend_named
from tests.contract.emulator import running_emulator
from tests.contract.stores import assert_consistent, open_stores
from tests.contract.webhooks_made import (
    ACME,
    changed,
    make_definition,
    make_record,
    make_webhook,
    recorded_body,
)
from tests.fakes.credentials import FakeCredentials
from tests.fakes.endpoint import ScriptedGuard
from tests.fakes.queues import FakeRecoveryQueue
from webhooks.domain.caller import AuthLevel, Caller, License
from webhooks.domain.errors import AlreadyProcessedError, ConflictError, StaleError
from webhooks.domain.webhook import Criteria, Endpoint, Webhook
from webhooks.ports import IdempotencyRecord, SubscriptionIndex, Subscriptions
from webhooks.services.idempotency import CommunityRequest
from webhooks.services.webhooks import Webhooks

WRITERS = 6
STEPS = 12
NAMES = tuple(f"event.{n}" for n in range(4))
TAGS = ("blue", "red", "a#b")
PUBLIC_KEY = PrivateKey.derive(b"c" * 16, b"caller", Curve.SECP256K1).public_key
CALLER = Caller("tests", None, PUBLIC_KEY, License(AuthLevel.SYSTEM), PUBLIC_KEY, b"")


@pytest.fixture(scope="module")
def emulator_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_emulator(tmp_path_factory.mktemp("emulator")) as url:
        yield url


@pytest.fixture(params=["memory", "emulator"])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    endpoint = request.getfixturevalue("emulator_endpoint") if request.param == "emulator" else ""
    with backend_named(request.param, endpoint) as opened:
        yield opened


@dataclass
class Writer:
    """Creates, changes and deletes at random, its own webhooks and others'; counts the changes that took effect."""

    name: str
    stores: tuple[Subscriptions, SubscriptionIndex]
    shared: list[Webhook]
    changes: int = 0
    lost: int = 0
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.name)

    def run(self) -> None:
        for step in range(STEPS):
            record = make_record(f"{self.name} {step}")
            try:
                self.step(record)
            except (StaleError, ConflictError):
                self.lost += 1
            else:
                self.changes += 1

    def step(self, record: IdempotencyRecord) -> None:
        subscriptions, _ = self.stores
        target = self.rng.choice(self.shared) if self.shared else None
        stored = subscriptions.get(ACME, target.id) if target else None
        choice = self.rng.random()
        if stored is None or choice < 0.4:
            webhook = make_webhook(subscriptions.next_id(ACME, now=NOW), **self.definition())
            subscriptions.add(webhook, record)
            self.shared.append(webhook)
        elif choice < 0.8:
            subscriptions.change(stored, changed(stored, **self.definition()), record=record)
        else:
            subscriptions.remove(stored, record)

    def definition(self) -> dict[str, Any]:
        return {
            "event_names": tuple(self.rng.sample(NAMES, self.rng.randint(1, 3))),
            "tags": tuple(self.rng.sample(TAGS, self.rng.randint(0, 3))),
            "disabled": self.rng.random() < 0.3,
            "criteria": self.rng.choice(list(Criteria)),
            "query": ({"a": self.rng.randint(0, 3)},),
        }


def test_concurrent_writers_leave_all_items_consistent(backend: Backend) -> None:
    # Given writers that share a community
    stores = open_stores(backend)
    shared: list[Webhook] = []
    writers = [Writer(f"writer {n}", stores, shared) for n in range(WRITERS)]

    # When they all write at once
    with ThreadPoolExecutor(WRITERS) as pool:
        for done in [pool.submit(writer.run) for writer in writers]:
            done.result(timeout=120)

    # Then every view shows the same webhooks, and each change counted once
    subscriptions, index = stores
    found = subscriptions.get_many([(ACME, webhook.id) for webhook in shared])
    webhooks = [webhook for webhook in found.values() if isinstance(webhook, Webhook)]
    assert len(webhooks) == len(found)
    assert_consistent(stores, ACME, webhooks, event_names=NAMES, tags=TAGS)
    assert index.versions([ACME]).by_scope[ACME] == sum(writer.changes for writer in writers)
    assert sum(writer.changes for writer in writers) > WRITERS * STEPS / 3


def test_one_of_many_equal_concurrent_requests_takes_effect(backend: Backend) -> None:
    stores = open_stores(backend)
    subscriptions, index = stores

    def create(_: int) -> Webhook | None:
        webhook = make_webhook(subscriptions.next_id(ACME, now=NOW))
        try:
            subscriptions.add(webhook, make_record("the same", webhook.id))
        except AlreadyProcessedError:
            return None
        return webhook

    with ThreadPoolExecutor(8) as pool:
        created = [webhook for webhook in pool.map(create, range(8)) if webhook]

    assert len(created) == 1
    assert recorded_body(subscriptions, "the same") == created[0].id
    assert subscriptions.page(ACME, index=0, size=10, tags=()).webhooks == created
    assert index.versions([ACME]).by_scope == {ACME: 1}


def test_one_of_many_equal_requests_that_replace_a_record_takes_effect(backend: Backend) -> None:
    # Given a change whose record no longer counts: the webhook was changed since
    stores = open_stores(backend)
    subscriptions, index = stores
    webhook = make_webhook(subscriptions.next_id(ACME, now=NOW))
    subscriptions.add(webhook, make_record("add"))
    first = changed(webhook, name="a")
    subscriptions.change(webhook, first, record=make_record("the same", "first"))
    record = subscriptions.find_record("the same")
    assert record is not None
    second = changed(first, name="b")
    subscriptions.change(first, second, record=make_record("another"))

    # When the first request comes again, many times at once
    def change(number: int) -> bool:
        try:
            subscriptions.change(
                second,
                changed(second, name="a"),
                record=replace(make_record("the same", str(number)), replaces=record.token),
            )
        except AlreadyProcessedError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(change, range(8)))

    # Then one takes effect, and its response is recorded
    assert done.count(True) == 1
    assert recorded_body(subscriptions, "the same") == str(done.index(True))
    assert subscriptions.get(ACME, webhook.id) == changed(second, name="a")
    assert index.versions([ACME]).by_scope == {ACME: 4}


@pytest.mark.parametrize("deletions", [0, 1])
def test_equal_concurrent_requests_all_get_the_response_of_the_winner(
    backend: Backend, deletions: int
) -> None:
    # Given a record that no longer counts, or none
    subscriptions, index = open_stores(backend)
    webhooks = Webhooks(
        subscriptions=subscriptions,
        credentials=FakeCredentials(clock=backend.clock, random_bytes=backend.random_bytes),
        guard=ScriptedGuard(),
        recovery=FakeRecoveryQueue(),
        clock=backend.clock,
        webhooks_per_community=1,
    )
    for _ in range(deletions):
        webhook_id = create(webhooks, "the same")
        webhooks.delete(request("delete"), webhook_id)
    before = index.versions([ACME]).by_scope[ACME]

    # When the same request comes many times at once
    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(lambda _: create(webhooks, "the same"), range(8)))

    # Then it takes effect once, and every response names the webhook that it made
    page = subscriptions.page(ACME, index=0, size=10, tags=())
    assert set(created) == {webhook.id for webhook in page.webhooks}
    assert len(page.webhooks) == 1
    assert index.versions([ACME]).by_scope == {ACME: before + 1}


def create(webhooks: Webhooks, key: str) -> str:
    definition = make_definition(endpoint=Endpoint("https://example.com/hook"))
    return webhooks.create(
        request(key), definition=definition, credential=None, respond=lambda _, webhook, __: webhook.id
    )


def request(key: str) -> CommunityRequest:
    return CommunityRequest(CALLER, ACME, key, int(NOW) + 600)


def test_concurrent_creations_never_exceed_the_limit(backend: Backend) -> None:
    subscriptions, index = open_stores(backend)
    for number in range(2):
        subscriptions.add(make_webhook(subscriptions.next_id(ACME, now=NOW)), make_record(f"first {number}"))

    def create(number: int) -> bool:
        webhook = make_webhook(subscriptions.next_id(ACME, now=NOW))
        try:
            subscriptions.add(webhook, make_record(f"then {number}"), limit=3)
        except ConflictError as refused:
            assert "has 3 webhooks" in str(refused)
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(create, range(8)))

    assert created.count(True) == 1
    assert subscriptions.page(ACME, index=0, size=10, tags=()).total == 3
    assert index.versions([ACME]).by_scope == {ACME: 3}


def test_no_id_is_given_twice(backend: Backend) -> None:
    subscriptions, _ = open_stores(backend)
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: subscriptions.next_id(ACME, now=NOW), range(40)))
    assert len({webhook_id[8:16] for webhook_id in ids}) == 40


def test_pages_read_during_changes_show_each_webhook_at_most_once(backend: Backend) -> None:
    stores = open_stores(backend)
    subscriptions, _ = stores
    writers = [Writer(f"writer {n}", stores, []) for n in range(3)]

    def read() -> None:
        for _ in range(15):
            page = subscriptions.page(ACME, index=0, size=100, tags=("blue",))
            ids = [webhook.id for webhook in page.webhooks]
            assert len(set(ids)) == len(ids) <= page.total

    with ThreadPoolExecutor(4) as pool:
        for done in [*[pool.submit(writer.run) for writer in writers], pool.submit(read)]:
            done.result(timeout=120)
