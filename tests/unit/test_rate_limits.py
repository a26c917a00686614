"""A webhook's rate limit, held by four dispatchers that share nothing but the slots."""

import heapq
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import count
from random import Random
from typing import Any

import pytest

from tests.clocks import NOW, Clock
from tests.factories import SCOPE, InMemoryApp
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.endpoint import OneByOne, ScriptedEndpoint, ScriptedTokens, http_response
from tests.fakes.faults import Fault, no_fault
from tests.fakes.queues import FakeDeliveryQueue
from tests.fakes.rate_limiter import FakeRateLimiter
from tests.functions import make_dispatcher
from webhooks.domain.delivery import (
    Delivery,
    Pack,
    Release,
    ReleaseKind,
    delivery_id,
    pack_deliveries,
)
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.delivery_message import decode_pack, encode_pack
from webhooks.domain.errors import UnavailableError
from webhooks.domain.health import State
from webhooks.domain.http import HttpOutcome, HttpRequest
from webhooks.domain.lane import Lane
from webhooks.domain.webhook import Webhook
from webhooks.services.dispatch.pipeline import Dispatcher
from webhooks.services.dispatch.stages import DeliveryMessage

WINDOW = 10.0  # seconds
AGAIN = 3.0  # seconds until a message that was not settled comes again


class KilledError(BaseException):
    """The process ends."""


@dataclass(order=True)
class Message:
    visible_at: float
    id: int
    text: str = field(compare=False)
    lane: Lane = field(compare=False)
    receives: int = field(default=0, compare=False)


class Deployment:
    """Dispatchers over queues with simulated delays. `fault`: of the slots and of the slow lane."""

    def __init__(self, *, dispatchers: int = 4, fault: Fault = no_fault, seed: int = 0) -> None:
        self.random = Random(seed)
        self.app, self.clock = InMemoryApp(), Clock()
        self.endpoint, self.sent_at = ScriptedEndpoint(), list[float]()
        self.limiter = FakeRateLimiter(fault=fault)
        self.queue, self.log = FakeDeliveryQueue(fault=fault), FakeDeliveryLog()
        self.workers = ThreadPoolExecutor(1)
        self.dispatchers = [self.dispatcher() for _ in range(dispatchers)]
        self.free_at = [NOW] * dispatchers
        self.messages: list[Message] = []
        self.ids = count()

    def webhook(self, rate_limit: int | None, **changes: Any) -> Webhook:
        made = self.app.create(api={"url": f"https://hooks.example.com/{next(self.ids)}"}, **changes)
        webhook = self.app.subscriptions.get(SCOPE, made["_id"])
        assert webhook is not None
        limited = replace(webhook.definition, rate_limit=rate_limit)
        after = replace(webhook, definition=limited, revision=webhook.revision + 1)
        self.app.subscriptions.change(webhook, after, record=None)
        self.endpoint.script(webhook.definition.endpoint.url, self.answer(http_response()))
        return after

    def publish(self, webhook: Webhook, events: int, *, start: int = 0) -> None:
        deliveries = [delivery(webhook, number) for number in range(start, start + events)]
        for pack in pack_deliveries(webhook.id, SCOPE, deliveries=deliveries):
            self.put(encode_pack(pack), Lane.FAST)

    def put(self, text: str, lane: Lane, *, delay: float = 0) -> None:
        lag = self.random.uniform(0, 0.05)
        heapq.heappush(self.messages, Message(self.clock.now + delay + lag, next(self.ids), text, lane))

    def run(self, *, seconds: float = 86_400) -> None:
        """Deliver until no message is left, or for so long."""
        end = self.clock.now + seconds
        while self.messages:
            turn = min(range(len(self.dispatchers)), key=self.free_at.__getitem__)
            begins = max(self.free_at[turn], self.messages[0].visible_at)
            if begins > end:
                break
            self.clock.now = begins
            self.free_at[turn] = begins + self.random.uniform(0.01, 0.2)
            self._invoke(self.dispatchers[turn])
        self.clock.now = max(self.clock.now, min(end, self.clock.now + 1))

    def _invoke(self, dispatcher: Dispatcher) -> None:
        lane, batch = self.messages[0].lane, list[Message]()
        while self.messages and self.messages[0].visible_at <= self.clock.now and len(batch) < 10:
            if self.messages[0].lane is not lane:
                break
            batch.append(heapq.heappop(self.messages))
        for each in batch:
            each.receives += 1
        try:
            again = dispatcher.dispatch(
                [DeliveryMessage(str(each.id), each.text, each.receives, str(each.id)) for each in batch],
                lane,
            )
        except KilledError:
            again = {str(each.id) for each in batch}
        deleted = set(self.queue.deleted)
        for each in batch:
            if str(each.id) in again and str(each.id) not in deleted:
                heapq.heappush(self.messages, replace(each, visible_at=self.clock.now + AGAIN))
        for sent in self.queue.slow.take_all():
            self.put(sent.text, Lane.SLOW, delay=sent.delay)

    def dispatcher(self) -> Dispatcher:
        return make_dispatcher(
            self.app,
            self.queue,
            self.log,
            http=OneByOne(self.endpoint),
            tokens=ScriptedTokens(),
            workers=self.workers,
            clock=self.clock,
            monotonic=self.clock,
            limiter=self.limiter,
        )

    def answer(self, outcome: HttpOutcome) -> Callable[[HttpRequest], HttpOutcome]:
        def answer(_request: HttpRequest) -> HttpOutcome:
            self.sent_at.append(self.clock.now)
            return outcome

        return answer


