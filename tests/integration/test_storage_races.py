"""Several writers at once: whoever wins, the index, the totals and the pages agree with the webhooks.

moto is not isolated between threads, so this needs an emulator.
"""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from tests.contract.backends import Backend, backend_named
from tests.contract.emulator import running_emulator
from tests.contract.stores import assert_consistent, open_stores
from tests.contract.webhooks_made import ACME, NOW, answer, changed, make_webhook
from webhooks.domain.errors import ConflictError
from webhooks.domain.webhook import Criteria, Webhook
from webhooks.ports import RepeatedError, StaleError, SubscriptionIndex, Subscriptions

WRITERS = 6
STEPS = 12
NAMES = tuple(f"event.{n}" for n in range(4))
TAGS = ("blue", "red", "a#b")


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
    """Creates, changes and deletes at random, its own webhooks and others'; counts what took effect."""

    name: str
    stores: tuple[Subscriptions, SubscriptionIndex]
    shared: list[Webhook]
    changes: int = 0
    lost: int = 0
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.name)

    def run(self) -> None:
        for step in range(STEPS):
            kept = answer(f"{self.name} {step}")
            try:
                self.step(kept)
            except (StaleError, ConflictError):
                self.lost += 1
            else:
                self.changes += 1

    def step(self, kept) -> None:
        subscriptions, _ = self.stores
        target = self.chance.choice(self.shared) if self.shared else None
        stored = subscriptions.get(ACME, target.id) if target else None
        choice = self.chance.random()
        if stored is None or choice < 0.4:
            webhook = make_webhook(subscriptions.next_id(ACME, now=NOW), **self.definition())
            subscriptions.add(webhook, kept)
            self.shared.append(webhook)
        elif choice < 0.8:
            subscriptions.change(stored, changed(stored, **self.definition()), kept=kept)
        else:
            subscriptions.remove(stored, kept)

    def definition(self) -> dict[str, object]:
        return {
            "event_names": tuple(self.chance.sample(NAMES, self.chance.randint(1, 3))),
            "tags": tuple(self.chance.sample(TAGS, self.chance.randint(0, 3))),
            "disabled": self.chance.random() < 0.3,
            "criteria": self.chance.choice(list(Criteria)),
            "query": ({"a": self.chance.randint(0, 3)},),
        }


def test_writers_at_once_leave_everything_in_agreement(backend: Backend) -> None:
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
    assert all(isinstance(webhook, Webhook) for webhook in found.values())
    assert_consistent(stores, ACME, found.values(), event_names=NAMES, tags=TAGS)
    assert index.versions([ACME])[ACME] == sum(writer.changes for writer in writers)
    assert sum(writer.changes for writer in writers) > WRITERS * STEPS / 3


def test_of_many_equal_requests_at_once_one_takes_effect(backend: Backend) -> None:
    stores = open_stores(backend)
    subscriptions, index = stores

    def create(_: int) -> Webhook | None:
        webhook = make_webhook(subscriptions.next_id(ACME, now=NOW))
        try:
            subscriptions.add(webhook, answer("the same", webhook.id))
        except RepeatedError:
            return None
        return webhook

    with ThreadPoolExecutor(8) as pool:
        created = [webhook for webhook in pool.map(create, range(8)) if webhook]

    assert len(created) == 1
    assert subscriptions.kept_answer("the same") == created[0].id
    assert subscriptions.page(ACME, index=0, size=10, tags=()).webhooks == created
    assert index.versions([ACME]) == {ACME: 1}


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
