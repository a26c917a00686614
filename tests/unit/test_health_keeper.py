"""The health of webhooks, as batches write it: how often, what follows, and the cost of a failing write."""

from dataclasses import replace

import pytest

from tests.clocks import Clock
from tests.fakes.faults import Fault, no_fault
from tests.fakes.queues import FakeEventPublisher, FakeRecoveryQueue
from tests.fakes.subscriptions import FakeSubscriptions
from tests.functions import HEALTH_RULES
from tests.random_bytes import DistinctBytes
from webhooks.domain.delivery import Attempt, Delivery, Pack, Release, ReleaseKind
from webhooks.domain.delivery_log import log_key
from webhooks.domain.errors import StaleError, UnavailableError
from webhooks.domain.event import parse_event
from webhooks.domain.health import HEALTHY, Health, State
from webhooks.domain.http import HttpOutcome, HttpResponse, NoResponse, NoResponseReason
from webhooks.domain.recovery_message import decode_task
from webhooks.domain.replay import WebhookCheck
from webhooks.domain.retry import DeadLettered, Delivered, RetryAfter, Verdict
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Definition, Endpoint, Webhook
from webhooks.ports import IdempotencyRecord
from webhooks.services.dispatch.health_keeper import RACES, HealthKeeper
from webhooks.services.dispatch.observation import Concerned
from webhooks.services.dispatch.stages import Decided, Decoded, DeliveryMessage, Held, Kept

LIMIT = 1.0
QUICK = HttpResponse(200, None, "", latency_ms=999, address="192.0.2.1")
SLOW = replace(QUICK, latency_ms=1000)
BUSY = replace(QUICK, status=503)
UNSENT = ("refused", "dns", "connect", "tls", "oauth")
WEBHOOK = Webhook(
    "0" * 24,
    Scope("acme", "north"),
    Definition(("E",), "n", Endpoint("https://hooks.example.com/"), (200,), created_by="me"),
    created_at=1,
)
SLOW_WEBHOOK = replace(WEBHOOK, health=Health(slow_since=1, version=1))
NOW = 7_000  # epoch ms
RETRY = RetryAfter(30)
DEAD = DeadLettered("HTTP 503 at the last of 1 attempts", is_exhausted=True, is_recoverable=True)


class Store(FakeSubscriptions):
    """One webhook. `faults` are raised by the next writes; each write is noted."""

    def __init__(self, webhook: Webhook, *faults: Exception) -> None:
        super().__init__(clock=Clock(), random_bytes=DistinctBytes())
        self.faults = list(faults)
        self.saved: list[Health] = []
        super().add(webhook, IdempotencyRecord("k", "", 1))

    def save(self, webhook: Webhook, health: Health) -> None:
        self.saved.append(health)
        if self.faults:
            raise self.faults.pop(0)
        super().save(webhook, health)


class Keeping:
    """A keeper of one webhook's health."""

    def __init__(self, webhook: Webhook = WEBHOOK, *faults: Exception, queues: Fault = no_fault) -> None:
        self.store = Store(webhook, *faults)
        self.recovery, self.publisher = FakeRecoveryQueue(fault=queues), FakeEventPublisher(fault=queues)
        self.keeper = HealthKeeper(
            self.store,
            self.store,
            recovery=self.recovery,
            publisher=self.publisher,
            clock=lambda: NOW / 1000,
            rules=HEALTH_RULES,
            slow_from=LIMIT,
        )

    @property
    def webhook(self) -> Webhook:
        found = self.store.get(WEBHOOK.scope, WEBHOOK.id)
        assert found is not None
        return found

    def observe(self, *stages: Concerned) -> set[str]:
        return self.keeper.observe(stages, {})

    @property
    def events(self) -> list[tuple[str, str]]:
        """The events that were published: name and state."""
        texts = [sent.text for sent in self.publisher.queue.messages()]
        events = [parse_event(text, message_id="m", sent_at=0) for text in texts]
        return [(event.name, str(event.data["state"])) for event in events]

    @property
    def checks(self) -> list[tuple[int | None, int]]:
        """The looks that were asked for: time of the probe, and delay."""
        sent = [(decode_task(each.text), each.delay) for each in self.recovery.queue.messages()]
        return [(task.probe_at, delay) for task, delay in sent if isinstance(task, WebhookCheck)]


