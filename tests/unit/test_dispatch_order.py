"""A batch's order: everything of AWS before anything is sent or after all of it, signed before it is sent."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.factories import BASE, SCOPE, InMemoryApp, oauth_api, webhook_body
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.endpoint import OneByOne, ScriptedEndpoint, ScriptedTokens, http_response
from tests.fakes.queues import FakeDeliveryQueue, FakeEventsDlq
from tests.functions import make_dispatcher, make_fanout
from webhooks.domain.health import Health
from webhooks.domain.lane import Lane
from webhooks.services.dispatch.stages import DeliveryMessage
from webhooks.services.fanout.stages import EventMessage

EVENT = '{"eventName": "E_LOGIN", "tenantId": "acme", "communityId": "default", "eventId": "e", "data": {}}'


class Watched:
    """A port that notes each of its calls."""

    def __init__(self, port: Any, name: str, calls: list[str]) -> None:
        self._port, self._name, self._calls = port, name, calls

    def __getattr__(self, method: str) -> Any:
        def call(*args: Any, **named: Any) -> Any:
            self._calls.append(f"{self._name}.{method}")
            return getattr(self._port, method)(*args, **named)

        return call


class Noting(OneByOne):
    """An HTTP client that notes when it begins and ends."""

    def __init__(self, endpoint: Any, calls: list[str]) -> None:
        super().__init__(endpoint)
        self._calls = calls

    def send_all(self, conversations: Any, *, pause: float) -> Any:
        self._calls.append("begin")
        yield from super().send_all(conversations, pause=pause)
        self._calls.append("end")


def test_requests_are_signed_first_and_no_aws_call_is_made_in_flight() -> None:
    app, queue, log, endpoint = InMemoryApp(), FakeDeliveryQueue(), FakeDeliveryLog(), ScriptedEndpoint()
    calls: list[str] = []
    with ThreadPoolExecutor(2) as workers:
        dispatch = make_dispatcher(
            app,
            queue,
            log,
            http=Noting(Watched(endpoint, "endpoint", calls), calls),
            tokens=ScriptedTokens(),
            workers=workers,
            clock=app.clock,
            monotonic=app.clock,
            wrap=lambda name, port: port if name == "tokens" else Watched(port, name, calls),
        )
        bearer = {"authType": "bearer", "credential": {"token": "t"}}
        for path, api, status in (
            ("plain", {}, 200),
            ("bearer", bearer, 500),
            ("oauth", oauth_api(), 401),
            ("gone", {}, 410),
        ):
            url = f"https://hooks.example.com/{path}"
            body = webhook_body(api={**api, "url": url}, retryCount=1)
            assert app.call("PUT", f"{BASE}/webhook", body).status == 200
            endpoint.script(url, http_response(status))
        assert make_fanout(app, queue, FakeEventsDlq()).fan_out([EventMessage("m", EVENT, 0)]) == set()
        packs = [DeliveryMessage(str(n), sent.text) for n, sent in enumerate(queue.fast.take(9))]

        assert dispatch.dispatch(packs, Lane.FAST) == set()

    begin, end = calls.index("begin"), calls.index("end")
    assert set(calls[begin + 1 : end]) == {"endpoint.send"}
    assert calls[begin + 1 : end].count("endpoint.send") == 5  # that of oauth twice
    assert calls[begin - 4 : begin] == ["signer.request"] * 4
    assert {"batch.read", "credentials.read", "service.read"} <= set(calls[:begin])
    assert {"log.record", "subscriptions.change", "queue.send_slow"} <= set(calls[end:])


def test_a_deferred_delivery_costs_no_read_of_a_credential() -> None:
    app, queue, calls = InMemoryApp(), FakeDeliveryQueue(), list[str]()
    with ThreadPoolExecutor(2) as workers:
        dispatch = make_dispatcher(
            app,
            queue,
            FakeDeliveryLog(),
            http=OneByOne(ScriptedEndpoint()),
            tokens=ScriptedTokens(),
            workers=workers,
            clock=app.clock,
            monotonic=app.clock,
            wrap=lambda name, port: Watched(port, name, calls),
        )
        body = webhook_body(
            api={"url": "https://hooks.example.com/in", "authType": "bearer", "credential": {"token": "t"}}
        )
        webhook_id = app.call("PUT", f"{BASE}/webhook", body).json["_id"]
        webhook = app.subscriptions.get(SCOPE, webhook_id)
        assert webhook is not None
        app.subscriptions.save(webhook, Health(slow_since=1))
        assert make_fanout(app, queue, FakeEventsDlq()).fan_out([EventMessage("m", EVENT, 0)]) == set()
        packs = [DeliveryMessage(str(n), sent.text) for n, sent in enumerate(queue.fast.take(9))]

        assert dispatch.dispatch(packs, Lane.FAST) == set()

    assert len(queue.slow.messages()) == 1
    assert "credentials.read" not in calls
