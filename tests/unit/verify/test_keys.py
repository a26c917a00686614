"""The keys of a receiver: the service's public key and a webhook's secret."""

from base64 import b64encode

import pytest

from signing import Curve, PrivateKey
from webhooks_verify import InvalidKeyError, decode_secret
from webhooks_verify.keys import PublicKey, read_public_key

both_curves = pytest.mark.parametrize("curve", list(Curve), ids=lambda curve: curve.value)


def key(curve: Curve, info: bytes = b"a") -> PrivateKey:
    return PrivateKey.derive(bytes(32), info, curve)


def known(curve: Curve, info: bytes = b"a") -> PublicKey:
    return read_public_key(key(curve, info).public_key.to_base64())


@both_curves
def test_a_public_key_is_read_on_the_curve_of_its_point(curve: Curve) -> None:
    assert (known(curve).curve.name, known(curve).curve.scheme) == (curve.value, curve.scheme)
    assert known(curve).curve.order == curve.order


@pytest.mark.parametrize(
    "text", ["", "AAAA", b64encode(bytes(64)).decode(), b64encode(bytes(65)).decode(), "\ud800", "é"]
)
def test_a_text_that_is_not_a_public_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidKeyError, match="a public key is the base64 of the 64 bytes"):
        read_public_key(text)


@both_curves
def test_a_signature_holds_for_its_message_and_key_alone(curve: Curve) -> None:
    signature = key(curve).sign(b"message")
    assert known(curve).verify(b"message", signature)
    assert not known(curve).verify(b"massage", signature)
    assert not known(curve, b"b").verify(b"message", signature)


@both_curves
@pytest.mark.parametrize(
    "signature", [b"", bytes(64), b"\xff" * 64, bytes(63), bytes(65), b"\0" * 63 + b"\x01"]
)
def test_bytes_that_are_not_a_signature_do_not_hold(curve: Curve, signature: bytes) -> None:
    assert not known(curve).verify(b"message", signature)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        b64encode(bytes(32)).decode(),
        "whsec_" + b64encode(bytes(31)).decode(),
        "whsec_" + b64encode(bytes(33)).decode(),
        "whsec_" + b64encode(bytes(32)).decode().rstrip("="),
        "WHSEC_" + b64encode(bytes(32)).decode(),
        "whsec_\ud800",
    ],
)
def test_a_text_that_is_not_a_webhook_secret_is_refused(text: str) -> None:
    with pytest.raises(InvalidKeyError, match="whsec_"):
        decode_secret(text)
