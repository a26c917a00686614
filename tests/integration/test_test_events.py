"""Test events by the composed function: over moto's AWS, to real endpoints that fail in real ways."""

import base64
import io
import json
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import trustme
from standardwebhooks.webhooks import Webhook as StandardWebhook

from tests.calls import calling
from tests.contract.backends import Backend, backend_named
from tests.factories import BASE, SCOPE, SERVICE_CALLER, SYSTEM, function, webhook_body
from tests.integration.test_api_functions import Deployed
from tests.lambda_functions import LOOPBACK
from tests.receiver import Connection, Received, Receiver, Script, raw, reply, stall, token
from webhooks import settings
from webhooks.adapters.dynamodb.log_partitions import webhook_id_in
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.http.client import CurlHttpClient
from webhooks.bootstrap import test_event as bootstrap
from webhooks.logging import start_logging

PLANTED = ("planted-password", "planted-secret", "planted-token", "planted-value", "planted-access")


class Service(Deployed):
    """The functions, and their log."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend, **LOOPBACK)
        self.backend = backend
        self.log = io.StringIO()
        start_logging(service="test_event", level="DEBUG", stream=self.log)
        tables = Tables(self.environment["SUBSCRIPTIONS_TABLE"], self.environment["ACCESS_TABLE"])
        self.subscriptions = DynamoSubscriptions(
            backend.clients, tables, clock=time.time, random_bytes=backend.random_bytes
        )

    def create(self, api: dict[str, Any], **changes: Any) -> str:
        response = self.call("PUT", f"{BASE}/webhook", webhook_body(api=api, **changes))
        assert response.status == 200, response.text
        webhook_id: str = response.json["_id"]
        return webhook_id

    def move(self, webhook_id: str, url: str) -> None:
        """Give a webhook a URL that is refused when it is saved: its host may have changed since."""
        before = self.subscriptions.get(SCOPE, webhook_id)
        assert before is not None
        endpoint = replace(before.definition.endpoint, url=url)
        definition = replace(before.definition, endpoint=endpoint)
        after = replace(before, definition=definition, revision=before.revision + 1)
        self.subscriptions.change(before, after, record=None)

    def use(self, http: CurlHttpClient) -> None:
        """Send tests by another client from now on."""
        app = bootstrap.compose(settings.TestEventSettings.load(self.environment), http=http)
        start_logging(service="test_event", level="DEBUG", stream=self.log)
        self.apps["other test_event"] = app
        self.handlers["test_event"] = function("test_event").routes(app.authenticator, app.tests).handle

    def test(self, webhook_id: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        response = self.call("POST", f"{BASE}/webhook/{webhook_id}/test", body, by=SERVICE_CALLER)
        assert response.status == 200, response.text
        seen = response.text + self.log.getvalue() + json.dumps(self.logged(), default=str)
        assert [secret for secret in PLANTED if secret in seen] == []
        result: dict[str, Any] = response.json
        return result

    def logged(self) -> list[dict[str, Any]]:
        return [
            item
            for item in self.backend.clients.dynamodb.scan(TableName=self.environment["DELIVERIES_TABLE"])[
                "Items"
            ]
            if item["pk"]["S"].startswith("W#")
        ]


@pytest.fixture(scope="module")
def deployed() -> Iterator[Service]:
    with backend_named("moto") as backend:
        made = Service(backend)
        yield made
        for app in made.apps.values():
            if hasattr(app, "close"):
                app.close()


@pytest.fixture
def service(deployed: Service) -> Iterator[Service]:
    handlers = dict(deployed.handlers)
    yield deployed
    deployed.handlers = handlers


def test_a_test_arrives_signed_and_its_phases_are_shown(service: Service, receiver: Receiver) -> None:
    webhook_id = service.create({"url": f"{receiver.url}/hook?x=1"})
    secret = service.call("GET", f"{BASE}/webhook/{webhook_id}/secret").json["signingSecret"]

    result = service.test(webhook_id, {"data": {"order": 17}})

    [received] = receiver.requests
    sent = {name.lower(): value for name, value in result["request"]["headers"].items()}
    assert {name: received.header(name) for name in sent} == sent
    assert received.body.decode() == result["request"]["body"]
    assert json.loads(received.body)["data"] == {"order": 17}
    StandardWebhook(SYSTEM.open(service.public_key, secret)).verify(received.body.decode(), sent)
    assert (result["outcome"], result["status"], result["address"]) == ("delivered", 200, "127.0.0.1")
    times = result["times"]
    assert times["connectMs"] <= times["firstByteMs"] <= times["totalMs"] <= result["latencyMs"] + 1
    [item] = [each for each in service.logged() if webhook_id_in(each["pk"]["S"]) == webhook_id]
    assert item["mark"] == {"S": "test"}
    assert f"{webhook_id}-{item['sk']['S']}" == result["deliveryId"]
    assert not {"undeliveredOf", "undeliveredIn"} & set(item)


def echo(connection: Connection, received: Received) -> bool:
    """Respond with the request's headers, as debugging endpoints do."""
    body = "\n".join(f"{name}: {value}" for name, value in received.headers)
    return reply(500, body=body.encode())(connection, received)


