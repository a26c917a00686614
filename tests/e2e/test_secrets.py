"""Secrets planted wherever the service takes or keeps them: in clear nowhere but in Secrets Manager and at the endpoint.

The service is driven with good and bad requests and with deliveries that fail in all ways; then every log line,
metric, stored item, message and response of the whole stack is searched.
"""

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from local.stack import Stack
from tests import plain_protocol as protocol
from tests.e2e.conftest import issue
from tests.e2e.platform_client import ApiResponse, PlatformClient
from tests.receiver import Receiver, raw, reply, reset, token
from tests.receiver_scripts import Connection, Received

pytestmark = pytest.mark.local_only("it reads every log and table, and the emulator's own log")

SECONDS = 60.0
QUEUES = (
    "EventsQueueUrl",
    "DeliveriesQueueUrl",
    "SlowDeliveriesQueueUrl",
    "EventsDlqUrl",
    "DeliveriesDlqUrl",
)


class Planted:
    """Makes values that are found again in any encoding."""

    def __init__(self) -> None:
        self.values: set[str] = set()

    def new(self, kind: str) -> str:
        return self.known(f"planted-{kind}-{uuid.uuid4().hex}")

    def known(self, value: str) -> str:
        self.values.add(value)
        return value

    def found_in(self, text: str) -> set[str]:
        return {value for value in self.values if any(form in text for form in written(value))}


def written(value: str) -> set[str]:
    plain = value.encode()
    # A base64 text has the value's at one of three offsets, and its first and last letters depend on their neighbours.
    shifted = (base64.b64encode(b"x" * shift + plain)[4:-4].decode() for shift in range(3))
    return {value, quote(value), quote_plus(value), json.dumps(value)[1:-1], plain.hex(), *shifted}


def echo(connection: Connection, received: Received) -> bool:
    """Respond as a server in debug mode does: with the whole request, credentials first."""
    said = (
        "\n".join(f"{name}: {value}" for name, value in reversed(received.headers)) + received.body.decode()
    )
    return reply(500, said.encode())(connection, received)


def messages(stack: Stack, queue: str) -> list[dict[str, Any]]:
    """Return the messages of a queue that can be received now; they can be received again at once."""
    found: dict[str, dict[str, Any]] = {}
    sqs, url = stack.client("sqs"), stack.outputs[queue]
    while True:
        response = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=0,
            VisibilityTimeout=20,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        if not response.get("Messages"):
            break
        found |= {each["MessageId"]: each for each in response["Messages"]}
    for each in found.values():
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"], VisibilityTimeout=0)
    return list(found.values())


@contextmanager
def held(stack: Stack, queue: str) -> Iterator[None]:
    """Keep the messages of a queue from its function, so that they can be looked at."""
    functions = stack.client("lambda")
    name = stack.outputs[queue].rpartition("/")[2]
    [mapping] = [
        each["UUID"]
        for each in functions.list_event_source_mappings()["EventSourceMappings"]
        if each["EventSourceArn"].endswith(f":{name}")
    ]
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping, Enabled=True)


def wait_for(look: Callable[[], list[dict[str, Any]]], *, seconds: float = SECONDS) -> list[dict[str, Any]]:
    """Return the first result of `look` that is not empty."""
    until = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < until, "it did not come in time"
        time.sleep(0.3)
    return found


def credentials(planted: Planted) -> dict[str, dict[str, Any]]:
    return {
        "basic": {"username": planted.new("user"), "password": planted.new("password")},
        "bearer": {"token": planted.new("token")},
        "api_key": {"keyName": "X-Api-Key", "keyValue": planted.new("value")},
        "oauth2": {"oauth2": {"clientId": planted.new("id"), "clientSecret": planted.new("secret")}},
    }


def api(url: str, auth_type: str, credential: object, *, token_url: str) -> dict[str, Any]:
    oauth = {"oAuthGrantType": "client_credentials", "oAuthTokenUrl": token_url, "oAuthScopes": ["a"]}
    made = {"url": url, "authType": auth_type, "credential": credential}
    return {**made, **(oauth if auth_type == "oauth2" else {})}


def webhook(name: str, made: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "eventNames": [name],
        "name": name,
        "successCodes": [200],
        "retryCount": 1,
        "api": made,
        **changes,
    }


def publish(stack: Stack, client: PlatformClient, name: str) -> str:
    event_id = str(uuid.uuid4())
    event = {
        "eventId": event_id,
        "eventName": name,
        "tenantId": client.tenant,
        "communityId": client.community,
        "data": {},
    }
    stack.client("sqs").send_message(
        QueueUrl=stack.outputs["EventsQueueUrl"], MessageBody=json.dumps(event), MessageGroupId="acme"
    )
    return event_id


def keys_and_seeds(stack: Stack, system: PlatformClient, planted: Planted) -> None:
    """Know the secrets that the stack has by itself."""
    for output in ("ServiceKeysSecret", "SigningKeysSecret", "WebhookMasterSecret"):
        stored = stack.client("secretsmanager").get_secret_value(SecretId=stack.outputs[output])
        for value in leaves(json.loads(stored["SecretString"])):
            planted.known(value)
    for key in system.call("GET", "/servicekeys").json:
        planted.known(system.unseal(key["keySecret"]))


