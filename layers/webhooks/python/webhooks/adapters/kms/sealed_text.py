"""A sealed credential as the text in its webhook's item.

It is base64 of these parts:

    form (1 byte, 1) || length of the wrapped key (2) || wrapped key || nonce (12) || AES-256-GCM || tag (16)

The wrapped key is a data key of KMS. Its encryption context names tenant, community and webhook; the same
context is the associated data of the encryption: a text that is put into another item does not open.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from webhooks.domain.errors import NewerFormError
from webhooks.domain.scope import Scope

FORM = 1
KEY_BYTES, NONCE_BYTES, TAG_BYTES = 32, 12, 16
_LENGTH = 2  # bytes of the wrapped key's length
_HEAD = 1 + _LENGTH


@dataclass(frozen=True, slots=True)
class Sealed:
    """The parts of a sealed text; `encrypted` with its tag."""

    wrapped_key: bytes = field(repr=False)
    nonce: bytes
    encrypted: bytes = field(repr=False)


def context_of(scope: Scope, webhook_id: str) -> Mapping[str, str]:
    """Return the encryption context; the roles in template.yaml name its keys."""
    return {"tenant": scope.tenant_id, "community": scope.community_id, "webhook": webhook_id}


def seal_text(text: str, *, key: bytes, wrapped_key: bytes, nonce: bytes, context: Mapping[str, str]) -> str:
    """Encrypt a text under a data key that serves this text alone."""
    plain = text.encode("utf-8", "surrogatepass")  # an error would carry the text
    encrypted = AESGCM(key).encrypt(nonce, plain, _associated(context))
    length = len(wrapped_key).to_bytes(_LENGTH, "big")
    return b64encode(bytes([FORM]) + length + wrapped_key + nonce + encrypted).decode()


def parts_of(sealed: str) -> Sealed | None:
    """Return the parts of a sealed text, None for another text. Raises NewerFormError."""
    try:
        raw = b64decode(sealed, validate=True)
    except ValueError:
        return None
    if raw and raw[0] > FORM:
        raise NewerFormError(
            f"newer form: sealed credential of version {raw[0]}, and this release reads {FORM}"
        )
    at = _HEAD + int.from_bytes(raw[1:_HEAD], "big")
    if len(raw) < at + NONCE_BYTES + TAG_BYTES or raw[0] != FORM or at == _HEAD:
        return None
    return Sealed(raw[_HEAD:at], raw[at : at + NONCE_BYTES], raw[at + NONCE_BYTES :])


def open_text(sealed: Sealed, *, key: bytes, context: Mapping[str, str]) -> str | None:
    """Decrypt a text; None where it was changed, or is another context's."""
    try:
        plain = AESGCM(key).decrypt(sealed.nonce, sealed.encrypted, _associated(context))
    except InvalidTag:
        return None
    return plain.decode("utf-8", "surrogatepass")


def _associated(context: Mapping[str, str]) -> bytes:
    return json.dumps(context, separators=(",", ":"), sort_keys=True).encode()
