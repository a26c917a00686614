"""Checks of data at rest: the key, the tables, the service's secrets, and the credentials of webhooks."""

from collections.abc import Iterator
from typing import Any

from webhooks_cli.aws import KEY_OF_AWS
from webhooks_cli.doctor.findings import FAILED, OK, WARNING, AbsentError, Finding, UnansweredError
from webhooks_cli.doctor.stack import Resource, Stack

EXPIRING = ("DeliveriesTable", "AccessTable")  # tables whose items expire
LOG = "DeliveriesTable"
TABLE_TAG, STACK_TAG = "webhooks:table", "webhooks:stack"
CREDENTIAL_PAGES = 50  # of 100 secrets: more would take minutes


def key(stack: Stack) -> Iterator[Finding]:
    if _uses_keys_of_aws(stack):
        yield Finding("key", OK, "AWS's own keys encrypt all data (EncryptionKey=AwsOwned).")
        return
    arn = stack.output("KeyArn")
    state = stack.call("kms", "DescribeKey", KeyId=arn)["KeyMetadata"]["KeyState"]
    if state == "PendingDeletion":
        mend = stack.aws(f"kms cancel-key-deletion --key-id {arn}")
        yield Finding("key", FAILED, "The key is about to be deleted, and all data with it.", mend)
    elif state != "Enabled":
        mend = stack.aws(f"kms enable-key --key-id {arn}")
        yield Finding("key", FAILED, f"The key is in the state {state}: nothing can be read.", mend)
    else:
        yield Finding("key", OK, "The key is enabled.")


def rotation(stack: Stack) -> Iterator[Finding]:
    if _uses_keys_of_aws(stack):
        yield Finding("key rotation", OK, "AWS rotates its own keys.")
        return
    arn = stack.output("KeyArn")
    if stack.call("kms", "GetKeyRotationStatus", KeyId=arn).get("KeyRotationEnabled"):
        yield Finding("key rotation", OK, "The key is rotated each year.")
    else:
        mend = stack.aws(f"kms enable-key-rotation --key-id {arn}")
        yield Finding("key rotation", FAILED, "The key is not rotated.", mend)