def leaves(content: object) -> list[str]:
    if isinstance(content, dict | list):
        inner = content.values() if isinstance(content, dict) else content
        return [leaf for each in inner for leaf in leaves(each)]
    return [content] if isinstance(content, str) and len(content) >= 32 else []


def requests_good_and_bad(
    client: PlatformClient, service: PlatformClient, planted: Planted, base: str
) -> list[ApiResponse]:
    """Send valid and invalid requests, all with secrets; returns the responses."""
    responses = []
    name = f"secrets.{uuid.uuid4().hex[:8]}"
    for auth_type, credential in credentials(planted).items():
        made = api(f"{base}/x", auth_type, credential, token_url=f"{base}/token")
        good = webhook(name, made, disabled=True)
        created = client.call("PUT", "webhook", good)
        assert created.status == 200, created.body
        planted.known(client.unseal(created.json["signingSecret"]))
        path = f"webhook/{created.json['_id']}"
        rotated = client.call("POST", f"{path}/secret/rotate")
        assert rotated.status == 200, rotated.body
        planted.known(client.unseal(rotated.json["signingSecret"]))
        other = credentials(planted)[auth_type]
        responses += [
            created,
            rotated,
            client.call("GET", path),
            client.call("PATCH", path, {"api": {"credential": other}}),
            client.call("PATCH", path, {"api": {"authType": "none"}}),
            client.call("PATCH", path, {"api": {"credential": {**other, "extra": planted.new("extra")}}}),
            client.call("GET", f"{path}/secret"),
            client.call("PUT", "webhook", webhook(name, {**made, "authType": "none"})),
            client.call("PUT", "webhook", webhook(name, {**made, "credential": planted.new("text")})),
            client.call("PUT", "webhook", webhook(name, {**made, "credential": [leaves(credential)]})),
            client.call("PUT", "webhook", {**good, "ttl": 9}),
            client.call("PUT", "webhook", {**good, "unknown": planted.new("more")}),
            client.call("PUT", "webhook", json.dumps(good).encode()[:-1]),
            client.call("PUT", "webhook", json.dumps(good).encode() + b"\xff"),
            service.call("PUT", "webhook", good),
            client.plain("PUT", "/tenant/acme/community/main/webhook", good),
        ]
        broken = json.loads(json.dumps(credential).replace("planted-", "planted-\\r\\n"))
        responses.append(client.call("PUT", "webhook", webhook(name, {**made, "credential": broken})))
    user_info = f"http://user:{planted.new('url')}@127.0.0.1/"
    responses += [
        client.call("PUT", "webhook", webhook(name, {"url": user_info})),
        client.call("POST", "webhooks/fetch", {}),
        service.call("POST", "webhooks/fetch", {}),
        client.call("GET", "/servicekeys"),
        service.call("GET", "/servicekeys"),
    ]
    return responses


def callers_good_and_bad(client: PlatformClient, planted: Planted) -> list[ApiResponse]:
    """Call with licenses and keys that do and do not hold; returns the responses."""
    unknown = PlatformClient(client.api_url, planted.new("license"))
    planted.known(unknown.keys.private)
    good, stranger = client.headers(), unknown.headers()
    raw_headers = {
        "keyId": client.keys.public,
        "keySecret": client.keys.private,
        "license": client.license_key,
    }
    for sent in (good, stranger):
        planted.known(sent["licensekey"])
        planted.known(sent["requestid"])
    responses = [
        client.call("GET", "/servicekeys", headers=sent)
        for sent in (
            good,
            stranger,
            client.headers(ts=1),
            raw_headers,
            {**good, "requestid": good["requestid"][:-8]},
            {**good, "licensekey": stranger["licensekey"]},
            {**good, "publickey": unknown.keys.private},
        )
    ]
    peer = protocol.new_key_pair()
    planted.known(peer.private)
    texts = {"data": planted.new("data"), "publicKey": client.keys.public, "privateKey": peer.private}
    for body in (
        texts,
        {**texts, "privateKey": planted.new("key")},
        {**texts, "publicKey": planted.new("key")},
        {**texts, "privateKey": [planted.new("key")]},
        json.dumps(texts).encode()[:-1],
    ):
        responses += [
            client.plain("POST", f"/ecdsa_helper/{way}", body) for way in ("encrypt", "decrypt", "other")
        ]
    return responses


def everything(stack: Stack) -> dict[str, str]:
    """Return all that the stack has kept, but the secrets themselves, as text by where it was."""
    logs, tables, metrics = (stack.client(name) for name in ("logs", "dynamodb", "cloudwatch"))
    groups = [
        group["logGroupName"]
        for page in logs.get_paginator("describe_log_groups").paginate()
        for group in page["logGroups"]
    ]
    kept = {
        f"log group {group}": "\n".join(
            event["message"]
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            for event in page["events"]
        )
        for group in groups
    }
    for table in ("SubscriptionsTable", "DeliveriesTable", "AccessTable"):
        pages = tables.get_paginator("scan").paginate(TableName=stack.outputs[table])
        kept[table] = json.dumps(
            [item for page in pages for item in page["Items"]], ensure_ascii=False, default=str
        )
    for queue in QUEUES:
        kept[queue] = json.dumps(messages(stack, queue), ensure_ascii=False, default=str)
    kept["metrics"] = json.dumps(metrics.list_metrics()["Metrics"], default=str)
    kept["emulator.log"] = stack.emulator.log.read_text("utf-8", "replace")
    return kept


