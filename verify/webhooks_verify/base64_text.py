"""Strict base64: each byte string has exactly one text.

A second spelling of a key or signature would be a second valid form of it.
"""

from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode


def encode(raw: bytes) -> str:
    """Write standard, padded base64 (RFC 4648, section 4)."""
    return b64encode(raw).decode("ascii")


def decode(text: str) -> bytes | None:
    """Read standard, padded base64; None for every other spelling."""
    try:
        raw = b64decode(text, validate=True)
    except ValueError:
        return None
    return raw if encode(raw) == text else None


def decode_url(text: str) -> bytes | None:
    """Read base64url without padding (RFC 7515, section 2); None for every other spelling."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return raw if urlsafe_b64encode(raw).rstrip(b"=").decode("ascii") == text else None
