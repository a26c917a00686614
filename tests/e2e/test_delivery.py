"""Events through the deployed queues and functions to a receiver; retries and dead letters of failures."""

import json
import time
import uuid
from typing import Any

from standardwebhooks.webhooks import Webhook as StandardWebhook

from local.stack import Stack
from tests import plain_protocol as protocol
from tests.e2e.platform_client import PlatformClient
from tests.e2e.targets import CallbackReceiver, open_receiver
from tests.receiver import reply, token

SECONDS = 40.0


def register(
    client: PlatformClient, receiver: CallbackReceiver, *, path: str = "/hook", **changes: Any
) -> tuple[dict[str, Any], str]:
    """Register a webhook for an event name of its own; returns (webhook, event name)."""
    name = f"e2e.{uuid.uuid4().hex[:12]}"
    api = {"url": receiver.url + path, **changes.pop("api", {})}
    body = {"eventNames": [name], "name": name, "successCodes": [200], "api": api, **changes}
    response = client.call("PUT", "webhook", body)
    assert response.status == 200, response.body
    return response.json, name


def publish(stack: Stack, name: str, **changes: Any) -> dict[str, Any]:
    event = {
        "eventId": str(uuid.uuid4()),
        "eventName": name,
        "tenantId": "acme",
        "communityId": "main",
        "occurredAt": "2026-01-15T09:30:00.250Z",
        "data": {"orderId": "A-1", "note": "ü"},
        **changes,
    }
    stack.client("sqs").send_message(
        QueueUrl=stack.outputs["EventsQueueUrl"], MessageBody=json.dumps(event), MessageGroupId="acme"
    )
    return event


def dead_letters(stack: Stack, queue: str, wanted: str, *, seconds: float = SECONDS) -> tuple[str, str]:
    """Wait for a dead letter whose body has the text; returns (body, reason)."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        response = stack.client("sqs").receive_message(
            QueueUrl=stack.outputs[queue],
            MaxNumberOfMessages=10,
            WaitTimeSeconds=1,
            VisibilityTimeout=1,
            MessageAttributeNames=["All"],
        )
        for message in response.get("Messages", []):
            if wanted in message["Body"]:
                return message["Body"], message["MessageAttributes"]["reason"]["StringValue"]
    raise AssertionError(f"no dead letter with {wanted} in {queue}")


def test_an_event_becomes_a_callback_with_every_proof(stack: Stack, system: PlatformClient) -> None:
    with open_receiver() as receiver:
        webhook, name = register(system, receiver, path="/hook?a=1")

        event = publish(stack, name)

        [callback] = receiver.wait_for(1, seconds=SECONDS)
    headers = dict(callback.headers)
    assert json.loads(callback.body) == {
        "id": event["eventId"],
        "type": name,
        "timestamp": event["occurredAt"],
        "tenantId": "acme",
        "communityId": "main",
        "data": event["data"],
    }
    secret = system.unseal(webhook["signingSecret"])
    assert StandardWebhook(secret).verify(callback.body, headers)["id"] == event["eventId"]
    assert protocol.secret_signature_holds(headers, callback.body, secret=secret)
    public_key = system.plain("GET", "/publickeys").json["publicKey"]
    assert protocol.service_signature_holds(headers, callback.body, service_public=public_key)
    jwks = system.plain("GET", "/.well-known/jwks.json").json
    url = f"{receiver.url}/hook?a=1"
    assert protocol.http_signature_holds(headers, callback.body, method="POST", url=url, jwks=jwks)


def test_only_matching_events_are_sent(stack: Stack, system: PlatformClient) -> None:
    with open_receiver() as receiver:
        _, name = register(system, receiver, query=[{"orderId": "A-2"}, {"note": "x"}], criteria="ANY")

        publish(stack, name)
        publish(stack, name, data={"orderId": "A-2"})

        [callback] = receiver.wait_for(1, seconds=SECONDS)
        time.sleep(1)
        assert receiver.requests == [callback]
    assert json.loads(callback.body)["data"] == {"orderId": "A-2"}


def test_a_failed_delivery_is_retried_and_in_the_end_dead_lettered(
    stack: Stack, system: PlatformClient
) -> None:
    with open_receiver() as receiver:
        receiver.script(reply(503), reply(500))
        _, name = register(system, receiver, retryCount=1)

        event = publish(stack, name)

        first, second = receiver.wait_for(2, seconds=SECONDS)
        _, reason = dead_letters(stack, "DeliveriesDlqUrl", event["eventId"])
    assert first.header("webhook-id") == second.header("webhook-id")
    assert [first.header("webhook-attempt"), second.header("webhook-attempt")] == ["1", "2"]
    assert reason == "HTTP 500 at the last of 2 attempts"


def test_an_oauth2_callback_has_a_token_of_the_token_endpoint(stack: Stack, system: PlatformClient) -> None:
    with open_receiver() as receiver:
        receiver.script(token("tok-1"), path="/token")
        api = {
            "authType": "oauth2",
            "oAuthGrantType": "client_credentials",
            "oAuthTokenUrl": f"{receiver.url}/token",
            "oAuthScopes": ["a"],
            "credential": {"oauth2": {"clientId": "id", "clientSecret": "shh"}},
        }
        _, name = register(system, receiver, api=api)

        publish(stack, name)

        [callback] = receiver.wait_for(1, seconds=SECONDS, path="/hook")
    assert callback.header("Authorization") == "Bearer tok-1"


def test_a_disabled_webhook_gets_nothing_and_an_enabled_one_again(
    stack: Stack, system: PlatformClient
) -> None:
    with open_receiver() as receiver:
        webhook, name = register(system, receiver)
        path = f"webhook/{webhook['_id']}"
        assert system.call("PATCH", path, {"disabled": True}).status == 200
        publish(stack, name, eventId="while-disabled")
        time.sleep(2)
        assert system.call("PATCH", path, {"disabled": False}).status == 200

        event = publish(stack, name)

        [callback] = receiver.wait_for(1, seconds=SECONDS)
    assert json.loads(callback.body)["id"] == event["eventId"]


def test_an_invalid_event_is_dead_lettered_with_the_reason(stack: Stack) -> None:
    marker = uuid.uuid4().hex
    stack.client("sqs").send_message(QueueUrl=stack.outputs["EventsQueueUrl"], MessageBody=f"not {marker}")
    publish(stack, "e2e.invalid", tenantId=7, data={"marker": marker})

    body, reason = dead_letters(stack, "EventsDlqUrl", f"not {marker}")
    assert body == f"not {marker}"
    assert "not JSON" in reason
    _, reason = dead_letters(stack, "EventsDlqUrl", f'"marker": "{marker}"')
    assert "tenantId" in reason


def test_every_delivery_is_in_the_log_once(stack: Stack, system: PlatformClient) -> None:
    with open_receiver() as receiver:
        webhook, name = register(system, receiver)
        for _ in range(5):
            publish(stack, name)
        receiver.wait_for(5, seconds=SECONDS)
        path = f"webhook/{webhook['_id']}/deliveries/fetch"
        # The receiver stays until the last of its responses was read.
        until = time.monotonic() + SECONDS
        while len(found := system.call("POST", path, {}).json["data"]) < 5 and time.monotonic() < until:
            time.sleep(0.5)
    assert [each["outcome"] for each in found] == ["delivered"] * 5
    assert {each["deliveryId"] for each in found} == {each.header("webhook-id") for each in receiver.requests}
