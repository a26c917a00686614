"""Any webhook and any event, to the bytes that are sent; any response, to the log.

All in one process: the API's functions, fan-out and dispatcher over one state in memory, real sockets to a
receiver.
"""

import base64
import json
import string
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.calls import EndpointClient, calling
from tests.factories import COMMUNITY, TENANT, InMemoryApp, webhook_body
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.queues import FakeDeliveryQueue, FakeEventsDlq
from tests.functions import make_dispatcher, make_fanout
from tests.receiver import Received, Receiver, raw, reply, token
from webhooks.adapters.dynamodb.delivery_log_items import WRITE_UNIT, entry_item
from webhooks.adapters.dynamodb.items import item_size
from webhooks.adapters.http.client import CurlHttpClient
from webhooks.adapters.http.egress_guard import EgressGuard, EgressRefusedError
from webhooks.adapters.http.oauth_tokens import OAuthTokens
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.egress_policy import parse_policy, refusal
from webhooks.domain.lane import Lane
from webhooks.domain.webhook_rules import HEADER_NAME, RESERVED_HEADERS
from webhooks.services.dispatch.stages import DeliveryMessage
from webhooks.services.fanout.stages import EventMessage

SOME = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
FEW = settings(SOME, max_examples=100)
EVENT = {"eventName": "E_LOGIN", "tenantId": TENANT, "communityId": COMMUNITY, "data": {}}
# Headers of every callback, once each, for any webhook and any event.
OWN_HEADERS = (
    *("host", "user-agent", "accept", "accept-encoding", "content-length", "content-type", "content-digest"),
    *("webhook-id", "webhook-timestamp", "webhook-signature", "webhook-attempt"),
    *("signature-input", "signature"),
)
STRICT = parse_policy(allow_http="true", ports="*", networks="")


class Path:
    """The whole path of one deployment, in memory but for the endpoint."""

    def __init__(self, client: CurlHttpClient, receiver: Receiver, workers: ThreadPoolExecutor) -> None:
        self.client, self.receiver, self.workers = client, receiver, workers
        self.app = app = InMemoryApp()
        self.queue, self.events_dlq, self.log = (
            FakeDeliveryQueue(),
            FakeEventsDlq(),
            FakeDeliveryLog(),
        )
        self.fanout = make_fanout(app, self.queue, self.events_dlq)
        self.dispatch = make_dispatcher(
            app,
            self.queue,
            self.log,
            tokens=OAuthTokens(time.time),
            workers=workers,
            http=client,
            clock=time.time,
            monotonic=time.monotonic,
        )

    def anew(self) -> "Path":
        """Return a path without webhooks, for the next example."""
        return Path(self.client, self.receiver, self.workers)

    def deliver(self, event: object) -> list[Received]:
        """Publish an event and settle its deliveries; returns the calls."""
        self.receiver.requests.clear()
        message = EventMessage("m", event if isinstance(event, str) else json.dumps(event), 1_790_000_000_000)
        assert self.fanout.fan_out([message]) == set()
        packs = [
            DeliveryMessage(str(number), sent.text) for number, sent in enumerate(self.queue.fast.take(99))
        ]
        assert self.dispatch.dispatch(packs, Lane.SLOW) == set()
        return list(self.receiver.requests)


@pytest.fixture(scope="module")
def workers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as workers:
        yield workers


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def client() -> Iterator[CurlHttpClient]:
    with calling() as client:
        yield client


@pytest.fixture
def path(client: EndpointClient, receiver: Receiver, workers: ThreadPoolExecutor) -> Path:
    receiver.script(reply(200))
    receiver.script(token("the-token"), path="/token")
    return Path(client, receiver, workers)


