"""Everything that a run may have left outside of its stacks, each with its tags and its deletion."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from acceptance.account import Account
from acceptance.artifacts import bucket_tags, delete_bucket
from acceptance.deployed import describe, tags_of
from acceptance.names import TAG, Names

KEY_DAYS = 7  # KMS deletes no key sooner
PENDING = "KMS deletes it in some days; it is free of charge until then"
STACK_TAG = "webhooks:stack"  # of a webhook's credential: the id of the stack whose function created it
GONE = {
    "ResourceNotFoundException",
    "NotFoundException",
    "NoSuchEntity",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
}


@dataclass(frozen=True)
class Kept:
    """A resource that may be left; `delete` returns a text where it stays all the same.

    `pending`: the reason why nothing is to be done about it any more.
    """

    kind: str
    id: str
    tags: Mapping[str, str]
    delete: Callable[[], str | None]
    pending: str = ""


def find(account: Account, names: Names) -> Iterator[Kept]:
    """Yield resources by their names and tags, of a run of this name or not: `Kept.tags` tells.

    A key comes last: what it encrypts is deleted before it.
    """
    for finder in (_tables, _queues, _secrets, _roles, _buses, _log_groups, _buckets, _keys):
        yield from finder(account, names)


def _tables(account: Account, names: Names) -> Iterator[Kept]:
    tables = account.client("dynamodb")
    for page in tables.get_paginator("list_tables").paginate():
        for name in page["TableNames"]:
            if not name.startswith(names.prefix):
                continue
            found = _unless_gone(tables.describe_table, TableName=name)
            if found is not None and found["Table"]["TableStatus"] != "DELETING":
                listed = tables.list_tags_of_resource(ResourceArn=found["Table"]["TableArn"])["Tags"]
                yield Kept("table", name, _tags(listed), partial(_delete_table, account, name))


def _delete_table(account: Account, name: str) -> None:
    tables = account.client("dynamodb")
    # Protected where a deployment was interrupted, or by an emulator that takes the text "false" as true.
    if tables.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
        tables.update_table(TableName=name, DeletionProtectionEnabled=False)
        tables.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 3, "MaxAttempts": 60})
    tables.delete_table(TableName=name)
    waited = {"Delay": 1 if account.is_emulator else 3, "MaxAttempts": 100}
    tables.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig=waited)


def _queues(account: Account, names: Names) -> Iterator[Kept]:
    sqs = account.client("sqs")
    for page in sqs.get_paginator("list_queues").paginate(QueueNamePrefix=names.prefix):
        for url in page.get("QueueUrls", []):
            # A list of queues still has those that were deleted within a minute.
            found = _unless_gone(sqs.list_queue_tags, QueueUrl=url)
            if found is not None:
                yield Kept(
                    "queue", url, found.get("Tags", {}), partial(_call, sqs.delete_queue, QueueUrl=url)
                )


def _secrets(account: Account, names: Names) -> Iterator[Kept]:
    secrets = account.client("secretsmanager")
    for page in secrets.get_paginator("list_secrets").paginate():
        for secret in page["SecretList"]:
            tags, arn = _tags(secret.get("Tags", [])), secret["ARN"]
            # The template's secrets are named by CloudFormation, those of webhooks by the stack's own prefix.
            if not (names.own(tags) or secret["Name"].startswith((names.prefix, *names.credentials))):
                continue
            if _is_own_stack(account, names, tags.get(STACK_TAG)):
                tags = tags | names.tags
            delete = partial(_call, secrets.delete_secret, SecretId=arn, ForceDeleteWithoutRecovery=True)
            yield Kept("secret", secret["Name"], tags, delete)


def _is_own_stack(account: Account, names: Names, stack_id: str | None) -> bool:
    """Tell whether a stack, deleted or not, carries the tag of a run of this name."""
    found = describe(account, stack_id) if stack_id else None
    return found is not None and names.own(tags_of(found))


def _roles(account: Account, names: Names) -> Iterator[Kept]:
    """Yield the role with which API Gateway writes logs, which the template keeps."""
    iam = account.client("iam")
    for page in iam.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            name = role["RoleName"]
            if not name.startswith(names.prefix):
                continue
            found = _unless_gone(iam.list_role_tags, RoleName=name)
            if found is not None:
                delete = partial(_delete_role, account, name, role["Arn"])
                yield Kept("role", name, _tags(found["Tags"]), delete)


def _delete_role(account: Account, name: str, arn: str) -> str | None:
    iam, gateway = account.client("iam"), account.client("apigateway")
    if gateway.get_account().get("cloudwatchRoleArn") == arn:
        if _has_logged_stage(account):
            return "other APIs of the account write their logs with it by now"
        empty = [{"op": "replace", "path": "/cloudwatchRoleArn", "value": ""}]
        try:
            gateway.update_account(patchOperations=empty)
        except ClientError as error:
            return f"API Gateway does not give it up: {error}"
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    for policy_name in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy_name)
    iam.delete_role(RoleName=name)
    return None


def _has_logged_stage(account: Account) -> bool:
    gateway = account.client("apigateway")
    for page in gateway.get_paginator("get_rest_apis").paginate():
        for api in page["items"]:
            for stage in gateway.get_stages(restApiId=api["id"])["item"]:
                methods = stage.get("methodSettings", {}).values()
                if stage.get("accessLogSettings") or any(
                    each.get("loggingLevel", "OFF") != "OFF" for each in methods
                ):
                    return True
    return False


def _buses(account: Account, names: Names) -> Iterator[Kept]:
    events = account.client("events")
    bus = _unless_gone(events.describe_event_bus, Name=names.bus)
    if bus is not None:
        tags = _tags(events.list_tags_for_resource(ResourceARN=bus["Arn"])["Tags"])
        yield Kept("event bus", names.bus, tags, partial(delete_bus, account, names.bus))


def delete_bus(account: Account, bus: str) -> None:
    """Delete an event bus with its rules."""
    events = account.client("events")
    for rule in events.list_rules(EventBusName=bus)["Rules"]:
        targets = events.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus)["Targets"]
        if targets:
            events.remove_targets(
                Rule=rule["Name"], EventBusName=bus, Ids=[target["Id"] for target in targets]
            )
        events.delete_rule(Name=rule["Name"], EventBusName=bus)
    events.delete_event_bus(Name=bus)


def _log_groups(account: Account, names: Names) -> Iterator[Kept]:
    """Yield log groups, which a deletion in the middle of a creation may have missed."""
    logs = account.client("logs")
    for prefix in names.log_groups:
        for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix):
            for group in page["logGroups"]:
                name = group["logGroupName"]
                arn = group["arn"].removesuffix(":*")
                found = _unless_gone(logs.list_tags_for_resource, resourceArn=arn)
                if found is not None:
                    delete = partial(_call, logs.delete_log_group, logGroupName=name)
                    yield Kept("log group", name, found.get("tags", {}), delete)


def indexed(account: Account, names: Names) -> list[str]:
    """Return the ARNs that the index of tags has: late, so that some may be deleted already."""
    wanted = [{"Key": TAG, "Values": [names.service]}]
    pages = (
        account.client("resourcegroupstaggingapi").get_paginator("get_resources").paginate(TagFilters=wanted)
    )
    return [found["ResourceARN"] for page in pages for found in page["ResourceTagMappingList"]]


def _buckets(account: Account, names: Names) -> Iterator[Kept]:
    bucket = names.bucket(account.id, account.region)
    tags = bucket_tags(account, bucket)
    if tags is not None:
        yield Kept("bucket", bucket, tags, partial(delete_bucket, account, bucket))


def _keys(account: Account, names: Names) -> Iterator[Kept]:
    kms = account.client("kms")
    wanted = [{"Key": TAG, "Values": [names.service]}]
    pages = account.client("resourcegroupstaggingapi").get_paginator("get_resources")
    for page in pages.paginate(TagFilters=wanted, ResourceTypeFilters=["kms:key"]):
        for found in page["ResourceTagMappingList"]:
            key_id = found["ResourceARN"].rpartition("/")[2]
            key = _unless_gone(kms.describe_key, KeyId=key_id)
            if key is None:
                continue
            state = key["KeyMetadata"]["KeyState"]
            # Read from the key itself: the list by tags is late.
            listed = kms.list_resource_tags(KeyId=key_id)["Tags"]
            tags = {tag["TagKey"]: tag["TagValue"] for tag in listed}
            schedule = partial(_call, kms.schedule_key_deletion, KeyId=key_id, PendingWindowInDays=KEY_DAYS)
            pending = PENDING if state == "PendingDeletion" else ""
            yield Kept("key", key_id, tags, schedule, pending)


def _unless_gone(call: Callable[..., Any], **request: str) -> Any:
    """Return a call's response; None where the resource does not exist (any more)."""
    try:
        return call(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] in GONE:
            return None
        raise


def _tags(listed: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in listed}


def _call(call: Callable[..., object], **request: object) -> None:
    """Call, and return nothing: the resource is deleted."""
    call(**request)