def decoded(event_name: str = "E", release: Release | None = None, *, at: int = NOW) -> Decoded:
    delivery = Delivery("d", "e", event_name, 0, "{}", (Attempt(at=at, latency_ms=1),))
    pack = Pack(WEBHOOK.id, WEBHOOK.scope, (delivery,), release)
    return Decoded(DeliveryMessage("m", ""), pack, delivery, log_key(WEBHOOK.id, delivery))


def attempted(
    outcome: HttpOutcome,
    verdict: Verdict | None = None,
    *,
    webhook: Webhook = WEBHOOK,
    of: Decoded | None = None,
) -> Decided:
    return Decided(of or decoded(), webhook, outcome, verdict or Delivered())


def no_response(reason: str) -> NoResponse:
    return NoResponse(NoResponseReason(reason), "why", 5, None)


def marks(webhook: Webhook, *batches: list[HttpOutcome]) -> list[int | None]:
    """Return the slow marks that batches write on a webhook as they all read it."""
    keeping = Keeping(webhook)
    for batch in batches:
        keeping.observe(*(attempted(outcome, webhook=webhook) for outcome in batch))
    return [each.slow_since for each in keeping.store.saved]


def test_a_healthy_webhook_costs_no_call() -> None:
    keeping = Keeping()

    assert keeping.observe(*[attempted(QUICK)] * 100) == set()

    assert keeping.store.saved == []
    assert keeping.recovery.queue.messages() == keeping.publisher.queue.messages() == []


def test_a_batch_with_failures_costs_one_write() -> None:
    keeping = Keeping()
    keeping.observe(*[attempted(BUSY, RETRY)] * 3, attempted(SLOW, DEAD))

    assert len(keeping.store.saved) == 1
    health = keeping.webhook.health
    assert (health.failures, health.failing_since, health.slow_since) == (4, NOW, NOW)


def test_one_slow_attempt_of_a_batch_marks_and_a_mark_is_written_once() -> None:
    assert marks(WEBHOOK, [QUICK, SLOW, QUICK]) == [NOW]
    assert marks(SLOW_WEBHOOK, [SLOW]) == []


def test_three_quick_attempts_in_a_row_remove_the_mark() -> None:
    assert marks(SLOW_WEBHOOK, [QUICK, QUICK], [QUICK]) == [None]
    assert marks(SLOW_WEBHOOK, [QUICK, QUICK], [SLOW], [QUICK]) == []


def test_an_attempt_that_never_reached_the_endpoint_removes_no_mark() -> None:
    unsent: list[HttpOutcome] = [no_response(reason) for reason in UNSENT]
    assert marks(SLOW_WEBHOOK, unsent, [QUICK, *unsent], [QUICK]) == []


def test_a_mark_that_is_not_written_is_written_by_the_next_batch() -> None:
    keeping = Keeping(WEBHOOK, UnavailableError("dynamodb UpdateItem: throttled"))
    for _ in range(2):
        assert keeping.observe(attempted(SLOW)) == set()

    assert keeping.webhook.health.slow_since == NOW


def test_a_change_meanwhile_is_read_and_kept() -> None:
    keeping = Keeping()
    keeping.store.save(keeping.webhook, replace(HEALTHY, slow_since=5))

    keeping.observe(attempted(BUSY, RETRY))

    health = keeping.webhook.health
    assert (health.slow_since, health.failures) == (5, 1)


def test_a_webhook_that_changes_all_the_time_is_left_to_the_next_batch() -> None:
    keeping = Keeping(WEBHOOK, *[StaleError()] * 9)

    assert keeping.observe(attempted(BUSY, RETRY)) == set()

    assert len(keeping.store.saved) == 1 + RACES


