"""`make aws-accept` against an emulator of its own: the whole flow, an interruption, a stack of somebody else.

The emulator's account is empty afterwards, but for a key that waits for its deletion.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from acceptance.names import TAG, names_of
from acceptance.report import FAILED, NOT_HERE, PASSED
from local.emulator import Emulator, client_environment, endpoint, free_port
from local.paths import ROOT

pytestmark = pytest.mark.local_only("it is the test of the run itself, against an emulator of its own")

ACCOUNT = "000000000000"
ONE_TEST = "tests/e2e/test_delivery.py::test_an_event_becomes_a_callback_with_every_proof"
LOCAL_TEST = "tests/e2e/test_wide_event.py"
NAMES = names_of("trial")
SECONDS = 300
FOREIGN = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}


class Place:
    """An emulator, and the command against it."""

    def __init__(self, folder: Path) -> None:
        self._emulator = Emulator(folder / "emulator")
        self.folder = folder / "runs"
        self.port = self._emulator.start(free_port()).port

    def stop(self) -> None:
        self._emulator.stop()

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=endpoint(self.port),
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def start(self, command: str, *arguments: str, confirm: str = ACCOUNT) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "acceptance", command, "--stack", NAMES.chosen),
                *("--confirm", confirm, "--folder", str(self.folder), *arguments),
            ],
            cwd=ROOT,
            env=os.environ | client_environment(self.port) | {"E2E_TARGET": ""},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str, *arguments: str, confirm: str = ACCOUNT) -> tuple[int, str]:
        process = self.start(command, *arguments, confirm=confirm)
        output, _ = process.communicate(timeout=SECONDS)
        return process.returncode, output

    def report(self) -> Any:
        return json.loads((self.folder / NAMES.chosen / "report.json").read_text())

    def stacks(self) -> list[str]:
        found = self.client("cloudformation").list_stacks()["StackSummaries"]
        return [each["StackName"] for each in found if each["StackStatus"] != "DELETE_COMPLETE"]

    def there(self) -> dict[str, list[str]]:
        """Everything in the account, by service."""
        keys = [each["KeyId"] for each in self.client("kms").list_keys()["Keys"]]
        states = [self.client("kms").describe_key(KeyId=each)["KeyMetadata"] for each in keys]
        return {
            "stacks": self.stacks(),
            "tables": self.client("dynamodb").list_tables()["TableNames"],
            "queues": self.client("sqs").list_queues().get("QueueUrls", []),
            "secrets": [each["Name"] for each in self.client("secretsmanager").list_secrets()["SecretList"]],
            "functions": [
                each["FunctionName"] for each in self.client("lambda").list_functions()["Functions"]
            ],
            "logs": [each["logGroupName"] for each in self.client("logs").describe_log_groups()["logGroups"]],
            "roles": [each["RoleName"] for each in self.client("iam").list_roles()["Roles"]],
            "buckets": [each["Name"] for each in self.client("s3").list_buckets()["Buckets"]],
            "buses": [each["Name"] for each in self.client("events").list_event_buses()["EventBuses"]],
            "apis": [each["name"] for each in self.client("apigateway").get_rest_apis()["items"]],
            "keys": [each["KeyId"] for each in states if each["KeyState"] == "Enabled"],
        }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("acceptance"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def empty(place: Place) -> dict[str, list[str]]:
    """The account as it is before any run."""
    return place.there()


def test_a_foreign_stack_of_the_name_is_refused_and_kept(place: Place, empty: dict[str, list[str]]) -> None:
    stacks = place.client("cloudformation")
    stacks.create_stack(StackName=NAMES.service, TemplateBody=json.dumps(FOREIGN))
    stacks.get_waiter("stack_create_complete").wait(StackName=NAMES.service, WaiterConfig={"Delay": 1})
    before = place.there()

    code, output = place.run("run", ONE_TEST)
    cleaned, _ = place.run("clean")

    assert (code, cleaned) == (2, 0)
    assert f"exists in us-east-1 without the tag {TAG}={NAMES.service}" in " ".join(output.split())
    assert place.there() == before
    stacks.delete_stack(StackName=NAMES.service)
    stacks.get_waiter("stack_delete_complete").wait(StackName=NAMES.service, WaiterConfig={"Delay": 1})
    assert place.there() == empty


def test_another_accounts_id_creates_nothing(place: Place, empty: dict[str, list[str]]) -> None:
    for confirm in ("", "111111111111"):
        code, _ = place.run("run", ONE_TEST, confirm=confirm)
        assert (code, place.there()) == (2, empty)


def test_a_run_deploys_tests_checks_and_leaves_the_account_empty(
    place: Place, empty: dict[str, list[str]]
) -> None:
    code, output = place.run("run", ONE_TEST, LOCAL_TEST)

    assert code == 0, output
    report = place.report()
    evidence = {each["name"]: each["evidence"] for each in report["steps"]}
    assert evidence["run the end-to-end tests"] == "1 passed, 0 failed, 1 need the local stack"
    results = {each["name"]: (each["result"], each["evidence"]) for each in report["checks"]}
    assert FAILED not in {result for result, _ in results.values()}
    seen = {name for name, (result, _) in results.items() if result == PASSED}
    assert {
        "a changed parameter reaches live",
        "a failed creation rolls back",
        "a producer's role sends with KMS",
        "an EventBridge rule reaches the encrypted queue",
    } <= seen
    assert results["TLS 1.2 and newer only"] == (NOT_HERE, "the emulator speaks no TLS")
    assert all(reason for result, reason in results.values() if result == NOT_HERE)
    assert (report["left"], report["total"] > 0) == ([], True)
    assert "in total" in output
    assert place.there() == empty


def test_an_interrupted_run_leaves_the_account_empty(place: Place, empty: dict[str, list[str]]) -> None:
    process = place.start("run", ONE_TEST)
    until = time.monotonic() + SECONDS
    while NAMES.service not in place.stacks() and time.monotonic() < until:
        assert process.poll() is None
        time.sleep(0.2)

    os.killpg(process.pid, signal.SIGINT)  # as a console does
    output, _ = process.communicate(timeout=SECONDS)

    assert process.returncode == 130, output
    report = place.report()
    assert (report["outcome"], report["left"]) == ("interrupted", [])
    assert any(line.startswith(f"stack {NAMES.service}") for line in report["deleted"])
    assert place.there() == empty
