"""The two curves that a deployment can choose between, and what differs between them."""

from enum import Enum
from typing import assert_never

from cryptography.hazmat.primitives.asymmetric import ec

# The order n of each curve's base point (SEC 2, sections 2.4.1 and 2.4.2): a private key lies in 1..n-1.
_ORDER_SECP256K1 = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
_ORDER_P256 = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551

COORDINATE_BYTES = 32  # of a coordinate, a scalar, and of r and s: both curves are 256 bits wide


class Curve(Enum):
    """A curve by its `EC_CURVE_NAME`: `Curve("secp256k1")` or `Curve("prime256v1")`."""

    SECP256K1 = "secp256k1"
    P256 = "prime256v1"

    @property
    def order(self) -> int:
        """The number of points; a private key is at least 1 and less than this."""
        match self:
            case Curve.SECP256K1:
                return _ORDER_SECP256K1
            case Curve.P256:
                return _ORDER_P256
            case _:
                assert_never(self)

    @property
    def scheme(self) -> str:
        """The name that a signature on this curve has in `webhook-signature`."""
        match self:
            case Curve.SECP256K1:
                return "es256k"
            case Curve.P256:
                return "es256"
            case _:
                assert_never(self)

    @property
    def openssl(self) -> ec.EllipticCurve:
        """The curve as `cryptography` knows it."""
        match self:
            case Curve.SECP256K1:
                return ec.SECP256K1()
            case Curve.P256:
                return ec.SECP256R1()
            case _:
                assert_never(self)
