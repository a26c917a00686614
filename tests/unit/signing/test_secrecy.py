"""Keys, secrets and plain texts never show in a text that could be logged."""

import traceback
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from signing import (
    CallbackKeys,
    Curve,
    InvalidKeyError,
    PrivateKey,
    SigningError,
    encode_webhook_secret,
    seal,
    shared_key,
    sign_callback,
    unseal,
)
from webhooks_verify import InvalidKeyError as InvalidReceiverKeyError
from webhooks_verify import VerificationError, decode_secret, verify_callback

SCALAR = bytes.fromhex("5ec3e75ec3e75ec3e75ec3e75ec3e75ec3e75ec3e75ec3e75ec3e75ec3e75ec3")
SECRET = b"planted webhook secret, 32 bytes"
both_curves = pytest.mark.parametrize("curve", list(Curve), ids=lambda curve: curve.value)


def spellings(raw: bytes) -> list[str]:
    return [raw.hex(), b64encode(raw).decode().rstrip("="), repr(raw)[2:-1], str(int.from_bytes(raw))]


def shows(text: str, raw: bytes) -> bool:
    """Whether any spelling, or a good part of one, is in the text."""
    return any(spelling[:12].lower() in text.lower() for spelling in spellings(raw))


@both_curves
def test_a_private_key_does_not_show_its_scalar(curve: Curve) -> None:
    private = PrivateKey(curve, SCALAR)
    private.sign(b"message")
    signing = PrivateKey(Curve.P256, SCALAR)
    keys = CallbackKeys(private, signing, "key")
    for shown in (repr(private), str(private), f"{private}", repr([private]), repr(keys), repr({private: 1})):
        assert not shows(shown, SCALAR)


def failures() -> dict[str, Callable[[], object]]:
    text = b64encode(SCALAR).decode()
    key = PrivateKey(Curve.SECP256K1, SCALAR)
    keys = CallbackKeys(key, PrivateKey(Curve.P256, SCALAR), "key")
    callback: dict[str, Any] = {
        "method": "POST",
        "url": "https://example.com/",
        "content_type": "application/json",
        "body": b"{}",
        "delivery_id": "dlv_1",
        "timestamp": 1,
        "keys": keys,
    }
    headers = sign_callback(**callback, webhook_secrets=[SECRET])
    return {
        "a key with a blank": lambda: PrivateKey.from_base64(text + " ", Curve.P256),
        "a key too long": lambda: PrivateKey.from_base64(b64encode(SCALAR + SCALAR).decode(), Curve.P256),
        "a key above the order": lambda: PrivateKey.from_base64(
            b64encode(b"\xff" + SCALAR).decode(), Curve.P256
        ),
        "a key of other bytes": lambda: PrivateKey(Curve.P256, SCALAR[:31]),
        "a seed too short": lambda: PrivateKey.derive(SCALAR[:15], b"", Curve.P256),
        "keys on two curves": lambda: shared_key(key, keys.signing.public_key),
        "an envelope's key too long": lambda: seal(SCALAR + b"\0", "text", bytes(16)),
        "an envelope for another": lambda: unseal(SCALAR, seal(SECRET, "text", bytes(16))),
        "a surrogate": lambda: seal(SCALAR, b64encode(SCALAR).decode() + "\ud800", bytes(16)),
        "a secret as text": lambda: decode_secret("whsec_" + b64encode(SECRET).decode() + "="),
        "a secret too long": lambda: sign_callback(**callback, webhook_secrets=[SECRET + b"\0"]),
        "a callback of another secret": lambda: verify_callback(
            method="POST",
            url="https://example.com/",
            headers=headers,
            body=b"{} ",
            secret=encode_webhook_secret(SECRET),
            now=1,
        ),
    }


@pytest.mark.parametrize("name", list(failures()))
def test_an_error_shows_no_key_and_no_secret(name: str) -> None:
    with pytest.raises((SigningError, VerificationError, InvalidReceiverKeyError)) as raised:
        failures()[name]()
    error = raised.value
    chain = [error, error.__cause__, error.__context__]
    shown = "".join(traceback.format_exception_only(error)) + repr(chain) + str(chain) + repr(error.args)
    for raw in (SCALAR, SECRET):
        assert not shows(shown, raw)


def test_the_search_for_planted_keys_finds_them() -> None:
    for spelling in spellings(SCALAR):
        assert shows(f"error: {spelling}", SCALAR)
    with pytest.raises(InvalidKeyError):
        PrivateKey.from_base64("", Curve.P256)
