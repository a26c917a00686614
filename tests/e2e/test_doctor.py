"""`webhooks doctor` against the deployed stack, with the permissions of an operator alone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local import stack_file
from local.stack import Stack
from tests.e2e import permissions
from tests.e2e.operators import Operator, operator_of
from tests.unit.cli.command_line import CommandLine

pytestmark = pytest.mark.local_only("it reads the stack by the local roles and the emulator's permissions")

SECONDS = 20.0
# The emulator's functions send no metrics, and it keeps no backups and no expiry of a table that a stack makes.
UNCHECKED = {"backups", "expiry", "orphaned credentials"}


@pytest.fixture
def doctor(tmp_path: Path, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    yield from operator_of(stack, tmp_path, monkeypatch)


def findings(doctor: Operator) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    ended = doctor("doctor", "--json")
    assert "findings" in ended.document, ended.stderr
    for each in ended.document["findings"]:
        found.setdefault(each["check"], []).append(each)
    return found


def test_a_deployed_stack_is_ready(doctor: Operator) -> None:
    began = time.monotonic()
    ended = doctor("doctor", "--json")
    assert time.monotonic() - began < SECONDS
    found = ended.document["findings"]
    assert not [each for each in found if each["state"] == "failed"]
    assert not [each for each in found if "permission" in each["text"]]
    assert {each["check"] for each in found if "cannot be checked here" in each["text"]} == UNCHECKED
    assert ended.code == 0


@contextmanager
def disabled(stack: Stack) -> Iterator[str]:
    """Switch a schedule off, as before a restore."""
    rule = permissions.physical_id(stack, "MaintenanceFunctionHourly").rpartition("/")[2]
    stack.client("events").disable_rule(Name=rule)
    try:
        yield rule
    finally:
        stack.client("events").enable_rule(Name=rule)


def test_a_schedule_that_is_off_is_found_until_its_command_ran(doctor: Operator, stack: Stack) -> None:
    with disabled(stack) as rule:
        [found] = findings(doctor)["schedules"]
        assert found["state"] == "failed"
        assert f"aws events enable-rule --name {rule}" in found["mend"]
    [found] = findings(doctor)["schedules"]
    assert found["state"] == "ok"


def test_a_dead_letter_is_found(doctor: Operator, stack: Stack) -> None:
    url = stack.outputs["RecoveryDlqUrl"]
    stack.client("sqs").send_message(QueueUrl=url, MessageBody="{}")
    try:
        # Other tests may have left dead letters in the other queues.
        [found] = [each for each in findings(doctor)["dead letters"] if "recovery-dlq" in each["text"]]
        assert found["state"] == "warning"
    finally:
        stack.client("sqs").purge_queue(QueueUrl=url)


def test_a_version_that_is_not_called_is_found(doctor: Operator, stack: Stack) -> None:
    functions = stack.client("lambda")
    name = permissions.physical_id(stack, "EcdsaHelperFunction")
    version = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")
    try:
        [found] = findings(doctor)["versions"]
        assert found["state"] == "failed"
        assert "EcdsaHelperFunction: live is at version $LATEST" in found["text"]
    finally:
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)


def test_without_permissions_each_missing_one_is_named(
    tmp_path: Path, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for doctor in operator_of(stack, tmp_path, monkeypatch, only=("Stack",)):
        found: list[dict[str, Any]] = doctor("doctor", "--json").document["findings"]
        missing = [each["text"] for each in found if "the permission" in each["text"]]
        assert any("lambda:GetAlias is missing" in each for each in missing)
        assert len(missing) >= 10


def test_the_root_of_the_account_needs_no_policy(tmp_path: Path, stack: Stack) -> None:
    line = CommandLine(tmp_path)
    line.now = time.time()
    line.write_stack(**stack_file.describe(stack, {}))
    assert line("doctor").code == 0
