"""The waves in which a batch is settled: how many at a time, when, and the cost of a failing one."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Event, get_ident
from typing import Any

import pytest

from tests.factories import SCOPE, InMemoryApp
from tests.fakes.background import AtOnce
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.endpoint import ScriptedEndpoint, ScriptedTokens, http_response, lead
from tests.fakes.queues import FakeDeliveryQueue
from tests.functions import make_dispatcher
from tests.simulation.tasks import KilledError
from webhooks.domain.delivery import Delivery, Pack, delivery_id
from webhooks.domain.delivery_message import encode_pack
from webhooks.domain.lane import Lane
from webhooks.domain.poison import POISON_RECEIVES
from webhooks.ports import Background, Conversation
from webhooks.services.dispatch.pipeline import Dispatcher
from webhooks.services.dispatch.stages import DeliveryMessage
from webhooks.services.dispatch.waves import WAVE, WAVE_SECONDS


@dataclass
class Http:
    """An HTTP client whose conversations end one after another; `before_end` is called before each end."""

    endpoint: ScriptedEndpoint
    before_end: Callable[[int], None] = lambda _number: None

    def send_all[R](self, conversations: Sequence[Conversation[R]], *, pause: float) -> Iterator[Sequence[R]]:
        assert pause < WAVE_SECONDS
        results = [lead(each, self.endpoint) for each in conversations]
        for number, result in enumerate(results):
            self.before_end(number)
            yield [result]


class Log(FakeDeliveryLog):
    """Notes the size of each write, and the thread."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self.threads: list[int] = []
        self.fails: Callable[[], bool] = lambda: False

    def record(self, entries: Any) -> Any:
        self.threads.append(get_ident())
        if self.fails():
            raise KeyError("record")
        self.sizes.append(len(entries))
        return super().record(entries)


@dataclass
class Batch:
    """A batch of packs of ten deliveries for webhooks in memory."""

    app: InMemoryApp = field(default_factory=InMemoryApp)
    queue: FakeDeliveryQueue = field(default_factory=FakeDeliveryQueue)
    log: Log = field(default_factory=Log)
    endpoint: ScriptedEndpoint = field(default_factory=ScriptedEndpoint)
    messages: list[DeliveryMessage] = field(default_factory=list)

    def add(self, *statuses: int, receives: int = 1, **changes: Any) -> str:
        """Register a webhook, and put a pack for it into the batch whose deliveries are answered so."""
        number = len(self.messages)
        url = f"https://hooks.example.com/{number}"
        webhook_id: str = self.app.create(api={"url": url}, **changes)["_id"]
        self.endpoint.script(url, *(http_response(status) for status in statuses))
        deliveries = tuple(
            Delivery(
                delivery_id(f"{number}x{each}", webhook_id, log_time=each),
                f"{number}x{each}",
                "E_LOGIN",
                each,
                "{}",
                is_marked=True,
            )
            for each in range(1, len(statuses) + 1)
        )
        pack = Pack(webhook_id, SCOPE, deliveries)
        self.messages.append(DeliveryMessage(f"m{number}", encode_pack(pack), receives))
        return webhook_id

    def dispatcher(
        self,
        before_end: Callable[[int], None] = lambda _number: None,
        background: Background | None = None,
        http: Http | None = None,
    ) -> Dispatcher:
        return make_dispatcher(
            self.app,
            self.queue,
            self.log,
            http=http or Http(self.endpoint, before_end),
            tokens=ScriptedTokens(),
            workers=AtOnce(),
            clock=self.app.clock,
            monotonic=self.app.clock,
            background=background or AtOnce(),
        )

    def recorded(self) -> int:
        return len(self.log.entries())


@pytest.fixture
def full() -> Batch:
    """A hundred deliveries that all succeed."""
    batch = Batch()
    for _ in range(10):
        batch.add(*[200] * 10)
    return batch


def test_a_hundred_delivered_callbacks_are_recorded_in_whole_packs(full: Batch) -> None:
    assert full.dispatcher().dispatch(full.messages, Lane.FAST) == set()

    assert full.log.sizes == [20, 20, 20, 20, 20]
    assert full.log.logged(each.key for each in full.log.entries()) == {}  # they share items


def test_a_slow_delivery_of_a_pack_holds_the_others_no_longer_than_a_wave_lasts(full: Batch) -> None:
    seen: list[int] = []

    def wait(number: int) -> None:
        seen.append(full.recorded())
        if number == 9:  # the last one of the first pack
            full.app.clock.now += WAVE_SECONDS

    assert full.dispatcher(wait).dispatch(full.messages, Lane.FAST) == set()

    assert (seen[9], seen[10]) == (0, 10)
    assert full.log.sizes[0] == 10


def test_a_pack_that_is_incomplete_waits_while_others_are_recorded() -> None:
    """Its last delivery ends last of all; the others of its pack share an item with it."""
    batch = Batch()
    for _ in range(4):
        batch.add(*[200] * 10)

    class FirstIsLast(Http):
        def send_all[R](
            self, conversations: Sequence[Conversation[R]], *, pause: float
        ) -> Iterator[Sequence[R]]:
            yield from super().send_all([*conversations[1:], conversations[0]], pause=pause)

    dispatcher = batch.dispatcher(http=FirstIsLast(batch.endpoint))
    assert dispatcher.dispatch(batch.messages, Lane.FAST) == set()

    assert batch.log.sizes == [10, 10, 20]


