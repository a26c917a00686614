"""The keys of a receiver: the service's public key, a published JSON Web Key, a webhook's secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from . import base64_text
from .errors import InvalidKeyError

COORDINATE_BYTES = 32  # X, Y, r and s: both curves are 256 bits wide
SECRET_BYTES = 32
_SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix of Standard Webhooks, not a secret
_ECDSA = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True)
class Curve:
    """A curve: its name, its scheme in `webhook-signature`, and the order of its base point (SEC 2)."""

    name: str
    scheme: str
    order: int
    openssl: ec.EllipticCurve


SECP256K1 = Curve(
    "secp256k1",
    "es256k",
    0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141,
    ec.SECP256K1(),
)
P256 = Curve(
    "prime256v1",
    "es256",
    0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551,
    ec.SECP256R1(),
)


@dataclass(frozen=True)
class PublicKey:
    """A point on a curve. `raw` is X||Y, 64 bytes, big-endian."""

    curve: Curve
    raw: bytes

    def __post_init__(self) -> None:
        _point(self.curve, self.raw)

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Check a raw r||s signature over SHA-256 of the message, with either of its two values of s."""
        if len(signature) != 2 * COORDINATE_BYTES:
            return False
        r, s = int.from_bytes(signature[:COORDINATE_BYTES], "big"), _s(signature)
        try:
            _point(self.curve, self.raw).verify(encode_dss_signature(r, s), message, _ECDSA)
        except InvalidSignature:
            return False
        return True

    def verify_low_s(self, message: bytes, signature: bytes) -> bool:
        """Check a signature as `verify` does, and refuse the higher of the two values of s (BIP 62)."""
        return _s(signature) <= self.curve.order >> 1 and self.verify(message, signature)


def read_public_key(text: str) -> PublicKey:
    """Read the key that `/publickeys` shows, on the curve that its point lies on.

    Raises InvalidKeyError.
    """
    raw = base64_text.decode(text)
    for curve in (SECP256K1, P256):
        try:
            return PublicKey(curve, raw or b"")
        except InvalidKeyError:
            continue
    raise InvalidKeyError(
        "a public key is the base64 of the 64 bytes X||Y of a point on secp256k1 or prime256v1"
    )


def find_key(jwks: Mapping[str, Any], key_id: str) -> PublicKey | None:
    """Find a P-256 key by its id in a JWKS document; None where the document has no such id.

    Raises InvalidKeyError where the key of that id is not a point on P-256.
    """
    keys = jwks.get("keys")
    for key in keys if isinstance(keys, list) else []:
        if isinstance(key, Mapping) and key.get("kid") == key_id:
            return _from_jwk(key)
    return None


def decode_secret(text: str) -> bytes:
    """Read a webhook's secret: `whsec_` and the base64 of 32 bytes. Raises InvalidKeyError."""
    secret = base64_text.decode(text.removeprefix(_SECRET_PREFIX))
    if not text.startswith(_SECRET_PREFIX) or secret is None or len(secret) != SECRET_BYTES:
        raise InvalidKeyError(f"a webhook secret is {_SECRET_PREFIX} and the base64 of {SECRET_BYTES} bytes")
    return secret


def _from_jwk(key: Mapping[str, Any]) -> PublicKey:
    x, y = _coordinate(key, "x"), _coordinate(key, "y")
    if key.get("kty") != "EC" or key.get("crv") != "P-256" or x is None or y is None:
        raise InvalidKeyError("the JSON Web Key is not a P-256 key")
    return PublicKey(P256, x + y)


def _coordinate(key: Mapping[str, Any], name: str) -> bytes | None:
    text = key.get(name)
    raw = base64_text.decode_url(text) if isinstance(text, str) else None
    return raw if raw is not None and len(raw) == COORDINATE_BYTES else None


def _s(signature: bytes) -> int:
    return int.from_bytes(signature[COORDINATE_BYTES:], "big")


@lru_cache(maxsize=64)  # the service has few keys, and the check of a point costs a square root
def _point(curve: Curve, raw: bytes) -> ec.EllipticCurvePublicKey:
    if len(raw) != 2 * COORDINATE_BYTES:
        raise InvalidKeyError(f"a public key has {2 * COORDINATE_BYTES} bytes: X and Y")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve.openssl, b"\x04" + raw)
    except ValueError:
        raise InvalidKeyError(f"the public key is not a point on {curve.name}") from None