@pytest.mark.parametrize(
    ("api", "name", "shown"),
    [
        (
            {"authType": "basic", "credential": {"username": "u", "password": "planted-password"}},
            "Authorization",
            "Basic [redacted]",
        ),
        (
            {"authType": "bearer", "credential": {"token": "planted-token"}},
            "Authorization",
            "Bearer [redacted]",
        ),
        (
            {"authType": "api_key", "credential": {"keyName": "X-Key", "keyValue": "planted-value"}},
            "X-Key",
            "[redacted]",
        ),
    ],
)
def test_a_credential_is_sent_and_appears_nowhere(
    service: Service, receiver: Receiver, api: dict[str, Any], name: str, shown: str
) -> None:
    webhook_id = service.create({"url": receiver.url, **api})
    receiver.script(echo)
    result = service.test(webhook_id)
    [received] = receiver.requests
    sent = received.header(name) or ""
    assert any(each in sent or each in decoded(sent) for each in PLANTED)
    assert result["request"]["headers"][name] == shown
    assert "[redacted]" in result["response"]["excerpt"]
    assert sent.split()[-1] not in json.dumps(result) + service.log.getvalue()


def decoded(header: str) -> str:
    scheme, _, value = header.partition(" ")
    return base64.b64decode(value).decode() if scheme == "Basic" else ""


def oauth(receiver: Receiver) -> dict[str, Any]:
    return {
        "url": f"{receiver.url}/hook",
        "authType": "oauth2",
        "oAuthGrantType": "client_credentials",
        "oAuthTokenUrl": f"{receiver.url}/token",
        "credential": {"oauth2": {"clientId": "id", "clientSecret": "planted-secret"}},
    }


def test_a_test_with_a_token_shows_no_token(service: Service, receiver: Receiver) -> None:
    receiver.script(token("planted-access"), path="/token")
    result = service.test(service.create(oauth(receiver)))
    assert result["outcome"] == "delivered"
    assert result["request"]["headers"]["Authorization"] == "Bearer [redacted]"
    assert receiver.wait_for(1, path="/hook")[0].header("Authorization") == "Bearer planted-access"


