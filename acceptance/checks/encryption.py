"""Keys and secrets: everything is encrypted with the stack's key, credentials carry their tags and stages."""

from typing import Any

from acceptance.checks.check import Check, expect
from acceptance.kept import STACK_TAG
from acceptance.site import Site

SETTLED = {"AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"}
TABLE_TAG, OWNER_TAG = "webhooks:table", "webhooks:credential-of"


def one_key(site: Site) -> str:
    """Tables, queues, secrets and log groups use the stack's key."""
    service, key = site.service, site.service.outputs["KeyArn"]
    counts = []
    for kind, found in (
        ("tables", [_table_key(service, each) for each in _ids(site, "AWS::DynamoDB::Table")]),
        ("queues", [_queue_key(service, each) for each in _ids(site, "AWS::SQS::Queue")]),
        ("secrets", [_secret_key(service, each) for each in _ids(site, "AWS::SecretsManager::Secret")]),
        ("log groups", [_log_key(service, each) for each in _ids(site, "AWS::Logs::LogGroup")]),
    ):
        expect(found, f"the stack has no {kind}")
        if site.account.is_emulator and kind == "tables":
            continue  # it does not tell a table's key
        others = [each for each in found if not _is_key(each, key)]
        expect(not others, f"{len(others)} {kind} use {others[:2]}, not {key}")
        counts.append(f"{len(found)} {kind}")
    return f"{', '.join(counts)} with {key.rpartition('/')[2]}"


def _ids(site: Site, resource_type: str) -> list[str]:
    return [each["PhysicalResourceId"] for each in site.service.resources(resource_type)]


def _table_key(service: Any, name: str) -> str:
    table = service.client("dynamodb").describe_table(TableName=name)["Table"]
    return str(table.get("SSEDescription", {}).get("KMSMasterKeyArn"))


def _queue_key(service: Any, url: str) -> str:
    asked = service.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["KmsMasterKeyId"])
    return str(asked.get("Attributes", {}).get("KmsMasterKeyId"))


def _secret_key(service: Any, secret: str) -> str:
    return str(service.client("secretsmanager").describe_secret(SecretId=secret).get("KmsKeyId"))


def _log_key(service: Any, name: str) -> str:
    groups = service.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return str(next((each.get("kmsKeyId") for each in groups if each["logGroupName"] == name), None))


def _is_key(found: str, key: str) -> bool:
    return found == key or found == key.rpartition("/")[2]


def credential_tags(site: Site) -> str:
    """The secret of a webhook's credential is tagged with its stack, its table and its webhook."""
    webhook_id, described = _credential(site)
    tags = {tag["Key"]: tag["Value"] for tag in described.get("Tags", [])}
    expect(f":stack/{site.names.service}/" in tags.get(STACK_TAG, ""), tags)
    expect(tags.get(TABLE_TAG) == site.service.outputs["SubscriptionsTable"], tags)
    expect(tags.get(OWNER_TAG, "").endswith(webhook_id), tags)
    return f"{STACK_TAG}, {TABLE_TAG} and {OWNER_TAG} are set"


def credential_stages(site: Site) -> str:
    """Each version of a credential keeps the stage that names the webhook's revision."""
    _, described = _credential(site)
    stages = [stage for each in described["VersionIdsToStages"].values() for stage in each]
    own = sorted(set(stages) - SETTLED)
    expect(own, f"stages: {sorted(stages)}")
    return f"stages {', '.join(own)} beside {', '.join(sorted(SETTLED & set(stages)))}"


def _credential(site: Site) -> tuple[str, dict[str, Any]]:
    """Register a webhook with a credential, change the credential, and describe its secret."""
    with site.receiver() as receiver:
        api = {"authType": "bearer", "credential": {"token": "first"}}
        webhook, _ = site.register(receiver, api=api)
    webhook_id = webhook["_id"]
    changed = site.caller.call("PATCH", f"webhook/{webhook_id}", {"api": {"credential": {"token": "second"}}})
    expect(changed.status == 200, f"{changed.status} {changed.body!r}")
    secrets = site.account.client("secretsmanager")

    def found() -> str | None:
        # A list is complete some seconds late.
        for page in secrets.get_paginator("list_secrets").paginate():
            for secret in page["SecretList"]:
                tags = {tag["Key"]: tag["Value"] for tag in secret.get("Tags", [])}
                if tags.get(OWNER_TAG, "").endswith(webhook_id) or secret["Name"].endswith(webhook_id):
                    return str(secret["ARN"])
        return None

    arn = site.until(found, seconds=60)
    expect(arn, f"no secret of webhook {webhook_id}")
    return webhook_id, secrets.describe_secret(SecretId=arn)


CHECKS = (
    Check("everything is encrypted with the stack's key", one_key),
    Check("credentials are tagged", credential_tags),
    Check(
        "credentials keep their own staging labels",
        credential_stages,
        "the emulator drops custom staging labels",
    ),
)