# Texts that break out of a header, are trimmed by one, or are an instruction to a library.
SLY = st.sampled_from(
    [
        "a\r\nX-Evil: 1",
        "a\nX-Evil: 1",
        "a\rb",
        "a\x00b",
        "a\x0bb",
        "a\x85b",
        "a\u2028b",
        "a\ud800b",
        "\r\n\r\nGET / HTTP/1.1",
        "@@@SKIP_HEADER@@@",
        " a",
        "a ",
        "\ta",
        " ",
        "a: b",
        "ü",
        "\u560a\u560d",  # their low bytes are \n and \r
        "x" * 4096,
    ]
)
VALUE = st.one_of(SLY, st.text(max_size=30), st.text("abcXYZ019-_.~+/=:,; \"'\\", min_size=1))
NAME = st.one_of(
    st.sampled_from(
        [*sorted(RESERVED_HEADERS), "Accept-Encoding", "Authorization", "Cookie", "X-Key", "Date"]
    ),
    st.from_regex(HEADER_NAME, fullmatch=True),
    VALUE,
).flatmap(lambda name: st.sampled_from([name, name.upper(), name.lower()]))
AUTH = st.one_of(
    st.tuples(st.just("basic"), st.fixed_dictionaries({"username": VALUE, "password": VALUE})),
    st.tuples(st.just("bearer"), st.fixed_dictionaries({"token": VALUE})),
    st.tuples(st.just("api_key"), st.fixed_dictionaries({"keyName": NAME, "keyValue": VALUE})),
    st.tuples(
        st.just("oauth2"),
        st.fixed_dictionaries({"oauth2": st.fixed_dictionaries({"clientId": VALUE, "clientSecret": VALUE})}),
    ),
)


def api_with(path: Path, auth_type: str, credential: dict[str, Any]) -> dict[str, Any]:
    api = {"url": f"{path.receiver.url}/hook", "authType": auth_type, "credential": credential}
    if auth_type != "oauth2":
        return api
    oauth = {"oAuthTokenUrl": f"{path.receiver.url}/token", "oAuthScopes": ["a", "b"]}
    return {**api, **oauth, "oAuthGrantType": "client_credentials"}


def basic(*pair: str) -> str:
    return "Basic " + base64.b64encode(":".join(pair).encode()).decode()


def expected_header(auth_type: str, credential: dict[str, Any]) -> tuple[str, str]:
    match auth_type:
        case "basic":
            return "Authorization", basic(credential["username"], credential["password"])
        case "bearer":
            return "Authorization", f"Bearer {credential['token']}"
        case "api_key":
            return credential["keyName"], credential["keyValue"]
    return "Authorization", "Bearer the-token"


def names(call: Received) -> Counter[str]:
    return Counter(name.lower() for name, _ in call.headers)


@SOME
@given(AUTH)
@example(("api_key", {"keyName": "X-Key", "keyValue": "@@@SKIP_HEADER@@@"}))
@example(("api_key", {"keyName": "accept-encoding", "keyValue": "gzip"}))
@example(("api_key", {"keyName": "X-Key", "keyValue": " "}))
@example(("bearer", {"token": "a "}))
@example(("basic", {"username": "", "password": "genie-key"}))
@example(("basic", {"username": "", "password": ""}))
@example(("api_key", {"keyName": "accept", "keyValue": "text/html"}))
def test_a_credential_is_refused_or_arrives_as_one_exact_header(
    path: Path, made: tuple[str, dict[str, Any]]
) -> None:
    path, (auth_type, credential) = path.anew(), made
    response = path.app.call(
        "PUT",
        "/tenant/acme/community/default/webhook",
        webhook_body(api=api_with(path, auth_type, credential)),
    )
    if response.status != 200:
        assert response.status == 400, response.text
        return
    plain = path.app.create(api={"url": f"{path.receiver.url}/plain"})

    calls = path.deliver(EVENT)

    assert path.queue.dead.messages() == []
    [call] = [each for each in calls if each.path == "/hook"]
    [bare] = [each for each in calls if each.path == "/plain"]
    name, value = expected_header(auth_type, credential)
    assert names(call) == names(bare) + Counter([name.lower()])
    assert [each for each in call.headers if each[0].lower() == name.lower()] == [(name, value)]
    assert json.loads(call.body) == json.loads(bare.body)
    assert plain["_id"] in (bare.header("webhook-id") or "")
    if auth_type == "oauth2":
        [asked] = [each for each in calls if each.path == "/token"]
        client = credential["oauth2"]
        pair = (quote_plus(client["clientId"]), quote_plus(client["clientSecret"]))
        assert asked.header("Authorization") == basic(*pair)
        assert asked.body == b"grant_type=client_credentials&scope=a+b"


def test_a_value_that_urllib3_reads_as_skip_header_is_sent_as_it_is(path: Path) -> None:
    key = {"keyName": "X-Key", "keyValue": "@@@SKIP_HEADER@@@"}
    path.app.create(api=api_with(path, "api_key", key))

    [call] = path.deliver(EVENT)

    assert call.header("X-Key") == "@@@SKIP_HEADER@@@"


