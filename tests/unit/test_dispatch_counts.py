"""The numbers of a batch of deliveries: one outcome for each that is settled, and the time since its event."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.factories import SCOPE, InMemoryApp
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.endpoint import OneByOne, ScriptedEndpoint, ScriptedTokens, http_response
from tests.fakes.queues import FakeDeliveryQueue
from tests.functions import make_dispatcher
from webhooks.domain.delivery import Delivery, Pack, Release, ReleaseKind, delivery_id
from webhooks.domain.delivery_log import LogEntry, Outcome, log_key
from webhooks.domain.delivery_message import decode_pack, encode_pack
from webhooks.domain.http import HttpRequest, HttpResponse
from webhooks.domain.lane import Lane
from webhooks.domain.poison import POISON_RECEIVES
from webhooks.ports import Conversation
from webhooks.services.dispatch.counts import DispatchCounts, Tally
from webhooks.services.dispatch.stages import DeliveryMessage

SENT_MS_BEFORE = 1500


class Ends:
    """An HTTP client that fails after its first conversation has ended."""

    def __init__(self, inner: OneByOne) -> None:
        self._inner = inner

    def send_all[R](self, conversations: Sequence[Conversation[R]], *, pause: float) -> Iterator[Sequence[R]]:
        yield next(iter(self._inner.send_all(conversations, pause=pause)))
        raise KeyError


@dataclass
class Counted:
    """A dispatcher for webhooks in memory, whose batches leave their numbers in `counts`."""

    app: InMemoryApp = field(default_factory=InMemoryApp)
    queue: FakeDeliveryQueue = field(default_factory=FakeDeliveryQueue)
    log: FakeDeliveryLog = field(default_factory=FakeDeliveryLog)
    endpoint: ScriptedEndpoint = field(default_factory=ScriptedEndpoint)
    messages: list[DeliveryMessage] = field(default_factory=list)
    counts: list[DispatchCounts] = field(default_factory=list)

    @property
    def tally(self) -> Tally:
        [counts] = self.counts
        return counts.tally

    def add(
        self,
        *statuses: int,
        receives: int = 1,
        sent: bool = True,
        release: Release | None = None,
        **changes: Any,
    ) -> str:
        """Put a pack into the batch, for a new webhook that answers so; returns the webhook's id."""
        number = len(self.messages)
        url = f"https://hooks.example.com/{number}"
        webhook_id: str = self.app.create(api={"url": url}, **changes)["_id"]
        self.endpoint.script(url, *(http_response(status) for status in statuses))
        sent_at = round(self.app.clock() * 1000) - SENT_MS_BEFORE if sent else None
        pack = Pack(webhook_id, SCOPE, self.deliveries(webhook_id, len(statuses)), release, sent_at=sent_at)
        self.messages.append(DeliveryMessage(f"m{number}", encode_pack(pack), receives))
        return webhook_id

    @staticmethod
    def deliveries(webhook_id: str, number: int) -> tuple[Delivery, ...]:
        ids = [delivery_id(f"e{each}", webhook_id, log_time=each) for each in range(number)]
        return tuple(Delivery(made, f"e{at}", "E_LOGIN", at, "{}") for at, made in enumerate(ids))

    def held(self, webhook_id: str) -> None:
        """Open the breaker of a webhook."""
        webhook = self.app.subscriptions.get(SCOPE, webhook_id)
        assert webhook is not None
        self.app.subscriptions.save(webhook, replace(webhook.health, held_since=1))

    def dispatch(self, lane: Lane = Lane.FAST, *, ends: bool = False) -> set[str]:
        http = OneByOne(self.endpoint)
        with ThreadPoolExecutor(1) as workers:
            dispatcher = make_dispatcher(
                self.app,
                self.queue,
                self.log,
                http=Ends(http) if ends else http,
                tokens=ScriptedTokens(),
                workers=workers,
                clock=self.app.clock,
                monotonic=self.app.clock,
                report=self.counts.append,
            )
            return dispatcher.dispatch(self.messages, lane)


def test_each_delivery_has_one_outcome() -> None:
    batch = Counted()
    batch.add(200, 200, 200, 503, 404, retryCount=1)
    batch.add(503, retryCount=0)
    batch.held(batch.add(200, 200))
    deleted = batch.add(200)
    batch.app.call("DELETE", f"/tenant/acme/community/default/webhook/{deleted}")
    assert batch.dispatch() == set()
    assert batch.tally.outcomes == {
        Outcome.DELIVERED: 3,
        Outcome.RETRYING: 1,
        Outcome.DEAD: 2,
        Outcome.HELD: 2,
        Outcome.SKIPPED: 1,
    }
    assert (batch.tally.poisoned, batch.tally.unrecorded) == (0, 0)
    assert batch.counts[0].lane is Lane.FAST


def test_the_time_of_a_delivery_begins_when_its_event_was_sent() -> None:
    batch = Counted()
    batch.add(200, 404)
    batch.add(200, sent=False)

    def respond_later(_request: HttpRequest) -> HttpResponse:
        batch.app.clock.now += 2
        return http_response()

    batch.endpoint.script("https://hooks.example.com/0", respond_later, http_response(404))
    batch.dispatch(Lane.SLOW)
    assert batch.tally.latencies_ms == [SENT_MS_BEFORE + 2000]
    assert batch.counts[0].lane is Lane.SLOW


