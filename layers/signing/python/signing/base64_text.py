"""Strict base64: one text for each byte string, everything else is refused.

Strict, because a second spelling of a key would be a second identity, and a second spelling of an envelope
would be a change that its tag does not notice (the unused bits before the padding).
"""

from base64 import b64decode, urlsafe_b64encode
from binascii import b2a_base64


def encode(raw: bytes) -> str:
    """Write standard, padded base64 (RFC 4648, section 4)."""
    return b2a_base64(raw, newline=False).decode("ascii")


def decode(text: str) -> bytes | None:
    """Read standard, padded base64; None where `encode` would not have written it so."""
    try:
        raw = b64decode(text, validate=True)
    except ValueError:
        return None
    return raw if encode(raw) == text else None


def encode_url(raw: bytes) -> str:
    """Write base64url without padding (RFC 7515, section 2), as JSON Web Keys have it."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
