"""IAM decides in the deployed stack: whatever else the tests here do works by the template's roles alone."""

import json
import secrets
import time

import pytest
from botocore.exceptions import ClientError

from local import emulator
from tests.e2e import permissions
from tests.e2e.platform_client import PlatformClient
from tests.receiver import Receiver, reply
from webhooks.adapters.aws import AwsClients
from webhooks.adapters.credentials import SecretCredentials
from webhooks.adapters.subscription_changes import Tables
from webhooks.adapters.subscriptions import DynamoSubscriptions
from webhooks.services.sweep import GRACE, Sweep

SECONDS = 40.0


def refused(call, **arguments) -> bool:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}


def invoke(stack, function: str) -> dict:
    """Invoke a function by its logical id, as a schedule does."""
    name = permissions.physical_id(stack, function)
    answer = stack.client("lambda").invoke(FunctionName=name, Payload=b"{}")
    return json.loads(answer["Payload"].read())


def credential(stack, place: str) -> str:
    """Store a secret as a webhook's credential is stored."""
    name = f"{stack.outputs['CredentialsPrefix']}{place}-{secrets.token_hex(4)}"
    stack.client("secretsmanager").create_secret(Name=name, SecretString='{"token":"t"}')
    return name


def kept(stack, name: str) -> bool:
    try:
        return "DeletedDate" not in stack.client("secretsmanager").describe_secret(SecretId=name)
    except stack.client("secretsmanager").exceptions.ResourceNotFoundException:
        return False


def sweep_as_recovery(stack, monkeypatch, *, later: int) -> int:
    """Run the sweep of functions/recovery with its role, at a later time; returns how many it deleted."""
    given = permissions.assume(stack, "RecoveryRole")
    for name, value in (emulator.client_environment(stack.port) | environment(given)).items():
        monkeypatch.setenv(name, value)
    aws, outputs = AwsClients(), stack.outputs

    def clock():
        return time.time() + later

    return Sweep(
        credentials=SecretCredentials(
            aws,
            prefix=outputs["CredentialsPrefix"],
            kms_key_id=outputs["KeyArn"],
            clock=clock,
            entropy=secrets.token_bytes,
        ),
        subscriptions=DynamoSubscriptions(
            aws,
            Tables(outputs["SubscriptionsTable"], outputs["AccessTable"]),
            clock=clock,
            entropy=secrets.token_bytes,
        ),
        clock=clock,
    ).run()


def disabled(client: PlatformClient, tag: str) -> bool:
    [found] = client.call("POST", "webhooks/fetch", {"tags": [tag]}).json["data"]
    return found["disabled"]


def eventually(holds) -> bool:
    until = time.monotonic() + SECONDS
    while not holds() and time.monotonic() < until:
        time.sleep(0.5)
    return bool(holds())


def environment(credentials: dict[str, str]) -> dict[str, str]:
    return {name.upper(): value for name, value in credentials.items()}


def test_a_role_without_permissions_reaches_nothing(stack):
    def client(service):
        return permissions.client_as(stack, "EcdsaHelperRole", service)

    table, queue = stack.outputs["AccessTable"], stack.outputs["EventsQueueUrl"]

    assert refused(client("dynamodb").get_item, TableName=table, Key={"pk": {"S": "license#0"}})
    assert refused(client("sqs").receive_message, QueueUrl=queue)
    assert refused(client("secretsmanager").get_secret_value, SecretId=stack.outputs["ServiceKeysSecret"])


def test_a_role_reaches_its_own_resources_only(stack):
    fanout = permissions.client_as(stack, "FanoutRole", "sqs")
    recovery = permissions.client_as(stack, "RecoveryRole", "secretsmanager")

    assert refused(fanout.send_message, QueueUrl=stack.outputs["SlowDeliveriesQueueUrl"], MessageBody="x")
    assert refused(recovery.delete_secret, SecretId=stack.outputs["ServiceKeysSecret"])
    assert refused(
        recovery.get_secret_value, SecretId=credential(stack, f"acme/main/{secrets.token_hex(12)}")
    )


def test_a_function_is_denied_what_its_role_lacks(stack, system: PlatformClient):
    """It answers all the same here, as this can wait: the log of the functions tells."""
    began = time.time()
    api = {"url": "http://127.0.0.1:9/", "authType": "bearer", "credential": {"token": "first"}}
    body = {"eventNames": ["e2e.denied"], "name": "denied", "successCodes": [200], "api": api}
    webhook = system.call("PUT", "webhook", body).json["_id"]

    def change():
        return system.call("PATCH", f"webhook/{webhook}", {"api": {"credential": {"token": "second"}}}).status

    with permissions.without(stack, "WebhooksRole", "secretsmanager:UpdateSecretVersionStage"):
        assert change() == 200

    [denied] = permissions.denials(stack, since=began)
    assert "secretsmanager UpdateSecretVersionStage: AccessDenied" in denied
    assert webhook in denied
    assert change() == 200
    assert permissions.denials(stack, since=began) == [denied]


def test_a_function_fails_without_a_permission_that_it_needs(stack):
    with permissions.without(stack, "RecoveryRole", "secretsmanager:ListSecrets"):
        failed = invoke(stack, "RecoveryFunction")

    assert "secretsmanager ListSecrets: AccessDenied" in failed["errorMessage"]
    assert "deleted" in invoke(stack, "RecoveryFunction")


def test_the_dispatcher_may_disable_a_webhook_whose_endpoint_is_gone(stack, system: PlatformClient):
    name = f"e2e.{secrets.token_hex(6)}"
    event = {"eventId": name, "eventName": name, "tenantId": "acme", "communityId": "main", "data": {}}
    with Receiver() as receiver:
        receiver.script(reply(410))
        body = {"eventNames": [name], "name": name, "tags": [name], "successCodes": [200]}
        assert system.call("PUT", "webhook", body | {"api": {"url": receiver.url}}).status == 200
        stack.client("sqs").send_message(
            QueueUrl=stack.outputs["EventsQueueUrl"], MessageBody=json.dumps(event), MessageGroupId="acme"
        )
        receiver.wait_for(1, seconds=SECONDS)

    assert eventually(lambda: disabled(system, name))


def test_recovery_deletes_an_old_orphan_and_nothing_else(stack, system: PlatformClient, monkeypatch):
    api = {"url": "http://127.0.0.1:9/", "authType": "bearer", "credential": {"token": "t"}}
    body = {"eventNames": ["e2e.sweep"], "name": "sweep", "successCodes": [200], "api": api}
    webhook = system.call("PUT", "webhook", body).json["_id"]
    listed = stack.client("secretsmanager").list_secrets(MaxResults=100)["SecretList"]
    [in_use] = [each["Name"] for each in listed if webhook in each["Name"]]
    orphan = credential(stack, f"acme/main/{secrets.token_hex(12)}")
    second = credential(stack, f"acme/main/{webhook}")

    invoke(stack, "RecoveryFunction")

    assert [kept(stack, each) for each in (in_use, orphan, second)] == [True, True, True]

    deleted = sweep_as_recovery(stack, monkeypatch, later=GRACE + 1)

    assert deleted >= 2
    assert [kept(stack, each) for each in (in_use, orphan, second)] == [True, False, False]
