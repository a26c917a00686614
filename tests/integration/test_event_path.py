"""From an event on the queue to a callback at the endpoint: the composed functions, over moto's AWS and real sockets."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as StandardWebhook

from signing import Curve, derive_webhook_secret, encode_webhook_secret, jwk, thumbprint
from tests.contract.backends import Backend, backend_named
from tests.contract.credential_stores import open_credentials
from tests.lambda_functions import ENVIRONMENT, LOOPBACK
from tests.plain_protocol import http_signature_holds, secret_signature_holds, service_signature_holds
from tests.receiver import Receiver, reply, token
from webhooks.adapters.credential_forms import CredentialForms
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.bootstrap import dispatcher, fanout
from webhooks.bootstrap.dispatcher import DispatcherApp
from webhooks.bootstrap.fanout import FanoutApp
from webhooks.domain.keyring import service_keys, signing_keys
from webhooks.domain.lane import Lane
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import AuthType, Credential, Definition, Endpoint, Webhook
from webhooks.entrypoints.sqs import batch_response, delivery_messages, event_messages
from webhooks.ports import IdempotencyRecord

SCOPE = Scope("t1", "c1")
SEED = {"seed": "s" * 64}
NATIVE = {
    "eventName": "E_LOGIN",
    "tenantId": "t1",
    "communityId": "c1",
    "eventId": "e1",
    "data": {"user": "ü"},
}


@dataclass
class Stack:
    """The event path as the template connects it."""

    backend: Backend
    subscriptions: DynamoSubscriptions
    credentials: CredentialForms
    queues: dict[str, str]
    deliveries_table: str
    receiver: Receiver
    fanout: FanoutApp
    dispatcher: DispatcherApp

    def register(self, credential: Credential | None = None, **changes: Any) -> Webhook:
        endpoint = replace(Endpoint(f"{self.receiver.url}/hook?x=1"), **changes.pop("endpoint", {}))
        definition = Definition(
            event_names=("E_LOGIN",), name="n", endpoint=endpoint, success_codes=(200,), created_by="me"
        )
        webhook_id = self.subscriptions.next_id(SCOPE, now=time.time())
        webhook = Webhook(
            id=webhook_id,
            scope=SCOPE,
            definition=replace(definition, **changes),
            created_at=int(time.time()),
            credential=self.credentials.create(SCOPE, webhook_id, credential=credential)
            if credential
            else None,
        )
        self.subscriptions.add(webhook, IdempotencyRecord(webhook_id, "{}", int(time.time()) + 60))
        return webhook

    def publish(self, *events: Any) -> dict[str, Any]:
        records = [
            {
                "messageId": f"m{number}",
                "body": event if isinstance(event, str) else json.dumps(event),
                "attributes": {"SentTimestamp": "1700000000000", "ApproximateReceiveCount": "1"},
            }
            for number, event in enumerate(events)
        ]
        return batch_response(self.fanout.fanout.fan_out(event_messages({"Records": records})))

    def waiting(self, queue: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while messages := self.backend.clients.sqs.receive_message(
            QueueUrl=self.queues[queue],
            MaxNumberOfMessages=10,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages"):
            found += [dict(message) for message in messages]
        return found

    def deliver(self, lane: Lane = Lane.FAST) -> list[dict[str, Any]]:
        """Run the dispatcher on all that waits in a lane, as Lambda would; returns the failures."""
        return self.dispatch(self.waiting("slow" if lane is Lane.SLOW else "deliveries"), lane)

    def dispatch(
        self, messages: list[dict[str, Any]], lane: Lane = Lane.FAST, receives: int = 1
    ) -> list[dict[str, Any]]:
        records = [
            {
                "messageId": message["MessageId"],
                "body": message["Body"],
                "attributes": {"ApproximateReceiveCount": str(receives)},
            }
            for message in messages
        ]
        failures = batch_response(
            self.dispatcher.dispatcher.dispatch(delivery_messages({"Records": records}), lane)
        )
        failed = {failure["itemIdentifier"] for failure in failures["batchItemFailures"]}
        queue = self.queues["slow" if lane is Lane.SLOW else "deliveries"]
        for message in messages:
            if message["MessageId"] not in failed:
                self.backend.clients.sqs.delete_message(
                    QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"]
                )
        return failures["batchItemFailures"]

    def log(self) -> list[dict[str, Any]]:
        """Return the log's items, without the payloads beside them."""
        items = self.backend.clients.dynamodb.scan(TableName=self.deliveries_table)["Items"]
        return [item for item in items if item["pk"]["S"].startswith("W#")]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with backend_named("moto") as backend, Receiver() as receiver:
        subscriptions, access = backend.table("subscriptions"), backend.table("access", sorted_by=None)
        deliveries = backend.table("deliveries")
        names = ("events", "events-dlq", "deliveries", "slow", "deliveries-dlq", "recovery")
        queues = {name: backend.queue(name) for name in names}
        environment = (
            ENVIRONMENT
            | LOOPBACK
            | {
                "SUBSCRIPTIONS_TABLE": subscriptions,
                "ACCESS_TABLE": access,
                "DELIVERIES_TABLE": deliveries,
                "EVENTS_QUEUE_URL": queues["events"],
                "EVENTS_DLQ_URL": queues["events-dlq"],
                "DELIVERIES_QUEUE_URL": queues["deliveries"],
                "SLOW_DELIVERIES_QUEUE_URL": queues["slow"],
                "DELIVERIES_DLQ_URL": queues["deliveries-dlq"],
                "RECOVERY_QUEUE_URL": queues["recovery"],
                "SERVICE_KEYS_SECRET": backend.secret("service", json.dumps(SEED)),
                "SIGNING_KEYS_SECRET": backend.secret("signing", json.dumps(SEED)),
                "WEBHOOK_MASTER_SECRET": backend.secret("master", json.dumps(SEED)),
                "CREDENTIALS_PREFIX": "test/credentials/",
                "RETRY_DELAYS": "0,0",
                "FAST_LANE_SECONDS": "2",
            }
        )
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        stack = Stack(
            backend=backend,
            subscriptions=DynamoSubscriptions(
                backend.clients,
                Tables(subscriptions, access),
                clock=time.time,
                random_bytes=backend.random_bytes,
            ),
            credentials=open_credentials(backend, "test/credentials/"),
            queues=queues,
            deliveries_table=deliveries,
            receiver=receiver,
            fanout=fanout.compose(),
            dispatcher=dispatcher.compose(),
        )
        yield stack
        stack.dispatcher.close()
        stack.fanout.close()


