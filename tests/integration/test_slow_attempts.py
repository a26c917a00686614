"""An attempt that takes long marks its webhook slow, with any outcome: it held up its batch."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.calls import LOOPBACK
from tests.clocks import NOW
from tests.factories import SCOPE, InMemoryApp, webhook_body
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.queues import FakeDeliveryQueue, FakeEventsDlq
from tests.functions import make_dispatcher, make_fanout
from tests.receiver import Receiver, reply, token
from webhooks.adapters.http.client import CurlHttpClient
from webhooks.adapters.http.egress_guard import EgressGuard
from webhooks.adapters.http.oauth_tokens import OAuthTokens
from webhooks.domain.lane import Lane
from webhooks.services.dispatch.pipeline import Dispatcher
from webhooks.services.dispatch.stages import DeliveryMessage
from webhooks.services.fanout.pipeline import Fanout
from webhooks.services.fanout.stages import EventMessage

LIMIT = 0.25  # seconds from which an attempt is slow
LATE = 0.4  # seconds of a slow step here
INSIDE, OUTSIDE = "192.168.1.1", "127.0.0.1"
EVENT = '{"eventName": "E_LOGIN", "tenantId": "acme", "communityId": "default", "eventId": "e", "data": {}}'
OAUTH = {
    "authType": "oauth2",
    "oAuthGrantType": "client_credentials",
    "oAuthScopes": ["a"],
    "credential": {"oauth2": {"clientId": "id", "clientSecret": "secret"}},
}


def resolve(host: str, _port: None, **_kind: Any) -> list[tuple[Any, ...]]:
    """Look a name up as it says itself: late or at once, to an address inside, outside or none."""
    if host.startswith("late"):
        time.sleep(LATE)
    if "nowhere" in host:
        raise socket.gaierror
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (INSIDE if "inside" in host else OUTSIDE, 0))]


@dataclass
class Path:
    """A dispatcher over stores in memory and real sockets."""

    app: InMemoryApp
    receiver: Receiver
    log: FakeDeliveryLog
    fanout: Fanout
    queue: FakeDeliveryQueue
    dispatch: Dispatcher

    def attempted(self, *, path: str = "/hook", host: str = OUTSIDE, **api: Any) -> tuple[str, int, bool]:
        """Deliver an event; returns its outcome, the attempt's logged ms, and whether it marks slow."""
        port = self.receiver.port
        body = webhook_body(api={"url": f"http://{host}:{port}{path}", **api})
        response = self.app.call(
            "PUT", f"/tenant/{SCOPE.tenant_id}/community/{SCOPE.community_id}/webhook", body
        )
        assert response.status == 200, response.text
        assert self.fanout.fan_out([EventMessage("m", EVENT, round(NOW * 1000))]) == set()
        packs = [DeliveryMessage("p", sent.text) for sent in self.queue.fast.take(9)]
        assert self.dispatch.dispatch(packs, Lane.FAST) == set()
        [entry] = self.log.entries()
        [attempt] = entry.delivery.attempts
        webhook = self.app.subscriptions.get(SCOPE, entry.key.webhook_id)
        assert webhook is not None
        return entry.outcome.value, attempt.latency_ms, webhook.health.slow_since is not None


@pytest.fixture
def path() -> Iterator[Path]:
    app, log, queue = InMemoryApp(), FakeDeliveryLog(), FakeDeliveryQueue()
    client = CurlHttpClient(EgressGuard(LOOPBACK, resolve=resolve))
    dispatch = make_dispatcher(
        app,
        queue,
        log,
        http=client,
        tokens=OAuthTokens(time.time),
        workers=ThreadPoolExecutor(1),
        clock=time.time,
        monotonic=time.monotonic,
        fast_seconds=5,
        slow_from=LIMIT,
    )
    fanout = make_fanout(app, queue, FakeEventsDlq())
    with Receiver() as receiver:
        yield Path(app, receiver, log, fanout, queue, dispatch)
        client.close()


def slow(path: Path, **api: Any) -> str:
    outcome, latency_ms, is_slow = path.attempted(**api)
    assert is_slow
    assert LATE * 1000 <= latency_ms < (LATE + 0.5) * 1000
    return outcome


def test_a_late_response_is_slow(path: Path) -> None:
    path.receiver.script(reply(200, delay=LATE))
    assert slow(path) == "delivered"


def test_a_late_failure_is_slow(path: Path) -> None:
    path.receiver.script(reply(404, delay=LATE))
    assert slow(path) == "dead"


def test_a_late_token_that_expires_at_once_is_slow(path: Path) -> None:
    path.receiver.script(token("t", expires_in=0, delay=LATE), path="/token")
    assert slow(path, **OAUTH, oAuthTokenUrl=f"{path.receiver.url}/token") == "delivered"
    [call] = path.receiver.wait_for(1, path="/hook")
    assert call.header("Authorization") == "Bearer t"


def test_a_late_failure_of_the_token_endpoint_is_slow(path: Path) -> None:
    path.receiver.script(reply(500, delay=LATE), path="/token")
    assert slow(path, **OAUTH, oAuthTokenUrl=f"{path.receiver.url}/token") == "dead"


def test_a_late_lookup_before_a_response_is_slow(path: Path) -> None:
    assert slow(path, host="late.example.com") == "delivered"


def test_a_late_lookup_of_a_refused_address_is_slow(path: Path) -> None:
    assert slow(path, host="late.inside.example.com") == "dead"


def test_a_late_lookup_without_an_address_is_slow(path: Path) -> None:
    assert slow(path, host="late.nowhere.example.com") == "dead"


def test_a_late_lookup_of_the_token_endpoint_is_slow(path: Path) -> None:
    url = f"http://late.nowhere.example.com:{path.receiver.port}/token"
    assert slow(path, **OAUTH, oAuthTokenUrl=url) == "dead"


@pytest.mark.parametrize("host", ["inside.example.com", "nowhere.example.com", OUTSIDE])
def test_an_attempt_that_ends_at_once_is_not_slow(path: Path, host: str) -> None:
    _, latency_ms, is_slow = path.attempted(host=host)
    assert not is_slow
    assert latency_ms < LATE * 1000