def slots_of(webhook: Webhook, *, held_at: int = 0) -> str:
    return f"W-{webhook.id}-{webhook.definition.rate_limit}-{held_at}"


def delivery(webhook: Webhook, number: int) -> Delivery:
    when = int(NOW * 1000)
    made = delivery_id(f"event {number}", webhook.id, log_time=when)
    return Delivery(made, f"event {number}", "E_LOGIN", when, "{}")


def busiest(times: Sequence[float]) -> int:
    """Return how many are in the fullest window of 10 s."""
    return max(sum(start <= each <= start + WINDOW for each in times) for start in times)


def quietest(times: Sequence[float]) -> int:
    """Return how many are in the emptiest window of 10 s between the first and the last."""
    starts = [each + 1e-9 for each in times if each + WINDOW < times[-1]]
    return min(sum(start <= each <= start + WINDOW for each in times) for start in starts)


@pytest.mark.parametrize("seed", range(8))
def test_a_burst_of_500_is_sent_at_5_per_second_by_four_dispatchers(seed: int) -> None:
    deployment = Deployment(seed=seed)
    webhook = deployment.webhook(5)
    deployment.publish(webhook, 500)
    deployment.run()

    assert len(deployment.sent_at) == 500
    assert busiest(deployment.sent_at) <= 55
    assert quietest(deployment.sent_at) >= 45
    assert deployment.sent_at[-1] - NOW == pytest.approx(102, abs=2)
    assert [each.outcome for each in deployment.log.entries()] == [Outcome.DELIVERED] * 500


@pytest.mark.parametrize("rate", [1, 3, 7, 40])
def test_other_rates_are_held_too(rate: int) -> None:
    deployment = Deployment()
    deployment.publish(deployment.webhook(rate), 60 * rate)
    deployment.run()

    assert len(deployment.sent_at) == 60 * rate
    assert busiest(deployment.sent_at) <= 11 * rate
    assert quietest(deployment.sent_at) >= 8.5 * rate - 1  # a second's deliveries are sent together


def test_new_events_wait_behind_a_burst(deployment: Deployment) -> None:
    webhook = deployment.webhook(5)
    deployment.publish(webhook, 200)
    deployment.run(seconds=15)
    deployment.publish(webhook, 100, start=200)
    deployment.run()

    assert len(deployment.sent_at) == 300
    assert busiest(deployment.sent_at) <= 55
    last = max(deployment.log.entries(), key=lambda each: each.settled_at)
    assert last.delivery.event_id.removeprefix("event ") >= "2"
    assert deployment.sent_at[-1] - NOW == pytest.approx(61, abs=2)


