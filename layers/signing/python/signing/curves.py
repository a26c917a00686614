"""The two curves that a deployment can choose between, and their differences."""

from __future__ import annotations

from enum import Enum

from cryptography.hazmat.primitives.asymmetric import ec

COORDINATE_BYTES = 32  # of a coordinate, a scalar, and of r and s: both curves are 256 bits wide

# The order n of each curve's base point (SEC 2, sections 2.4.1 and 2.4.2).
_ORDER_SECP256K1 = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
_ORDER_P256 = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551


class Curve(Enum):
    """A curve by its `EC_CURVE_NAME`: `Curve("secp256k1")` or `Curve("prime256v1")`.

    `order`: a private key is at least 1 and less than this. `scheme`: the name that a signature on this
    curve has in `webhook-signature`. `openssl`: the curve as `cryptography` knows it.
    """

    _value_: str
    order: int
    scheme: str
    openssl: ec.EllipticCurve

    SECP256K1 = ("secp256k1", _ORDER_SECP256K1, "es256k", ec.SECP256K1())
    P256 = ("prime256v1", _ORDER_P256, "es256", ec.SECP256R1())

    def __new__(cls, name: str, order: int, scheme: str, openssl: ec.EllipticCurve) -> Curve:  # noqa: PYI034 - Self is 3.11
        """Make a member whose value is its name alone."""
        curve = object.__new__(cls)
        curve._value_ = name
        curve.order = order
        curve.scheme = scheme
        curve.openssl = openssl
        return curve

    @property
    def highest_low_s(self) -> int:
        """The bound of the lower one of the two values of s that both verify (BIP 62)."""
        return self.order >> 1
