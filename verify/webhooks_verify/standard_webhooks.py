"""The `webhook-signature` list of Standard Webhooks 1.0.0: `es256k` or `es256` per key, `v1` per secret."""

import hmac
from collections.abc import Iterator, Sequence

from . import base64_text
from .keys import PublicKey

HMAC_SCHEME = "v1"
Token = tuple[str, str]  # scheme, base64 of the signature


def signed_content(*, delivery_id: str, timestamp: int, body: bytes) -> bytes:
    """Write the bytes that every token signs: `{webhook-id}.{webhook-timestamp}.{body}`."""
    return b"%s.%d.%s" % (delivery_id.encode(), timestamp, body)


def parse_tokens(header: str) -> list[Token] | None:
    """Split a `webhook-signature` into tokens; None where a token has not exactly one comma."""
    tokens = [tuple(token.split(",")) for token in header.split(" ")]
    if any(len(token) != 2 or not all(token) for token in tokens):  # noqa: PLR2004 - scheme and signature
        return None
    return [(scheme, signature) for scheme, signature in tokens]


def has_ecdsa_signature(tokens: Sequence[Token], content: bytes, key: PublicKey) -> bool:
    """Check that one token is this key's signature, in its low-s form."""
    return any(key.verify_low_s(content, each) for each in _signatures(tokens, key.curve.scheme))


def has_hmac_signature(tokens: Sequence[Token], content: bytes, secret: bytes) -> bool:
    """Check that one token was made with this secret; compares in constant time."""
    expected = hmac.digest(secret, content, "sha256")
    return any(hmac.compare_digest(expected, each) for each in _signatures(tokens, HMAC_SCHEME))


def _signatures(tokens: Sequence[Token], wanted: str) -> Iterator[bytes]:
    for scheme, text in tokens:
        signature = base64_text.decode(text) if scheme == wanted else None
        if signature is not None:
            yield signature
