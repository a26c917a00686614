"""The restore drill: a deployment is backed up, deleted, deployed anew and restored; nothing changes for its tenants.

It deletes its stack, so it has one of its own.
"""

import base64
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError
from standardwebhooks.webhooks import Webhook as StandardWebhook

from local import stack as local_stack
from local import stack_file
from local.emulator import free_port
from local.stack import STACK_NAME, Stack
from tests import plain_protocol as protocol
from tests.e2e import permissions
from tests.e2e.conftest import PARAMETERS, issue
from tests.e2e.platform_client import PlatformClient
from tests.readme_verifiers import Case, in_python
from tests.receiver import Receiver, token
from tests.unit.cli.command_line import CommandLine, CommandResult

SECONDS = 40.0
NAMES = {
    "--subscriptions-table": "SubscriptionsTable",
    "--access-table": "AccessTable",
    "--deliveries-table": "DeliveriesTable",
    "--service-keys-secret": "ServiceKeysSecret",
    "--signing-keys-secret": "SigningKeysSecret",
    "--webhook-master-secret": "WebhookMasterSecret",
}
TABLES = ("SubscriptionsTable", "AccessTable", "DeliveriesTable")
SECRETS = ("ServiceKeysSecret", "SigningKeysSecret", "WebhookMasterSecret")
DLQS = ("EventsDlqUrl", "DeliveriesDlqUrl", "RecoveryDlqUrl")
QUEUES = ("EventsQueueUrl", "DeliveriesQueueUrl", "SlowDeliveriesQueueUrl", "RecoveryQueueUrl")


@dataclass
class Drill:
    """A stack with its operator's command, and all that its tenants know and keep."""

    stack: Stack
    folder: Path
    receiver: Receiver
    keys: dict[str, protocol.KeyPair] = field(default_factory=dict)  # the callers', by license
    licenses: dict[str, str] = field(default_factory=dict)
    known_key: str = ""  # the service's public key that callers and receivers keep
    secrets: dict[str, str] = field(default_factory=dict)  # whsec_, by webhook

    def client(self, level: str, community: str = "main") -> PlatformClient:
        """Return a caller with the key pair, the license and the service's key that it always had."""
        made = PlatformClient(self.stack.api_url, self.licenses[level], community=community)
        made.keys = self.keys.setdefault(level, made.keys)
        if self.known_key:
            made.service_key = self.known_key
        return made

    @cached_property
    def command_line(self) -> CommandLine:
        return CommandLine(self.folder)

    def command(self, *argv: object) -> CommandResult:
        """Run the operator's command; it must succeed."""
        self.command_line.write_stack(**stack_file.describe(self.stack, self.licenses))
        done = self.command_line("backup", *argv, "--json")
        assert done.code == 0, done.stdout + done.stderr
        return done

    def create(self, client: PlatformClient, auth_type: str, **changes: Any) -> dict[str, Any]:
        """Register a webhook whose event and path have its name."""
        name = changes.pop("name", auth_type)
        api = {"url": f"{self.receiver.url}/{name}", "authType": auth_type, **AUTHENTICATION[auth_type]}
        if auth_type == "oauth2":
            api["oAuthTokenUrl"] = f"{self.receiver.url}/token"
        body = {"eventNames": [f"drill.{name}"], "name": name, "successCodes": [200], "api": api, **changes}
        response = client.call("PUT", "webhook", body)
        assert response.status == 200, response.body
        created: dict[str, Any] = response.json
        self.secrets[name] = client.unseal(created["signingSecret"])
        return created

    def listed(self, **options: Any) -> list[dict[str, Any]]:
        """Return a page of community main, with its credentials, as the operator sees it."""
        client = self.client("system")
        page = client.call("POST", "webhooks/fetch", options)
        assert page.status == 200, page.body
        return [_opened(client, each) for each in page.json["data"]]

    def service_keys(self) -> list[tuple[str, str, str]]:
        client = self.client("system")
        found = client.call("GET", "/servicekeys")
        assert found.status == 200, found.body
        return [(each["tag"], each["keyId"], client.unseal(each["keySecret"])) for each in found.json]

    def publish(self, name: str, community: str = "main") -> None:
        event = {
            "eventId": str(uuid.uuid4()),
            "eventName": f"drill.{name}",
            "tenantId": "acme",
            "communityId": community,
            "data": {"name": name},
        }
        self.stack.client("sqs").send_message(
            QueueUrl=self.stack.outputs["EventsQueueUrl"],
            MessageBody=json.dumps(event),
            MessageGroupId="acme",
        )

    def deliver(self, name: str, community: str = "main") -> dict[str, str]:
        """Publish an event for a webhook; return its callback's headers once all proofs held."""
        before = len(self.receiver._to(f"/{name}"))  # noqa: SLF001
        self.publish(name, community)
        *_, callback = self.receiver.wait_for(before + 1, seconds=SECONDS, path=f"/{name}")
        headers = {key.lower(): value for key, value in callback.headers}
        assert StandardWebhook(self.secrets[name]).verify(callback.body, headers)
        assert in_python([Case(self.known_key, headers, callback.body)]) == [True]
        return headers

    def delete_stack(self) -> None:
        """Delete the stack, as `sam delete` does."""
        cloudformation = self.stack.client("cloudformation")
        cloudformation.delete_stack(StackName=STACK_NAME)
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=STACK_NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )

    def deploy(self) -> None:
        permissions.deploy(self.stack)