def test_faults_and_kills_lose_nothing_and_hold_the_limit() -> None:
    random = Random(5)

    def fault(point: str) -> None:
        if point == "before limiter.reserve" and random.random() < 0.3:
            raise UnavailableError("limiter: throttled")
        if point.endswith("deliveries.send_slow") and random.random() < 0.02:
            raise KilledError
        if point == "after deliveries.send_slow" and random.random() < 0.05:
            raise UnavailableError("queue: timed out")

    deployment = Deployment(fault=fault)
    webhook = deployment.webhook(5)
    deployment.publish(webhook, 300)
    deployment.run()

    delivered = [each.delivery.event_id for each in deployment.log.entries()]
    assert sorted(delivered) == sorted(f"event {number}" for number in range(300))
    assert all(each.outcome is Outcome.DELIVERED for each in deployment.log.entries())
    assert len(deployment.sent_at) == 300
    assert busiest(deployment.sent_at) <= 55


@pytest.fixture
def deployment() -> Deployment:
    return Deployment()


def test_webhooks_without_a_limit_make_no_call(deployment: Deployment) -> None:
    deployment.publish(deployment.webhook(None), 500)
    deployment.run()

    assert deployment.limiter.calls == []
    assert len(deployment.sent_at) == 500
    assert deployment.sent_at[-1] - NOW < 5


def test_slots_of_a_batch_are_reserved_by_one_call_per_webhook(deployment: Deployment) -> None:
    one, other = deployment.webhook(1000), deployment.webhook(1000)
    deployment.publish(one, 50)
    deployment.publish(other, 50)
    texts = [each.text for each in deployment.messages]
    messages = [DeliveryMessage(str(number), text) for number, text in enumerate(texts)]
    assert deployment.dispatchers[0].dispatch(messages, Lane.FAST) == set()

    assert sorted(deployment.limiter.calls) == sorted([slots_of(one), slots_of(other)])
    assert len(deployment.sent_at) == 100


def test_deliveries_whose_slots_have_come_reserve_nothing(deployment: Deployment) -> None:
    webhook = deployment.webhook(5)
    deployment.publish(webhook, 500)
    deployment.run()

    assert len(deployment.limiter.calls) <= 50  # packs that were published, however often they waited


def test_a_pack_for_each_second_waits_in_the_slow_lane(deployment: Deployment) -> None:
    webhook = deployment.webhook(2)
    assert dispatch(deployment, webhook, 10) == set()

    sent = deployment.queue.slow.messages()
    assert [each.delay for each in sent] == [1, 2, 3, 4]
    packs = [decode_pack(each.text) for each in sent]
    assert [pack.due for pack in packs] == [int(NOW * 1000) + after for after in (1020, 2040, 3061, 4081)]
    assert [[each.event_id for each in pack.deliveries] for pack in packs] == [
        [f"event {2 * second}", f"event {2 * second + 1}"] for second in (1, 2, 3, 4)
    ]
    assert len(deployment.sent_at) == 2


def test_a_pack_beyond_the_longest_delay_waits_whole_and_is_divided_later(deployment: Deployment) -> None:
    webhook = deployment.webhook(1)
    deployment.limiter.reserve(slots_of(webhook), 1000, rate=1, now=int(NOW * 1000))
    assert dispatch(deployment, webhook, 10) == set()

    [sent] = deployment.queue.slow.messages()
    assert (sent.delay, decode_pack(sent.text).due) == (900, int(NOW * 1000) + 1_000_000)
    deployment.put(deployment.queue.slow.take(1)[0].text, Lane.SLOW, delay=900)
    deployment.run(seconds=905)
    calls = len(deployment.limiter.calls)
    deployment.run()
    assert len(deployment.sent_at) == 10
    assert deployment.sent_at[0] - NOW == pytest.approx(1000, abs=1.1)
    assert deployment.sent_at[-1] - deployment.sent_at[0] == pytest.approx(9, abs=1.1)
    assert len(deployment.limiter.calls) == calls == 2


