"""Error responses: one body, the request's id, the right methods, and no internal details."""

import json
from typing import Any

import pytest

from tests.factories import BASE, SYSTEM, InMemoryApp, api_event, basic_api, webhook_body
from tests.fakes.subscriptions import FakeSubscriptions
from webhooks.domain.errors import StaleError, UnavailableError

PATHS = {
    f"{BASE}/webhooks/fetch": ["POST"],
    f"{BASE}/webhook": ["PUT"],
    f"{BASE}/webhook/{'0' * 24}": ["GET", "PATCH", "DELETE"],
    f"{BASE}/webhook/{'0' * 24}/secret": ["GET"],
    "/servicekeys": ["GET"],
    "/servicekey/a%2Fb": ["DELETE"],
    "/servicekey/a/b": ["DELETE"],
    f"{BASE}/webhook/{'0' * 24}/secret/rotate": ["POST"],
    f"{BASE}/webhook/{'0' * 24}/series": ["GET"],
    f"{BASE}/webhooks/health": ["POST"],
    f"{BASE}/health": ["GET"],
    "/communities": ["GET"],
    "/ecdsa_helper": ["POST"],
    "/ecdsa_helper/encrypt": ["POST"],
    "/healthz": ["GET"],
    "/environment": ["GET"],
    "/publickeys": ["GET"],
    "/.well-known": ["GET"],
    "/.well-known/jwks.json": ["GET"],
    "/sd": ["GET"],
    "/openapi.json": ["GET"],
    "/console": ["GET"],
    "/docs": ["GET"],
}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"]


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


@pytest.mark.parametrize("path", PATHS)
def test_a_path_returns_405_for_every_unknown_method(app: InMemoryApp, path: str) -> None:
    for method in [method for method in METHODS if method not in PATHS[path]]:
        response = app.call(method, path, by=None)
        assert (response.status, response.json["error"]) == (405, "Method Not Allowed")
        assert response.headers["allow"] == ", ".join(PATHS[path])
        assert ", ".join(PATHS[path]) in response.message


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nope",
        "/tenant",
        f"{BASE}/webhooks",
        "/xwell-known",
        "/openapiXjson",
        "/servicekey",
        "/docs/x",
        "/%00",
    ],
)
def test_a_path_that_does_not_exist_is_a_404(app: InMemoryApp, path: str) -> None:
    for method in METHODS:
        response = app.call(method, path, by=None)
        assert (response.status, response.json["error"]) == (404, "Not Found")
        assert response.headers["x-request-id"]
        assert "/docs" in response.message
        assert "/openapi.json" in response.message


@pytest.mark.parametrize("path", ["/nope", "/healthz", "/environment", "/publickeys", "/sd", "/servicekeys"])
def test_an_error_is_compact_json_like_every_response(app: InMemoryApp, path: str) -> None:
    text = app.call("GET", path, by=None).text
    assert text == json.dumps(json.loads(text), separators=(",", ":"))


@pytest.mark.parametrize("path", PATHS)
def test_every_response_has_the_request_id_of_the_gateway(app: InMemoryApp, path: str) -> None:
    for method in METHODS:
        event = api_event(method, path)
        response = app.send(event)
        assert response.headers["x-request-id"] == event["requestContext"]["requestId"]


def test_a_final_slash_makes_no_other_path(app: InMemoryApp) -> None:
    assert app.call("GET", "/publickeys/", by=None).status == 200


class Broken:
    """Storage that fails in an unexpected way."""

    def __init__(self, error: ValueError | UnavailableError) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        def fail(*_: object, **__: object) -> None:
            raise self.error

        return fail


def broken(error: ValueError | UnavailableError) -> InMemoryApp:
    return InMemoryApp(subscriptions=Broken(error))


def test_an_unexpected_error_is_a_500_with_a_fixed_text_and_no_secrets() -> None:
    app = broken(ValueError("planted-secret in a foreign text"))
    response = app.call("PUT", f"{BASE}/webhook", webhook_body(api=basic_api()))
    assert (response.status, response.json["error"]) == (500, "Internal Server Error")
    assert response.message == "something went wrong on our side; tell us the x-request-id"
    [failed] = [line for line in lines(app) if line["message"] == "request.failed"]
    assert failed["level"] == "ERROR"
    assert failed["trace"][-1] == "builtins.ValueError"
    assert any("services/webhooks.py" in frame for frame in failed["trace"])
    assert "planted" not in app.log.getvalue()