def test_a_matching_event_becomes_a_callback_that_three_verifiers_accept(stack: Stack) -> None:
    webhook = stack.register()

    assert stack.publish(NATIVE) == {"batchItemFailures": []}
    assert stack.deliver() == []

    [callback] = stack.receiver.requests
    headers = dict(callback.headers)
    assert (callback.method, callback.path) == ("POST", "/hook?x=1")
    assert json.loads(callback.body) == {
        "id": "e1",
        "type": "E_LOGIN",
        "timestamp": "2023-11-14T22:13:20.000Z",
        "tenantId": "t1",
        "communityId": "c1",
        "data": {"user": "ü"},
    }
    assert headers["Content-Type"] == "application/json"
    assert headers["Accept"] == "*/*"
    assert headers["webhook-attempt"] == "1"
    service = service_keys(SEED, Curve.SECP256K1).current.public_key.to_base64()
    assert service_signature_holds(headers, callback.body, service_public=service)
    secret = encode_webhook_secret(derive_webhook_secret(SEED["seed"].encode(), webhook.id, 1))
    assert secret_signature_holds(headers, callback.body, secret=secret)
    assert StandardWebhook(secret).verify(callback.body, headers)["type"] == "E_LOGIN"
    content = signing_keys(SEED).current.public_key
    jwks = {"keys": [jwk(content, thumbprint(content))]}
    url = webhook.definition.endpoint.url
    assert http_signature_holds(headers, callback.body, method="POST", url=url, jwks=jwks)


