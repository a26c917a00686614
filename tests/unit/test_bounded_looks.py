"""A log that is dense for a webhook: its looks end early and go on by the slow lane, and delay no other webhook."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pytest

from tests.clocks import NOW
from tests.contract.logged import plain
from tests.factories import SCOPE, InMemoryApp, basic_api
from tests.fakes.credentials import FakeCredentials
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.endpoint import OneByOne, ScriptedEndpoint, ScriptedTokens, http_response
from tests.fakes.queues import FakeDeliveryQueue
from tests.functions import make_dispatcher
from webhooks.domain.delivery import Delivery, Pack, delivery_id
from webhooks.domain.delivery_log import LogKey, log_key
from webhooks.domain.delivery_message import decode_pack, encode_pack
from webhooks.domain.lane import Lane
from webhooks.domain.webhook import Credential, StoredCredential
from webhooks.services.dispatch import loading
from webhooks.services.dispatch.stages import DeliveryMessage

AT = int(NOW) * 1000 + 1
DENSE = 120  # shared items within a second
UNITS = 10  # of a webhook's look, each an item here: its part of a batch is at least twice as much


@pytest.fixture(autouse=True)
def units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "LOOK_UNITS_OF_WEBHOOK", UNITS)


class CountedCredentials:
    """Counts how many credentials are read."""

    def __init__(self, real: FakeCredentials) -> None:
        self.reads = 0
        self._real = real

    def read(self, stored: StoredCredential) -> Credential:
        self.reads += 1
        return self._real.read(stored)

    def known(self, stored: StoredCredential) -> Credential | None:
        return self._real.known(stored)


@dataclass
class Bench:
    """A dispatcher, a webhook whose log is dense, and another one."""

    app: InMemoryApp = field(default_factory=InMemoryApp)
    log: FakeDeliveryLog = field(default_factory=FakeDeliveryLog)
    queue: FakeDeliveryQueue = field(default_factory=FakeDeliveryQueue)
    endpoint: ScriptedEndpoint = field(default_factory=ScriptedEndpoint)
    due: int | None = None

    def __post_init__(self) -> None:
        self.dense: str = self.app.create(api=basic_api(), retryCount=1, retryCodes=[503])["_id"]
        self.healthy: str = self.app.create()["_id"]
        self.credentials = CountedCredentials(self.app.credentials)
        self.log.items_of_unit = 1
        for number in range(DENSE):
            at = AT + number * 8
            self.log.record(
                [
                    plain(0, webhook_id=self.dense, event_id=f"old {number} {each}", log_time=at)
                    for each in range(2)
                ]
            )

    def message(
        self,
        message_id: str,
        webhook_id: str,
        events: Sequence[tuple[str, int]],
        *,
        looked_to: str | None = None,
    ) -> DeliveryMessage:
        """Return a message that was received before. `events`: ids, and ms after AT."""
        deliveries = tuple(
            Delivery(
                delivery_id(each, webhook_id, log_time=AT + ms),
                each,
                "E_LOGIN",
                AT + ms,
                "{}",
                is_marked=True,
            )
            for each, ms in events
        )
        pack = Pack(webhook_id, SCOPE, deliveries, due=self.due, looked_to=looked_to)
        return DeliveryMessage(message_id, encode_pack(pack), 2)

    def dispatch(self, *messages: DeliveryMessage, lane: Lane = Lane.FAST) -> tuple[set[str], int]:
        """Dispatch a batch; return the messages to come again, and the requests made."""
        before = len(self.endpoint.requests())
        with ThreadPoolExecutor(1) as workers:
            again = make_dispatcher(
                self.app,
                self.queue,
                self.log,
                http=OneByOne(self.endpoint),
                tokens=ScriptedTokens(),
                workers=workers,
                clock=self.app.clock,
                monotonic=self.app.clock,
                wrap=lambda name, port: self.credentials if name == "credentials" else port,
            ).dispatch(messages, lane)
        return again, len(self.endpoint.requests()) - before

    def drain(self) -> tuple[int, int]:
        """Dispatch what waits in the slow lane until nothing does; return the rounds, and the requests."""
        rounds = requests = 0
        while sent := self.queue.slow.take_all():
            messages = [DeliveryMessage(f"slow {each}", one.text) for each, one in enumerate(sent)]
            again, made = self.dispatch(*messages, lane=Lane.SLOW)
            assert again == set()
            rounds, requests = rounds + 1, requests + made
            assert rounds < DENSE
        return rounds, requests

    def waiting(self) -> list[Pack]:
        return [decode_pack(each.text) for each in self.queue.slow.messages()]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_look_goes_on_until_its_end_and_sends_what_the_log_does_not_have(bench: Bench) -> None:
    events = [("new 1", 4), (f"old {DENSE - 1} 0", (DENSE - 1) * 8), ("old 3 1", 24), ("new 2", 500)]

    assert bench.dispatch(bench.message("m", bench.dense, events)) == (set(), 0)
    [pack] = bench.waiting()
    assert [each.event_id for each in pack.deliveries] == ["new 1", f"old {DENSE - 1} 0", "new 2"]
    assert pack.looked_to is not None

    rounds, requests = bench.drain()
    assert requests == 2
    assert DENSE // UNITS - 2 <= rounds <= DENSE // UNITS


def test_each_round_comes_further_and_delays_nothing(bench: Bench) -> None:
    bench.dispatch(bench.message("m", bench.dense, [("new", 4)]))
    places: list[str] = []
    while sent := bench.queue.slow.take_all():
        [message] = sent
        assert message.delay == 0
        places.append(decode_pack(message.text).looked_to or "")
        bench.dispatch(DeliveryMessage("slow", message.text), lane=Lane.SLOW)
    assert len(places) > 5
    assert places == sorted(set(places))


def test_a_webhook_whose_log_is_dense_delays_no_other(bench: Bench) -> None:
    dense = [bench.message(f"m{each}", bench.dense, [(f"new {each}", each)]) for each in range(9)]
    healthy = bench.message("healthy", bench.healthy, [("new", 1), ("other", 2)])

    assert bench.dispatch(*dense, healthy) == (set(), 2)
    assert {each.webhook_id for each in bench.waiting()} == {bench.dense}
    assert bench.drain()[1] == 9


def test_what_is_found_to_be_new_is_sent_while_the_look_for_others_goes_on(bench: Bench) -> None:
    events = [("before all", -10_000), ("among them", 4)]
    assert bench.dispatch(bench.message("m", bench.dense, events)) == (set(), 1)
    [pack] = bench.waiting()
    assert [each.event_id for each in pack.deliveries] == ["among them"]


def test_one_that_took_several_looks_has_a_key_of_its_own(bench: Bench) -> None:
    """Another message that brings it may be past the place where a shared item would be."""
    events = [("new 1", 4), ("new 2", 5)]
    bench.dispatch(bench.message("m", bench.dense, events))
    assert bench.drain()[1] == 2
    keys = [_key(bench.dense, *each) for each in events]
    assert set(bench.log.logged(keys)) == set(keys)
    assert bench.dispatch(bench.message("m", bench.dense, events)) == (set(), 0)
    assert bench.waiting() == []


def test_a_copy_of_a_message_that_went_on_sends_nothing_again(bench: Bench) -> None:
    """A crash between the new message and the end of the old one leaves both."""
    message = bench.message("m", bench.dense, [("new 1", 4), ("new 2", 5)])
    for _ in range(2):
        bench.dispatch(message)
    assert len(bench.waiting()) == 2
    assert bench.drain()[1] == 2


def test_one_delivery_of_two_messages_goes_on_once(bench: Bench) -> None:
    messages = [bench.message(each, bench.dense, [("new", 4)]) for each in ("m", "n")]
    assert bench.dispatch(*messages) == (set(), 0)
    assert len(bench.waiting()) == 1
    bench.queue.slow.take_all()
    bench.queue.refused.add(bench.dense)
    assert bench.dispatch(*messages) == ({"m", "n"}, 0)


def test_a_pack_goes_on_where_the_first_of_its_deliveries_is_not_looked_for(bench: Bench) -> None:
    """Another message of the batch came further with one of them, and does not have the others."""
    far = f"{AT + 900:012x}-{'8' * 32}+00000000"
    both = bench.message("both", bench.dense, [("new", 4), ("other", 5), ("old 60 0", 480)])
    one = bench.message("one", bench.dense, [("new", 4)], looked_to=far)
    assert bench.dispatch(both, one) == (set(), 0)
    assert bench.drain()[1] == 2


def test_no_credential_is_read_for_what_is_still_looked_for(bench: Bench) -> None:
    """It would be read for each part of the look."""
    bench.dispatch(bench.message("m", bench.dense, [("new", 4)]))
    assert bench.credentials.reads == 0
    bench.drain()
    assert bench.credentials.reads == 1


def test_a_message_whose_look_cannot_go_on_comes_again(bench: Bench) -> None:
    bench.queue.refused.add(bench.dense)
    assert bench.dispatch(bench.message("m", bench.dense, [("new", 4)])) == ({"m"}, 0)


def test_a_retry_is_not_looked_for_and_tells_no_place(bench: Bench) -> None:
    webhook = bench.app.subscriptions.get(SCOPE, bench.dense)
    assert webhook is not None
    bench.endpoint.script(webhook.definition.endpoint.url, http_response(503))
    bench.dispatch(bench.message("m", bench.dense, [("new", 4)]))
    while all(each.looked_to for each in bench.waiting()):
        [message] = bench.queue.slow.take_all()
        bench.dispatch(DeliveryMessage("slow", message.text), lane=Lane.SLOW)
    [retry] = bench.waiting()
    assert (retry.looked_to, retry.deliveries[0].tries) == (None, 1)


def test_a_slot_of_a_rate_limit_is_kept(bench: Bench) -> None:
    bench.due = AT + 60_000
    bench.dispatch(bench.message("m", bench.dense, [("new", 4)]))
    [pack] = bench.waiting()
    assert pack.due == bench.due


def _key(webhook_id: str, event_id: str, ms: int) -> LogKey:
    message = replace(
        Delivery("", event_id, "E_LOGIN", AT + ms, "{}"),
        id=delivery_id(event_id, webhook_id, log_time=AT + ms),
    )
    return log_key(webhook_id, message)