def test_an_unavailable_dependency_is_a_503_with_retry_after() -> None:
    app = broken(UnavailableError("dynamodb GetItem: ThrottlingException"))
    response = app.call("POST", f"{BASE}/webhooks/fetch", {})
    assert (response.status, response.json["error"]) == (503, "Service Unavailable")
    assert response.headers["retry-after"] == "5"
    assert "dynamodb" not in response.message
    [warned] = [line for line in lines(app) if line["message"] == "request.unavailable"]
    assert warned["trace"][-1].endswith("UnavailableError: dynamodb GetItem: ThrottlingException")


class AlwaysLate:
    """A webhook that another writer changes at the same time, at each try."""

    def __init__(self, inner: FakeSubscriptions) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def change(self, *_: object, **__: object) -> None:
        raise StaleError


def test_a_race_that_cannot_be_won_is_a_409(app: InMemoryApp) -> None:
    created = app.create()
    late = InMemoryApp(subscriptions=AlwaysLate(app.subscriptions))
    response = late.call("PATCH", f"{BASE}/webhook/{created['_id']}", {"name": "n"})
    assert (response.status, response.json["error"]) == (409, "Conflict")
    assert "send the change again" in response.message


# Logs.


def lines(app: InMemoryApp) -> list[dict[str, Any]]:
    return [json.loads(line) for line in app.log.getvalue().splitlines()]


def test_each_request_is_one_line(app: InMemoryApp) -> None:
    event = api_event(
        "PUT",
        f"{BASE}/webhook",
        headers=SYSTEM.headers(app.public_key),
        body=json.dumps(webhook_body()),
        resource="/tenant/{tenantId}/community/{communityId}/webhook",
    )
    app.send(event)
    [line] = lines(app)
    assert (
        line.items()
        >= {
            "message": "request.completed",
            "level": "INFO",
            "service": "api",
            "method": "PUT",
            "route": "/tenant/{tenantId}/community/{communityId}/webhook",
            "status": 200,
            "tenant_id": "acme",
            "community_id": "default",
            "app_id": "tests",
            "request_id": event["requestContext"]["requestId"],
        }.items()
    )
    assert line["latency_ms"] >= 0
    assert "_aws" not in line  # a count of 0 is not written


def test_a_line_counts_errors(app: InMemoryApp) -> None:
    app.call("GET", "/nope", by=None)
    [line] = lines(app)
    assert (line["status"], line["ClientErrors"]) == (404, 1)
    assert line["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Webhooks",
            "Dimensions": [["service"]],
            "Metrics": [{"Name": "ClientErrors", "Unit": "Count"}],
        }
    ]


def test_no_line_and_no_error_has_a_secret(app: InMemoryApp) -> None:
    planted = ("planted-user", "planted-password", "planted-id", "planted-secret", SYSTEM.license_key)
    headers = SYSTEM.headers(app.public_key)
    secrets = [*planted, *headers.values(), SYSTEM.pair.private]
    oauth2 = {"oauth2": {"clientId": "planted-id", "clientSecret": "planted-secret"}}
    responses = [
        app.call("PUT", f"{BASE}/webhook", webhook_body(api=basic_api()), by=None, headers=headers),
        app.call("PUT", f"{BASE}/webhook", webhook_body(api=basic_api(authType="bearer"))),
        app.call("PUT", f"{BASE}/webhook", webhook_body(api=basic_api(credential=oauth2))),
        app.call("PUT", f"{BASE}/webhook", webhook_body(api=basic_api(credential="planted-password"))),
        app.call("PUT", f"{BASE}/webhook", webhook_body(api=basic_api(), ttl=9)),
        app.call("PUT", f"{BASE}/webhook", json.dumps(webhook_body(api=basic_api()))[:-1]),
        app.call(
            "GET",
            "/servicekeys",
            by=None,
            headers={
                "keyId": SYSTEM.pair.public,
                "keySecret": SYSTEM.pair.private,
                "license": SYSTEM.license_key,
            },
        ),
        app.call(
            "POST",
            "/ecdsa_helper/decrypt",
            {"data": "planted-secret", "publicKey": "planted-id", "privateKey": SYSTEM.pair.private},
            by=None,
        ),
    ]
    assert [response.status for response in responses] == [200, 400, 400, 400, 400, 400, 401, 400]
    said = app.log.getvalue() + "".join(response.text for response in responses)
    assert [secret for secret in secrets if secret in said] == []