def test_all_deliveries_for_one_webhook_travel_in_one_message(stack: Stack) -> None:
    stack.register()

    stack.publish(*({**NATIVE, "eventId": f"e{number}"} for number in range(10)))

    [message] = stack.waiting("deliveries")
    assert stack.dispatch([message]) == []
    assert sorted(json.loads(each.body)["id"] for each in stack.receiver.requests) == [
        f"e{number}" for number in range(10)
    ]


def test_an_event_that_does_not_match_is_not_sent(stack: Stack) -> None:
    stack.register(query=({"user": "x"},))
    stack.register(disabled=True)
    stack.register(event_names=("E_OTHER",))

    stack.publish(NATIVE, {**NATIVE, "tenantId": "t2"}, {**NATIVE, "communityId": "c2"})

    assert stack.waiting("deliveries") == []


def test_a_change_is_seen_by_the_next_event(stack: Stack) -> None:
    webhook = stack.register()
    stack.publish(NATIVE)
    assert len(stack.waiting("deliveries")) == 1

    disabled = replace(
        webhook, definition=replace(webhook.definition, disabled=True), revision=webhook.revision + 1
    )
    stack.subscriptions.change(webhook, disabled, record=None)
    stack.publish({**NATIVE, "eventId": "e2"})

    assert stack.waiting("deliveries") == []


def test_an_invalid_event_is_dead_lettered_and_harms_no_other(stack: Stack) -> None:
    stack.register()

    assert stack.publish("no json", {**NATIVE, "tenantId": 7}, NATIVE) == {"batchItemFailures": []}

    dead_lettered = stack.waiting("events-dlq")
    reasons = {each["Body"]: each["MessageAttributes"]["reason"]["StringValue"] for each in dead_lettered}
    assert "not JSON" in reasons["no json"]
    assert any("tenantId" in reason for reason in reasons.values())
    assert len(stack.waiting("deliveries")) == 1


@pytest.mark.parametrize(
    ("auth_type", "credential", "header"),
    [
        (AuthType.BASIC, Credential(username="ü", password="p:w"), ("Authorization", "Basic w7w6cDp3")),
        (AuthType.BEARER, Credential(token="tok"), ("Authorization", "Bearer tok")),
        (AuthType.API_KEY, Credential(key_name="X-Key", key_value="v"), ("X-Key", "v")),
    ],
)
def test_each_auth_type_sends_its_header(
    stack: Stack, auth_type: AuthType, credential: Credential, header: tuple[str, str]
) -> None:
    stack.register(credential, endpoint={"auth_type": auth_type})

    stack.publish(NATIVE)
    stack.deliver()

    assert header in stack.receiver.requests[0].headers


def test_an_oauth2_token_is_fetched_once_and_again_after_a_401(stack: Stack) -> None:
    stack.register(
        Credential(client_id="id", client_secret="secret"),
        endpoint={
            "auth_type": AuthType.OAUTH2,
            "oauth_grant_type": "client_credentials",
            "oauth_token_url": f"{stack.receiver.url}/token",
            "oauth_scopes": ("a", "b"),
        },
    )
    stack.receiver.script(token("first"), token("second"), path="/token")
    stack.receiver.script(reply(401), reply(200), path="/hook?x=1")

    stack.publish(NATIVE)
    stack.deliver()

    hooks = [each for each in stack.receiver.requests if each.path != "/token"]
    assert [each.header("Authorization") for each in hooks] == ["Bearer first", "Bearer second"]
    assert [each.header("webhook-attempt") for each in hooks] == ["1", "1"]
    [item] = stack.log()
    assert item["outcome"]["S"] == "delivered"