def test_a_clock_that_is_behind_makes_no_negative_time() -> None:
    batch = Counted()
    batch.add(200)
    batch.app.clock.now -= 60
    batch.dispatch()
    assert batch.tally.latencies_ms == [0]


def test_a_retry_keeps_the_time_of_its_event() -> None:
    batch = Counted()
    batch.add(503, retryCount=1)
    batch.dispatch()
    [retry] = batch.queue.slow.messages()
    assert decode_pack(retry.text).sent_at == decode_pack(batch.messages[0].text).sent_at is not None


def test_a_pack_of_an_earlier_release_has_no_time() -> None:
    batch = Counted()
    batch.add(200, sent=False)
    assert "sentAt" not in batch.messages[0].text
    batch.dispatch()
    assert (batch.tally.latencies_ms, batch.tally.outcomes) == ([], {Outcome.DELIVERED: 1})


def test_a_delivery_that_the_log_does_not_take_is_delivered_and_unrecorded() -> None:
    batch = Counted()
    batch.log.refused.add(batch.add(200, 200))
    assert batch.dispatch() == set()
    assert (batch.tally.outcomes, batch.tally.unrecorded) == ({Outcome.DELIVERED: 2}, 2)


def test_a_held_delivery_that_the_log_does_not_take_is_not_counted() -> None:
    batch = Counted()
    webhook_id = batch.add(200)
    batch.held(webhook_id)
    batch.log.refused.add(webhook_id)
    assert batch.dispatch() == {"m0"}
    assert batch.tally == Tally()


@pytest.mark.parametrize("fails", ["slow", "dead"])
def test_a_delivery_that_no_queue_takes_is_not_counted(fails: str, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = Counted()
    batch.add(503, 200, retryCount=1 if fails == "slow" else 0)
    method = "send_slow" if fails == "slow" else "send_to_dlq"
    monkeypatch.setattr(batch.queue, method, lambda packs: [pack for pack, _ in packs])
    assert batch.dispatch() == {"m0"}
    assert batch.tally.outcomes == {Outcome.DELIVERED: 1}


def test_a_delivery_twice_in_a_batch_is_counted_once() -> None:
    batch = Counted()
    batch.add(200)
    batch.messages.append(replace(batch.messages[0], id="twin"))
    assert batch.dispatch() == set()
    assert batch.tally.outcomes == {Outcome.DELIVERED: 1}


def test_a_repeat_is_not_counted() -> None:
    batch = Counted()
    batch.add(200)
    batch.dispatch()
    batch.counts.clear()
    batch.dispatch()
    assert batch.tally == Tally()


def test_a_probe_that_fails_is_not_counted() -> None:
    batch = Counted()
    webhook_id = batch.add(503, release=Release(ReleaseKind.PROBE, "a" * 24), retryCount=1)
    batch.held(webhook_id)
    [delivery] = batch.deliveries(webhook_id, 1)
    key = log_key(webhook_id, delivery)
    held = LogEntry(key, delivery, SCOPE, outcome=Outcome.HELD, settled_at=1, has_payload=True)
    assert not batch.log.record([held])
    assert batch.dispatch() == set()
    assert batch.tally.outcomes == {}


def test_messages_that_are_no_packs_are_faults() -> None:
    batch = Counted()
    batch.messages.append(DeliveryMessage("m", "no pack"))
    assert batch.dispatch() == set()
    assert (batch.tally.poisoned, batch.tally.outcomes) == (1, {})


def test_an_item_that_cannot_be_read_is_a_fault() -> None:
    batch = Counted()
    batch.app.subscriptions.corrupt(SCOPE, batch.add(200))
    batch.dispatch()
    assert (batch.tally.poisoned, batch.tally.outcomes) == (1, {Outcome.DEAD: 1})


def test_poison_is_counted_by_messages_where_their_deliveries_are_not_known() -> None:
    batch = Counted()
    batch.add(200, 200, receives=POISON_RECEIVES)

    def fail(_entries: object) -> None:
        raise KeyError

    batch.log.record = fail  # type: ignore[method-assign, assignment]
    assert batch.dispatch() == set()
    assert (batch.tally.poisoned, batch.tally.outcomes) == (1, {})


def test_deliveries_that_were_settled_before_a_batch_failed_are_counted() -> None:
    batch = Counted()
    batch.add(200, 200)
    assert batch.dispatch(ends=True) == {"m0"}
    assert batch.tally.outcomes == {Outcome.DELIVERED: 1}


def test_the_waves_of_a_batch_are_added_up() -> None:
    batch = Counted()
    for _ in range(6):
        batch.add(*[200] * 10)
    assert batch.dispatch() == set()
    assert (batch.tally.outcomes, len(batch.tally.latencies_ms)) == ({Outcome.DELIVERED: 60}, 60)


def test_a_batch_of_several_parts_is_reported_once() -> None:
    batch = Counted()
    batch.add(200)
    batch.add(200, receives=3)
    batch.add(200, receives=4)
    assert batch.dispatch() == set()
    assert batch.tally.outcomes == {Outcome.DELIVERED: 3}