AUTHENTICATION: dict[str, dict[str, Any]] = {
    "none": {},
    "basic": {"credential": {"username": "user", "password": "pässword"}},
    "bearer": {"credential": {"token": "a-token"}},
    "api_key": {"credential": {"keyName": "X-Api-Key", "keyValue": "a-value"}},
    "oauth2": {
        "oAuthGrantType": "client_credentials",
        "oAuthScopes": ["a"],
        "credential": {"oauth2": {"clientId": "an-id", "clientSecret": "a-secret"}},
    },
}
SENT = {
    "none": ("authorization", None),
    "basic": ("authorization", "Basic " + base64.b64encode("user:pässword".encode()).decode()),
    "bearer": ("authorization", "Bearer a-token"),
    "api_key": ("x-api-key", "a-value"),
    "oauth2": ("authorization", "Bearer granted"),
}


def _opened(client: PlatformClient, webhook: dict[str, Any]) -> dict[str, Any]:
    """Return a webhook with its credential in clear: its envelope differs each time."""
    text = json.dumps(webhook)
    credential = webhook["api"].get("credential")
    if not credential:
        return webhook
    opened = json.loads(text)
    opened["api"]["credential"] = _unsealed(client, credential)
    return dict(opened)


def _unsealed(client: PlatformClient, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unsealed(client, each) for name, each in value.items()}
    try:
        return client.unseal(value)
    except Exception:  # noqa: BLE001 - not an envelope
        return value


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    folder = tmp_path_factory.mktemp("restore")
    stack = Stack(folder / "stack", port=free_port(), environment=permissions.ENFORCED, parameters=PARAMETERS)
    try:
        permissions.deploy(stack)
        with Receiver() as receiver:
            for _ in range(10):
                receiver.script(token("granted"), path="/token")
            yield Drill(stack, folder, receiver)
    finally:
        stack.forget()


def test_a_deployment_that_was_lost_with_its_account_is_restored(drill: Drill) -> None:
    stack = drill.stack
    # Given tenants with webhooks of all kinds, and a service key that was just reset
    drill.licenses = {
        "system": issue(stack, "system"),
        "service": issue(stack, "service", tenant="acme", community="main"),
    }
    drill.known_key = drill.client("system").plain("GET", "/publickeys").json["publicKey"]
    system = drill.client("system")
    for auth_type in AUTHENTICATION:
        drill.create(system, auth_type, tags=["drilled", auth_type])
    drill.create(system, "none", name="disabled", disabled=True)
    drill.create(system, "bearer", name="paused", paused=True, tags=["drilled"])
    south = drill.client("system", "south")
    drill.create(south, "basic", name="other")
    assert system.call("DELETE", f"/servicekey/{quote(drill.known_key, safe='')}").status == 200
    keys, listed = drill.service_keys(), drill.listed()
    assert len(keys) == 2
    assert drill.deliver("bearer")["authorization"] == "Bearer a-token"

    # When it is backed up, and its account is lost
    recipient = drill.command("key", "identity").document["recipient"]
    drill.command_line.write("recipients", recipient)
    created = drill.command("create", "a.age", "--recipients", "recipients")
    assert created.document["counts"] == {"access": 2, "community": 2, "webhook": 8}
    outputs = dict(stack.outputs)
    drill.delete_stack()
    lose_what_stays(stack, outputs)

    # And it is deployed and restored in another one
    drill.deploy()
    assert stack.client("dynamodb").scan(TableName=stack.outputs["SubscriptionsTable"])["Items"] == []
    restored = drill.command("restore", "a.age", "--identity", "identity")
    assert restored.document["same"]
    assert restored.document["contents"] == created.document["contents"]

    # Then callers authenticate as before, with the key of the service that they keep
    assert drill.service_keys() == keys
    assert drill.listed() == listed
    assert drill.client("service").call("POST", "webhooks/fetch", {}).status == 200

    # And each webhook gets its events, with its credential and the proofs that receivers know
    for auth_type, (header, value) in SENT.items():
        assert drill.deliver(auth_type).get(header) == value, auth_type
    assert drill.deliver("other", "south")["authorization"].startswith("Basic ")
    drill.publish("disabled")

    # And pages, filters, changes and deletions work
    assert [each["name"] for each in drill.listed(pSize=2, pIndex=1)] == [
        each["name"] for each in listed[2:4]
    ]
    assert {each["name"] for each in drill.listed(tags=["oauth2"])} == {"oauth2"}
    assert len(drill.listed(tags=["drilled"])) == 6
    [bearer] = drill.listed(tags=["bearer"])
    changed = {"api": {"credential": {"token": "another"}}}
    path = f"webhook/{bearer['_id']}"
    assert drill.client("system").call("PATCH", path, changed).status == 200
    assert drill.deliver("bearer")["authorization"] == "Bearer another"
    assert drill.client("system").call("DELETE", path).status == 204
    assert credentials(stack, "/bearer") == []
    assert len(drill.listed()) == 6
    assert drill.receiver._to("/disabled") == []  # noqa: SLF001


