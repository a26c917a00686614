"""The `webhook-signature` list of Standard Webhooks 1.0.0: `es256k` or `es256` per key, `v1` per secret."""

import hmac

from . import base64_text
from .derivation import WEBHOOK_SECRET_BYTES
from .errors import InvalidKeyError
from .keys import PrivateKey

HMAC_SCHEME = "v1"


def signed_content(*, delivery_id: str, timestamp: int, body: bytes) -> bytes:
    """Write the bytes that every token signs: `{webhook-id}.{webhook-timestamp}.{body}`."""
    return b"%s.%d.%s" % (delivery_id.encode(), timestamp, body)


def ecdsa_token(key: PrivateKey, content: bytes) -> str:
    """Sign with the service's key: scheme, comma, base64 of r||s."""
    return f"{key.curve.scheme},{base64_text.encode(key.sign(content))}"


def hmac_token(secret: bytes, content: bytes) -> str:
    """Sign with a webhook's own secret: `v1`, comma, base64 of the HMAC-SHA256.

    Raises InvalidKeyError for a secret of another length than 32 bytes: an empty secret is known to all.
    """
    if len(secret) != WEBHOOK_SECRET_BYTES:
        raise InvalidKeyError(f"a webhook secret has {WEBHOOK_SECRET_BYTES} bytes")
    return f"{HMAC_SCHEME},{base64_text.encode(hmac.digest(secret, content, 'sha256'))}"
