"""A callback that the service signs, and the receiver's verification of it; every part can be changed."""

import json
from typing import Any

from signing import (
    CallbackKeys,
    Curve,
    PrivateKey,
    derive_webhook_secret,
    encode_webhook_secret,
    jwk,
    sign_callback,
    thumbprint,
)
from webhooks_verify import verify_callback

SEED = b"seed of the tests, 32 bytes long"
NOW = 1_700_000_000
BODY = json.dumps({"id": "evt_1", "data": {"name": "héllo ✓"}}, ensure_ascii=False).encode()
SIGNING = PrivateKey.derive(SEED, b"signing", Curve.P256)
KEY_ID = thumbprint(SIGNING.public_key)
JWKS = {"keys": [jwk(SIGNING.public_key, KEY_ID)]}
SECRET = derive_webhook_secret(SEED, "wh_1", 2)
SECRET_BEFORE = derive_webhook_secret(SEED, "wh_1", 1)


def callback_keys(curve: Curve = Curve.SECP256K1) -> CallbackKeys:
    return CallbackKeys(PrivateKey.derive(SEED, b"service", curve), SIGNING, KEY_ID)


def signed(curve: Curve = Curve.SECP256K1, **changes: Any) -> dict[str, str]:
    parts: dict[str, Any] = {
        "method": "POST",
        "url": "https://example.com/hook?a=1",
        "content_type": "application/json",
        "body": BODY,
        "delivery_id": "dlv_1",
        "timestamp": NOW,
        "keys": callback_keys(curve),
        "webhook_secrets": [SECRET],
    }
    return sign_callback(**parts | changes)


def sent(curve: Curve = Curve.SECP256K1, **changes: Any) -> dict[str, str]:
    return signed(curve, **changes) | {"Content-Type": "application/json"}


def verify(headers: dict[str, str], curve: Curve = Curve.SECP256K1, **changes: Any) -> list[str]:
    parts: dict[str, Any] = {
        "method": "POST",
        "url": "https://example.com/hook?a=1",
        "headers": headers,
        "body": BODY,
        "public_key": callback_keys(curve).service.public_key.to_base64(),
        "secret": encode_webhook_secret(SECRET),
        "jwks": JWKS,
        "now": NOW,
    }
    return verify_callback(**parts | changes)
