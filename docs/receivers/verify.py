"""Verify a callback: with the webhook's secret, or with the service's public keys alone.

Needs `cryptography`, and that for the public keys only. The package webhooks-verify does the same and more.
"""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

TOLERANCE_SECONDS = 300
NAMES = ("content-digest", "content-type", "webhook-id", "webhook-timestamp")
COVERED = '("@method" "@target-uri" "content-digest" "content-type" "webhook-id" "webhook-timestamp")'
INPUT = re.compile(
    f"webhook=({re.escape(COVERED)}"
    r';created=(\d{1,12});keyid="([^"]+)";alg="ecdsa-p256-sha256";tag="webhook")'
)


def verify_with_secret(
    secret: str, headers: Mapping[str, str], body: bytes, now: float | None = None
) -> bool:
    """Check the HMAC. `secret`: whsec_...; `headers`: by lower-case name; `body`: the bytes as received."""
    if not is_recent(headers.get("webhook-timestamp", ""), now):
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers.get('webhook-id')}.{headers['webhook-timestamp']}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.digest(key, content, "sha256")).decode()
    # Two tokens while a secret is rotated: one that holds is enough.
    return any(
        hmac.compare_digest(token.encode(), wanted.encode())
        for token in headers.get("webhook-signature", "").split(" ")
    )


def verify_with_jwks(
    jwks: Mapping[str, Any], url: str, headers: Mapping[str, str], body: bytes, now: float | None = None
) -> bool:
    """Check the HTTP message signature. `jwks`: of /.well-known/jwks.json; `url`: the endpoint's."""
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
    found = INPUT.fullmatch(headers.get("signature-input", ""))
    if headers.get("content-digest") != digest or not found or not is_recent(found[2], now):
        return False
    key = next((each for each in jwks["keys"] if each["kid"] == found[3]), None)
    sent = re.fullmatch(r"webhook=:([A-Za-z0-9+/]{86}==):", headers.get("signature", ""))
    if key is None or not sent:
        return False
    values = [
        ("@method", "POST"),
        ("@target-uri", url),
        *((name, headers.get(name)) for name in NAMES),
    ]
    base = "".join(f'"{name}": {value}\n' for name, value in values) + f'"@signature-params": {found[1]}'
    x, y = (int.from_bytes(base64.urlsafe_b64decode(key[part] + "=="), "big") for part in ("x", "y"))
    raw = base64.b64decode(sent[1])
    signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    try:
        public_key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        public_key.verify(signature, base.encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def is_recent(seconds: str, now: float | None) -> bool:
    """Tell whether a time lies within five minutes of now: an old callback may be a repeated one."""
    now = time.time() if now is None else now
    return re.fullmatch(r"\d{1,12}", seconds) is not None and abs(now - int(seconds)) <= TOLERANCE_SECONDS
