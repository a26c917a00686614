"""IAM decides in the deployed stack: all other e2e tests work by the roles of the template alone."""

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import emulator
from local.stack import Stack
from tests.e2e import permissions
from tests.e2e.platform_client import PlatformClient
from tests.receiver import Receiver, reply
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.secrets_manager.credential_secrets import OF, STACK, TABLE, ListedSecrets
from webhooks.services.orphan_cleanup import GRACE, CleanupResult, OrphanCleanup

pytestmark = pytest.mark.local_only("it acts as the functions' roles, which trust Lambda alone")

SECONDS = 40.0


def refused(call: Callable[..., object], **arguments: Any) -> bool:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}


def invoke(stack: Stack, function: str, **fields: str) -> dict[str, Any]:
    """Invoke a function by its logical id, as a schedule does whose input has these fields."""
    name = permissions.physical_id(stack, function)
    invoked = stack.client("lambda").invoke(FunctionName=name, Payload=json.dumps(fields).encode())
    result: dict[str, Any] = json.loads(invoked["Payload"].read())
    return result


def credential(stack: Stack, suffix: str, *, tags: Sequence[Mapping[str, str]] = ()) -> str:
    """Store a secret as a webhook's credential is stored."""
    name = f"{stack.outputs['CredentialsPrefix']}{suffix}-{secrets.token_hex(4)}"
    stack.client("secretsmanager").create_secret(Name=name, SecretString='{"token":"t"}', Tags=list(tags))
    return name


def listed(stack: Stack) -> dict[str, list[dict[str, str]]]:
    """Return the tags of each secret that is not marked for deletion."""
    pages = stack.client("secretsmanager").get_paginator("list_secrets").paginate()
    return {each["Name"]: each.get("Tags", []) for page in pages for each in page["SecretList"]}


def kept(stack: Stack, name: str) -> bool:
    try:
        return "DeletedDate" not in stack.client("secretsmanager").describe_secret(SecretId=name)
    except stack.client("secretsmanager").exceptions.ResourceNotFoundException:
        return False


def cleanup_as_maintenance(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, *, tags: Mapping[str, str], later: int
) -> CleanupResult:
    """Run the cleanup of functions/maintenance with its role, at a later time."""
    given = permissions.assume(stack, "MaintenanceRole")
    for name, value in (emulator.client_environment(stack.port) | environment(given)).items():
        monkeypatch.setenv(name, value)
    aws, outputs = AwsClients(time_left=lambda: inf), stack.outputs

    def clock() -> float:
        return time.time() + later

    return OrphanCleanup(
        secrets=ListedSecrets(aws, prefix=outputs["CredentialsPrefix"], tags=tags),
        subscriptions=DynamoSubscriptions(
            aws,
            Tables(outputs["SubscriptionsTable"], outputs["AccessTable"]),
            clock=clock,
            random_bytes=secrets.token_bytes,
        ),
        clock=clock,
        time_left=lambda: inf,
    ).run()


def disabled(client: PlatformClient, tag: str) -> bool:
    [found] = client.call("POST", "webhooks/fetch", {"tags": [tag]}).json["data"]
    return bool(found["disabled"])


def eventually(holds: Callable[[], object]) -> bool:
    until = time.monotonic() + SECONDS
    while not holds() and time.monotonic() < until:
        time.sleep(0.5)
    return bool(holds())


def environment(credentials: dict[str, str]) -> dict[str, str]:
    return {name.upper(): value for name, value in credentials.items()}


def test_a_role_without_permissions_reaches_nothing(stack: Stack) -> None:
    def client(service: str) -> Any:
        return permissions.client_as(stack, "EcdsaHelperRole", service)

    table, queue = stack.outputs["AccessTable"], stack.outputs["EventsQueueUrl"]

    assert refused(client("dynamodb").get_item, TableName=table, Key={"pk": {"S": "license#0"}})
    assert refused(client("sqs").receive_message, QueueUrl=queue)
    assert refused(client("secretsmanager").get_secret_value, SecretId=stack.outputs["ServiceKeysSecret"])


