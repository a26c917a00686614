"""The managed policies of the stack: a publisher publishes and reads nothing, an operator's commands all work."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.stack import Stack
from tests.e2e import operators
from tests.e2e.conftest import issue
from tests.e2e.operators import Operator
from tests.e2e.platform_client import PlatformClient
from tests.e2e.test_delivery import register
from tests.receiver import Receiver

pytestmark = pytest.mark.local_only(
    "it needs the emulator's decisions on permissions, and a receiver on loopback"
)

SECONDS = 60.0
ROOT = Path(__file__).parents[2]


def is_refused(stack: Stack, given: dict[str, str], service: str, method: str, **arguments: Any) -> bool:
    try:
        getattr(operators.client(stack, service, given), method)(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}
    return False


@pytest.fixture
def publisher(stack: Stack) -> Iterator[dict[str, str]]:
    name = f"publisher-{time.time_ns()}"
    yield operators.credentials(stack, operators.document(stack, "PublisherPolicyArn"), name=name)
    operators.remove(stack, name)


@pytest.fixture
def webhooks(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    yield from operators.operator_of(stack, tmp_path, monkeypatch, system=issue(stack, "system"))


def test_a_publisher_publishes(stack: Stack, system: PlatformClient, publisher: dict[str, str]) -> None:
    with Receiver() as receiver:
        _, name = register(system, receiver)
        event = {
            "eventName": name,
            "tenantId": "acme",
            "communityId": "main",
            "occurredAt": "2026-11-23T22:24:38.123Z",
            "eventId": f"{time.time_ns()}",
            "data": {"by": "publisher"},
        }
        sqs = operators.client(stack, "sqs", publisher)
        sqs.send_message(QueueUrl=stack.outputs["EventsQueueUrl"], MessageBody=json.dumps(event))
        [callback] = receiver.wait_for(1, seconds=SECONDS)
    assert b"publisher" in callback.body


def test_a_publisher_reads_nothing_and_sends_nowhere_else(stack: Stack, publisher: dict[str, str]) -> None:
    outputs = stack.outputs
    events = {"QueueUrl": outputs["EventsQueueUrl"]}
    assert is_refused(stack, publisher, "sqs", "receive_message", **events)
    assert is_refused(stack, publisher, "sqs", "purge_queue", **events)
    assert is_refused(
        stack, publisher, "sqs", "send_message", QueueUrl=outputs["DeliveriesQueueUrl"], MessageBody="{}"
    )
    assert is_refused(stack, publisher, "dynamodb", "scan", TableName=outputs["SubscriptionsTable"])
    assert is_refused(
        stack, publisher, "secretsmanager", "get_secret_value", SecretId=outputs["ServiceKeysSecret"]
    )
    assert is_refused(stack, publisher, "cloudformation", "describe_stacks", StackName="webhooks-local")


def test_an_operator_issues_lists_and_disables_licenses(webhooks: Operator) -> None:
    label = f"e2e-{time.time_ns()}"
    issued = webhooks("license", "issue", "--level", "system", "--label", label, "--json")
    assert issued.code == 0, issued.stderr
    assert any(each["label"] == label for each in webhooks("license", "list", "--json").document)
    assert webhooks("license", "disable", label).code == 0
    [found] = [each for each in webhooks("license", "list", "--json").document if each["label"] == label]
    assert found["disabled"] is True


def test_an_operator_publishes_and_sees_the_queues(webhooks: Operator) -> None:
    published = webhooks("publish", ROOT / "events/native.json", "--mine", "--count", "1", "--json")
    assert published.code == 0, published.stderr
    health = webhooks("health", "--json")
    assert health.code == 0, health.stderr
    assert len(health.document["queues"]) == 7


def test_an_operator_sees_the_status(webhooks: Operator) -> None:
    status = webhooks("status", "--json")
    # Other tests may have left dead letters; a missing permission would end the command.
    assert [each["text"] for each in status.document["wrong"] if "-dlq has " not in each["text"]] == []
    assert status.document["functions"]


@pytest.mark.parametrize("queue", ["events", "deliveries", "recovery"])
def test_an_operator_lists_redrives_and_purges_dead_letters(
    webhooks: Operator, stack: Stack, queue: str
) -> None:
    url = stack.outputs[f"{queue.title()}DlqUrl"]
    reason = f"e2e {time.time_ns()}"
    attribute = {"reason": {"DataType": "String", "StringValue": reason}}
    for _ in range(2):
        stack.client("sqs").send_message(QueueUrl=url, MessageBody="{}", MessageAttributes=attribute)
    listed = webhooks("dlq", "list", queue, "--reason", reason, "--json")
    assert listed.code == 0, listed.stderr
    assert len(listed.document) == 2
    if queue != "recovery":  # a lost task begins anew by itself
        redriven = webhooks("dlq", "redrive", queue, "--reason", reason, "--limit", "1", "--json")
        assert redriven.code == 0, redriven.stderr
    purged = webhooks("dlq", "purge", queue, "--reason", reason, "--yes", "--json")
    assert purged.code == 0, purged.stderr
    assert webhooks("dlq", "list", queue, "--reason", reason, "--json").document == []


def test_an_operator_reads_no_secret_and_no_webhook(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"operator-{time.time_ns()}"
    given = operators.credentials(stack, operators.document(stack, "OperatorPolicyArn"), name=name)
    outputs = stack.outputs
    try:
        for secret in ("ServiceKeysSecret", "SigningKeysSecret", "WebhookMasterSecret"):
            assert is_refused(stack, given, "secretsmanager", "get_secret_value", SecretId=outputs[secret])
        for table in ("SubscriptionsTable", "DeliveriesTable"):
            assert is_refused(stack, given, "dynamodb", "scan", TableName=outputs[table])
        key = {"pk": {"S": "license#1"}}
        assert is_refused(stack, given, "dynamodb", "get_item", TableName=outputs["AccessTable"], Key=key)
        assert is_refused(stack, given, "dynamodb", "delete_item", TableName=outputs["AccessTable"], Key=key)
        assert is_refused(stack, given, "sqs", "receive_message", QueueUrl=outputs["EventsQueueUrl"])
        assert is_refused(stack, given, "kms", "schedule_key_deletion", KeyId=outputs["KeyArn"])
        assert is_refused(stack, given, "cloudformation", "delete_stack", StackName="webhooks-local")
    finally:
        operators.remove(stack, name)
