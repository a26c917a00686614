"""The API's protocol once more, plainly, for tests: it shares no code with the service.

Written from the protocol's description with Python's own integers, `hashlib` and `hmac`; only AES-GCM comes
from a library. It is slow and not constant-time: for tests only.
"""

import hashlib
import hmac
import json
import re
import secrets
from base64 import b64decode, b64encode, urlsafe_b64decode
from dataclasses import dataclass
from functools import cached_property

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

type Point = tuple[int, int] | None  # None is the point at infinity


@dataclass(frozen=True)
class PlainCurve:
    """y² = x³ + ax + b over the integers modulo p, with a base point of order n."""

    p: int
    a: int
    b: int
    base: tuple[int, int]
    n: int

    def contains(self, x: int, y: int) -> bool:
        return 0 <= x < self.p and 0 <= y < self.p and (y * y - x * x * x - self.a * x - self.b) % self.p == 0

    def add(self, one: Point, other: Point) -> Point:
        if one is None or other is None:
            return one or other
        (x1, y1), (x2, y2) = one, other
        if x1 == x2 and (y1 + y2) % self.p == 0:
            return None
        if one == other:
            slope = (3 * x1 * x1 + self.a) * pow(2 * y1, -1, self.p)
        else:
            slope = (y2 - y1) * pow(x2 - x1, -1, self.p)
        x = (slope * slope - x1 - x2) % self.p
        return x, (slope * (x1 - x) - y1) % self.p

    def multiply(self, scalar: int, point: Point) -> Point:
        result: Point = None
        while scalar:
            if scalar & 1:
                result = self.add(result, point)
            point = self.add(point, point)
            scalar >>= 1
        return result


# SEC 2, sections 2.4.1 and 2.4.2.
SECP256K1 = PlainCurve(
    p=2**256 - 2**32 - 977,
    a=0,
    b=7,
    base=(
        0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
        0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
    ),
    n=0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
)
PRIME256V1 = PlainCurve(
    p=2**256 - 2**224 + 2**192 + 2**96 - 1,
    a=-3,
    b=0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    base=(
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    ),
    n=0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
)
CURVES = {"secp256k1": SECP256K1, "prime256v1": PRIME256V1}


@dataclass(frozen=True)
class KeyPair:
    curve: PlainCurve
    scalar: int

    @cached_property
    def public(self) -> str:
        """The public key in headers and bodies: base64 of X||Y."""
        point = self.curve.multiply(self.scalar, self.curve.base)
        assert point is not None, "a key is below the order"
        x, y = point
        return b64encode(x.to_bytes(32) + y.to_bytes(32)).decode()

    @property
    def private(self) -> str:
        """The private key in headers and bodies: base64 of the scalar, 32 bytes."""
        return b64encode(self.scalar.to_bytes(32)).decode()


def new_key_pair(curve_name: str = "secp256k1") -> KeyPair:
    curve = CURVES[curve_name]
    return KeyPair(curve, secrets.randbelow(curve.n - 1) + 1)


def read_key_pair(private: str, curve_name: str = "secp256k1") -> KeyPair:
    return KeyPair(CURVES[curve_name], int.from_bytes(b64decode(private, validate=True)))


def read_point(public: str, curve: PlainCurve) -> tuple[int, int]:
    raw = b64decode(public, validate=True)
    x, y = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    assert len(raw) == 64, "a public key has 64 bytes"
    assert curve.contains(x, y), "a public key is a point on its curve"
    return x, y


def shared_key(own: KeyPair, peer_public: str) -> bytes:
    """K: the X coordinate of the point that both sides can compute, 32 bytes."""
    point = own.curve.multiply(own.scalar, read_point(peer_public, own.curve))
    assert point is not None, "a key is below the order"
    return point[0].to_bytes(32)


def seal(key: bytes, text: str, iv: bytes | None = None) -> str:
    iv = iv or secrets.token_bytes(16)
    return b64encode(iv + AESGCM(key).encrypt(iv, text.encode(), None)).decode()


def unseal(key: bytes, envelope: str) -> str:
    raw = b64decode(envelope, validate=True)
    return AESGCM(key).decrypt(raw[:16], raw[16:], None).decode()