def test_a_failure_is_an_event_and_asks_for_a_probe_and_a_success_for_the_recovery() -> None:
    keeping = Keeping()

    keeping.observe(attempted(BUSY, DEAD))
    assert keeping.events == [("webhook.failing", "failing")]
    assert keeping.checks == [(NOW + 30_000, 30)]

    keeping.observe(attempted(QUICK, webhook=keeping.webhook))
    assert keeping.events[1:] == [("webhook.recovered", "healthy")]
    assert keeping.checks[1:] == [(None, 0)]
    assert [each.state for each in keeping.webhook.health.changes] == [State.FAILING, State.HEALTHY]


@pytest.mark.parametrize("name", ["webhook.failing", "webhook.recovered", "webhook.disabled"])
def test_deliveries_of_events_about_webhooks_cause_no_such_event(name: str) -> None:
    keeping = Keeping()

    keeping.observe(attempted(BUSY, DEAD, of=decoded(name)))
    assert keeping.webhook.health.failing_since == NOW
    keeping.observe(attempted(QUICK, webhook=keeping.webhook, of=decoded(name)))

    assert keeping.webhook.health.failing_since is None
    assert keeping.events == []


@pytest.mark.parametrize("kind", ReleaseKind)
def test_only_a_probe_among_releases_makes_its_webhook_failing(kind: ReleaseKind) -> None:
    keeping = Keeping()

    keeping.observe(attempted(BUSY, DEAD, of=decoded(release=Release(kind, "a" * 24))))

    health = keeping.webhook.health
    assert health.failures == 1
    assert (health.failing_since is not None) is (kind is ReleaseKind.PROBE)


@pytest.mark.parametrize(
    "stage", [Held(decoded(), WEBHOOK, "paused"), Kept(decoded(), WEBHOOK), attempted(BUSY, DEAD)]
)
def test_a_message_whose_backlog_is_not_marked_comes_again(stage: Concerned) -> None:
    keeping = Keeping(WEBHOOK, UnavailableError("dynamodb UpdateItem: throttled"))

    assert keeping.observe(stage, attempted(QUICK)) == {"m"}
    assert keeping.observe(stage) == set()

    assert keeping.webhook.health.backlog_since == NOW


def test_a_webhook_that_was_deleted_meanwhile_costs_nothing() -> None:
    keeping = Keeping()
    keeping.store.remove(keeping.webhook, IdempotencyRecord("r", "", 1))

    assert keeping.observe(Held(decoded(), WEBHOOK, "paused")) == set()


def test_a_webhook_that_was_disabled_meanwhile_is_marked_for_its_backlog_alone() -> None:
    keeping = Keeping()
    before = keeping.webhook
    disabled = replace(before, definition=replace(before.definition, disabled=True), revision=2)
    keeping.store.change(before, disabled, record=None)

    keeping.observe(attempted(BUSY, DEAD))

    health = keeping.webhook.health
    assert (health.backlog_since, health.failing_since) == (NOW, None)
    assert keeping.events == []
    assert len(keeping.checks) == 1


@pytest.mark.parametrize("broken", ["recovery", "publisher"])
def test_a_queue_that_fails_costs_nothing_else(broken: str) -> None:
    def fail(point: str) -> None:
        if point.startswith(f"before {broken}"):
            raise UnavailableError("sqs SendMessage: throttled")

    keeping = Keeping(queues=fail)

    assert keeping.observe(attempted(BUSY, DEAD)) == set()

    assert keeping.webhook.health.failing_since == NOW
    assert len(keeping.events) + len(keeping.checks) == 1


def test_a_webhook_is_marked_while_its_attempt_is_in_flight() -> None:
    keeping = Keeping()

    marked = keeping.keeper.mark_slow(WEBHOOK)

    assert marked == keeping.webhook
    assert marked.health.slow_since == NOW
