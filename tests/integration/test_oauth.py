"""Access tokens from a real token endpoint: fetched once, kept, refreshed, and fetched anew after a 401."""

import base64
import time
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import parse_qs

import pytest

from tests.calls import EndpointClient, calling, post, results
from tests.receiver import Receiver, Script, raw, reply, reset, stall, token
from webhooks.adapters.http.oauth_tokens import OAuthTokens
from webhooks.domain.egress_policy import EgressPolicy
from webhooks.domain.http import ClientCredentials, HttpOutcome, NoResponse, NoResponseReason
from webhooks.ports import Call, Conversation


@pytest.fixture
def now() -> list[float]:
    return [1_000_000.0]


class Asking:
    """Tokens, asked for by one conversation or by many at once."""

    def __init__(self, client: EndpointClient, clock: Callable[[], float]) -> None:
        self.client, self._tokens = client, OAuthTokens(clock)

    def token(
        self, client: ClientCredentials, *, seconds: float, rejected: str | None = None
    ) -> str | NoResponse:
        return self.tokens(client, seconds=[seconds], rejected=rejected)[0]

    def tokens(
        self, client: ClientCredentials, *, seconds: Sequence[float], rejected: str | None = None
    ) -> list[str | NoResponse]:
        return results(self.client, [self.asker(client, seconds=each, rejected=rejected) for each in seconds])

    def asker(
        self, client: ClientCredentials, *, seconds: float, rejected: str | None = None
    ) -> Conversation[str | NoResponse]:
        return self._tokens.token(client, seconds=seconds, rejected=rejected)


@pytest.fixture
def tokens(now: list[float]) -> Iterator[Asking]:
    with calling(clock=lambda: now[0]) as client:
        yield Asking(client, lambda: now[0])


def client(
    receiver: Receiver, *, secret: str = "planted-secret", scopes: tuple[str, ...] = ()
) -> ClientCredentials:
    return ClientCredentials(receiver.url + "/token", "client", secret, scopes)


def assert_failed(response: str | NoResponse, *, detail: str) -> None:
    assert isinstance(response, NoResponse), response
    assert response.reason is NoResponseReason.OAUTH
    assert detail in response.detail
    assert "planted-secret" not in response.detail


def test_a_token_request_conforms_to_rfc_6749(tokens: Asking, receiver: Receiver) -> None:
    receiver.script(token("the-token"))

    assert tokens.token(client(receiver, secret="s:é/+", scopes=("read", "write")), seconds=2) == "the-token"

    (asked,) = receiver.requests
    assert (asked.method, asked.path) == ("POST", "/token")
    assert parse_qs(asked.body.decode()) == {"grant_type": ["client_credentials"], "scope": ["read write"]}
    assert asked.header("Content-Type") == "application/x-www-form-urlencoded"
    scheme, _, pair = (asked.header("Authorization") or "").partition(" ")
    assert (scheme, base64.b64decode(pair)) == ("Basic", b"client:s%3A%C3%A9%2F%2B")


def test_a_token_is_fetched_once_for_many_that_wait_for_it(tokens: Asking, receiver: Receiver) -> None:
    receiver.script(token("the-token", delay=0.1))

    got = tokens.tokens(client(receiver), seconds=[2] * 40)

    assert got == ["the-token"] * 40
    assert len(receiver.requests) == 1


def test_different_clients_share_no_token(tokens: Asking, receiver: Receiver) -> None:
    receiver.script(token("one"), token("two"), token("three"))
    clients = [client(receiver), client(receiver, secret="another"), client(receiver, scopes=("read",))]

    assert [tokens.token(each, seconds=2) for each in clients * 2] == ["one", "two", "three"] * 2


@pytest.mark.parametrize(
    ("expires_in", "fresh_for"),
    [(3_600, 3_540), (100, 90), ("3600", 3_540), (None, 270), ("soon", 270), (1e999, 86_340), (10**400, 270)],
)
def test_a_token_is_refreshed_before_it_expires(
    tokens: Asking, receiver: Receiver, now: list[float], expires_in: float | str | None, fresh_for: int
) -> None:
    receiver.script(token("old", expires_in=expires_in), token("new"))
    started = now[0]
    assert tokens.token(client(receiver), seconds=2) == "old"

    now[0] = started + fresh_for - 1
    assert tokens.token(client(receiver), seconds=2) == "old"

    now[0] = started + fresh_for
    assert tokens.token(client(receiver), seconds=2) == "new"


@pytest.mark.parametrize("expires_in", [0, -5])
def test_a_token_that_expires_at_once_is_used_once(
    tokens: Asking, receiver: Receiver, expires_in: int
) -> None:
    receiver.script(token("one", expires_in=expires_in), token("two", expires_in=expires_in))

    assert [tokens.token(client(receiver), seconds=2) for _ in range(2)] == ["one", "two"]


def test_a_token_rejected_by_many_is_fetched_again_once(tokens: Asking, receiver: Receiver) -> None:
    # Given a token that many deliveries used
    receiver.script(token("old"), token("new", delay=0.1))
    tokens.token(client(receiver), seconds=2)

    # When the endpoint answers 401 to them all
    got = tokens.tokens(client(receiver), seconds=[2] * 10, rejected="old")

    # Then one asks for a new one, and a late delivery gets it as well
    assert got == ["new"] * 10
    assert tokens.token(client(receiver), seconds=2, rejected="old") == "new"
    assert len(receiver.requests) == 2