def test_a_role_reaches_its_own_resources_only(stack: Stack) -> None:
    fanout = permissions.client_as(stack, "FanoutRole", "sqs")
    maintenance = permissions.client_as(stack, "MaintenanceRole", "secretsmanager")

    assert refused(fanout.send_message, QueueUrl=stack.outputs["SlowDeliveriesQueueUrl"], MessageBody="x")
    assert refused(maintenance.delete_secret, SecretId=stack.outputs["ServiceKeysSecret"])
    assert refused(
        maintenance.get_secret_value, SecretId=credential(stack, f"acme/main/{secrets.token_hex(12)}")
    )


def test_a_function_is_denied_actions_that_its_role_lacks(stack: Stack, system: PlatformClient) -> None:
    """It answers all the same here, as this can wait: the log of the functions tells."""
    began = time.time()
    api = {"url": "http://127.0.0.1:9/", "authType": "bearer", "credential": {"token": "first"}}
    body = {"eventNames": ["e2e.denied"], "name": "denied", "successCodes": [200], "api": api}
    webhook = system.call("PUT", "webhook", body).json["_id"]

    def change() -> int:
        return system.call("PATCH", f"webhook/{webhook}", {"api": {"credential": {"token": "second"}}}).status

    with permissions.without(stack, "WebhooksRole", "secretsmanager:UpdateSecretVersionStage"):
        assert change() == 200

    [denied] = permissions.denials(stack, since=began)
    assert "secretsmanager UpdateSecretVersionStage: AccessDenied" in denied
    assert webhook in denied
    assert change() == 200
    assert permissions.denials(stack, since=began) == [denied]


def test_a_function_fails_without_a_permission_that_it_needs(stack: Stack) -> None:
    with permissions.without(stack, "MaintenanceRole", "secretsmanager:ListSecrets"):
        failed = invoke(stack, "MaintenanceFunction")

    assert "secretsmanager ListSecrets: AccessDenied" in failed["errorMessage"]
    assert invoke(stack, "MaintenanceFunction").keys() == {"listed", "unbound", "orphans", "deleted"}


def test_the_dispatcher_may_disable_a_webhook_whose_endpoint_is_gone(
    stack: Stack, system: PlatformClient
) -> None:
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


def test_the_orphan_cleanup_deletes_an_old_orphan_and_nothing_else(
    stack: Stack, system: PlatformClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = {"url": "http://127.0.0.1:9/", "authType": "bearer", "credential": {"token": "t"}}
    body = {"eventNames": ["e2e.cleanup"], "name": "cleanup", "successCodes": [200], "api": api}
    # Given so many credentials that a few orphans are no more than a tenth
    webhook, *_ = [system.call("PUT", "webhook", body).json["_id"] for _ in range(30)]
    [(in_use, tags)] = [(name, tags) for name, tags in listed(stack).items() if webhook in name]
    bound = {tag["Key"]: tag["Value"] for tag in tags if tag["Key"] != OF}
    assert bound[TABLE] == stack.outputs["SubscriptionsTable"]
    assert bound[STACK].startswith("arn:aws:cloudformation:")
    orphan = credential(stack, f"acme/main/{secrets.token_hex(12)}", tags=tags)
    second = credential(stack, f"acme/main/{webhook}", tags=tags)
    unbound = credential(stack, f"acme/main/{secrets.token_hex(12)}")

    invoke(stack, "MaintenanceFunction")

    everything = (in_use, unbound, orphan, second)
    assert [kept(stack, each) for each in everything] == [True, True, True, True]

    result = cleanup_as_maintenance(stack, monkeypatch, tags=bound, later=GRACE + 1)

    assert result.stopped is None
    assert result.unbound >= 1
    assert [kept(stack, each) for each in everything] == [True, True, False, False]
    described = stack.client("secretsmanager").describe_secret(SecretId=orphan)
    assert described["DeletedDate"].timestamp() > time.time() + 29 * 86_400


@pytest.mark.parametrize(
    ("function", "role"), [("DispatcherFunction", "DispatcherRole"), ("TestEventFunction", "TestEventRole")]
)
def test_the_probe_of_a_release_names_a_missing_permission_to_open_credentials(
    stack: Stack, function: str, role: str
) -> None:
    def failed() -> Any:
        name = permissions.physical_id(stack, function)
        invoked = stack.client("lambda").invoke(FunctionName=name, Payload=b'{"releaseProbe": true}')
        return json.loads(invoked["Payload"].read())["failed"]

    assert failed() == {}
    with permissions.without(stack, role, "kms:Decrypt"):
        assert failed() == {"opening of credentials": "kms Decrypt: AccessDeniedException"}
