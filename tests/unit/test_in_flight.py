"""Webhooks are marked slow while their attempts are still in flight, by the thread that settles."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import get_ident
from typing import Any

from tests.calls import LOOPBACK
from tests.factories import SCOPE, InMemoryApp
from tests.fakes.background import AtOnce
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.endpoint import ScriptedEndpoint, ScriptedTokens, lead
from tests.fakes.queues import FakeDeliveryQueue
from tests.functions import make_dispatcher
from tests.receiver import Receiver, reply
from webhooks.adapters.http.client import CurlHttpClient
from webhooks.adapters.http.egress_guard import EgressGuard
from webhooks.domain.delivery import Delivery, Pack, delivery_id
from webhooks.domain.delivery_message import encode_pack
from webhooks.domain.errors import UnavailableError
from webhooks.domain.health import Health
from webhooks.domain.lane import Lane
from webhooks.domain.webhook import Webhook
from webhooks.ports import Background, Conversation, HttpClient
from webhooks.services.dispatch.stages import DeliveryMessage

URL = "https://hooks.example.com/in"


class Hanging:
    """An HTTP client whose conversations end `seconds` after they began; each pause takes its time."""

    def __init__(self, app: InMemoryApp, *, seconds: float) -> None:
        self._app = app
        self._seconds = seconds
        self.slow_after: float | None = None

    def send_all[R](self, conversations: Sequence[Conversation[R]], *, pause: float) -> Iterator[Sequence[R]]:
        began = self._app.clock.now
        results = [lead(each, ScriptedEndpoint()) for each in conversations]
        while (passed := self._app.clock.now - began) < self._seconds:
            if self.slow_after is None and any(map(_is_slow, webhooks(self._app))):
                self.slow_after = passed
            self._app.clock.now += pause
            yield []
        yield results


class Saves:
    """A store of health that notes the thread of each write."""

    def __init__(self, store: Any, *, fails: bool) -> None:
        self._store = store
        self._fails = fails
        self.threads: list[int] = []

    def save(self, webhook: Webhook, health: Health) -> None:
        self.threads.append(get_ident())
        if self._fails:
            raise UnavailableError("dynamodb UpdateItem: throttled")
        self._store.save(webhook, health)


def webhooks(app: InMemoryApp) -> Sequence[Webhook]:
    found: Sequence[Webhook] = app.subscriptions.page(SCOPE, index=0, size=9, tags=()).webhooks
    return found


def _is_slow(webhook: Webhook) -> bool:
    return webhook.health.slow_since is not None


def messages(webhook_id: str, count: int) -> list[DeliveryMessage]:
    made = [
        Delivery(delivery_id(f"e{each}", webhook_id, log_time=each), f"e{each}", "E_LOGIN", each, "{}")
        for each in range(count)
    ]
    return [DeliveryMessage("m", encode_pack(Pack(webhook_id, SCOPE, tuple(made))))]


def dispatch(
    app: InMemoryApp,
    http: HttpClient,
    *,
    background: Background | None = None,
    url: str = URL,
    monotonic: Any = None,
    slow_from: float = 1.0,
    fails: bool = False,
) -> Saves:
    """Dispatch two deliveries of one webhook; return the writes of its health."""
    webhook_id = app.create(api={"url": url})["_id"]
    saves = Saves(app.subscriptions, fails=fails)
    with ThreadPoolExecutor(1) as workers:
        dispatcher = make_dispatcher(
            app,
            FakeDeliveryQueue(),
            FakeDeliveryLog(),
            http=http,
            tokens=ScriptedTokens(),
            workers=workers,
            clock=app.clock,
            monotonic=monotonic or app.clock,
            slow_from=slow_from,
            background=background or AtOnce(),
            wrap=lambda name, port: saves if name == "health" else port,
        )
        assert dispatcher.dispatch(messages(webhook_id, 2), Lane.FAST) == set()
    return saves


def test_a_webhook_is_marked_once_its_attempt_takes_the_fast_lanes_time() -> None:
    app = InMemoryApp()
    http = Hanging(app, seconds=5)

    saves = dispatch(app, http)

    assert http.slow_after is not None
    assert 1 <= http.slow_after < 1.25
    assert len(saves.threads) == 1  # two attempts, one mark; none at the end of the batch


def test_an_attempt_that_ends_in_time_marks_nothing() -> None:
    app = InMemoryApp()

    saves = dispatch(app, Hanging(app, seconds=0.9))

    assert saves.threads == []


def test_a_mark_is_written_beside_the_thread_that_sends() -> None:
    app = InMemoryApp()
    with ThreadPoolExecutor(1) as background:
        settling = background.submit(get_ident).result()
        saves = dispatch(app, Hanging(app, seconds=5), background=background)

    assert saves.threads == [settling]


def test_a_mark_that_fails_costs_its_batch_nothing() -> None:
    app = InMemoryApp()

    saves = dispatch(app, Hanging(app, seconds=5), fails=True)

    assert len(saves.threads) == 1
    assert not any(map(_is_slow, webhooks(app)))


def test_a_webhook_is_marked_while_its_endpoint_keeps_a_connection_open() -> None:
    app = InMemoryApp()
    with (
        Receiver() as receiver,
        CurlHttpClient(EgressGuard(LOOPBACK)) as client,
        ThreadPoolExecutor(1) as background,
        ThreadPoolExecutor(1) as other,
    ):
        receiver.script(reply(200, delay=2))
        url = f"http://127.0.0.1:{receiver.port}/in"
        batch = other.submit(
            lambda: dispatch(
                app, client, background=background, url=url, monotonic=time.monotonic, slow_from=0.25
            )
        )
        until = time.monotonic() + 10
        while not any(map(_is_slow, webhooks(app))) and time.monotonic() < until:
            time.sleep(0.01)

        assert not batch.done()
        batch.result()