def test_a_failure_is_retried_and_the_log_has_the_history(stack: Stack) -> None:
    stack.register(retry_count=2)
    stack.receiver.script(reply(503, b"busy"), reply(200))

    stack.publish(NATIVE)
    stack.deliver()
    [item] = stack.log()
    assert item["outcome"]["S"] == "retrying"
    stack.deliver(Lane.SLOW)

    first, second = stack.receiver.requests
    assert (first.header("webhook-id"), first.body) == (second.header("webhook-id"), second.body)
    assert second.header("webhook-attempt") == "2"
    [item] = stack.log()
    assert item["outcome"]["S"] == "delivered"


def test_an_exhausted_delivery_is_dead_lettered_with_its_reason(stack: Stack) -> None:
    stack.register(retry_count=1)
    stack.receiver.script(reply(500))

    stack.publish(NATIVE)
    stack.deliver()
    stack.deliver(Lane.SLOW)

    [dead_lettered] = stack.waiting("deliveries-dlq")
    assert dead_lettered["MessageAttributes"]["reason"]["StringValue"] == "HTTP 500 at the last of 2 attempts"
    [item] = stack.log()
    assert item["outcome"]["S"] == "dead"
    assert len(stack.receiver.requests) == 2


def test_a_redirect_is_recorded_with_its_location_and_not_followed(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    location = {"Location": "https://u:p@www.foo.com/api?token=secret"}
    stack.receiver.script(reply(308, headers=location), path="/hook?x=1")
    stack.register()

    stack.publish(NATIVE)
    stack.deliver()

    led = "https://www.foo.com/api"
    [line] = [each for each in caplog.records if each.getMessage() == "delivery.failed"]
    assert vars(line)["location"] == led
    [item] = stack.log()
    [attempt] = json.loads(item["attempts"]["S"])
    assert attempt["location"] == led
    times = vars(line)["times_ms"]
    assert [*times] == ["lookup", "connect", "tls", "first_byte", "total"]
    assert [*times.values()] == attempt["timesMs"]
    [dead] = stack.waiting("deliveries-dlq")
    assert dead["MessageAttributes"]["reason"]["StringValue"] == f"HTTP 308 to {led}, not a retry code"
    assert len(stack.receiver.requests) == 1


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((200,), [("delivery.delivered", "DEBUG", 1, "delivered")]),
        (
            (503, 200),
            [
                ("delivery.failed", "INFO", 1, "retryafter"),
                ("delivery.delivered", "DEBUG", 2, "delivered"),
            ],
        ),
        (
            (503, 503),
            [("delivery.failed", "INFO", 1, "retryafter"), ("delivery.failed", "INFO", 2, "deadlettered")],
        ),
    ],
    ids=["delivered", "delivered after a retry", "dead"],
)
def test_only_a_failed_attempt_has_a_line_of_its_own(
    stack: Stack,
    caplog: pytest.LogCaptureFixture,
    answers: tuple[int, ...],
    expected: list[tuple[str, str, int, str]],
) -> None:
    """The log of a million deliveries would cost a quarter of them; the batch's line has their number."""
    caplog.set_level("DEBUG", logger="webhooks")
    stack.register(retry_count=1)
    stack.receiver.script(*map(reply, answers))

    stack.publish(NATIVE)
    stack.deliver()
    if len(answers) > 1:
        stack.deliver(Lane.SLOW)

    lines = [each for each in caplog.records if each.getMessage().startswith("delivery.")]
    fields = [vars(each) for each in lines]
    assert [
        (each["message"], each["levelname"], each["attempt"], each["verdict"]) for each in fields
    ] == expected
    assert {each["event_id"] for each in fields} == {"e1"}
    [item] = stack.log()
    assert item["outcome"]["S"] == ("delivered" if answers[-1] == 200 else "dead")


