"""Keys and secrets that follow from a seed, so that only the seed is stored (HKDF-SHA256, RFC 5869)."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from . import base64_text
from .errors import InvalidKeyError

WEBHOOK_SECRET_BYTES = 32
_WEBHOOK_SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix of Standard Webhooks, not a secret
_SEED_BYTES_MIN = 16  # 128 bits: with fewer, an attacker could try all seeds


def hkdf_sha256(seed: bytes, info: bytes, *, length: int) -> bytes:
    """Derive `length` bytes from a seed; another `info` gives independent bytes.

    Raises InvalidKeyError for a seed under 16 bytes.
    """
    if len(seed) < _SEED_BYTES_MIN:
        raise InvalidKeyError(f"a seed has at least {_SEED_BYTES_MIN} bytes")
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=info).derive(seed)


def derive_webhook_secret(master: bytes, webhook_id: str, version: int) -> bytes:
    """Derive a webhook's own HMAC secret, 32 bytes; it rotates by version."""
    # The version is a number and stands first, so no other pair of version and id makes the same info.
    info = f"webhook-secret/{version:d}/{webhook_id}".encode()
    return hkdf_sha256(master, info, length=WEBHOOK_SECRET_BYTES)


def encode_webhook_secret(secret: bytes) -> str:
    """Write a webhook's secret as `whsec_` and base64 (Standard Webhooks 1.0.0)."""
    return _WEBHOOK_SECRET_PREFIX + base64_text.encode(secret)