def recovery(stack: Stack) -> Iterator[Finding]:
    off, without = [], stack.parameters.get("LogBackups") == "false"
    for each in _tables(stack):
        if without and each.logical == LOG:
            continue
        found = stack.call("dynamodb", "DescribeContinuousBackups", TableName=each.physical)
        backups = found["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        if backups.get("PointInTimeRecoveryStatus") != "ENABLED":
            off.append(each)
    if off and stack.is_emulated:
        raise UnansweredError("the emulator leaves out backups")
    for each in off:
        command = (
            f"dynamodb update-continuous-backups --table-name {each.physical} "
            "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
        )
        text = f"{each.logical} cannot be restored to a point in time."
        yield Finding("backups", FAILED, text, stack.aws(command))
    if not off:
        others = f", but for {LOG} (LogBackups=false)" if without else ""
        yield Finding("backups", OK, f"All tables can be restored to a point in time{others}.")


def expiry(stack: Stack) -> Iterator[Finding]:
    off = []
    for each in _tables(stack):
        if each.logical in EXPIRING:
            found = stack.call("dynamodb", "DescribeTimeToLive", TableName=each.physical)
            if found["TimeToLiveDescription"].get("TimeToLiveStatus") not in {"ENABLED", "ENABLING"}:
                off.append(each)
    if off and stack.is_emulated:
        raise UnansweredError("the emulator leaves out the expiry of items")
    for each in off:
        command = (
            f"dynamodb update-time-to-live --table-name {each.physical} "
            "--time-to-live-specification Enabled=true,AttributeName=expiresAt"
        )
        yield Finding("expiry", FAILED, f"Items of {each.logical} never expire.", stack.aws(command))
    if not off:
        yield Finding("expiry", OK, "Items of the log and idempotency records expire.")


def protection(stack: Stack) -> Iterator[Finding]:
    described = {
        each.logical: stack.call("dynamodb", "DescribeTable", TableName=each.physical)["Table"]
        for each in _tables(stack)
    }
    # As text in an emulator, where the parameter's value is one.
    off = [
        name
        for name, table in described.items()
        if str(table.get("DeletionProtectionEnabled")).lower() != "true"
    ]
    if off:
        text = f"Tables can be deleted: {', '.join(off)}."
        yield Finding(
            "deletion of tables", WARNING, text, "DeletionProtection=true in samconfig.toml, then make deploy"
        )
    else:
        yield Finding("deletion of tables", OK, "All tables are protected against their deletion.")


def secrets(stack: Stack) -> Iterator[Finding]:
    """Look whether the service's own secrets exist under the stack's key; their values are not read."""
    arn, failed = KEY_OF_AWS if _uses_keys_of_aws(stack) else stack.output("KeyArn"), 0
    own = stack.resources("AWS::SecretsManager::Secret")
    for each in own:
        for finding in _secret(stack, each, key_arn=arn):
            failed += 1
            yield finding
    if not failed:
        whose = "AWS's" if arn == KEY_OF_AWS else "the stack's"
        which = (
            f"All {len(own)} secrets of the service exist" if own[1:] else "The secret of the service exists"
        )
        yield Finding("secrets", OK, f"{which}, under {whose} key.")


def _secret(stack: Stack, secret: Resource, *, key_arn: str) -> Iterator[Finding]:
    try:
        found = stack.call("secretsmanager", "DescribeSecret", SecretId=secret.physical)
    except AbsentError:
        yield Finding("secrets", FAILED, f"{secret.logical} does not exist.", "docs/restore.md")
        return
    if found.get("DeletedDate"):
        mend = stack.aws(f"secretsmanager restore-secret --secret-id {secret.physical}")
        yield Finding("secrets", FAILED, f"{secret.logical} is about to be deleted.", mend)
    elif found.get("KmsKeyId") and not key_arn.endswith(str(found["KmsKeyId"]).rpartition("/")[2]):
        mend = stack.aws(f"secretsmanager update-secret --secret-id {secret.physical} --kms-key-id {key_arn}")
        whose = "AWS's" if key_arn == KEY_OF_AWS else "the stack's"
        yield Finding("secrets", FAILED, f"{secret.logical} is not under {whose} key.", mend)


def credentials(stack: Stack) -> Iterator[Finding]:
    """Count the secrets of webhooks that are not bound to the stack and its table, or cost needlessly."""
    prefix, table = stack.output("CredentialsPrefix"), stack.output("SubscriptionsTable")
    wanted = {TABLE_TAG: table, STACK_TAG: stack.description["StackId"]}
    listed = unbound = 0
    filters = [{"Key": "name", "Values": [prefix]}]
    for page in stack.pages("secretsmanager", "ListSecrets", most=CREDENTIAL_PAGES, Filters=filters):
        for each in page["SecretList"]:
            if each["Name"].startswith(prefix) and not each.get("DeletedDate"):
                listed += 1
                unbound += not wanted.items() <= _tags(each).items()
    if unbound:
        yield Finding(
            "credentials",
            WARNING,
            f"{unbound} of {listed} credentials' secrets are not bound to this stack, so they stay.",
            "docs/restore.md, Restore: the commands that bind them",
        )
    elif listed and stack.parameters.get("CredentialStore") == "Table":
        yield Finding(
            "credentials",
            WARNING,
            f"New credentials are sealed in webhooks; {listed} are still secrets, for $0.40 a month each.",
            f"webhooks credentials migrate --to table {stack.option()}",
        )
    else:
        yield Finding("credentials", OK, f"All {listed} credentials' secrets are bound to this stack.")


def _uses_keys_of_aws(stack: Stack) -> bool:
    return stack.parameters.get("EncryptionKey") == "AwsOwned"


def _tables(stack: Stack) -> list[Resource]:
    return stack.resources("AWS::DynamoDB::Table")


def _tags(secret: dict[str, Any]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in secret.get("Tags", [])}