def test_status_410_disables_the_webhook(stack: Stack) -> None:
    webhook = stack.register(retry_count=2)
    stack.receiver.script(reply(410))

    stack.publish(NATIVE)
    stack.deliver()
    stack.publish({**NATIVE, "eventId": "e2"})

    stored = stack.subscriptions.get(SCOPE, webhook.id)
    assert stored is not None
    assert (stored.enabled, stored.disabled_reason) == (False, "endpoint gone (HTTP 410)")
    assert stack.waiting("deliveries") == []


def test_deliveries_of_a_deleted_webhook_end_with_that_reason(stack: Stack) -> None:
    webhook = stack.register()
    stack.publish(NATIVE)
    stack.subscriptions.remove(webhook, IdempotencyRecord("k", "", int(time.time()) + 60))

    assert stack.deliver() == []

    assert stack.receiver.requests == []
    [item] = stack.log()
    assert (item["outcome"]["S"], item["reason"]["S"]) == ("skipped", "webhook deleted")


def test_a_settled_message_is_not_sent_again(stack: Stack) -> None:
    stack.register()
    stack.publish(NATIVE)
    [message] = stack.waiting("deliveries")

    stack.dispatch([message])
    stack.dispatch([message])

    assert len(stack.receiver.requests) == 1


def test_a_deleted_secret_dead_letters_only_its_own_delivery(stack: Stack) -> None:
    broken = stack.register(Credential(token="t"), endpoint={"auth_type": AuthType.BEARER})
    assert broken.credential is not None
    stack.credentials.delete(broken.credential)
    stack.register()

    stack.publish(NATIVE)
    assert stack.deliver() == []

    [dead_lettered] = stack.waiting("deliveries-dlq")
    assert "credential is missing" in dead_lettered["MessageAttributes"]["reason"]["StringValue"]
    assert len(stack.receiver.requests) == 1


def test_a_malformed_pack_is_dead_lettered_alone(stack: Stack) -> None:
    stack.register()
    stack.publish(NATIVE)
    stack.backend.clients.sqs.send_message(QueueUrl=stack.queues["deliveries"], MessageBody="rubbish")

    assert stack.deliver() == []

    [dead_lettered] = stack.waiting("deliveries-dlq")
    assert dead_lettered["Body"] == "rubbish"
    assert len(stack.receiver.requests) == 1


@pytest.mark.parametrize("when", ["2026-01-02T03:04:05Z", None])
def test_an_event_that_its_producer_repeats_is_delivered_once(stack: Stack, when: str | None) -> None:
    stack.register()
    event = NATIVE | ({"occurredAt": when} if when else {})

    for _ in range(2):
        stack.publish(event, event)
        stack.deliver()

    assert len(stack.receiver.requests) == 1


def test_two_messages_with_one_delivery_in_a_batch_send_it_once(stack: Stack) -> None:
    stack.register()
    stack.publish(NATIVE)
    stack.publish(NATIVE)

    assert stack.deliver() == []

    assert len(stack.receiver.requests) == 1


def test_a_slow_webhook_leaves_the_fast_lane_until_it_is_quick_again(stack: Stack) -> None:
    slow, quick = stack.register(), stack.register()
    stack.receiver.script(reply(200, delay=2.5))
    stack.publish(NATIVE)
    stack.deliver()
    stack.receiver.script(reply(200))

    for number in range(3):
        stack.publish({**NATIVE, "eventId": f"again-{number}"})
        stack.deliver()
    assert len(stack.receiver.requests) == 2  # both were slow the first time: all else waits in the slow lane
    for webhook in (slow, quick):
        stored = stack.subscriptions.get(SCOPE, webhook.id)
        assert stored is not None
        assert stored.health.slow_since is not None

    assert stack.deliver(Lane.SLOW) == []
    assert len(stack.receiver.requests) == 8
    stack.publish({**NATIVE, "eventId": "quick"})
    assert stack.deliver() == []
    assert len(stack.receiver.requests) == 10
