"""Deliveries of webhooks that hold, releases of them, and dead ones that are recoverable."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.factories import SCOPE, InMemoryApp
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.endpoint import OneByOne, ScriptedEndpoint, ScriptedTokens, http_response
from tests.fakes.queues import FakeDeliveryQueue
from tests.functions import make_dispatcher
from webhooks.domain.delivery import Attempt, Delivery, Pack, Release, ReleaseKind, delivery_id
from webhooks.domain.delivery_log import LogEntry, Mark, Outcome, log_key
from webhooks.domain.delivery_message import decode_pack, encode_pack
from webhooks.domain.lane import Lane
from webhooks.domain.webhook import Webhook
from webhooks.services.dispatch.stages import DeliveryMessage

URL = "https://hooks.example.com/in"
KINDS = list(ReleaseKind)
FAILED = Attempt(at=1, latency_ms=1, status=500)


@dataclass
class Dispatching:
    """A dispatcher for one webhook, whose endpoint answers 200 until it is scripted."""

    changes: dict[str, Any] = field(default_factory=dict)
    recovers: bool = True

    def __post_init__(self) -> None:
        self.app, self.queue, self.log = InMemoryApp(), FakeDeliveryQueue(), FakeDeliveryLog()
        self.endpoint = ScriptedEndpoint()
        self.webhook_id: str = self.app.create(api={"url": URL}, **self.changes)["_id"]

    @property
    def webhook(self) -> Webhook:
        found = self.app.subscriptions.get(SCOPE, self.webhook_id)
        assert found is not None
        return found

    @property
    def entry(self) -> LogEntry:
        [entry] = self.log.entries()
        return entry

    def change(self, **fields: Any) -> None:
        before = self.webhook
        after = replace(before, definition=replace(before.definition, **fields), revision=before.revision + 1)
        self.app.subscriptions.change(before, after, record=None)

    def open_breaker(self) -> None:
        self.app.subscriptions.save(self.webhook, replace(self.webhook.health, held_since=1))

    def delivery(self, attempts: int = 0) -> Delivery:
        made = delivery_id("e", self.webhook_id, log_time=7)
        return Delivery(made, "e", "E_LOGIN", 7, "{}", (FAILED,) * attempts)

    def known(self, outcome: Outcome, attempts: int = 0, *, is_recoverable: bool = False) -> None:
        """Let the log know the delivery, with its payload."""
        delivery = self.delivery(attempts)
        entry = LogEntry(
            log_key(self.webhook_id, delivery),
            delivery,
            SCOPE,
            outcome=outcome,
            settled_at=1,
            is_recoverable=is_recoverable,
            has_payload=True,
        )
        assert not self.log.record([entry])

    def dispatch(self, kind: ReleaseKind | None = None, attempts: int = 0) -> set[str]:
        """Dispatch the delivery once, as a message that came by the slow lane."""
        release = Release(kind, "a" * 24) if kind else None
        pack = Pack(self.webhook_id, SCOPE, (self.delivery(attempts),), release)
        with ThreadPoolExecutor(1) as workers:
            dispatcher = make_dispatcher(
                self.app,
                self.queue,
                self.log,
                http=OneByOne(self.endpoint),
                tokens=ScriptedTokens(),
                workers=workers,
                clock=self.app.clock,
                monotonic=self.app.clock,
                recovers=self.recovers,
            )
            return dispatcher.dispatch([DeliveryMessage("m", encode_pack(pack))], Lane.SLOW)

    def fails(self, status: int = 500) -> None:
        self.endpoint.script(URL, http_response(status))


def holding(held_by: str) -> Dispatching:
    dispatching = Dispatching()
    if held_by == "pause":
        dispatching.change(paused=True)
    else:
        dispatching.open_breaker()
    return dispatching


@pytest.mark.parametrize(
    ("held_by", "reason"), [("pause", "the webhook is paused"), ("breaker", "the webhook's endpoint is down")]
)
def test_a_delivery_is_held_while_its_webhook_holds(held_by: str, reason: str) -> None:
    dispatching = holding(held_by)

    assert dispatching.dispatch() == set()

    assert (dispatching.entry.outcome, dispatching.entry.reason) == (Outcome.HELD, reason)
    assert dispatching.entry.delivery == dispatching.delivery()
    assert dispatching.endpoint.requests() == []
    assert dispatching.queue.slow.messages() == dispatching.queue.dead.messages() == []


def test_a_retry_is_held_with_its_attempts() -> None:
    dispatching = holding("breaker")
    dispatching.known(Outcome.RETRYING, 1)

    assert dispatching.dispatch(attempts=1) == set()

    assert dispatching.entry.outcome is Outcome.HELD
    assert dispatching.entry.delivery.tries == 1


def test_a_held_delivery_that_the_log_does_not_take_comes_again() -> None:
    dispatching = holding("pause")
    dispatching.log.refused.add(dispatching.webhook_id)

    assert dispatching.dispatch() == {"m"}


def test_a_held_delivery_is_not_held_twice_nor_sent_by_its_own_message() -> None:
    dispatching = holding("pause")
    dispatching.known(Outcome.HELD)
    held = dispatching.entry
    dispatching.log.refused.add(dispatching.webhook_id)

    assert dispatching.dispatch() == set()
    dispatching.change(paused=False)
    assert dispatching.dispatch() == set()

    assert dispatching.entry == held
    assert dispatching.endpoint.requests() == []


def test_a_message_with_more_attempts_than_the_log_is_no_repeat_of_a_held_one() -> None:
    dispatching = Dispatching()
    dispatching.known(Outcome.HELD, 1)

    assert dispatching.dispatch(attempts=2) == set()

    assert dispatching.entry.outcome is Outcome.DELIVERED


def test_a_retry_of_an_attempt_that_was_not_recorded_is_a_repeat_of_a_delivered_one() -> None:
    dispatching = Dispatching()
    dispatching.known(Outcome.DELIVERED, 1)

    assert dispatching.dispatch(attempts=1) == set()

    assert dispatching.endpoint.requests() == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_release_sends_a_held_delivery_once(kind: ReleaseKind) -> None:
    dispatching = Dispatching()
    dispatching.known(Outcome.HELD)

    assert dispatching.dispatch(kind) == set()
    assert dispatching.dispatch(kind) == set()

    assert dispatching.entry.outcome is Outcome.DELIVERED
    assert not dispatching.entry.has_payload
    assert dispatching.entry.mark is (Mark.REPLAY if kind is ReleaseKind.REPLAY else None)
    assert len(dispatching.endpoint.requests()) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_probe_reaches_an_endpoint_that_is_down(kind: ReleaseKind) -> None:
    dispatching = holding("breaker")
    dispatching.known(Outcome.HELD)

    assert dispatching.dispatch(kind) == set()

    is_probe = kind is ReleaseKind.PROBE
    assert dispatching.entry.outcome is (Outcome.DELIVERED if is_probe else Outcome.HELD)
    assert len(dispatching.endpoint.requests()) == is_probe


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", [{"paused": True}, {"disabled": True}])
def test_a_release_leaves_the_backlog_of_a_paused_or_disabled_webhook_alone(
    kind: ReleaseKind, change: dict[str, bool]
) -> None:
    dispatching = Dispatching()
    dispatching.known(Outcome.DEAD, 1, is_recoverable=True)
    before = dispatching.entry
    dispatching.change(**change)

    assert dispatching.dispatch(kind, attempts=1) == set()

    assert dispatching.entry == before
    assert dispatching.endpoint.requests() == []


def test_a_replay_of_a_delivered_one_is_held_while_its_webhook_is_paused() -> None:
    dispatching = holding("pause")
    dispatching.known(Outcome.DELIVERED, 1)

    assert dispatching.dispatch(ReleaseKind.REPLAY, attempts=1) == set()

    assert (dispatching.entry.outcome, dispatching.entry.mark) == (Outcome.HELD, Mark.REPLAY)


@pytest.mark.parametrize(
    ("status", "recover", "default", "is_recoverable"),
    [
        (500, None, True, True),
        (500, None, False, False),
        (500, False, True, False),
        (500, True, False, True),
        (404, None, True, False),
        (410, None, True, False),
    ],
)
def test_an_exhausted_delivery_is_recoverable_where_its_webhook_or_the_deployment_says(
    status: int, recover: bool | None, default: bool, is_recoverable: bool
) -> None:
    dispatching = Dispatching(recovers=default)
    dispatching.change(recover=recover)
    dispatching.fails(status)

    assert dispatching.dispatch() == set()

    assert (dispatching.entry.outcome, dispatching.entry.is_recoverable) == (Outcome.DEAD, is_recoverable)
    assert len(dispatching.queue.dead.messages()) == 1


def test_a_recoverable_delivery_that_fails_its_recovery_is_dead_for_good() -> None:
    dispatching = Dispatching({"retryCount": 2})
    dispatching.known(Outcome.DEAD, 3, is_recoverable=True)
    dispatching.fails()

    assert dispatching.dispatch(ReleaseKind.RECOVERY, attempts=3) == set()

    entry = dispatching.entry
    assert (entry.outcome, entry.is_recoverable, entry.delivery.tries) == (Outcome.DEAD, False, 4)
    assert dispatching.queue.slow.messages() == []


def test_a_held_delivery_keeps_its_retries_in_a_recovery() -> None:
    dispatching = Dispatching({"retryCount": 1})
    dispatching.known(Outcome.HELD)
    dispatching.fails()

    assert dispatching.dispatch(ReleaseKind.RECOVERY) == set()
    [retry] = dispatching.queue.slow.messages()
    pack = decode_pack(retry.text)
    assert pack.release == Release(ReleaseKind.RECOVERY, "a" * 24)
    assert dispatching.entry.outcome is Outcome.RETRYING
    assert dispatching.entry.next_at == (dispatching.app.clock.now + 30) * 1000

    assert dispatching.dispatch(ReleaseKind.RECOVERY, attempts=1) == set()
    assert (dispatching.entry.outcome, dispatching.entry.is_recoverable) == (Outcome.DEAD, True)


@pytest.mark.parametrize(
    ("outcome", "is_recoverable", "tries"), [(Outcome.HELD, False, 0), (Outcome.DEAD, True, 3)]
)
def test_a_probe_that_fails_puts_its_delivery_back(
    outcome: Outcome, is_recoverable: bool, tries: int
) -> None:
    dispatching = Dispatching({"retryCount": 2})
    dispatching.known(outcome, tries, is_recoverable=is_recoverable)
    dispatching.fails(503)

    assert dispatching.dispatch(ReleaseKind.PROBE, attempts=tries) == set()

    entry = dispatching.entry
    assert (entry.outcome, entry.is_recoverable) == (outcome, is_recoverable)
    assert (entry.delivery.tries, entry.reason) == (tries + 1, "HTTP 503 to a probe")
    assert entry.has_payload
    assert dispatching.queue.slow.messages() == dispatching.queue.dead.messages() == []

    assert dispatching.dispatch(ReleaseKind.PROBE, attempts=tries) == set()
    assert len(dispatching.endpoint.requests()) == 1


def test_a_probe_whose_payload_the_endpoint_refuses_ends_its_delivery() -> None:
    dispatching = Dispatching()
    dispatching.known(Outcome.HELD)
    dispatching.fails(400)

    assert dispatching.dispatch(ReleaseKind.PROBE) == set()

    assert (dispatching.entry.outcome, dispatching.entry.is_recoverable) == (Outcome.DEAD, False)
    assert len(dispatching.queue.dead.messages()) == 1
