"""Key pairs: their texts, signatures, and the key that two pairs share."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from . import base64_text
from .curves import COORDINATE_BYTES, Curve
from .derivation import hkdf_sha256
from .errors import InvalidKeyError

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNATURE_BYTES = 2 * COORDINATE_BYTES  # r and s, raw
_POINT_BYTES = 2 * COORDINATE_BYTES  # X and Y, without the 0x04 that SEC 1 puts before them
_SCALAR_BYTES_MAX = COORDINATE_BYTES + 1  # Java's BigInteger writes a sign byte before a high first bit
_DERIVED_BYTES = 48  # 128 bits more than n: their remainder by n-1 is uniform (FIPS 186-5, A.2.1)

_ECDH = ec.ECDH()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A point on a curve, as `raw` bytes: X||Y, 64 bytes, big-endian."""

    curve: Curve
    raw: bytes
    _point: ec.EllipticCurvePublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.raw) != _POINT_BYTES:
            raise InvalidKeyError(f"a public key has {_POINT_BYTES} bytes: X and Y")
        try:
            point = ec.EllipticCurvePublicKey.from_encoded_point(self.curve.openssl, b"\x04" + self.raw)
        except ValueError:
            raise InvalidKeyError(f"the public key is not a point on {self.curve.value}") from None
        object.__setattr__(self, "_point", point)

    @classmethod
    def from_bytes(cls, raw: bytes, curve: Curve) -> PublicKey:
        """Read X||Y, 64 bytes. Raises InvalidKeyError for wrong lengths and points off the curve."""
        return cls(curve, raw)

    @classmethod
    def from_base64(cls, text: str, curve: Curve) -> PublicKey:
        """Read standard, padded base64 of X||Y. Raises InvalidKeyError for everything else."""
        raw = base64_text.decode(text)
        if raw is None:
            raise InvalidKeyError("a public key is standard, padded base64 of its 64 bytes X and Y")
        return cls(curve, raw)

    @property
    def x(self) -> bytes:
        """The X coordinate, 32 bytes. ECDH sees no more of a point: (X, Y) and (X, -Y) share their keys."""
        return self.raw[:COORDINATE_BYTES]

    def to_base64(self) -> str:
        """Write standard base64 of X||Y."""
        return base64_text.encode(self.raw)


@dataclass(frozen=True, repr=False, eq=False)  # not slotted: the library's key objects are cached beside it
class PrivateKey:
    """A scalar of 1 to n-1, as 32 bytes, big-endian. No representation of it shows the scalar."""

    curve: Curve
    _scalar: bytes

    def __post_init__(self) -> None:
        if (
            len(self._scalar) != COORDINATE_BYTES
            or not 0 < int.from_bytes(self._scalar, "big") < self.curve.order
        ):
            raise InvalidKeyError("a private key lies between 1 and the order of the curve")

    @classmethod
    def from_base64(cls, text: str, curve: Curve) -> PrivateKey:
        """Read standard, padded base64 of 1 to 33 bytes, an unsigned number.

        Shorter than 32 where a client strips leading zeros, 33 where Java adds one.
        Raises InvalidKeyError for everything else, for 0, and for the order of the curve or more.
        """
        raw = base64_text.decode(text)
        if raw is None or not 1 <= len(raw) <= _SCALAR_BYTES_MAX:
            raise InvalidKeyError(
                f"a private key is standard, padded base64 of 1 to {_SCALAR_BYTES_MAX} bytes"
            )
        if len(raw) == _SCALAR_BYTES_MAX and raw[0] != 0:
            raise InvalidKeyError("a private key lies between 1 and the order of the curve")
        return cls(curve, raw[-COORDINATE_BYTES:].rjust(COORDINATE_BYTES, b"\0"))

    @classmethod
    def derive(cls, seed: bytes, info: bytes, curve: Curve) -> PrivateKey:
        """Derive a key from a seed of at least 16 bytes; another `info` gives an independent key."""
        wide = int.from_bytes(hkdf_sha256(seed, info, length=_DERIVED_BYTES), "big")
        return cls(curve, (wide % (curve.order - 1) + 1).to_bytes(COORDINATE_BYTES, "big"))

    def to_base64(self) -> str:
        """Write standard base64 of the scalar, always 32 bytes."""
        return base64_text.encode(self._scalar)

    @cached_property
    def public_key(self) -> PublicKey:
        """The public key that belongs to this one."""
        point = self._openssl.public_key().public_numbers()
        return PublicKey(
            self.curve, point.x.to_bytes(COORDINATE_BYTES, "big") + point.y.to_bytes(COORDINATE_BYTES, "big")
        )

    @cached_property
    def sign(self) -> Callable[[bytes], bytes]:
        """Sign SHA-256 of a message: raw r||s, 64 bytes, low-s; another one each time on P-256."""
        if self.curve is Curve.SECP256K1:
            return _libsecp256k1_signer(self._scalar)
        return _openssl_signer(self._openssl, self.curve)

    def shared_key(self, peer: PublicKey) -> bytes:
        """Agree on a key by ECDH; see the function `shared_key`."""
        if peer.curve is not self.curve:
            raise InvalidKeyError(
                f"the public key is on {peer.curve.value}, the private on {self.curve.value}"
            )
        return self._openssl.exchange(_ECDH, peer._point)  # noqa: SLF001 - the two halves of one key pair

    @cached_property
    def _openssl(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(int.from_bytes(self._scalar, "big"), self.curve.openssl)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PrivateKey):
            return NotImplemented
        return self.curve is other.curve and hmac.compare_digest(self._scalar, other._scalar)

    def __hash__(self) -> int:
        return hash((self.curve, self._scalar))

    def __repr__(self) -> str:
        return f"PrivateKey(curve={self.curve}, scalar hidden)"


def shared_key(private: PrivateKey, public: PublicKey) -> bytes:
    """Agree on the key K of an envelope: the X coordinate of ECDH, raw, 32 bytes, no KDF.

    Raises InvalidKeyError where the two keys are on different curves.
    """
    return private.shared_key(public)


def _openssl_signer(key: ec.EllipticCurvePrivateKey, curve: Curve) -> Callable[[bytes], bytes]:
    order, highest_low_s = curve.order, curve.highest_low_s
    # OpenSSL hashes the private key and the message into the nonce beside random bytes: a random source that
    # fails, or is repeated by a snapshot, gives no two messages one nonce. RFC 6979 would double the time.
    # Made here: only the signing of callbacks needs it, and it imports a dozen modules.
    ecdsa = ec.ECDSA(hashes.SHA256())

    def sign(message: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(message, ecdsa))
        if s > highest_low_s:
            s = order - s
        return r.to_bytes(COORDINATE_BYTES, "big") + s.to_bytes(COORDINATE_BYTES, "big")

    return sign


def _libsecp256k1_signer(scalar: bytes) -> Callable[[bytes], bytes]:
    # Imported here: only the signing of callbacks needs it, and its import takes as long as all the rest.
    from coincurve import PrivateKey as Signer  # noqa: PLC0415

    sign_recoverable = Signer(scalar).sign_recoverable

    def sign(message: bytes) -> bytes:
        # r||s and a recovery byte: the compact form, which spares a trip through DER. Low-s by libsecp256k1.
        return sign_recoverable(message)[:SIGNATURE_BYTES]

    return sign