def test_a_deleted_stack_is_deployed_again_with_what_stayed(
    drill: Drill, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = drill.stack
    keys, listed, outputs = drill.service_keys(), drill.listed(), dict(stack.outputs)

    # When the stack is deleted, tables, secrets and dead letters stay
    drill.delete_stack()
    dynamodb, secrets, sqs = (stack.client(each) for each in ("dynamodb", "secretsmanager", "sqs"))
    for table in TABLES:
        assert dynamodb.describe_table(TableName=outputs[table])["Table"]["TableStatus"] == "ACTIVE"
    for secret in SECRETS:
        assert secrets.get_secret_value(SecretId=outputs[secret])["SecretString"]
    for queue in DLQS:
        assert sqs.get_queue_attributes(QueueUrl=outputs[queue], AttributeNames=["QueueArn"])["Attributes"]
    for queue in QUEUES:
        with pytest.raises(ClientError, match=r"does not exist|NonExistentQueue"):
            sqs.get_queue_attributes(QueueUrl=outputs[queue], AttributeNames=["QueueArn"])
    assert len(credentials(stack)) == 5

    # And a new stack gets it all from them. It has another name, as the emulator gives tables of one
    # stack's name the same names each time.
    for module in (local_stack, stack_file, permissions):
        monkeypatch.setattr(module, "STACK_NAME", "webhooks-again")
    drill.deploy()
    assert stack.outputs["SubscriptionsTable"] != outputs["SubscriptionsTable"]
    options = [part for option, output in NAMES.items() for part in (option, outputs[output])]
    drill.command("create", "kept.age", "--recipients", "recipients", *options)
    restored = drill.command("restore", "kept.age", "--identity", "identity")
    assert restored.document["same"]
    assert drill.service_keys() == keys
    assert drill.listed() == listed
    assert drill.deliver("basic")["authorization"] == SENT["basic"][1]
    bound = {"Key": "webhooks:table", "Value": stack.outputs["SubscriptionsTable"]}
    copied = [each for each in credentials(stack) if each["Name"].startswith("webhooks-again/")]
    assert len(copied) == 5
    assert all(bound in each["Tags"] for each in copied)


def credentials(stack: Stack, ending: str = "") -> list[dict[str, Any]]:
    """Return the secrets of webhooks."""
    pages = stack.client("secretsmanager").get_paginator("list_secrets").paginate()
    found = [each for page in pages for each in page["SecretList"]]
    return [each for each in found if "/credentials/" in each["Name"] and ending in each["Name"]]


def lose_what_stays(stack: Stack, outputs: dict[str, str]) -> None:
    """Delete everything that a deleted stack leaves."""
    dynamodb = stack.client("dynamodb")
    for table in TABLES:
        dynamodb.update_table(TableName=outputs[table], DeletionProtectionEnabled=False)
        dynamodb.delete_table(TableName=outputs[table])
    names = [outputs[secret] for secret in SECRETS] + [each["Name"] for each in credentials(stack)]
    for name in names:
        stack.client("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    for queue in DLQS:
        stack.client("sqs").delete_queue(QueueUrl=outputs[queue])
    assert not dynamodb.list_tables()["TableNames"]
    assert not credentials(stack)
