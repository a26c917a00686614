"""The routes without a license: keys, health, environment, service directory, the document."""

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.factories import SYSTEM, ApiResponse, InMemoryApp, api_event, function
from webhooks.domain.errors import UnavailableError
from webhooks.entrypoints.api.discovery_responses import UNBUILT, read_version

OPEN = [
    "/healthz",
    "/environment",
    "/publickeys",
    "/.well-known",
    "/.well-known/jwks.json",
    "/sd",
    "/openapi.json",
]


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


def get(app: InMemoryApp, path: str, **headers: str) -> ApiResponse:
    return app.call("GET", path, by=None, headers=headers)


@pytest.mark.parametrize("path", [*OPEN, "/docs", "/console"])
def test_authentication_headers_are_ignored(app: InMemoryApp, path: str) -> None:
    for headers in (
        {},
        {"licensekey": "x"},
        {"license": "x", "keyId": "y"},
        SYSTEM.headers(app.public_key),
    ):
        assert get(app, path, **headers).status == 200


def test_the_public_key_is_the_same_everywhere(app: InMemoryApp) -> None:
    key = app.keys.read_now().current.public_key.to_base64()
    assert get(app, "/publickeys").json == {"publicKey": key}
    assert get(app, "/.well-known").json == {"public_key": key}
    assert get(app, "/healthz").json["publicKey"] == key
    assert get(app, "/publickeys").headers["cache-control"] == "public, max-age=30"


def test_a_healthy_deployment_is_reported_as_operational(app: InMemoryApp) -> None:
    response = get(app, "/healthz")
    assert response.status == 200
    assert response.json == {
        "status": "all services operational",
        "publicKey": app.public_key,
        "code": "200",
        "version": UNBUILT,
    }
    assert response.headers["cache-control"] == "no-store"


def fail() -> None:
    raise UnavailableError("sqs GetQueueAttributes: Throttling")


def test_an_unavailable_dependency_is_named(app: InMemoryApp) -> None:
    app.probes |= {"sqs": fail, "secrets manager": fail}
    response = get(app, "/healthz")
    assert response.status == 503
    assert (response.json["status"], response.json["code"]) == ("unavailable: sqs, secrets manager", "503")
    assert response.headers["retry-after"] == "5"


def test_a_late_dependency_counts_as_unavailable(app: InMemoryApp) -> None:
    released = threading.Event()
    app.probes["dynamodb"] = lambda: released.wait(30)
    response = get(app, "/healthz")
    released.set()
    assert response.json["status"] == "unavailable: dynamodb"


def test_a_health_result_is_cached_for_five_seconds(app: InMemoryApp) -> None:
    asked = []
    app.probes["sqs"] = lambda: asked.append(1)
    for later in (0, 4, 5, 9.9, 10):
        app.clock.now = 1_790_000_000 + later
        get(app, "/healthz")
    assert len(asked) == 3


def test_the_health_check_responds_if_the_key_cannot_be_read(
    app: InMemoryApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot() -> None:
        raise UnavailableError("secretsmanager GetSecretValue: Throttling")

    monkeypatch.setattr(app.keys, "read", cannot)
    assert get(app, "/healthz").json["publicKey"] == ""
    assert get(app, "/publickeys").status == 503


def test_the_environment_has_the_limits_of_requests(app: InMemoryApp) -> None:
    response = get(app, "/environment").json
    assert response | {"limits": {}} == {
        "allowed_time_span": 120,
        "EC_CURVE_NAME": "secp256k1",
        "region": "us-east-1",
        "stage": "prod",
        "version": UNBUILT,
        "limits": {},
    }
    assert response["limits"]["bodyBytes"] == 65536
    assert response["limits"]["eventNames"] == 50


@pytest.mark.parametrize(
    ("event", "url"),
    [
        (
            {"headers": {"Host": "abc.execute-api.us-east-1.amazonaws.com"},
             "context": {"domainName": "abc.execute-api.us-east-1.amazonaws.com", "path": "/prod/sd"}},
            "https://abc.execute-api.us-east-1.amazonaws.com/prod",
        ),
        ({"context": {"domainName": "api.example.com", "path": "/sd"}}, "https://api.example.com"),
        (
            {"headers": {"host": "127.0.0.1:4566"}, "context": {"domainName": None, "path": "/prod/sd"}},
            "http://127.0.0.1:4566/_aws/execute-api/abc123/prod",
        ),
        (
            {"headers": {"host": "abc123.execute-api.localhost:4566"}, "context": {"domainName": None}},
            "http://abc123.execute-api.localhost:4566/prod",
        ),
    ],
)  # fmt: skip
def test_the_service_directory_has_the_urls_that_the_caller_sees(
    app: InMemoryApp, event: dict[str, Any], url: str
) -> None:
    response = app.send(api_event("GET", "/sd", **event))
    assert response.json == {"licenses": "https://licenses.example.com", "webhooks": url}


def test_the_document_is_served_as_it_is_written(app: InMemoryApp) -> None:
    written = (app.apis["discovery"], function("discovery").HERE / "openapi.json")[1].read_text()
    response = get(app, "/openapi.json")
    assert response.text == written
    assert response.headers["content-type"] == "application/json"


def test_the_version_is_that_of_the_build(tmp_path: Path) -> None:
    assert read_version(tmp_path) == UNBUILT
    (tmp_path / "version.json").write_text('{"version": "v1.abc.1790000000"}')
    assert read_version(tmp_path) == "v1.abc.1790000000"