@pytest.fixture(scope="module")
def planted() -> Planted:
    return Planted()


def test_no_secret_is_in_clear_anywhere(stack: Stack, system: PlatformClient, planted: Planted) -> None:
    client = PlatformClient(system.api_url, planted.known(issue(stack, "system")), community="secrets")
    scope = {"tenant": "acme", "community": "secrets"}
    service = PlatformClient(
        system.api_url, planted.known(issue(stack, "service", **scope)), community="secrets"
    )
    for each in (client, service):
        planted.known(each.keys.private)
    with Receiver() as receiver:
        responses = requests_good_and_bad(client, service, planted, receiver.url)
        responses += callers_good_and_bad(client, planted)
        keys_and_seeds(stack, client, planted)
        events = failing_deliveries(stack, client, planted, receiver)
        seen = messages_on_their_way(stack, client, planted, receiver)
        dead = wait_for(lambda: dead_lettered(stack, events), seconds=SECONDS)
    kept = everything(stack)

    statuses = [response.status for response in responses]
    assert {200, 400, 401, 403} <= set(statuses) <= {200, 400, 401, 403, 404}, statuses
    assert len(planted.values) > 60
    assert {len(kept["AccessTable"]) > 100, len(kept["DeliveriesTable"]) > 100, len(dead) >= len(events)} == {
        True
    }
    assert any("delivery.failed" in text for where, text in kept.items() if where.startswith("log group"))
    assert any("request.completed" in text for where, text in kept.items() if where.startswith("log group"))
    assert "[redacted]" in kept["DeliveriesTable"]
    leaks = {where: planted.found_in(text) for where, text in kept.items()}
    leaks |= {f"message {number}": planted.found_in(text) for number, text in enumerate(seen)}
    leaks |= {
        f"response {number}: {response.status}": planted.found_in(response.body.decode())
        for number, response in enumerate(responses)
        if not response.body.startswith(b'{"data":')  # the helper returns the text that it was given
    }
    assert {where: found for where, found in leaks.items() if found} == {}


def failing_deliveries(
    stack: Stack, client: PlatformClient, planted: Planted, receiver: Receiver
) -> set[str]:
    """Let deliveries of each kind fail in each way; returns their events' ids."""
    receiver.script(token(planted.new("access-token")), path="/token")
    receiver.script(echo, path="/bad-token")
    receiver.script(echo, path="/echo")
    receiver.script(reset, path="/reset")
    receiver.script(raw(b"HTTP/9 \x00\r\n\r\n"), path="/malformed")
    receiver.script(reply(401, b"no"), path="/refusing")
    events = set()
    for auth_type in ("basic", "bearer", "api_key", "oauth2"):
        for path in ("/echo", "/reset", "/malformed", "/refusing", "/gone", "/tls"):
            base = receiver.url.replace("http:", "https:") if path == "/tls" else receiver.url
            token_url = f"{receiver.url}{'/bad-token' if path == '/gone' else '/token'}"
            name = f"secrets.{uuid.uuid4().hex[:8]}"
            made = api(base + path, auth_type, credentials(planted)[auth_type], token_url=token_url)
            response = client.call("PUT", "webhook", webhook(name, made))
            assert response.status == 200, response.body
            planted.known(client.unseal(response.json["signingSecret"]))
            if path == "/gone":
                receiver.script(reply(410, b"gone"), path=path)
            events.add(publish(stack, client, name))
    return events


def dead_lettered(stack: Stack, events: set[str]) -> list[dict[str, Any]]:
    """Return the dead letters once there is one for each event."""
    found = [
        each for each in messages(stack, "DeliveriesDlqUrl") if any(event in each["Body"] for event in events)
    ]
    return found if all(any(event in each["Body"] for each in found) for event in events) else []


def messages_on_their_way(
    stack: Stack, client: PlatformClient, planted: Planted, receiver: Receiver
) -> list[str]:
    """Look at messages of the deliveries queue and of the slow lane; returns them as text."""
    name = f"secrets.{uuid.uuid4().hex[:8]}"
    made = api(f"{receiver.url}/echo", "bearer", credentials(planted)["bearer"], token_url="")
    assert client.call("PUT", "webhook", webhook(name, made)).status == 200
    seen = []
    with held(stack, "SlowDeliveriesQueueUrl"):
        with held(stack, "DeliveriesQueueUrl"):
            event = publish(stack, client, name)
            seen += wait_for(lambda: [m for m in messages(stack, "DeliveriesQueueUrl") if event in m["Body"]])
        seen += wait_for(lambda: [m for m in messages(stack, "SlowDeliveriesQueueUrl") if event in m["Body"]])
    return [json.dumps(each, default=str) for each in seen]
