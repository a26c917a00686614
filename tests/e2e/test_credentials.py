"""Credentials that are sealed in their webhooks, on the deployed template: sent, shown, moved both ways."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import stack_file
from local.stack import Stack
from tests.e2e import permissions
from tests.e2e.platform_client import PlatformClient
from tests.e2e.targets import CallbackReceiver, open_receiver
from tests.e2e.test_delivery import SECONDS, publish, register
from tests.unit.cli.command_line import CommandLine, CommandResult

pytestmark = pytest.mark.local_only("it deploys by the local stack")

SEALED = {"CredentialStore": "Table"}


@pytest.fixture(scope="module")
def sealing(stack: Stack) -> Iterator[Stack]:
    """The stack with sealed credentials, and as it was again after the tests."""
    permissions.deploy(Stack(stack.folder, port=stack.port, parameters=SEALED))
    yield stack
    permissions.deploy(Stack(stack.folder, port=stack.port, parameters={"CredentialStore": "SecretsManager"}))


@pytest.fixture
def receiver() -> Iterator[CallbackReceiver]:
    with open_receiver() as opened:
        yield opened


def bearer(token: str) -> dict[str, object]:
    return {"authType": "bearer", "credential": {"token": token}}


def migrate(stack: Stack, folder: Path, to: str) -> CommandResult:
    command = CommandLine(folder)
    command.write_stack(**stack_file.describe(stack, {}))
    done = command("credentials", "migrate", "--to", to, "--json")
    assert done.code == 0, done.stdout + done.stderr
    return done


def test_a_sealed_credential_is_sent_shown_changed_and_moved_both_ways(
    sealing: Stack, system: PlatformClient, receiver: CallbackReceiver, tmp_path: Path
) -> None:
    # Given a webhook whose credential the deployed function has sealed, as its role lets it
    webhook, name = register(system, receiver, api=bearer("first"))
    path = f"webhook/{webhook['_id']}"
    expected = ["first"]

    def deliver() -> None:
        publish(sealing, name)
        callbacks = receiver.wait_for(len(expected), seconds=SECONDS, path="/hook")
        assert [each.header("Authorization") for each in callbacks] == [f"Bearer {each}" for each in expected]

    # When an event comes, then the dispatcher opens it
    deliver()

    # And a changed one is sent from then on
    changed = system.call("PATCH", path, {"api": {"credential": {"token": "second"}}})
    assert changed.status == 200
    assert system.unseal(changed.json["api"]["credential"]["token"]) == "second"
    expected.append("second")
    deliver()

    # And in either form it stays what it is
    for to in ("secrets-manager", "table"):
        assert migrate(sealing, tmp_path, to).document["moved"] >= 1
        expected.append("second")
        deliver()
    assert system.call("POST", f"{path}/test", {}).status == 200
    assert system.call("DELETE", path).status == 204
