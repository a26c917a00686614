"""IAM of the deployed stack: corrections so that the emulator decides as AWS would, and clients of one role.

The template's own roles decide. The emulator cannot evaluate three things as AWS does, and only these are changed,
after the deployment: AWS has no action sqs:SendMessageBatch (sqs:SendMessage allows both, as sqs:DeleteMessage
does), and the emulator speaks no TLS, so that a queue which refuses requests without TLS would refuse everything.
It knows no encryption context either: a condition that asks for one would deny every call.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import boto3

from local import emulator
from local.stack import STACK_NAME, Stack
from tests.e2e import logs

# test_permissions.py takes these away for a while and asserts the denials itself.
TAKEN = ("secretsmanager UpdateSecretVersionStage", "secretsmanager ListSecrets")
BATCHED = ("sqs:SendMessage", "sqs:DeleteMessage")
# Of the emulator's environment. The access key "test" is the account's root to it. It keeps the last calls.
ENFORCED = {"AUTH": "true", "CLOUDTRAIL_RECORDING": "1", "CLOUDTRAIL_MAX_EVENTS": "50000"}
# Times, in epoch seconds, in which a deployment had written the roles and they were not corrected yet.
UNCORRECTED: list[tuple[float, float]] = []
# Access keys that `assume` was given, with the role that each acts as, by its logical id.
ASSUMED: dict[str, str] = {}


def deploy(stack: Stack) -> None:
    """Deploy a stack that is up, and correct its policies: the emulator writes each anew."""
    began = time.time()
    stack.up()
    permit_what_aws_would(stack)
    UNCORRECTED.append((began, time.time()))


def permit_what_aws_would(stack: Stack) -> None:
    """Correct the deployed policies; harmless where they are."""
    for role in resources(stack, "AWS::IAM::Role"):
        for name in stack.client("iam").list_role_policies(RoleName=role)["PolicyNames"]:
            _put(stack, role, name, _with_batches(_get(stack, role, name)))
    sqs = stack.client("sqs")
    # As a proxy that ended TLS would say it: the policy to be replaced refuses even its replacement otherwise.
    sqs.meta.events.register("before-sign.sqs", lambda request, **_: _say_tls(request))
    for url in resources(stack, "AWS::SQS::Queue"):
        asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        if text := asked.get("Attributes", {}).get("Policy"):
            policy = json.loads(text)
            others = [each for each in policy["Statement"] if each["Sid"] != "OnlyTls"]
            text = json.dumps(policy | {"Statement": others}) if others else ""
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": text})


@contextmanager
def without(stack: Stack, role: str, action: str) -> Iterator[None]:
    """Take an action from a role, by its logical id, and give it back."""
    physical = physical_id(stack, role)
    [name] = stack.client("iam").list_role_policies(RoleName=physical)["PolicyNames"]
    before = _get(stack, physical, name)
    less = [
        statement | {"Action": [each for each in listed(statement["Action"]) if each != action]}
        for statement in before["Statement"]
    ]
    assert sum(map(_actions, less)) < sum(map(_actions, before["Statement"])), f"{role} lacks {action}"
    _put(stack, physical, name, before | {"Statement": [each for each in less if each["Action"]]})
    try:
        yield
    finally:
        _put(stack, physical, name, before)


def denials(stack: Stack, *, since: float) -> list[str]:
    """Return the denied calls that the functions logged from a time on, in epoch seconds.

    A function does not fail where it may leave work for later: its response would not show the denial.
    """
    return [
        line
        for group in resources(stack, "AWS::Logs::LogGroup")
        for line in logs.lines(stack, group, since=since)
        if "AccessDenied" in line and not _uncorrected(line)
    ]


def _uncorrected(line: str) -> bool:
    """Whether a line tells of a call in a batch that AWS would have allowed."""
    if not any(f"{call}Batch: AccessDenied" in line for call in ("SendMessage", "DeleteMessage")):
        return False
    logged = datetime.fromisoformat(json.loads(line)["timestamp"]).timestamp()
    return any(began <= logged <= ended + 1 for began, ended in UNCORRECTED)


def assume(stack: Stack, role: str) -> dict[str, str]:
    """Return credentials of a role, by its logical id.

    The roles trust Lambda alone; the emulator takes the account's root for any service.
    """
    arn = stack.client("iam").get_role(RoleName=physical_id(stack, role))["Role"]["Arn"]
    given = stack.client("sts").assume_role(RoleArn=arn, RoleSessionName="e2e")["Credentials"]
    ASSUMED[given["AccessKeyId"]] = role
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


def client_as(stack: Stack, role: str, service: str) -> Any:
    """Return a boto3 client that acts as a role, by its logical id."""
    return boto3.client(  # type: ignore[call-overload]  # one overload for each service
        service, endpoint_url=stack.endpoint, region_name=emulator.REGION, **assume(stack, role)
    )


def resources(stack: Stack, resource_type: str) -> list[str]:
    """Return the physical ids of the stack's resources of a type."""
    return [each["PhysicalResourceId"] for each in _resources(stack) if each["ResourceType"] == resource_type]


def logical_ids(stack: Stack) -> dict[str, str]:
    """Return the logical id of each resource by its physical one."""
    return {each["PhysicalResourceId"]: each["LogicalResourceId"] for each in _resources(stack)}


def physical_id(stack: Stack, logical_id: str) -> str:
    [found] = [each for each in _resources(stack) if each["LogicalResourceId"] == logical_id]
    physical: str = found["PhysicalResourceId"]
    return physical


def _resources(stack: Stack) -> list[dict[str, Any]]:
    pages = (
        stack.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK_NAME)
    )
    return [each for page in pages for each in page["StackResourceSummaries"]]


def _get(stack: Stack, role: str, name: str) -> dict[str, Any]:
    found = stack.client("iam").get_role_policy(RoleName=role, PolicyName=name)
    document: dict[str, Any] = found["PolicyDocument"]
    return document


def _put(stack: Stack, role: str, name: str, document: dict[str, Any]) -> None:
    stack.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def _with_batches(document: dict[str, Any]) -> dict[str, Any]:
    statements = []
    for statement in document["Statement"]:
        actions = listed(statement["Action"])
        batches = [f"{action}Batch" for action in actions if action in BATCHED]
        actions = sorted({*actions, *batches})
        corrected = statement | {"Action": actions}
        if "kms:EncryptionContext" in str(statement.get("Condition", {}).get("Null")):
            corrected.pop("Condition")
        statements.append(corrected)
    return document | {"Statement": statements}


def _actions(statement: dict[str, Any]) -> int:
    return len(listed(statement["Action"]))


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _say_tls(request: Any) -> None:
    request.headers["X-Forwarded-Proto"] = "https"