@pytest.mark.parametrize(
    ("script", "detail"),
    [
        (
            reply(401, body=b'{"error": "invalid_client", "hint": "planted-secret"}'),
            "the token endpoint answered 401 invalid_client",
        ),
        (raw(b"no HTTP at all\r\n\r\n"), "the token endpoint did not answer: malformed: no HTTP"),
    ],
)
def test_a_failing_token_endpoint_is_named(
    service: Service, receiver: Receiver, script: Script, detail: str
) -> None:
    receiver.script(script, path="/token")
    result = service.test(service.create(oauth(receiver)))
    assert result["reason"] == f"there is no access token, so nothing was sent to the endpoint: {detail}"
    assert "Authorization" not in result["request"]["headers"]
    assert [each.path for each in receiver.requests] == ["/token"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (
            "https://nowhere.invalid/hook",
            "the host of the webhook's URL was not found: the host nowhere.invalid has no address",
        ),
        ("https://10.11.12.13/hook", "the service may not connect to the webhook's URL (private)"),
        ("https://169.254.169.254/hook", "the service may not connect to the webhook's URL (metadata)"),
    ],
)
def test_a_wrong_url_is_explained_without_a_connection(
    service: Service, receiver: Receiver, url: str, reason: str
) -> None:
    webhook_id = service.create({"url": receiver.url})
    service.move(webhook_id, url)
    result = service.test(webhook_id)
    assert (result["outcome"], result["reason"]) == ("failed", reason)
    assert "status" not in result
    assert "address" not in result
    assert receiver.connections == 0


def test_a_host_that_resolves_to_a_refused_address_does_not_tell_the_address(service: Service) -> None:
    with Receiver() as receiver:
        webhook_id = service.create({"url": receiver.url})
    service.move(webhook_id, "https://inside.example.com/hook")
    with calling("10.99.98.97") as http:
        service.use(http)
        result = service.test(webhook_id)
    assert result["reason"] == "the service may not connect to the webhook's URL (private)"
    assert "10.99.98.97" not in json.dumps(result) + service.log.getvalue() + json.dumps(service.logged())


def test_a_bad_certificate_is_explained(service: Service) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with Receiver(tls=context) as receiver:
        result = service.test(service.create({"url": receiver.url}))
        assert receiver.requests == []
    assert result["reason"].startswith(
        "the endpoint has no TLS that the service trusts: certificate refused: "
    )
    assert result["times"]["connectMs"] <= result["times"]["totalMs"]
    [item] = [each for each in service.logged() if result["deliveryId"].endswith(each["sk"]["S"])]
    assert (item["outcome"], item["mark"]) == ({"S": "dead"}, {"S": "test"})
    assert not {"undeliveredOf", "undeliveredIn"} & set(item)  # its tenant looks for no test


def test_a_test_ends_at_its_deadline(service: Service, receiver: Receiver) -> None:
    receiver.script(stall)
    webhook_id = service.create({"url": receiver.url}, ttl=1)
    began = time.monotonic()
    result = service.test(webhook_id)
    assert time.monotonic() - began < 3
    assert result["reason"] == (
        "the endpoint did not respond within 1 s: the time was up: waiting for the answer"
    )
    assert 900 <= result["latencyMs"] < 2000


def test_nothing_listens_is_explained(service: Service) -> None:
    with Receiver() as receiver:
        webhook_id = service.create({"url": receiver.url})
    result = service.test(webhook_id)
    assert result["reason"] == "the endpoint took no connection: Connection refused"


def test_a_redirect_is_not_followed_and_is_shown(service: Service, receiver: Receiver) -> None:
    receiver.script(reply(302, headers={"Location": f"{receiver.url}/new?token=x"}))
    result = service.test(service.create({"url": f"{receiver.url}/hook"}, successCodes=[200]))
    assert result["reason"] == (
        f"the endpoint responded with HTTP 302 to {receiver.url}/new, and the webhook's success codes are 200"
    )
    assert [each.path for each in receiver.requests] == ["/hook"]


def test_a_second_test_within_a_second_is_refused_by_all_containers(
    service: Service, receiver: Receiver
) -> None:
    webhook_id = service.create({"url": receiver.url})
    service.test(webhook_id)
    refused = service.call("POST", f"{BASE}/webhook/{webhook_id}/test")
    assert (refused.status, refused.headers["retry-after"]) == (429, "1")
    time.sleep(1)
    service.test(webhook_id)
    assert len(receiver.requests) == 2
