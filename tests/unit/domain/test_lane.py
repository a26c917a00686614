"""Slow attempts, and the marks of their webhooks."""

from dataclasses import replace

import pytest

from tests.clocks import Clock
from tests.fakes.subscriptions import FakeSubscriptions
from tests.random_bytes import DistinctBytes
from webhooks.domain.delivery import Delivery, Pack
from webhooks.domain.delivery_log import log_key
from webhooks.domain.errors import StaleError, UnavailableError
from webhooks.domain.health import Health
from webhooks.domain.http import HttpOutcome, HttpResponse, NoResponse, NoResponseReason
from webhooks.domain.lane import is_slow
from webhooks.domain.retry import Delivered
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Definition, Endpoint, Webhook
from webhooks.services.dispatch.slow_endpoints import SlowEndpoints
from webhooks.services.dispatch.stages import Decided, Decoded, DeliveryMessage

LIMIT = 1.0
QUICK = HttpResponse(200, None, "", latency_ms=999, address="192.0.2.1")
SLOW = replace(QUICK, latency_ms=1000)
WEBHOOK = Webhook(
    "0" * 24,
    Scope("acme", "north"),
    Definition(("E",), "n", Endpoint("https://hooks.example.com/"), (200,), created_by="me"),
    created_at=1,
)
SLOW_WEBHOOK = replace(WEBHOOK, health=Health(slow_since=1, failures=2, version=3))
DELIVERY = Delivery("d", "e", "E", 0, "{}")
DECODED = Decoded(
    DeliveryMessage("m", ""),
    Pack(WEBHOOK.id, WEBHOOK.scope, (DELIVERY,)),
    DELIVERY,
    log_key(WEBHOOK.id, DELIVERY),
)
UNSENT = ("refused", "dns", "connect", "tls", "oauth")


def no_response(reason: str, latency_ms: int) -> NoResponse:
    return NoResponse(NoResponseReason(reason), "why", latency_ms, None)


@pytest.mark.parametrize("outcome", [SLOW, replace(SLOW, status=500)])
def test_a_response_after_the_limit_is_slow(outcome: HttpOutcome) -> None:
    assert is_slow(outcome, LIMIT) is True


@pytest.mark.parametrize("reason", NoResponseReason)
def test_a_failure_after_the_limit_is_slow(reason: str) -> None:
    assert is_slow(no_response(reason, 1000), LIMIT) is True


@pytest.mark.parametrize("outcome", [QUICK, no_response("reset", 999), no_response("malformed", 0)])
def test_an_attempt_ended_by_the_endpoint_before_the_limit_is_quick(outcome: HttpOutcome) -> None:
    assert is_slow(outcome, LIMIT) is False


@pytest.mark.parametrize("reason", UNSENT)
def test_a_quick_attempt_that_never_reached_the_endpoint_is_ignored(reason: str) -> None:
    assert is_slow(no_response(reason, 999), LIMIT) is None


class Marks(FakeSubscriptions):
    """Notes each mark; `fault` is raised instead of storing it."""

    def __init__(self, fault: Exception | None = None) -> None:
        super().__init__(clock=Clock(), random_bytes=DistinctBytes())
        self.written: list[int | None] = []
        self._error = fault

    def save(self, webhook: Webhook, health: Health) -> None:
        assert replace(health, slow_since=webhook.health.slow_since) == webhook.health
        self.written.append(health.slow_since)
        if self._error is not None:
            raise self._error


def marked(webhook: Webhook, *batches: list[HttpOutcome], fault: Exception | None = None) -> list[int | None]:
    marks = Marks(fault)
    keeper = SlowEndpoints(marks, clock=lambda: 7.0, limit=LIMIT)
    for batch in batches:
        keeper.observe([Decided(DECODED, webhook, outcome, Delivered()) for outcome in batch])
    return marks.written


def test_one_slow_attempt_of_a_batch_marks_and_a_mark_is_written_once() -> None:
    assert marked(WEBHOOK, [QUICK, SLOW, QUICK]) == [7000]
    assert marked(SLOW_WEBHOOK, [SLOW]) == []


def test_three_quick_attempts_in_a_row_remove_the_mark() -> None:
    assert marked(SLOW_WEBHOOK, [QUICK, QUICK], [QUICK]) == [None]
    assert marked(SLOW_WEBHOOK, [QUICK, QUICK], [SLOW], [QUICK]) == []


def test_an_attempt_that_never_reached_the_endpoint_removes_no_mark() -> None:
    unsent: list[HttpOutcome] = [no_response(reason, 5) for reason in UNSENT]
    assert marked(SLOW_WEBHOOK, unsent, [QUICK, *unsent], [QUICK]) == []


@pytest.mark.parametrize("fault", [StaleError(), UnavailableError("dynamodb UpdateItem: throttled")])
def test_a_mark_that_is_not_written_is_written_by_the_next_batch(fault: Exception) -> None:
    assert marked(WEBHOOK, [SLOW], [SLOW], fault=fault) == [7000, 7000]