def request_headers(
    own: KeyPair, service_public: str, *, license_key: str, ts: float, appid: str, uuid: str, **more: object
) -> dict[str, str]:
    """Make the three headers of an API call; `more` goes into the request id's JSON as it is."""
    key = shared_key(own, service_public)
    return {
        "publickey": own.public,
        "licensekey": seal(key, license_key),
        "requestid": seal(key, json.dumps({"ts": ts, "appid": appid, "uuid": uuid, **more})),
    }


def ecdsa_holds(curve: PlainCurve, point: tuple[int, int], message: bytes, signature: bytes) -> bool:
    """Verify raw r||s over SHA-256 of a message (SEC 1, section 4.1.4)."""
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    if len(signature) != 64 or not (0 < r < curve.n and 0 < s < curve.n):
        return False
    inverse = pow(s, -1, curve.n)
    digest = int.from_bytes(hashlib.sha256(message).digest())
    found = curve.add(
        curve.multiply(digest * inverse % curve.n, curve.base), curve.multiply(r * inverse % curve.n, point)
    )
    return found is not None and found[0] % curve.n == r


def service_signature_holds(
    headers: dict[str, str], body: bytes, *, service_public: str, curve_name: str = "secp256k1"
) -> bool:
    """Verify the service key's token in `webhook-signature`: es256k, or es256 on prime256v1; low-s only."""
    curve = CURVES[curve_name]
    scheme = {"secp256k1": "es256k", "prime256v1": "es256"}[curve_name]
    point = read_point(service_public, curve)
    return any(
        int.from_bytes(signature[32:]) <= curve.n // 2
        and ecdsa_holds(curve, point, _signed_content(headers, body), signature)
        for signature in _tokens(headers, scheme)
    )


def secret_signature_holds(headers: dict[str, str], body: bytes, *, secret: str) -> bool:
    """Verify the v1 tokens in `webhook-signature` with a `whsec_` secret."""
    key = b64decode(secret.removeprefix("whsec_"), validate=True)
    expected = hmac.new(key, _signed_content(headers, body), hashlib.sha256).digest()
    return expected in _tokens(headers, "v1")


def http_signature_holds(
    headers: dict[str, str], body: bytes, *, method: str, url: str, jwks: dict[str, list[dict[str, str]]]
) -> bool:
    """Verify the RFC 9421 signature over the six components of a callback, and the body's digest."""
    received = {name.lower(): value for name, value in headers.items()}
    label, _, params = received["signature-input"].partition("=")
    covered = re.findall(r'"([^"]+)"', params[: params.index(")")])
    values = {"@method": method, "@target-uri": url} | received
    base = "".join(f'"{name}": {values[name]}\n' for name in covered) + f'"@signature-params": {params}'
    signature = received["signature"].removeprefix(f"{label}=:").removesuffix(":")
    key_id = re.search(r';keyid="([^"]+)"', params)
    assert key_id, "a signature names its key"
    key = next(key for key in jwks["keys"] if key["kid"] == key_id[1])
    x, y = (int.from_bytes(urlsafe_b64decode(key[name] + "==")) for name in "xy")
    return (
        covered
        == ["@method", "@target-uri", "content-digest", "content-type", "webhook-id", "webhook-timestamp"]
        and f";created={received['webhook-timestamp']};" in params
        and params.endswith(';alg="ecdsa-p256-sha256";tag="webhook"')
        and received["content-digest"] == f"sha-256=:{b64encode(hashlib.sha256(body).digest()).decode()}:"
        and PRIME256V1.contains(x, y)
        and ecdsa_holds(PRIME256V1, (x, y), base.encode(), b64decode(signature, validate=True))
    )


def _signed_content(headers: dict[str, str], body: bytes) -> bytes:
    received = {name.lower(): value for name, value in headers.items()}
    return f"{received['webhook-id']}.{received['webhook-timestamp']}.".encode() + body


def _tokens(headers: dict[str, str], scheme: str) -> list[bytes]:
    received = {name.lower(): value for name, value in headers.items()}
    tokens = [token.split(",") for token in received["webhook-signature"].split(" ")]
    return [b64decode(text, validate=True) for name, text in tokens if name == scheme]
