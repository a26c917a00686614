"""A text that is sealed for one webhook: encrypted under a data key, which KMS wrapped for the same context.

It is base64 of these parts:

    form (1 byte, 1) || length of the wrapped key (2) || wrapped key || nonce (12) || AES-256-GCM || tag (16)

The context names tenant, community and webhook. It is KMS's encryption context and the associated data of the
encryption: a sealed text that is put into another webhook's item does not open.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import base64_text
from .errors import NewerSealedTextError

FORM = 1
NONCE_BYTES, TAG_BYTES = 12, 16
_LENGTH = 2  # bytes of the wrapped key's length
_HEAD = 1 + _LENGTH


@dataclass(frozen=True)
class SealedText:
    """The parts of a sealed text; `encrypted` with its tag."""

    wrapped_key: bytes = field(repr=False)
    nonce: bytes
    encrypted: bytes = field(repr=False)


def seal_context(tenant_id: str, community_id: str, webhook_id: str) -> dict[str, str]:
    """Return the context; the roles in template.yaml name its keys."""
    return {"tenant": tenant_id, "community": community_id, "webhook": webhook_id}


def seal_text(text: str, *, key: bytes, wrapped_key: bytes, nonce: bytes, context: Mapping[str, str]) -> str:
    """Encrypt a text under a data key of 32 bytes, which serves for this text alone."""
    plain = text.encode("utf-8", "surrogatepass")  # an error would carry the text
    encrypted = AESGCM(key).encrypt(nonce, plain, _associated(context))
    length = len(wrapped_key).to_bytes(_LENGTH, "big")
    return base64_text.encode(bytes([FORM]) + length + wrapped_key + nonce + encrypted)


def sealed_parts(sealed: str) -> "SealedText | None":
    """Return the parts of a sealed text, None for another text.

    Raises NewerSealedTextError for a later form.
    """
    raw = base64_text.decode(sealed)
    if not raw or raw[0] < FORM:
        return None
    if raw[0] > FORM:
        raise NewerSealedTextError(
            f"newer form: sealed credential of version {raw[0]}, and this release reads {FORM} at most"
        )
    at = _HEAD + int.from_bytes(raw[1:_HEAD], "big")
    if at == _HEAD or len(raw) < at + NONCE_BYTES + TAG_BYTES:
        return None
    return SealedText(raw[_HEAD:at], raw[at : at + NONCE_BYTES], raw[at + NONCE_BYTES :])


def open_text(sealed: SealedText, *, key: bytes, context: Mapping[str, str]) -> "str | None":
    """Decrypt a text; None where it was changed, or is another context's."""
    try:
        plain = AESGCM(key).decrypt(sealed.nonce, sealed.encrypted, _associated(context))
    except InvalidTag:
        return None
    return plain.decode("utf-8", "surrogatepass")


def _associated(context: Mapping[str, str]) -> bytes:
    return json.dumps(context, separators=(",", ":"), sort_keys=True).encode()
