"""A stack of the cheapest parameters: it delivers, with credentials and retries, and its batches are fuller."""

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from local.emulator import free_port
from local.stack import Stack
from tests.e2e import logs, permissions
from tests.e2e.conftest import PARAMETERS, issue
from tests.e2e.platform_client import PlatformClient
from tests.e2e.test_delivery import publish, register
from tests.receiver import Receiver, reply
from webhooks_verify import verify_callback

pytestmark = pytest.mark.local_only("it deploys a stack of its own")

WINDOW = 1
CHEAPEST = {
    "BatchingSeconds": str(WINDOW),
    "DispatcherMemory": "256",
    "LogBackups": "false",
    "EncryptionKey": "AwsOwned",
    "SeedSecrets": "One",
    "FanoutConcurrency": "0",
    "RecoveryConcurrency": "0",
}
EVENTS = 8
SECONDS = 60.0


@pytest.fixture(scope="module")
def cheap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("cheap")
    stack = Stack(
        folder, port=free_port(), environment=permissions.ENFORCED, parameters=PARAMETERS | CHEAPEST
    )
    try:
        stack.up()
        permissions.permit_what_aws_would(stack)
        began = time.time()
        yield stack
        assert permissions.denials(stack, since=began) == []
    finally:
        stack.forget()


@pytest.fixture(scope="module")
def client(cheap: Stack) -> PlatformClient:
    return PlatformClient(cheap.api_url, issue(cheap, "system"))


def batches(stack: Stack, group: str, message: str, *, since: float) -> list[dict[str, Any]]:
    found = logs.lines(stack, permissions.physical_id(stack, group), since=since)
    lines = [json.loads(line) for line in found if line.startswith("{")]
    return [line for line in lines if line["message"] == message]


def test_events_of_one_window_are_one_batch_and_are_delivered(cheap: Stack, client: PlatformClient) -> None:
    with Receiver() as receiver:
        _, name = register(client, receiver)
        publish(cheap, name)
        receiver.wait_for(1, seconds=SECONDS)  # the functions have started
        began = time.time()
        sent = [publish(cheap, name)["eventId"] for _ in range(EVENTS)]
        assert time.time() - began < WINDOW, "the machine is too slow for this test"
        callbacks = receiver.wait_for(1 + EVENTS, seconds=SECONDS)
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            fanned_out = batches(cheap, "FanoutLogs", "batch.fanned_out", since=began)
            dispatched = batches(cheap, "DispatcherLogs", "batch.dispatched", since=began)
            if sum(each["DeliveriesDelivered"] for each in dispatched) >= EVENTS:
                break
            time.sleep(0.3)
    assert {json.loads(each.body)["id"] for each in callbacks[1:]} == set(sent)
    # Two where the first batch's window began before the first of them.
    assert sum(each["Events"] for each in fanned_out) == EVENTS
    assert len(fanned_out) <= 2
    assert len(dispatched) <= 2
    assert min(each for line in dispatched for each in line["EventToDelivery"]) >= WINDOW * 1000


def test_a_credential_is_stored_and_sent_and_a_retry_follows(cheap: Stack, client: PlatformClient) -> None:
    with Receiver() as receiver:
        receiver.script(reply(503), reply(200), path="/hook")
        _, name = register(
            client, receiver, retryCount=1, api={"authType": "bearer", "credential": {"token": "t-1"}}
        )
        publish(cheap, name)
        first, second = receiver.wait_for(2, seconds=SECONDS)
    assert first.header("authorization") == second.header("authorization") == "Bearer t-1"
    assert second.header("webhook-attempt") == "2"


def test_keys_in_one_secret_sign_and_are_reset_each_for_itself(cheap: Stack, client: PlatformClient) -> None:
    outputs = ("ServiceKeysSecret", "SigningKeysSecret", "WebhookMasterSecret")
    [secret] = {cheap.outputs[each] for each in outputs}
    before = {each["tag"]: each["keyId"] for each in client.call("GET", "/servicekeys").json}
    with Receiver() as receiver:
        webhook, name = register(client, receiver)
        publish(cheap, name)
        [callback] = receiver.wait_for(1, seconds=SECONDS)
    shown = client.call("GET", f"webhook/{webhook['_id']}/secret").json["signingSecret"]
    headers = {name.lower(): value for name, value in callback.headers}
    verify_callback(
        url=f"{receiver.url}/hook", headers=headers, body=callback.body, secret=client.unseal(shown)
    )

    for key in before.values():  # one after the other: no reset takes the other's back
        assert client.call("DELETE", f"/servicekey/{quote(key, safe='')}").status == 200

    after = {each["tag"]: each["keyId"] for each in client.call("GET", "/servicekeys").json}
    assert not set(after.values()) & set(before.values())
    stored = json.loads(cheap.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])
    assert stored["parts"].keys() == {"service", "signing"}


def test_the_stack_is_what_was_asked_for(cheap: Stack) -> None:
    assert "KeyArn" not in cheap.outputs
    assert cheap.client("kms").list_keys()["Keys"] == []
    dispatcher = cheap.client("lambda").get_function_configuration(
        FunctionName=permissions.physical_id(cheap, "DispatcherFunction"), Qualifier="live"
    )
    assert dispatcher["MemorySize"] == 256
    mappings = cheap.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    found = {
        each["EventSourceArn"].rpartition(":")[2].split("-")[-2]: (
            each["MaximumBatchingWindowInSeconds"],
            each.get("ScalingConfig", {}).get("MaximumConcurrency"),
        )
        for each in mappings
    }
    assert sorted(found.values(), key=str) == [(0, 2), (0, None), (1, 4), (1, None)]