TEXT = st.one_of(SLY, st.text(max_size=40))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=10,
)


@SOME
@given(TEXT, TEXT, st.dictionaries(TEXT, JSON, max_size=4))
def test_event_fields_are_refused_or_arrive_in_the_body_alone(
    path: Path, name: str, event_id: str, data: dict[str, Any]
) -> None:
    path = path.anew()
    path.app.create(api={"url": f"{path.receiver.url}/hook"})
    event = {**EVENT, "eventId": event_id, "data": data}

    for published in (event, {**event, "eventName": name}):
        calls = path.deliver(published)

        if path.events_dlq.dead.take(1):
            assert calls == []
        elif published is event:
            [call] = calls
            body = json.loads(call.body)
            assert (body["id"], body["data"]) == (event_id, data)
            assert names(call) == Counter(OWN_HEADERS)
            assert (call.header("webhook-id") or "\xff").isascii()
            assert call.header("Accept") == "*/*"  # microsoft/botframework-sdk#5497


def test_event_data_arrives_exactly_as_published(path: Path) -> None:
    body = webhook_body(eventNames=["Build Finished"], api={"url": f"{path.receiver.url}/hook?"}, query="?")
    for amount in ("1222223333.00000001", "1222223333.00000002"):
        text = json.dumps(body).replace('"?"', f'[{{"items.amount": {amount}}}]')
        assert path.app.call("PUT", "/tenant/acme/community/default/webhook", text).status == 200
    data = r'{"tenantId":"acme","communityId":"default","b":1E5,"a":"\u00fc ü","items":[{"amount":1222223333.00000001}]}'

    [call] = path.deliver(f'{{"detail-type": "Build Finished", "id": "e", "detail": {data}}}')

    assert call.path == "/hook?"
    assert call.body.decode().endswith(f',"data":{data}}}')
    assert '"type":"Build Finished"' in call.body.decode()


LINE = st.text(string.digits + string.ascii_letters + string.punctuation, max_size=30)
LABEL = st.one_of(st.text(' ü€a;:"', min_size=1, max_size=9), TEXT)


@SOME
@given(
    name=LABEL,
    where=st.one_of(st.tuples(LINE, LINE), st.tuples(TEXT, TEXT)).map("?".join).map("/{}".format),
    author=LABEL,
    tag=LABEL,
)
def test_a_webhook_name_and_url_are_refused_or_make_one_request_line(
    path: Path, name: str, where: str, author: str, tag: str
) -> None:
    path = path.anew()
    body = webhook_body(name=name, createdBy=author, tags=[tag], api={"url": path.receiver.url + where})
    response = path.app.call("PUT", "/tenant/acme/community/default/webhook", body)
    if response.status != 200:
        assert response.status == 400, response.text
        return

    [call] = path.deliver(EVENT)

    before, _, query = where.partition("?")
    assert (call.method, call.path) == (
        "POST",
        f"{before}?{query}",
    )  # RFC 3986, 6.2.3: with an empty query, too
    assert names(call) == Counter(OWN_HEADERS)


OK = b"HTTP/1.1 200 OK\r\n"
PIECES = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(
        [
            OK,
            b"HTTP/1.1 500 \xff\r\n",
            b"HTTP/1.1 503 Busy\r\nRetry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 503 Busy\r\nRetry-After: " + b"9" * 5_000 + b"\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 308 Moved\r\nLocation: https://\xff" + b"z" * 5_000 + b"\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 307 Moved\r\nContent-Length: 2000\r\nLocation: /"
            + b"z" * 300
            + b"\r\n\r\n"
            + b"z" * 2_000,
            b"HTTP/1.1 410 Gone\r\nContent-Length: 3\r\n\r\n\x00\xff\xfe",
            OK + b"Content-Length: 100000\r\n\r\n",
            b"HTTP/1.1 500 No\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n",
            b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"X: " + b"y" * 70_000 + b"\r\n",
            b"X: y\r\n" * 150,
            b"\r\n",
            b"5\r\nhello\r\n",
            b"\x1f\x8b\x08\x00" + b"\x00" * 20,
            b"\xed\xa0\x80" * 400,
            b"\xf0\x9f\x98\x80" * 400,
            b'"\\\n\x00' * 400,
            b"z" * 100_000,
        ]
    ),
)


