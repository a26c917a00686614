"""Reads the id of a service key (its public key) from a path, however a client or a gateway wrote it."""

from base64 import b64decode, b64encode
from urllib.parse import unquote

from webhooks.domain.errors import InvalidInputError

PUBLIC_KEY_BYTES = 64
# base64url's letters, and the space that some decoders make of a plus.
_STANDARD = str.maketrans("-_ ", "+/+")


def key_id(path: str, *, after: str) -> str:
    """Return the part of the path behind `after` as the standard base64 of a public key.

    Read: base64 or base64url, padded or not, percent-encoded or decoded by the gateway already (base64 itself
    has no percent sign), a path's final slash (64 bytes never end in one). Raises InvalidInputError.
    """
    text = unquote(path.partition(after)[2]).translate(_STANDARD).rstrip("/=")
    try:
        raw = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raw = b""
    if len(raw) != PUBLIC_KEY_BYTES:
        raise InvalidInputError(
            ["keyId: must be a key's public key as GET /servicekeys shows it, URL-encoded or in base64url"]
        )
    return b64encode(raw).decode()