@pytest.mark.parametrize("ended", range(101))
def test_a_killed_dispatcher_leaves_at_most_25_answered_callbacks_unrecorded(full: Batch, ended: int) -> None:
    def kill(number: int) -> None:
        if number == ended:
            raise KilledError

    try:
        full.dispatcher(kill).dispatch(full.messages, Lane.FAST)
    except KilledError:
        assert 0 <= ended - full.recorded() < WAVE
    else:
        assert full.recorded() == ended == 100


def test_a_repeated_batch_sends_the_unrecorded_callbacks_alone(full: Batch) -> None:
    def kill(number: int) -> None:
        if number == 60:
            raise KilledError

    with pytest.raises(KilledError):
        full.dispatcher(kill).dispatch(full.messages, Lane.FAST)
    before = len(full.endpoint.requests())

    again = [replace(each, receives=2) for each in full.messages]
    assert full.dispatcher().dispatch(again, Lane.FAST) == set()

    assert len(full.endpoint.requests()) - before == 100 - 40
    assert full.recorded() == 100


def test_retries_and_dead_letters_of_a_quick_batch_wait_for_its_end() -> None:
    batch = Batch()
    for _ in range(5):
        batch.add(*[503] * 10, retryCount=1)
        batch.add(*[404] * 10)
    sent_at_kill: list[int] = []

    def look(number: int) -> None:
        if number == 99:
            sent_at_kill.append(len(batch.queue.slow.messages()) + len(batch.queue.dead.messages()))

    assert batch.dispatcher(look).dispatch(batch.messages, Lane.FAST) == set()

    assert sent_at_kill == [0]
    assert len(batch.queue.slow.messages()) == 5
    assert len(batch.queue.dead.messages()) == 50
    assert batch.log.sizes == [100]


def test_decided_deliveries_are_settled_while_others_keep_the_batch_waiting() -> None:
    batch = Batch()
    batch.add(200, 503, 404, 200, retryCount=1)
    seen: list[tuple[int, int, int]] = []

    def wait(number: int) -> None:
        seen.append((batch.recorded(), len(batch.queue.slow.messages()), len(batch.queue.dead.messages())))
        if number == 2:
            batch.app.clock.now += WAVE_SECONDS

    assert batch.dispatcher(wait).dispatch(batch.messages, Lane.FAST) == set()

    assert seen == [(0, 0, 0), (0, 0, 0), (0, 0, 0), (3, 1, 1)]
    assert batch.recorded() == 4


def test_a_wave_that_fails_brings_its_messages_again_and_no_others(full: Batch) -> None:
    full.log.fails = lambda: len(full.log.threads) == 2

    again = full.dispatcher().dispatch(full.messages, Lane.FAST)

    assert again == {"m2", "m3"}
    assert full.recorded() == 80


def test_a_wave_that_fails_dead_letters_poison() -> None:
    batch = Batch()
    for _ in range(3):
        batch.add(*[200] * 10, receives=POISON_RECEIVES)
    batch.log.fails = lambda: True

    assert batch.dispatcher().dispatch(batch.messages, Lane.FAST) == set()

    assert {each.reason for each in batch.queue.dead.messages()} == {
        f"not processed: KeyError after {POISON_RECEIVES} receives"
    }
    assert sorted(each.text for each in batch.queue.dead.messages()) == sorted(
        each.text for each in batch.messages
    )


def test_waves_are_settled_beside_the_thread_that_sends(full: Batch) -> None:
    """The one that sends never waits for AWS: here the first wave's write ends after the last delivery."""
    last = Event()

    def note(number: int) -> None:
        if number == 99:
            last.set()

    full.log.fails = lambda: not last.wait(5)
    with ThreadPoolExecutor(1) as background:
        assert full.dispatcher(note, background).dispatch(full.messages, Lane.FAST) == set()

    assert full.recorded() == 100
    assert [thread == get_ident() for thread in full.log.threads].count(True) == 1  # the rest, at the end


def test_a_message_that_cannot_be_dead_lettered_comes_again_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch = Batch()
    batch.add(503, 503, retryCount=1)
    batch.messages.append(DeliveryMessage("malformed", "no pack"))
    batch.messages.append(DeliveryMessage("poison", "no pack", POISON_RECEIVES))

    def fail(_text: str, _reason: str) -> None:
        raise KeyError

    monkeypatch.setattr(batch.queue, "send_text_to_dlq", fail)

    assert batch.dispatcher().dispatch(batch.messages, Lane.FAST) == {"malformed", "poison"}

    assert len(batch.queue.slow.messages()) == 1
    assert batch.recorded() == 2


def test_a_batch_that_fails_is_settled_as_far_as_it_was_decided(full: Batch) -> None:
    """A wave under way would freeze with the function; its deliveries would then be sent again."""

    def fail(number: int) -> None:
        if number == 30:
            raise KeyError

    failed = Event()
    full.log.fails = lambda: failed.wait(0.2)  # a slow write
    with ThreadPoolExecutor(1) as background:
        again = full.dispatcher(fail, background).dispatch(full.messages, Lane.FAST)
        recorded = full.recorded()

    assert again == {each.id for each in full.messages}
    assert recorded == 30


def test_a_batch_that_starts_late_and_ends_quickly_is_settled_once() -> None:
    batch = Batch()
    batch.add(200, 200)

    def wait(number: int) -> None:
        batch.app.clock.now += 3 * WAVE_SECONDS if number == 0 else WAVE_SECONDS / 2

    assert batch.dispatcher(wait).dispatch(batch.messages, Lane.SLOW) == set()

    assert batch.log.sizes == [2]
