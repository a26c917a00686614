"""The calls that the functions made, as the permissions that AWS asks for: read from the emulator's CloudTrail."""

import hashlib
import json
import math
from base64 import b64decode
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from local.stack import Stack
from tests.e2e import permissions

# The IAM actions behind one call, by the kinds of a transaction's parts.
PARTS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
MICROSECOND = 1e-6
KEY_ID_LENGTH = 36
PAGE = 50  # the most that LookupEvents returns; the emulator has no next page
# Actions of the emulator itself, which need no permission.
BY_LAMBDA = ("logs:*", "xray:*", "kms:*", "sqs:ReceiveMessage")


class Permission(NamedTuple):
    """`role` by its logical id. `resource`: an ARN, or a pattern of ARNs where it is allowed."""

    role: str
    action: str
    resource: str


def allowed(stack: Stack) -> set[Permission]:
    """Return the permissions of the functions' roles."""
    iam = stack.client("iam")
    documents = [
        (role, iam.get_role_policy(RoleName=physical, PolicyName=name)["PolicyDocument"])
        for role, physical in roles(stack).items()
        for name in iam.list_role_policies(RoleName=physical)["PolicyNames"]
    ]
    return {
        Permission(role, action, resource)
        for role, document in documents
        for statement in document["Statement"]
        for action in statement["Action"]
        for resource in permissions.listed(statement["Resource"])
        if not action.endswith("MessageBatch")  # permissions.py adds these for the emulator
    }


def is_recorded(one: Permission, many: set[Permission]) -> bool:
    """Tell whether the emulator records the calls of a permission: it does not for Lambda's own calls."""
    polls = Permission(one.role, "sqs:ReceiveMessage", one.resource) in many
    return not (
        any(fnmatchcase(one.action, each) for each in BY_LAMBDA)
        or (polls and one.action in {"sqs:DeleteMessage", "sqs:GetQueueAttributes"})
    )


def used(stack: Stack) -> set[Permission]:
    """Return the permissions that functions used, and tests that acted as their roles."""
    secrets = stack.client("secretsmanager")
    arns = {
        name: secrets.describe_secret(SecretId=name)["ARN"]
        for name in permissions.resources(stack, "AWS::SecretsManager::Secret")
    }
    return {
        Permission(role, f"{service}:{action}", arns.get(resource, resource))
        for key, role in (_access_keys(stack) | permissions.ASSUMED).items()
        for service, name, request in _calls(stack, key)
        for action, resource in _asked(service, name, request)
    }


def is_allowed(one: Permission, many: set[Permission]) -> bool:
    return any(
        one.role == each.role and one.action == each.action and fnmatchcase(one.resource, each.resource)
        for each in many
    )


def is_used(one: Permission, many: set[Permission]) -> bool:
    return any(
        one.role == each.role and one.action == each.action and fnmatchcase(each.resource, one.resource)
        for each in many
    )


def by_logical_id(stack: Stack, one: Permission) -> tuple[str, str, str]:
    """Return role, action and resource: its logical id, or `credentials` for the secrets of webhooks.

    An index is behind its table: `SubscriptionsTable/lists`.
    """
    if one.resource.endswith("/credentials/*"):
        return one.role, one.action, "credentials"
    physical, _, index = one.resource.rpartition(":")[2].removeprefix("table/").partition("/index/")
    names = {each.rpartition("/")[2]: logical for each, logical in permissions.logical_ids(stack).items()}
    if physical not in names:
        return one.role, one.action, one.resource
    return one.role, one.action, f"{names[physical]}/{index}" if index else names[physical]


def roles(stack: Stack) -> dict[str, str]:
    """Return the functions' roles: physical by logical id."""
    functions = stack.client("lambda")
    physical = {
        functions.get_function_configuration(FunctionName=each)["Role"].rpartition("/")[2]
        for each in permissions.resources(stack, "AWS::Lambda::Function")
    }
    logical = permissions.logical_ids(stack)
    return {logical[each]: each for each in physical}


def _access_keys(stack: Stack) -> dict[str, str]:
    """Return the role of each access key: the emulator derives a function's from the ARNs of both."""
    functions, logical, keys = stack.client("lambda"), permissions.logical_ids(stack), {}
    for name in permissions.resources(stack, "AWS::Lambda::Function"):
        versions = functions.list_versions_by_function(FunctionName=name)["Versions"]
        role = versions[0]["Role"]
        arn = functions.get_function_configuration(FunctionName=name)["FunctionArn"]
        arns = {arn, f"{arn}:live", f"{arn}:$LATEST", *(each["FunctionArn"] for each in versions)}
        for each in arns:
            digest = hashlib.sha256(f"{each}:{role}".encode()).hexdigest()
            keys[f"ASIA{digest[:16].upper()}"] = logical[role.rpartition("/")[2]]
    return keys


def _calls(stack: Stack, key: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield service, operation and request of the calls with an access key, newest first."""
    trail, attribute = stack.client("cloudtrail"), {"AttributeKey": "AccessKeyId", "AttributeValue": key}
    until = math.inf

    def end_there(params: dict[str, Any], **_: Any) -> None:
        """Ask for older calls than all before: a client would send whole seconds."""
        if until < math.inf:
            params["body"] = json.dumps(json.loads(params["body"]) | {"EndTime": until}).encode()

    trail.meta.events.register("before-call.cloudtrail.LookupEvents", end_there)
    while True:
        events = trail.lookup_events(LookupAttributes=[attribute], MaxResults=PAGE)["Events"]
        for event in events:
            service = event["EventSource"].partition(".")[0]
            yield service, event["EventName"], json.loads(event["CloudTrailEvent"])["requestParameters"]
        if len(events) < PAGE:
            return
        until = events[-1]["EventTime"].timestamp() - MICROSECOND


def _key_of(ciphertext: str) -> str:
    """Return the id of the key that encrypted a text: the emulator puts it first."""
    return b64decode(ciphertext)[:KEY_ID_LENGTH].decode()


def _asked(  # noqa: C901 - a case for each service
    service: str, name: str, request: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yield action and resource of a call; of a secret of the template's, its name."""
    arn = f"arn:aws:{service}:us-east-1:000000000000:"
    match service, name:
        case "dynamodb", "TransactWriteItems":
            for part in request["TransactItems"]:
                [(kind, asked)] = part.items()
                yield PARTS[kind], f"{arn}table/{asked['TableName']}"
        case "dynamodb", "BatchGetItem" | "BatchWriteItem":
            yield from ((name, f"{arn}table/{table}") for table in request["RequestItems"])
        case "dynamodb", "Query" if "IndexName" in request:
            yield name, f"{arn}table/{request['TableName']}/index/{request['IndexName']}"
        case "dynamodb", _:
            yield name, f"{arn}table/{request['TableName']}"
        case "sqs", _:
            yield name.removesuffix("Batch"), arn + request["QueueUrl"].rpartition("/")[2]
        case "secretsmanager", "ListSecrets":
            yield name, "*"
        case "secretsmanager", _:
            secret = request.get("SecretId") or request["Name"]
            resource = f"{arn}secret:{secret}" if "/" in secret else secret  # a webhook's credential, or ours
            yield name, resource
            if name == "CreateSecret" and request.get("Tags"):
                yield "TagResource", resource
        case "kms", "GenerateDataKey" | "Decrypt" if "KeyId" in request:
            yield name, request["KeyId"]
        case "kms", "Decrypt":
            yield name, f"{arn}key/{_key_of(request['CiphertextBlob'])}"
        case _:
            raise AssertionError(f"a function called {service} {name}")
