"""Probes of what a function needs, by its permissions: they read nothing that exists, and send nothing."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from signing.sealed_text import seal_context
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import error_code, unavailable, unavailable_error
from webhooks.adapters.dynamodb.items import key
from webhooks.adapters.dynamodb.table import Table
from webhooks.ports import Probe

ABSENT = "probe"  # a partition key that no item has
# KMS's errors for a permitted dry run: its own, and that of emulators, which read the ciphertext after all.
PERMITTED = ("DryRunOperation", "DryRunOperationException", "InvalidCiphertextException")
# In the code of SQS's error for a caller that may not send, and for a queue that does not exist.
NOT_SENDABLE = ("AccessDenied", "NonExistentQueue", "QueueDoesNotExist")


def item_probe(aws: AwsClients, table: str, *, sort_key: bool = True) -> Probe:
    """Ask a table for an absent item."""
    absent = key(ABSENT, ABSENT) if sort_key else key(ABSENT)
    return lambda: Table(aws, table).get_eventually(absent)


def batch_probe(aws: AwsClients, *tables: str) -> Probe:
    """Ask tables for an absent item each, with a batch of one."""
    return lambda: [Table(aws, table).get_many([key(ABSENT, ABSENT)]) for table in tables]


def query_probe(aws: AwsClients, table: str) -> Probe:
    """Ask a table for an empty partition."""
    return lambda: list(Table(aws, table).query(ABSENT))


def send_probe(aws: AwsClients, *queue_urls: str) -> Probe:
    """Send empty batches, which SQS refuses: by another error where the caller may not send."""

    def probe() -> None:
        for queue_url in queue_urls:
            try:
                aws.sqs.send_message_batch(QueueUrl=queue_url, Entries=[])
            except ClientError as error:
                if any(each in error_code(error) for each in NOT_SENDABLE):
                    raise unavailable_error("sqs SendMessage", error) from None
            except BotoCoreError as error:
                raise unavailable_error("sqs SendMessage", error) from None

    return probe


def list_secrets_probe(aws: AwsClients) -> Probe:
    """List one secret, and discard it."""

    def probe() -> None:
        with unavailable("secretsmanager ListSecrets"):
            aws.secrets.list_secrets(MaxResults=1)

    return probe


def open_probe(aws: AwsClients, key_id: str) -> Probe:
    """Let KMS check the permission to decrypt a webhook's data key, without one."""
    return lambda: _dry_run(
        "kms Decrypt",
        lambda **context: aws.kms.decrypt(**context, DryRunModifiers=["IGNORE_CIPHERTEXT"]),
        key_id,
    )


def seal_probe(aws: AwsClients, key_id: str) -> Probe:
    """Let KMS check the permission to make a webhook's data key, and make none."""
    return lambda: _dry_run(
        "kms GenerateDataKey",
        lambda **context: aws.kms.generate_data_key(**context, KeySpec="AES_256"),
        key_id,
    )


def _dry_run(operation: str, call: Callable[..., Any], key_id: str) -> None:
    """Call KMS with DryRun, in the context of a webhook: the permissions hold for no other."""
    context = seal_context(ABSENT, ABSENT, ABSENT)
    with unavailable(operation):
        try:
            call(KeyId=key_id, EncryptionContext=context, DryRun=True)
        except ClientError as error:
            if error_code(error) not in PERMITTED:
                raise
