"""P-256 public keys as JSON Web Keys (RFC 7517), as they stand at `/.well-known/jwks.json`."""

import hashlib
import json

from . import base64_text
from .curves import COORDINATE_BYTES, Curve
from .errors import InvalidKeyError
from .keys import PublicKey


def jwk(public_key: PublicKey, key_id: str) -> dict[str, str]:
    """Write a P-256 key as a JSON Web Key. Raises InvalidKeyError for a key on another curve."""
    return {**_members(public_key), "kid": key_id, "use": "sig", "alg": "ES256"}


def thumbprint(public_key: PublicKey) -> str:
    """Name a P-256 key after itself: its RFC 7638 thumbprint, 43 characters of base64url."""
    # RFC 7638, section 3: the required members only, sorted, no white space.
    canonical = json.dumps(_members(public_key), sort_keys=True, separators=(",", ":"))
    return base64_text.encode_url(hashlib.sha256(canonical.encode()).digest())


def _members(public_key: PublicKey) -> dict[str, str]:
    if public_key.curve is not Curve.P256:
        raise InvalidKeyError("only a P-256 key is published as a JSON Web Key")
    x, y = public_key.raw[:COORDINATE_BYTES], public_key.raw[COORDINATE_BYTES:]
    return {"kty": "EC", "crv": "P-256", "x": base64_text.encode_url(x), "y": base64_text.encode_url(y)}