@pytest.mark.parametrize(
    ("script", "detail"),
    [
        (reply(400, b'{"error": "invalid_client"}'), "answered 400 invalid_client"),
        (reply(401, b"planted-secret"), "answered 401"),
        (reply(500, b'{"error": "planted-secret!"}'), "answered 500"),
        (reply(302, headers={"Location": "http://10.0.0.1/"}), "answered 302"),
        (reply(200, b""), "without an access token"),
        (reply(200, b"<html>"), "without an access token"),
        (reply(200, b"[]"), "without an access token"),
        (reply(200, b"[" * 20_000), "without an access token"),
        (reply(200, b'{"access_token": ""}'), "without an access token"),
        (reply(200, b'{"access_token": 7}'), "without an access token"),
        (reply(200, b'{"access_token": "a\\r\\nX: y"}'), "without an access token"),
        (reply(200, b'{"access_token": "' + b"x" * 40_000 + b'"}'), "without an access token"),
        (reply(200, b'{"access_token": "x", "token_type": "mac"}'), "another type"),
        (raw(b"rubbish\r\n\r\n"), "did not answer: malformed"),
        (reset, "did not answer: reset"),
    ],
)
def test_a_failure_is_named_and_not_cached(
    tokens: Asking, receiver: Receiver, script: Script, detail: str
) -> None:
    receiver.script(script, token("the-token"))

    assert_failed(tokens.token(client(receiver), seconds=2), detail=detail)
    assert tokens.token(client(receiver), seconds=2) == "the-token"


def test_a_token_longer_than_an_excerpt_is_read_in_full(tokens: Asking, receiver: Receiver) -> None:
    receiver.script(token("x" * 8_000))

    assert tokens.token(client(receiver), seconds=2) == "x" * 8_000


def test_a_token_response_is_read_up_to_32_kib(tokens: Asking, receiver: Receiver) -> None:
    around = len(b'{"access_token": ""}')
    longest = "x" * (32_768 - around)
    receiver.script(
        *(reply(200, b'{"access_token": "%s"}' % text.encode()) for text in (longest + "x", longest))
    )

    assert_failed(tokens.token(client(receiver), seconds=2), detail="without an access token")
    assert tokens.token(client(receiver), seconds=2) == longest


def test_the_deadline_holds_for_fetching_and_for_waiting(tokens: Asking, receiver: Receiver) -> None:
    receiver.script(stall)
    started = time.monotonic()

    responses = tokens.tokens(client(receiver), seconds=[0.3] * 2)

    assert time.monotonic() - started < 0.4
    for response in responses:
        assert_failed(response, detail="the time was up")
    assert len(receiver.requests) == 1


def test_the_token_endpoint_is_under_the_same_guard(receiver: Receiver) -> None:
    with calling(policy=EgressPolicy(allow_http=True, ports=None)) as guarded:
        response = Asking(guarded, time.time).token(client(receiver), seconds=2)

    assert_failed(response, detail="refused: loopback")
    assert receiver.connections == 0


def test_a_delivery_with_a_short_deadline_ends_and_fails_no_other(tokens: Asking, receiver: Receiver) -> None:
    receiver.script(token("the-token", delay=0.5))
    left = []

    def noting(asker: Conversation[str | NoResponse]) -> Conversation[str | NoResponse]:
        response = yield from asker
        left.append(time.monotonic() - started)
        return response

    askers = [tokens.asker(client(receiver), seconds=seconds) for seconds in (0.1, 2)]
    started = time.monotonic()
    short, long = results(tokens.client, [noting(each) for each in askers])

    assert_failed(short, detail="the time was up")
    assert left[0] < 0.2
    assert long == "the-token"
    assert len(receiver.requests) == 1


def test_a_late_token_is_there_for_the_next_delivery(tokens: Asking, receiver: Receiver) -> None:
    receiver.script(token("the-token", delay=0.3))
    assert_failed(tokens.token(client(receiver), seconds=0.1), detail="the time was up")

    assert tokens.token(client(receiver), seconds=2) == "the-token"

    assert len(receiver.requests) == 1


def test_a_silent_token_endpoint_delays_only_its_own_deliveries(tokens: Asking, receiver: Receiver) -> None:
    receiver.script(stall, path="/token")
    ended: dict[str, float] = {}

    def delivery(name: str, asker: Conversation[str | NoResponse] | None) -> Conversation[HttpOutcome]:
        if asker is not None:
            yield from asker
        outcome = yield Call(post(receiver.url), 2)
        ended[name] = time.monotonic() - started
        return outcome

    started = time.monotonic()
    results(
        tokens.client,
        [delivery("stalled", tokens.asker(client(receiver), seconds=0.5)), delivery("well", None)],
    )

    assert ended["well"] < 0.2
    assert 0.5 <= ended["stalled"] < 0.8


def test_a_fetch_that_was_frozen_with_its_function_is_not_waited_for(
    tokens: Asking, receiver: Receiver, now: list[float]
) -> None:
    # Given a fetch that outlived the invocation that asked for it
    receiver.script(stall, token("the-token"))
    assert_failed(tokens.token(client(receiver), seconds=0.1), detail="the time was up")

    # When the function is used again half a minute later
    now[0] += 30

    # Then a token is fetched anew
    assert tokens.token(client(receiver), seconds=2) == "the-token"
