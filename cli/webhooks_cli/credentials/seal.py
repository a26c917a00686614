"""Seals credentials under the stack's key of KMS and opens them, as the service does."""

import os
from collections.abc import Mapping
from typing import Any

from signing import SigningError
from signing.sealed_text import NONCE_BYTES, open_text, seal_context, seal_text, sealed_parts
from webhooks_cli.aws import Account
from webhooks_cli.backup.aws_calls import Calls
from webhooks_cli.credentials.forms import SEALED, context_of, place_of
from webhooks_cli.errors import RefusedError

NOT_OURS = ("InvalidCiphertextException",)  # the wrapped key was changed, or is another webhook's


class CredentialSeal:
    """Seals under `key`, its ARN; opens what was sealed under any key that the account may use."""

    def __init__(self, account: Account, key: str, calls: Calls) -> None:
        self._account = account
        self._key = key
        self._calls = calls

    def seal(self, item: Mapping[str, Any], text: str) -> str:
        """Return a text as it is stored in the webhook's item."""
        context = seal_context(*context_of(item))
        kms = self._account.client("kms")
        made = self._calls.call(
            "kms GenerateDataKey",
            kms.generate_data_key,
            KeyId=self._key,
            KeySpec="AES_256",
            EncryptionContext=context,
        )
        return seal_text(
            text,
            key=made["Plaintext"],
            wrapped_key=made["CiphertextBlob"],
            nonce=os.urandom(NONCE_BYTES),
            context=context,
        )

    def open(self, item: Mapping[str, Any]) -> "str | None":
        """Return the text of a webhook's sealed credential; None where it does not open."""
        try:
            parts = sealed_parts(item[SEALED]["S"])
        except SigningError as error:
            raise RefusedError(f"{place_of(item)}: {error}") from None
        if parts is None:
            return None
        context = seal_context(*context_of(item))
        found = self._calls.call(
            "kms Decrypt",
            self._account.client("kms").decrypt,
            NOT_OURS,
            CiphertextBlob=parts.wrapped_key,
            EncryptionContext=context,
        )
        return open_text(parts, key=found["Plaintext"], context=context) if found else None
