"""The `webhook-signature` list of Standard Webhooks 1.0.0: `es256k` or `es256` per key, `v1` per secret."""

import hmac
from collections.abc import Iterator

from . import base64_text
from .curves import COORDINATE_BYTES
from .derivation import WEBHOOK_SECRET_BYTES
from .errors import InvalidKeyError
from .keys import PrivateKey, PublicKey

HMAC_SCHEME = "v1"


def signed_content(*, delivery_id: str, timestamp: int, body: bytes) -> bytes:
    """Write what every token signs: `{webhook-id}.{webhook-timestamp}.{body}`."""
    return b"%s.%d.%s" % (delivery_id.encode(), timestamp, body)


def ecdsa_token(key: PrivateKey, content: bytes) -> str:
    """Sign with the service's key: scheme, comma, base64 of r||s."""
    return f"{key.curve.scheme},{base64_text.encode(key.sign(content))}"


def hmac_token(secret: bytes, content: bytes) -> str:
    """Sign with a webhook's own secret: `v1`, comma, base64 of the HMAC-SHA256.

    Raises InvalidKeyError for a secret that has not 32 bytes: an empty one would sign for everybody.
    """
    if len(secret) != WEBHOOK_SECRET_BYTES:
        raise InvalidKeyError(f"a webhook secret has {WEBHOOK_SECRET_BYTES} bytes")
    return f"{HMAC_SCHEME},{base64_text.encode(hmac.digest(secret, content, 'sha256'))}"


def parse_tokens(header: str) -> list[tuple[str, str]] | None:
    """Split a `webhook-signature` into (scheme, base64); None where a token has not exactly one comma."""
    tokens = [tuple(token.split(",")) for token in header.split(" ")]
    if any(len(token) != 2 or not all(token) for token in tokens):  # noqa: PLR2004 - scheme and signature
        return None
    return [(scheme, signature) for scheme, signature in tokens]


def holds_ecdsa(tokens: list[tuple[str, str]], content: bytes, key: PublicKey) -> bool:
    """Tell whether one token is this key's signature, in its low-s form."""
    return any(
        int.from_bytes(signature[COORDINATE_BYTES:], "big") <= key.curve.highest_low_s
        and key.verify(content, signature)
        for signature in _signatures(tokens, key.curve.scheme)
    )


def holds_hmac(tokens: list[tuple[str, str]], content: bytes, secret: bytes) -> bool:
    """Tell whether one token was made with this secret; compares in constant time."""
    expected = hmac.digest(secret, content, "sha256")
    return any(hmac.compare_digest(expected, signature) for signature in _signatures(tokens, HMAC_SCHEME))


def _signatures(tokens: list[tuple[str, str]], wanted: str) -> Iterator[bytes]:
    for scheme, text in tokens:
        signature = base64_text.decode(text) if scheme == wanted else None
        if signature is not None:
            yield signature
