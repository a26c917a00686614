"""P-256 public keys as JSON Web Keys (RFC 7517), as they stand at `/.well-known/jwks.json`."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

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


def find_key(jwks: Mapping[str, Any], key_id: str) -> PublicKey | None:
    """Find a P-256 key by its id in a JWKS document; None where there is none.

    Raises InvalidKeyError where the key of that id is no P-256 point.
    """
    keys = jwks.get("keys")
    for key in keys if isinstance(keys, list) else []:
        if isinstance(key, Mapping) and key.get("kid") == key_id:
            return _public_key(key)
    return None


def _members(public_key: PublicKey) -> dict[str, str]:
    if public_key.curve is not Curve.P256:
        raise InvalidKeyError("only a P-256 key is published as a JSON Web Key")
    x, y = public_key.raw[:COORDINATE_BYTES], public_key.raw[COORDINATE_BYTES:]
    return {"kty": "EC", "crv": "P-256", "x": base64_text.encode_url(x), "y": base64_text.encode_url(y)}


def _public_key(key: Mapping[str, Any]) -> PublicKey:
    x, y = _coordinate(key, "x"), _coordinate(key, "y")
    if key.get("kty") != "EC" or key.get("crv") != "P-256" or x is None or y is None:
        raise InvalidKeyError("the JSON Web Key is not a P-256 key")
    return PublicKey.from_bytes(x + y, Curve.P256)


def _coordinate(key: Mapping[str, Any], name: str) -> bytes | None:
    text = key.get(name)
    raw = base64_text.decode_url(text) if isinstance(text, str) else None
    return raw if raw is not None and len(raw) == COORDINATE_BYTES else None
