"""A test event: from the request to the callback, the response, the log, and the refusals."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.factories import (
    BASE,
    EXTERNAL,
    LEVELS,
    OTHER_TENANT,
    SCOPE,
    SERVICE_CALLER,
    SYSTEM,
    ApiResponse,
    Client,
    InMemoryApp,
    basic_api,
    oauth_api,
)
from tests.fakes.endpoint import http_response
from tests.fakes.faults import Fault
from webhooks.domain.delivery import DELIVERY_ID
from webhooks.domain.delivery_log import Mark, Outcome
from webhooks.domain.errors import UnavailableError
from webhooks.domain.health import HEALTHY, Health
from webhooks.domain.http import HttpOutcome, NoResponse, NoResponseReason, PhaseTimes
from webhooks.domain.webhook import Webhook

URL = "https://hooks.example.com/in"
MOVED = (
    "the endpoint responded with HTTP 301 to https://new.example.com/, and the webhook's success codes are "
    "200, 204"
)


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


def send(app: InMemoryApp, webhook_id: str, body: Any = None, *, by: Client = SYSTEM) -> ApiResponse:
    return app.call("POST", f"{BASE}/webhook/{webhook_id}/test", body, by=by)


def sent(app: InMemoryApp, webhook_id: str, body: Any = None, *, by: Client = SYSTEM) -> dict[str, Any]:
    response = send(app, webhook_id, body, by=by)
    assert response.status == 200, response.text
    content: dict[str, Any] = response.json
    return content


def stored(app: InMemoryApp, webhook_id: str) -> Webhook:
    webhook = app.subscriptions.get(SCOPE, webhook_id)
    assert isinstance(webhook, Webhook)
    return webhook


def change(app: InMemoryApp, webhook_id: str, **changes: Any) -> None:
    before = stored(app, webhook_id)
    app.subscriptions.change(before, replace(before, revision=before.revision + 1, **changes), record=None)


def no_response(reason: NoResponseReason, detail: str, *, address: str | None = None) -> NoResponse:
    return NoResponse(reason, detail, latency_ms=7, address=address)


@pytest.mark.parametrize("level", LEVELS)
def test_a_test_is_sent_at_once_and_shows_the_callback(app: InMemoryApp, level: str) -> None:
    webhook_id = app.create(eventNames=["E_LOGOUT", "E_LOGIN"])["_id"]
    response = http_response(200, excerpt="thank you")
    app.endpoint.script(URL, replace(response, latency_ms=12, times=PhaseTimes(1, 2, 3, 4, 5)))

    result = sent(app, webhook_id, by=LEVELS[level])

    [request] = app.endpoint.requests(URL)
    body = json.loads(request.body)
    assert (body["type"], body["data"]) == ("E_LOGOUT", {"test": True})
    assert (body["tenantId"], body["communityId"]) == (SCOPE.tenant_id, SCOPE.community_id)
    assert body["id"].startswith("test-")
    assert request.headers["webhook-id"] == result["deliveryId"]
    assert request.headers["webhook-attempt"] == "1"
    assert {"webhook-signature", "Signature", "Signature-Input"} <= set(request.headers)
    assert result == {
        "deliveryId": result["deliveryId"],
        "outcome": "delivered",
        "status": 200,
        "latencyMs": 0,  # the clock stands still
        "times": {"lookupMs": 1, "connectMs": 2, "tlsMs": 3, "firstByteMs": 4, "totalMs": 5},
        "address": "192.0.2.1",
        "request": {
            "method": "POST",
            "url": URL,
            "headers": dict(request.headers),
            "body": request.body.decode(),
        },
        "response": {"status": 200, "excerpt": "thank you"},
    }
    assert DELIVERY_ID.fullmatch(result["deliveryId"])
    assert result["deliveryId"].startswith(webhook_id)


def test_name_and_data_are_the_callers(app: InMemoryApp) -> None:
    webhook_id = app.create(eventNames=["E_LOGOUT", "E_LOGIN"])["_id"]
    data = '{"eventName": "E_LOGIN", "data": {"n": 1222223333.00000001, "half": "\\ud800", "l": [null, "ü"]}}'
    result = sent(app, webhook_id, data)

    body = app.endpoint.requests(URL)[0].body.decode()
    assert json.loads(body)["type"] == "E_LOGIN"
    assert '"data":{"n":1222223333.00000001,"half":"\\ud800","l":[null,' in body
    assert json.loads(body)["data"]["l"] == [None, "ü"]
    assert result["request"]["body"] == body


def test_no_data_is_data(app: InMemoryApp) -> None:
    sent(app, app.create()["_id"], {"data": {}})
    assert json.loads(app.endpoint.requests(URL)[0].body)["data"] == {}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"eventName": "E_OTHER"}, "eventName: must be one of the webhook's: E_LOGIN, E_LOGOUT"),
        ({"eventName": ""}, "eventName: must be a string of 1 to 128"),
        ({"eventName": 1}, "eventName: must be a string"),
        ({"data": []}, "data: must be an object"),
        ({"data": "x"}, "data: must be an object"),
        ({"more": 1}, "more: is not a field here"),
        ("[]", "the body must be a JSON object"),
    ],
)
def test_a_wrong_body_is_explained_and_nothing_is_sent(app: InMemoryApp, body: Any, message: str) -> None:
    webhook_id = app.create(eventNames=["E_LOGIN", "E_LOGOUT"])["_id"]
    response = send(app, webhook_id, body)
    assert response.status == 400
    assert response.message.startswith(message)
    assert app.endpoint.requests() == []
    assert app.limiter.calls == []


def test_a_body_beyond_64_kib_is_refused(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    assert send(app, webhook_id, {"data": {"x": "x" * 65_536}}).status == 413
    assert sent(app, webhook_id, {"data": {"x": "x" * 65_000}})["outcome"] == "delivered"


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (
            no_response(NoResponseReason.DNS, "the host hooks.example.com has no address"),
            "the host of the webhook's URL was not found: the host hooks.example.com has no address",
        ),
        (
            no_response(NoResponseReason.REFUSED, "private", address="10.1.2.3"),
            "the service may not connect to the webhook's URL (private)",
        ),
        (
            no_response(NoResponseReason.CONNECT, "Connection refused"),
            "the endpoint took no connection: Connection refused",
        ),
        (
            no_response(NoResponseReason.TLS, "certificate refused: Hostname mismatch"),
            "the endpoint has no TLS that the service trusts: certificate refused: Hostname mismatch",
        ),
        (
            no_response(NoResponseReason.RESET, "closed without an answer"),
            "the endpoint ended the connection before it responded: closed without an answer",
        ),
        (
            no_response(NoResponseReason.DEADLINE, "the time was up: waiting for the answer"),
            "the endpoint did not respond within 3 s: the time was up: waiting for the answer",
        ),
        (
            no_response(NoResponseReason.MALFORMED, "no HTTP"),
            "the endpoint's response is not valid HTTP: no HTTP",
        ),
        (
            http_response(404),
            "the endpoint responded with HTTP 404, and the webhook's success codes are 200, 204",
        ),
        (
            replace(http_response(301), location="https://new.example.com/"),
            MOVED,
        ),
        (
            http_response(410),
            "the endpoint responded with HTTP 410, and the webhook's success codes are 200, 204",
        ),
    ],
)
def test_a_failure_is_explained_in_one_sentence(app: InMemoryApp, outcome: HttpOutcome, reason: str) -> None:
    webhook_id = app.create(ttl=3, successCodes=[200, 204], retryCount=2)["_id"]
    app.endpoint.script(URL, outcome)
    before = stored(app, webhook_id)

    result = sent(app, webhook_id)

    assert (result["outcome"], result["reason"]) == ("failed", reason)
    assert ("status" in result) == ("response" in result) == (not isinstance(outcome, NoResponse))
    assert "10.1.2.3" not in json.dumps(result) + app.log.getvalue()
    assert len(app.endpoint.requests()) == 1
    assert stored(app, webhook_id) == before  # no retry, no state: not even a 410 disables it
    assert before.health == HEALTHY
    [entry] = app.deliveries.entries()
    assert (entry.outcome, entry.mark, entry.reason) == (Outcome.DEAD, Mark.TEST, reason)


def test_a_test_is_in_the_log_with_its_mark(app: InMemoryApp) -> None:
    result = sent(app, app.create()["_id"])
    [entry] = app.deliveries.entries()
    assert (entry.delivery.id, entry.outcome, entry.mark) == (
        result["deliveryId"],
        Outcome.DELIVERED,
        Mark.TEST,
    )
    assert [attempt.status for attempt in entry.delivery.attempts] == [200]
    assert entry.scope == SCOPE
    assert entry.key.delivery_id == result["deliveryId"]


def test_a_test_that_cannot_be_recorded_is_answered_and_logged(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    app.deliveries.refused.add(webhook_id)
    assert sent(app, webhook_id)["outcome"] == "delivered"
    assert '"test_event.unrecorded"' in app.log.getvalue()


def test_a_webhook_gets_one_test_a_second(app: InMemoryApp) -> None:
    one, other = app.create()["_id"], app.create()["_id"]
    sent(app, one)
    for after in (0.0, 0.4, 0.5):
        app.clock.now += after
        refused = send(app, one)
        assert (refused.status, refused.headers["retry-after"]) == (429, "1")
        assert refused.message == "a webhook gets one test a second; send this one again later"
    sent(app, other)
    app.clock.now += 0.1
    sent(app, one)
    assert len(app.endpoint.requests()) == 3


def test_a_disabled_webhook_gets_no_test_and_the_reason_is_said(app: InMemoryApp) -> None:
    webhook_id = app.create(disabled=True)["_id"]
    refused = send(app, webhook_id)
    assert (refused.status, refused.message) == (
        409,
        "the webhook is disabled; enable it, then send the test again",
    )
    change(app, webhook_id, disabled_reason="endpoint gone (HTTP 410)")
    refused = send(app, webhook_id)
    assert refused.message.startswith("the webhook is disabled: endpoint gone (HTTP 410); enable it")
    assert app.endpoint.requests() == []


@pytest.mark.parametrize("state", [Health(failing_since=1), Health(held_since=1), Health(slow_since=1)])
def test_a_webhook_in_any_other_state_gets_a_test(app: InMemoryApp, state: Health) -> None:
    webhook_id = app.create(paused=True)["_id"]
    app.subscriptions.save(stored(app, webhook_id), state)
    assert sent(app, webhook_id)["outcome"] == "delivered"


@pytest.mark.parametrize("webhook_id", ["0" * 24, "none", "A" * 24, "0" * 23])
def test_an_unknown_webhook_is_not_found(app: InMemoryApp, webhook_id: str) -> None:
    response = send(app, webhook_id)
    assert (response.status, response.message) == (404, "webhookId: no such webhook")
    assert app.limiter.calls == []


def test_no_other_community_sends_a_test(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    assert send(app, webhook_id, by=OTHER_TENANT).status == 403
    path = f"/tenant/other/community/theirs/webhook/{webhook_id}/test"
    assert app.call("POST", path, by=OTHER_TENANT).status == 404
    assert app.call("POST", path, by=None).status == 401
    assert app.call("GET", f"{BASE}/webhook/{webhook_id}/test").status == 405
    assert app.endpoint.requests() == []


BASIC = base64.b64encode(b"planted-user:planted-password").decode()


@pytest.mark.parametrize(
    ("api", "secrets", "shown"),
    [
        (basic_api(), ["planted-password", BASIC], ("Authorization", "Basic [redacted]")),
        (
            {"url": URL, "authType": "bearer", "credential": {"token": "planted-token"}},
            ["planted-token"],
            ("Authorization", "Bearer [redacted]"),
        ),
        (
            {
                "url": URL,
                "authType": "api_key",
                "credential": {"keyName": "X-Key", "keyValue": "planted-value"},
            },
            ["planted-value"],
            ("X-Key", "[redacted]"),
        ),
        (oauth_api(), ["planted-secret", "planted-id", "token 1"], ("Authorization", "Bearer [redacted]")),
    ],
)
@pytest.mark.parametrize(("status", "by"), [(200, SYSTEM), (500, SERVICE_CALLER), (200, EXTERNAL)])
def test_credentials_are_sent_and_shown_nowhere(
    api: dict[str, Any], secrets: list[str], shown: tuple[str, str], status: int, by: Client
) -> None:
    app = InMemoryApp()
    webhook_id = app.create(api=api)["_id"]

    def echo(request: Any) -> HttpOutcome:
        return http_response(status, excerpt=f"{dict(request.headers)}")

    app.endpoint.script(URL, echo)
    response = send(app, webhook_id, by=by)

    [request] = app.endpoint.requests(URL)
    name, value = shown
    assert any(secret in request.headers[name] for secret in secrets)
    result = response.json
    assert result["request"]["headers"] == {**request.headers, name: value}
    assert result["request"]["headers"]["webhook-signature"] == request.headers["webhook-signature"]
    logged = app.log.getvalue() + repr(app.deliveries.entries())
    for secret in secrets:
        assert secret not in response.text
        assert secret not in logged
    assert "[redacted]" in result["response"]["excerpt"]


def test_a_failing_token_endpoint_is_named_and_nothing_is_shown_as_sent(app: InMemoryApp) -> None:
    webhook_id = app.create(api=oauth_api())["_id"]
    app.tokens.failure = no_response(NoResponseReason.OAUTH, "the token endpoint answered 401 invalid_client")
    result = sent(app, webhook_id)
    assert result["reason"] == (
        "there is no access token, so nothing was sent to the endpoint: "
        "the token endpoint answered 401 invalid_client"
    )
    assert "Authorization" not in result["request"]["headers"]
    assert app.endpoint.requests() == []


def test_a_missing_credential_is_a_conflict_that_says_how_to_mend_it(app: InMemoryApp) -> None:
    webhook_id = app.create(api=basic_api())["_id"]
    ref = stored(app, webhook_id).credential
    assert ref is not None
    app.credentials.delete(ref)
    refused = send(app, webhook_id)
    assert (refused.status, refused.message) == (
        409,
        "the webhook's credential is missing; save the webhook with its credential again",
    )
    assert app.endpoint.requests() == []


def unavailable_at(name: str) -> Fault:
    def fault(point: str) -> None:
        if point == f"before {name}":
            raise UnavailableError(f"{name}: throttled")

    return fault


@pytest.mark.parametrize("call", ["batch.read", "credentials.read", "limiter.take"])
def test_an_outage_before_the_attempt_is_a_503_and_nothing_is_sent(call: str) -> None:
    app = InMemoryApp()
    webhook_id = app.create(api=basic_api())["_id"]
    app.fault = unavailable_at(call)
    response = send(app, webhook_id)
    assert (response.status, response.headers["retry-after"]) == (503, "5")
    assert app.endpoint.requests() == []


def test_an_outage_of_the_log_costs_the_line_alone() -> None:
    app = InMemoryApp()
    webhook_id = app.create()["_id"]
    app.fault = unavailable_at("log.record")
    assert sent(app, webhook_id)["outcome"] == "delivered"
    assert '"test_event.unrecorded"' in app.log.getvalue()


def test_a_fault_of_ours_shows_no_secret(app: InMemoryApp) -> None:
    webhook_id = app.create(api=basic_api())["_id"]

    def fail(request: Any) -> HttpOutcome:
        raise ValueError(str(request.headers))

    app.endpoint.script(URL, fail)
    response = send(app, webhook_id)
    assert response.status == 500
    for secret in ("planted-password", BASIC):
        assert secret not in response.text + app.log.getvalue()


def test_a_test_has_one_line_in_the_log(app: InMemoryApp) -> None:
    result = sent(app, app.create()["_id"])
    lines = [json.loads(line) for line in app.log.getvalue().splitlines()]
    [line] = [each for each in lines if each["message"] == "test_event.sent"]
    assert line["delivery_id"] == result["deliveryId"]
    assert (line["status"], line["event_name"], line["latency_ms"]) == (200, "E_LOGIN", 0)
    assert line["event_id"].startswith("test-")
