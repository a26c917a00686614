"""Persons of the deployment's account, each a role with one of the stack's managed policies, and nothing else."""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import emulator, stack_file
from local.stack import Stack
from tests.e2e import permissions
from tests.unit.cli.command_line import CommandLine, CommandResult
from webhooks_cli.aws import Account

Operator = Callable[..., CommandResult]
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
            "Action": "sts:AssumeRole",
        }
    ],
}
# The emulator asks for other actions than AWS does, and names the bus in a rule's ARN.
ASKED_FOR = {
    "sqs:SendMessage": "sqs:SendMessageBatch",
    "sqs:DeleteMessage": "sqs:DeleteMessageBatch",
    "sqs:ChangeMessageVisibility": "sqs:ChangeMessageVisibilityBatch",
    "lambda:GetEventSourceMapping": "lambda:ListEventSourceMappings",
    "lambda:GetAlias": "lambda:ListAliases",
    "lambda:GetFunctionConcurrency": "lambda:PutFunctionConcurrency",
}


class RandomLine(CommandLine):
    """The command with random bytes that are new in each run."""

    def random_bytes(self, length: int) -> bytes:
        return os.urandom(length)


def document(stack: Stack, policy: str) -> dict[str, Any]:
    """Return a managed policy of the stack as it is deployed, in the terms of the emulator."""
    iam, arn = stack.client("iam"), stack.outputs[policy]
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    found: dict[str, Any] = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"][
        "Document"
    ]
    for statement in found["Statement"]:
        actions = permissions.listed(statement["Action"])
        statement["Action"] = [*actions, *(ASKED_FOR[each] for each in actions if each in ASKED_FOR)]
        if "events:DescribeRule" in actions:
            statement["Resource"] = statement["Resource"].replace(":rule/", ":rule/default/")
    return found


def credentials(stack: Stack, policy: dict[str, Any], *, name: str) -> dict[str, str]:
    """Return credentials of a new role with one policy."""
    iam = stack.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(policy))
    given = stack.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="e2e")["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


def remove(stack: Stack, name: str) -> None:
    stack.client("iam").delete_role_policy(RoleName=name, PolicyName="all")
    stack.client("iam").delete_role(RoleName=name)


def client(stack: Stack, service: str, given: dict[str, str]) -> Any:
    """Return a boto3 client with credentials."""
    return boto3.client(  # type: ignore[call-overload]  # one overload for each service
        service, endpoint_url=stack.endpoint, region_name=emulator.REGION, **given
    )


def operator_of(
    stack: Stack, folder: Path, monkeypatch: pytest.MonkeyPatch, *, only: Sequence[str] = (), **licenses: str
) -> Iterator[Operator]:
    """Yield the command of a person with the operator's policy alone, or with these statements of it."""
    policy = document(stack, "OperatorPolicyArn")
    if only:
        policy["Statement"] = [each for each in policy["Statement"] if each["Sid"] in only]
    name = f"operator-{time.time_ns()}"
    given = credentials(stack, policy, name=name)
    monkeypatch.setattr(Account, "_client", lambda _self, service: client(stack, service, given))
    line = RandomLine(folder)
    line.write_stack(**stack_file.describe(stack, licenses))

    def command(*argv: object) -> CommandResult:
        line.now, line.sleep = time.time(), time.sleep
        return line(*argv)

    try:
        yield command
    finally:
        monkeypatch.undo()
        remove(stack, name)