@FEW
@given(st.lists(PIECES, max_size=6).map(b"".join))
def test_any_response_of_an_endpoint_is_settled_and_its_log_item_fits(path: Path, response: bytes) -> None:
    path = path.anew()
    path.receiver.script(raw(response))
    path.app.create(api={"url": f"{path.receiver.url}/hook"}, retryCount=1)

    path.deliver(EVENT)

    [entry] = path.log.entries()
    [attempt] = entry.delivery.attempts
    assert (attempt.status is None) != (attempt.reason is None)
    assert len((attempt.excerpt or "").encode()) <= 1_024
    waiting = {Outcome.RETRYING: path.queue.slow, Outcome.DEAD: path.queue.dead}.get(entry.outcome)
    assert waiting is None or len(waiting.messages()) == 1
    assert item_size(entry_item(entry, 30)) <= WRITE_UNIT


@FEW
@given(st.lists(PIECES, max_size=6).map(b"".join))
def test_any_response_of_a_token_endpoint_is_settled(path: Path, response: bytes) -> None:
    path = path.anew()
    path.receiver.script(raw(response), path="/token")
    path.app.create(
        api=api_with(path, "oauth2", {"oauth2": {"clientId": "id", "clientSecret": "planted"}}), retryCount=1
    )

    calls = path.deliver(EVENT)

    assert [call.path for call in calls] == ["/token"]
    [entry] = path.log.entries()
    assert (entry.delivery.attempts[0].reason or "").startswith("oauth: ")
    assert "planted" not in repr(entry)


def spellings(address: IPv4Address) -> list[str]:
    """Write an address in the ways that inet_aton and URL parsers know."""
    number, parts = int(address), address.packed
    wide = str.maketrans("0123456789.", "０１２３４５６７８９。")  # noqa: RUF001 - IDNA maps them
    return [
        str(address),
        f"{address}.",
        str(address).translate(wide),
        str(number),
        hex(number),
        f"0{number:o}",
        ".".join(hex(part) for part in parts),
        ".".join(f"0{part:o}" for part in parts),
        f"{parts[0]}.{number & 0xFFFFFF}",
        f"{parts[0]}.{parts[1]}.{number & 0xFFFF}",
        f"0X{number:X}",
        f"[::ffff:{address}]",
        f"[::FFFF:{number >> 16:x}:{number & 0xFFFF:x}]",
        f"[0:0:0:0:0:ffff:{number >> 16:04x}:{number & 0xFFFF:04x}]",
        f"[64:ff9b::{address}]",
    ]


LOOPBACK = spellings(IPv4Address("127.0.0.1"))[:-1]


@pytest.mark.parametrize("host", ["localhost", "LocalHost", "localhost.", *LOOPBACK])
def test_a_host_in_any_legal_spelling_is_called_if_allowed(path: Path, host: str) -> None:
    response = path.app.call(
        "PUT",
        "/tenant/acme/community/default/webhook",
        webhook_body(api={"url": f"http://{host}:{path.receiver.port}/hook"}),
    )
    assert response.status == 200, response.text

    [call] = path.deliver(EVENT)

    assert names(call)["host"] == 1
    sent = call.header("Host")
    assert sent is not None
    assert sent.endswith(f":{path.receiver.port}")
    assert sent.isascii()


@SOME
@given(st.ip_addresses(v=4).filter(refusal), st.data())
@example(IPv4Address("169.254.169.254"), None)
def test_a_private_address_in_any_spelling_is_refused_at_save_and_at_call(
    path: Path, address: IPv4Address, data: st.DataObject | None
) -> None:
    guard = EgressGuard(STRICT)
    hosts = spellings(address)
    for host in [data.draw(st.sampled_from(hosts))] if data else hosts:
        with pytest.raises(EgressRefusedError):
            guard.check(f"http://{host}/")


def test_a_private_host_is_never_connected_to(receiver: Receiver, workers: ThreadPoolExecutor) -> None:
    with calling(policy=STRICT) as strict:
        path = Path(strict, receiver, workers)
        for host in ["localhost", *LOOPBACK]:
            path.app.create(api={"url": f"http://{host}:{receiver.port}/hook"})
        before = receiver.connections

        assert path.deliver(EVENT) == []

        assert receiver.connections == before
        reasons = {entry.delivery.attempts[0].reason for entry in path.log.entries()}
        assert len(path.log.entries()) == len(LOOPBACK) + 1
        assert reasons == {"refused: loopback"}
