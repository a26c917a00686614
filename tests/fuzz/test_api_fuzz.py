"""Whatever is sent: a response below 500 with the request's id, and for errors the one envelope."""

import json
from functools import cache
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.contract.logged import entry
from tests.factories import BASE, SCOPE, SYSTEM, ApiResponse, InMemoryApp, api_event
from webhooks.domain.delivery import DELIVERY_ID
from webhooks.domain.delivery_log import Outcome

SIGNED = {"licensekey", "requestid", "publickey"}
LITTLE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

METHODS = st.sampled_from(["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]) | st.text(
    max_size=8
)
# The gateway hands over Unicode; lone surrogates cannot come in by JSON bodies' bytes, but can by escapes.
TEXT = st.text(max_size=40)
PARTS = st.one_of(
    TEXT,
    st.sampled_from(
        ["tenant", "acme", "community", "default", "webhook", "webhooks", "fetch", "0" * 24, "secret"]
    ),
)
PATHS = st.one_of(
    st.lists(PARTS, max_size=8).map(lambda parts: "/" + "/".join(parts)),
    st.tuples(
        st.sampled_from(
            [f"{BASE}/webhook/", f"{BASE}/webhook", "/servicekey/", "/ecdsa_helper/", "/.well-known/"]
        ),
        TEXT,
    ).map("".join),
)
HEADERS = st.dictionaries(
    st.one_of(
        st.sampled_from(
            ["licensekey", "requestid", "publickey", "keyId", "keySecret", "license", "Content-Type"]
        ),
        st.text(min_size=1, max_size=20),
    ),
    TEXT,
    max_size=8,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


def field(*likely: Any) -> st.SearchStrategy[Any]:
    """A field's value: often right, often wrong."""
    return st.one_of(st.sampled_from(likely), JSON) if likely else JSON


CREDENTIAL = st.fixed_dictionaries(
    {},
    optional={
        "username": field("u", "a:b", ""),
        "password": field("p", "\n"),
        "keyName": field("X-Key", "Host", "a b"),
        "keyValue": field("v", "ü"),
        "token": field("t"),
        "oauth2": field({"clientId": "i", "clientSecret": "s"}),
    },
)
API = st.fixed_dictionaries(
    {"url": field("https://hooks.example.com/", "https://[::1]/", "http://x")},
    optional={
        "type": field("PUT", "GET"),
        "authType": field("none", "basic", "bearer", "api_key", "oauth2"),
        "oAuthGrantType": field("client_credentials"),
        "oAuthTokenUrl": field("https://login.example.com/"),
        "oAuthScopes": field(["a"], ["a b"]),
        "credential": CREDENTIAL | JSON,
    },
)
BODIES = st.fixed_dictionaries(
    {
        "eventNames": field(["E_LOGIN"], ["a b"], "E"),
        "name": field("n", "\x00"),
        "api": API | JSON,
        "successCodes": field([200], [99]),
    },
    optional={
        "eventName": field("E_LOGIN", ["E_LOGIN"]),
        "disabled": field(True),
        "createdBy": field("me"),
        "tags": field(["a"]),
        "query": st.lists(st.dictionaries(TEXT, JSON, max_size=3), max_size=3) | JSON,
        "criteria": field("ANY", "ALL"),
        "retryCodes": field([0], [503]),
        "retryCount": field(2, 3),
        "ttl": field(5),
        "extra": JSON,
    },
)


@cache
def app() -> InMemoryApp:
    return InMemoryApp()


def hold(response: ApiResponse) -> None:
    """Assert the rules of every response."""
    assert response.status < 500, response.text
    assert response.headers["x-request-id"]
    if response.status >= 400:
        assert response.message


@LITTLE
@given(METHODS, PATHS, HEADERS, st.none() | TEXT | st.binary(max_size=40))
@example("DELETE", "/servicekey/\ud800", {}, None)
@example("GET", "", {}, None)
def test_any_request_without_credentials_gets_a_valid_response(
    method: str, path: str, headers: dict[str, str], body: bytes | str | None
) -> None:
    hold(app().send(api_event(method, path, headers=headers, body=body)))


@LITTLE
@given(
    METHODS, PATHS, HEADERS.map(lambda made: {n: v for n, v in made.items() if n.lower() not in SIGNED}), TEXT
)
def test_any_path_with_credentials_gets_a_valid_response(
    method: str, path: str, headers: dict[str, str], body: str
) -> None:
    hold(app().call(method, path, body, headers=headers))


@LITTLE
@given(st.text() | JSON.map(json.dumps))
@example('{"ts": 1790000000, "appid": "\\ud800", "uuid": "\\udfff"}')
def test_any_text_in_a_request_id_gets_a_valid_response(request_id: str) -> None:
    if any("\ud800" <= letter <= "\udfff" for letter in request_id):
        return
    headers = SYSTEM.sealed(app().public_key, request_id)
    for method, path, body in (("GET", "/servicekeys", None), ("PUT", f"{BASE}/webhook", CREATE)):
        hold(app().call(method, path, body, by=None, headers=headers))


CREATE = {
    "eventNames": ["E_LOGIN"],
    "name": "n",
    "api": {"url": "https://hooks.example.com/"},
    "successCodes": [200],
}


@LITTLE
@given(BODIES | JSON)
def test_any_webhook_gets_a_valid_response(body: Any) -> None:
    service = InMemoryApp()
    response = service.call("PUT", f"{BASE}/webhook", body)
    hold(response)
    if response.status == 200:
        assert service.fetch()["data"][0]["_id"] == response.json["_id"]


@LITTLE
@given(
    BODIES.flatmap(lambda body: st.sets(st.sampled_from(sorted(body))).map(lambda k: {n: body[n] for n in k}))
)
def test_any_change_gets_a_valid_response(body: dict[str, Any]) -> None:
    service = InMemoryApp()
    created = service.create()
    response = service.call("PATCH", f"{BASE}/webhook/{created['_id']}", body)
    hold(response)
    stored = service.fetch()["data"][0]
    if response.status == 200:
        del response.json["api"]
        assert {n: v for n, v in stored.items() if n != "api"} == {
            n: v for n, v in response.json.items() if n != "api"
        }
    else:
        assert stored == {name: value for name, value in created.items() if name != "signingSecret"}


@LITTLE
@given(
    st.fixed_dictionaries({}, optional={"pIndex": field(0), "pSize": field(1), "tags": field(["a"])}) | JSON
)
def test_any_fetch_gets_a_valid_response(body: Any) -> None:
    hold(app().call("POST", f"{BASE}/webhooks/fetch", body))


@cache
def webhook_with_log() -> str:
    """Return a webhook whose log has a page and a cursor."""
    webhook_id: str = app().create()["_id"]
    app().deliveries.record(
        [entry(number, Outcome.DEAD, webhook_id=webhook_id, scope=SCOPE) for number in range(3)]
    )
    return webhook_id


DELIVERIES_IN = st.fixed_dictionaries(
    {},
    optional={
        "outcome": field("dead", "held", "delivered"),
        "eventName": field("order.paid", "\ud800", " "),
        "since": field(0, "2026-01-01T00:00:00Z", -1e300, "24:00"),
        "until": field(2_000_000_000, 2_000_000_000_000, "9999-12-31T24:00:00+23:59"),
        "cursor": field("A" * 20, "\ud800"),
        "size": field(1, 100),
    },
)


@LITTLE
@given(DELIVERIES_IN | JSON)
def test_any_fetch_of_deliveries_gets_a_valid_response(body: Any) -> None:
    for path in (f"{BASE}/webhook/{webhook_with_log()}/deliveries/fetch", f"{BASE}/deliveries/fetch"):
        response = app().call("POST", path, body)
        hold(response)
        if response.status == 200 and "cursor" in response.json:
            again = app().call("POST", path, {**body, "cursor": response.json["cursor"]})
            assert again.status == 200


@LITTLE
@given(TEXT | st.from_regex(DELIVERY_ID, fullmatch=True))
def test_any_id_of_a_delivery_gets_a_valid_response(text: str) -> None:
    hold(app().send(api_event("GET", f"{BASE}/delivery/{text}", headers=SYSTEM.headers(app().public_key))))


@LITTLE
@given(
    st.sampled_from(["", "/encrypt", "/decrypt"]),
    st.fixed_dictionaries(
        {"publicKey": field(SYSTEM.pair.public, "AAAA"), "privateKey": field(SYSTEM.pair.private, "AAAA")},
        optional={"data": st.text() | JSON, "dataStr": JSON},
    ),
)
def test_any_use_of_the_ecdsa_helper_gets_a_valid_response(way: str, body: dict[str, Any]) -> None:
    hold(app().call("POST", f"/ecdsa_helper{way}", body, by=None))


@LITTLE
@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_as_a_body_get_a_valid_response(body: bytes | str) -> None:
    for method, path in (
        ("PUT", f"{BASE}/webhook"),
        ("POST", f"{BASE}/webhooks/fetch"),
        ("POST", "/ecdsa_helper"),
    ):
        hold(app().call(method, path, body))