def test_a_probe_waits_for_no_slot(deployment: Deployment) -> None:
    webhook = deployment.webhook(1)
    deployment.limiter.reserve(slots_of(webhook), 1000, rate=1, now=int(NOW * 1000))
    release = Release(ReleaseKind.PROBE, webhook.id)
    text = encode_pack(Pack(webhook.id, SCOPE, (delivery(webhook, 1),), release))
    assert deployment.dispatchers[0].dispatch([DeliveryMessage("1", text)], Lane.SLOW) == set()
    assert len(deployment.sent_at) == 1


def test_slots_from_before_a_hold_mean_nothing_after_it(deployment: Deployment) -> None:
    webhook = deployment.webhook(1)
    deployment.limiter.reserve(slots_of(webhook), 1000, rate=1, now=int(NOW * 1000))
    held = webhook.health.changed(5, State.HELD, "down").changed(9, State.HEALTHY, "an attempt succeeded")
    deployment.app.subscriptions.save(webhook, held)
    assert dispatch(deployment, webhook, 1) == set()
    assert len(deployment.sent_at) == 1
    assert deployment.limiter.calls[-1] == slots_of(webhook, held_at=5)


def test_a_pack_before_its_time_goes_back_for_the_rest(deployment: Deployment) -> None:
    webhook = deployment.webhook(5)
    due = int(NOW * 1000) + 30_400
    assert dispatch(deployment, webhook, 1, due=due) == set()

    [sent] = deployment.queue.slow.messages()
    assert (sent.delay, decode_pack(sent.text).due) == (30, due)
    assert deployment.limiter.calls == []
    assert deployment.sent_at == []


def test_a_pack_whose_webhook_has_no_limit_any_more_is_sent_at_once(deployment: Deployment) -> None:
    webhook = deployment.webhook(None)
    assert dispatch(deployment, webhook, 1, due=int(NOW * 1000) + 30_400) == set()
    assert len(deployment.sent_at) == 1


def test_a_retry_reserves_anew(deployment: Deployment) -> None:
    webhook = deployment.webhook(5, retryCount=2)
    deployment.endpoint.script(
        webhook.definition.endpoint.url, http_response(503), deployment.answer(http_response())
    )
    assert dispatch(deployment, webhook, 1, due=int(NOW * 1000)) == set()

    [sent] = deployment.queue.slow.messages()
    assert decode_pack(sent.text).due is None
    deployment.put(deployment.queue.slow.take(1)[0].text, Lane.SLOW, delay=sent.delay)
    deployment.run()
    assert deployment.limiter.calls == [slots_of(webhook)]
    assert len(deployment.sent_at) == 1


def test_without_slots_the_message_comes_again_and_others_are_sent() -> None:
    def fault(_point: str) -> None:
        raise UnavailableError("dynamodb UpdateItem: throttled")

    deployment = Deployment()
    limited, free = deployment.webhook(5), deployment.webhook(None)
    deployment.limiter = FakeRateLimiter(fault=fault)
    dispatcher = deployment.dispatcher()
    messages = [
        DeliveryMessage(str(number), encode_pack(Pack(each.id, SCOPE, (delivery(each, number),))))
        for number, each in enumerate((limited, free))
    ]
    assert dispatcher.dispatch(messages, Lane.FAST) == {"0"}
    assert len(deployment.sent_at) == 1
    assert (
        "no slot within the webhook's rate limit: dynamodb UpdateItem: throttled"
        in deployment.app.log.getvalue()
    )


def test_a_message_is_kept_where_its_later_part_is_not_queued(deployment: Deployment) -> None:
    webhook = deployment.webhook(1)
    deployment.queue.refused.add(webhook.id)
    assert dispatch(deployment, webhook, 3) == {"0"}
    deployment.queue.refused.clear()
    assert dispatch(deployment, webhook, 3) == set()  # the first is sent already
    assert len(deployment.sent_at) == 1
    assert sum(len(decode_pack(each.text).deliveries) for each in deployment.queue.slow.messages()) == 2


def dispatch(deployment: Deployment, webhook: Webhook, events: int, *, due: int | None = None) -> set[str]:
    """Dispatch one pack by the first dispatcher."""
    pack = Pack(webhook.id, SCOPE, tuple(delivery(webhook, number) for number in range(events)), due=due)
    return deployment.dispatchers[0].dispatch([DeliveryMessage("0", encode_pack(pack))], Lane.SLOW)
