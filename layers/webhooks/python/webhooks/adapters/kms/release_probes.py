"""Probes of the permissions for the key that credentials are sealed under: nothing is opened or sealed."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from signing.sealed_text import seal_context
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import error_code, unavailable
from webhooks.ports import Probe

ABSENT = "probe"  # a tenant, community and webhook that do not exist
# KMS's errors for a permitted dry run: its own; that of emulators, which read the ciphertext after all; and
# that of a region whose KMS knows no dry run without one, which must end no release.
PERMITTED = (
    "DryRunOperation",
    "DryRunOperationException",
    "InvalidCiphertextException",
    "ValidationException",
)


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
