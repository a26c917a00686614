"""Webhooks that dispatchers keep for some seconds: which packs they serve, and what ends them."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tests.clocks import Clock
from tests.contract.webhooks_made import make_webhook
from tests.factories import SCOPE, InMemoryApp
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.endpoint import OneByOne, ScriptedEndpoint, ScriptedTokens, http_response
from tests.fakes.queues import FakeDeliveryQueue
from tests.functions import make_dispatcher
from webhooks.domain.delivery import Attempt, Delivery, Pack, Release, ReleaseKind, delivery_id
from webhooks.domain.delivery_log import log_key
from webhooks.domain.delivery_message import encode_pack
from webhooks.domain.errors import UnavailableError
from webhooks.domain.http import HttpRequest, HttpResponse
from webhooks.domain.lane import Lane
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Credential, Webhook
from webhooks.ports import BatchContext, IdempotencyRecord
from webhooks.services.dispatch.stages import Decoded, DeliveryMessage
from webhooks.services.dispatch.webhook_cache import (
    NO_CACHE,
    TEXT_FACTOR,
    WEBHOOK_BYTES,
    WebhookCache,
    cache_seconds,
)

URL, OTHER_URL = "https://hooks.example.com/in", "https://other.example.com/in"
SECONDS = 20
FAILED = Attempt(at=1, latency_ms=1, status=500)


class Dispatching:
    """One container of the dispatcher, or several of them, for one webhook."""

    def __init__(self, *, seconds: float = SECONDS, **changes: Any) -> None:
        self.app, self.queue, self.log = InMemoryApp(), FakeDeliveryQueue(), FakeDeliveryLog()
        self.endpoint = ScriptedEndpoint()
        self.webhook_id: str = self.app.create(api={"url": URL}, **changes)["_id"]
        self.workers = ThreadPoolExecutor(1)
        self.reads = 0
        self.numbers = 0
        self.seconds = seconds
        self.dispatcher = self.container()

    def container(self) -> Any:
        return make_dispatcher(
            self.app,
            self.queue,
            self.log,
            http=OneByOne(self.endpoint),
            tokens=ScriptedTokens(),
            workers=self.workers,
            clock=self.app.clock,
            monotonic=self.app.clock,
            cache_seconds=self.seconds,
            wrap=lambda name, port: Counted(self, port) if name == "batch" else port,
        )

    @property
    def webhook(self) -> Webhook:
        found = self.app.subscriptions.get(SCOPE, self.webhook_id)
        assert found is not None
        return found

    @property
    def version(self) -> int:
        return self.app.subscriptions.versions([SCOPE]).by_scope[SCOPE]

    @property
    def called(self) -> list[str]:
        return [each.url for each in self.endpoint.requests()]

    def change(self, **fields: Any) -> None:
        before = self.webhook
        after = replace(before, definition=replace(before.definition, **fields), revision=before.revision + 1)
        self.app.subscriptions.change(before, after, record=None)

    def move(self) -> None:
        self.change(endpoint=replace(self.webhook.definition.endpoint, url=OTHER_URL))

    def pack(self, **changes: Any) -> Pack:
        self.numbers += 1
        event_id = f"e{self.numbers}"
        made = delivery_id(event_id, self.webhook_id, log_time=7)
        delivery = Delivery(made, event_id, "E_LOGIN", 7, "{}")
        return replace(Pack(self.webhook_id, SCOPE, (delivery,), version=self.version), **changes)

    def dispatch(
        self, *packs: Pack, lane: Lane = Lane.FAST, receives: int = 1, dispatcher: Any = None
    ) -> set[str]:
        messages = [
            DeliveryMessage(f"m{self.numbers}.{number}", encode_pack(pack), receives)
            for number, pack in enumerate(packs)
        ]
        again: set[str] = (dispatcher or self.dispatcher).dispatch(messages, lane)
        return again


class Counted:
    """Counts the webhooks that are read."""

    def __init__(self, dispatching: Dispatching, port: Any) -> None:
        self.dispatching, self.port = dispatching, port

    def read(self, webhooks: Sequence[Any], *args: Any, **named: Any) -> BatchContext:
        self.dispatching.reads += len(webhooks)
        context: BatchContext = self.port.read(webhooks, *args, **named)
        return context

    def __getattr__(self, name: str) -> Any:
        return getattr(self.port, name)


@pytest.fixture
def dispatching() -> Iterator[Dispatching]:
    one = Dispatching()
    assert one.dispatch(one.pack()) == set()
    assert (one.reads, one.called) == (1, [URL])
    yield one
    one.workers.shutdown()


def test_a_healthy_webhook_is_read_once_for_its_seconds(dispatching: Dispatching) -> None:
    for _ in range(3):
        assert dispatching.dispatch(dispatching.pack(), dispatching.pack()) == set()
    assert dispatching.reads == 1
    dispatching.app.clock.now += SECONDS
    dispatching.dispatch(dispatching.pack())
    assert dispatching.reads == 2
    assert dispatching.called == [URL] * 8


def test_without_seconds_each_batch_reads() -> None:
    one = Dispatching(seconds=0)
    one.dispatch(one.pack())
    one.dispatch(one.pack())
    assert one.reads == 2


def test_an_event_that_is_accepted_after_a_change_sees_it_at_once(dispatching: Dispatching) -> None:
    dispatching.move()
    dispatching.dispatch(dispatching.pack())
    assert dispatching.called == [URL, OTHER_URL]


@pytest.mark.parametrize("seconds", [0.0, SECONDS - 0.1, SECONDS])
def test_a_change_between_fanout_and_dispatch_is_seen_after_these_seconds(
    dispatching: Dispatching, seconds: float
) -> None:
    before = dispatching.pack()
    dispatching.move()
    dispatching.app.clock.now += seconds
    dispatching.dispatch(before)
    assert dispatching.called == [URL, URL if seconds < SECONDS else OTHER_URL]


def test_a_webhook_that_was_read_for_newer_packs_serves_older_ones(dispatching: Dispatching) -> None:
    old = dispatching.pack()
    dispatching.move()
    dispatching.dispatch(dispatching.pack())
    dispatching.dispatch(old)
    assert dispatching.called == [URL, OTHER_URL, OTHER_URL]
    assert dispatching.reads == 2


def test_packs_of_both_versions_in_one_batch_read(dispatching: Dispatching) -> None:
    old = dispatching.pack()
    dispatching.move()
    dispatching.dispatch(old, dispatching.pack())
    assert dispatching.called == [URL, OTHER_URL, OTHER_URL]


@pytest.mark.parametrize(
    "changes",
    [
        {"version": None},
        {"again": True},
        {"due": 1},
        {"release": Release(ReleaseKind.REPLAY, "a" * 24)},
    ],
)
def test_what_is_not_fresh_from_fanout_reads(dispatching: Dispatching, changes: dict[str, Any]) -> None:
    dispatching.dispatch(dispatching.pack(**changes))
    assert dispatching.reads == 2


def test_a_retry_the_slow_lane_and_a_message_received_before_read(dispatching: Dispatching) -> None:
    dispatching.dispatch(dispatching.pack(), lane=Lane.SLOW)
    dispatching.dispatch(dispatching.pack(), receives=2)
    fresh = dispatching.pack()
    dispatching.dispatch(replace(fresh, deliveries=(fresh.deliveries[0].tried(FAILED),)))
    assert dispatching.reads == 4


def test_one_that_is_not_fresh_makes_its_whole_batch_read(dispatching: Dispatching) -> None:
    dispatching.dispatch(dispatching.pack(), dispatching.pack(again=True))
    assert dispatching.reads == 2


def test_a_pack_without_a_version_leaves_nothing_behind() -> None:
    one = Dispatching()
    one.dispatch(one.pack(version=None))
    one.dispatch(one.pack())
    assert one.reads == 2


@pytest.mark.parametrize(
    ("name", "status", "latency"), [("slow", 200, 3.0), ("failing", 503, 0.0), ("gone", 410, 0.0)]
)
def test_a_webhook_that_gets_into_trouble_is_read_anew_by_the_container_that_saw_it(
    dispatching: Dispatching, name: str, status: int, latency: float
) -> None:
    def respond(_: HttpRequest) -> HttpResponse:
        dispatching.app.clock.now += latency
        return http_response(status)

    dispatching.endpoint.script(URL, respond)
    dispatching.dispatch(dispatching.pack())
    before = dispatching.reads
    assert dispatching.webhook.health.version or not dispatching.webhook.enabled
    dispatching.dispatch(dispatching.pack(version=1))
    assert dispatching.reads == before + 1
    assert len(dispatching.called) == (3 if name == "failing" else 2)


@pytest.mark.parametrize(
    "health",
    [
        {"slow_since": 1},
        {"failing_since": 1},
        {"held_since": 1},
        {"backlog_since": 1},
        {"failures": 1, "failures_since": 1},
        {"recovery": "r"},
    ],
)
def test_a_webhook_in_trouble_is_not_kept_and_elsewhere_it_is_seen_after_these_seconds(
    health: dict[str, Any],
) -> None:
    """Another container saw it."""
    one = Dispatching()
    one.dispatch(one.pack())
    one.app.subscriptions.save(one.webhook, replace(one.webhook.health, **health))
    one.dispatch(one.pack())
    assert one.reads == 1
    one.app.clock.now += SECONDS
    one.dispatch(one.pack())
    assert one.reads == 2
    one.dispatch(one.pack())
    assert one.reads >= 3


@pytest.mark.parametrize("fields", [{"paused": True}, {"disabled": True}])
def test_a_paused_or_disabled_webhook_is_called_no_more_after_these_seconds(
    dispatching: Dispatching, fields: dict[str, Any]
) -> None:
    before, later = dispatching.pack(), dispatching.pack()
    dispatching.change(**fields)
    dispatching.dispatch(dispatching.pack())
    assert dispatching.called == [URL]  # accepted after the change
    other = dispatching.container()
    dispatching.dispatch(before, dispatcher=other)
    assert dispatching.called == [URL]
    dispatching.app.clock.now += SECONDS
    dispatching.dispatch(later)
    assert dispatching.called == [URL]


def test_a_deleted_webhook_is_called_no_more_after_these_seconds(dispatching: Dispatching) -> None:
    before = dispatching.pack()
    dispatching.app.subscriptions.remove(dispatching.webhook, IdempotencyRecord("key", "{}", 1))
    dispatching.app.clock.now += SECONDS
    dispatching.dispatch(before)
    assert dispatching.called == [URL]


def test_a_credential_that_is_gone_ends_the_webhook_that_named_it() -> None:
    bearer = {"url": URL, "authType": "bearer", "credential": {"token": "t"}}
    one = Dispatching()
    webhook_id = one.app.create(api=bearer)["_id"]
    one.webhook_id = webhook_id
    one.dispatch(one.pack())
    ref = one.webhook.credential
    assert ref is not None
    after = one.app.credentials.create(SCOPE, one.webhook_id, credential=Credential(token="new"))
    changed = replace(one.webhook, credential=after, revision=one.webhook.revision + 1)
    before = one.pack()
    one.app.subscriptions.change(one.webhook, changed, record=None)
    one.app.credentials.delete(ref)
    reads = one.reads
    assert one.dispatch(before) != set()
    assert one.dispatch(before, receives=2) == set()
    assert one.reads > reads
    one.dispatch(one.pack())
    one.dispatch(one.pack())
    assert [each.headers.get("Authorization") for each in one.endpoint.requests()][-2:] == ["Bearer new"] * 2


# ---- the cache alone


def stored(number: int, *, text: int = 10) -> Webhook:
    webhook = make_webhook(f"65a4f1c0a1b2c3d4{number:08x}")
    return replace(webhook, definition=replace(webhook.definition, name="x" * text))


def decoded(webhook: Webhook, version: int | None = 1) -> Decoded:
    delivery = Delivery(delivery_id("e", webhook.id, log_time=7), "e", "E", 7, "{}")
    pack = Pack(webhook.id, webhook.scope, (delivery,), version=version)
    return Decoded(DeliveryMessage("m", ""), pack, delivery, log_key(webhook.id, delivery))


def read_through(cache: WebhookCache, *webhooks: Webhook) -> list[str]:
    """Return the ids of the webhooks that a batch reads."""
    asked: list[str] = []
    by_key: Mapping[tuple[Scope, str], Webhook] = {(each.scope, each.id): each for each in webhooks}

    def read(keys: Sequence[tuple[Scope, str]]) -> BatchContext:
        asked.extend(webhook_id for _, webhook_id in keys)
        return BatchContext({key: by_key[key] for key in keys}, {})

    context = cache.read(list(by_key), [*map(decoded, webhooks)], Lane.FAST, read=read)
    assert context.webhooks == by_key
    return asked


def test_the_number_of_webhooks_is_bounded_and_the_least_used_one_goes() -> None:
    cache = WebhookCache(seconds=9, clock=Clock(), size=2)
    one, two, three = (stored(number) for number in range(3))
    read_through(cache, one)
    read_through(cache, two)
    assert read_through(cache, one) == []
    read_through(cache, three)
    assert cache.cached[0] == 2
    assert read_through(cache, one, three) == []
    assert read_through(cache, two) == [two.id]


def test_their_bytes_are_bounded_and_one_that_is_larger_is_not_kept() -> None:
    limit = 20 * WEBHOOK_BYTES
    cache = WebhookCache(seconds=9, clock=Clock(), size_bytes=limit)
    for number in range(40):
        read_through(cache, stored(number))
        assert 0 < cache.cached[1] <= limit
    large = stored(41, text=limit // TEXT_FACTOR)
    before = cache.cached
    read_through(cache, large)
    assert cache.cached == before
    assert read_through(cache, large) == [large.id]
    cache.forget([stored(number).id for number in range(40)])
    assert cache.cached == (0, 0)


def test_a_webhook_of_another_community_is_not_served() -> None:
    cache = WebhookCache(seconds=9, clock=Clock())
    one = stored(1)
    read_through(cache, one)
    other = replace(one, scope=Scope("other", "main"))
    assert read_through(cache, other) == [other.id]


def test_an_outage_of_the_read_keeps_what_there_was() -> None:
    cache = WebhookCache(seconds=9, clock=Clock())
    one, two = stored(1), stored(2)
    read_through(cache, one)

    def read(_: Sequence[tuple[Scope, str]]) -> BatchContext:
        raise UnavailableError("dynamodb: throttled")

    with pytest.raises(UnavailableError):
        cache.read([(two.scope, two.id)], [decoded(two)], Lane.FAST, read=read)
    assert read_through(cache, one) == []


def test_no_cache_keeps_nothing() -> None:
    one = stored(1)
    assert read_through(NO_CACHE, one) == read_through(NO_CACHE, one) == [one.id]
    assert NO_CACHE.cached == (0, 0)


@pytest.mark.parametrize(("wanted", "breaker", "kept"), [(30, 60, 30), (30, 20, 10), (30, 0, 0), (0, 60, 0)])
def test_webhooks_are_kept_for_half_of_the_breakers_seconds_at_most(
    wanted: float, breaker: float, kept: float
) -> None:
    assert cache_seconds(wanted, breaker_seconds=breaker) == kept
