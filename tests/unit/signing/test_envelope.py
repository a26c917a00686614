"""Envelopes: refusals and their reasons."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from signing import InvalidEnvelopeError, InvalidKeyError, seal, unseal

KEY = bytes(range(32))
IV = bytes(range(16))


def test_an_empty_text_makes_32_bytes() -> None:
    assert len(seal(KEY, "", IV)) == len(b64encode(bytes(32)))


@pytest.mark.parametrize("iv", [b"", bytes(12), bytes(15), bytes(17)])
def test_an_iv_of_another_length_is_refused(iv: bytes) -> None:
    with pytest.raises(InvalidEnvelopeError, match="16 bytes"):
        seal(KEY, "text", iv)


@pytest.mark.parametrize("key", [b"", bytes(16), bytes(31), bytes(33)])
def test_a_key_of_another_length_is_refused(key: bytes) -> None:
    with pytest.raises(InvalidKeyError, match="32 bytes"):
        seal(key, "text", IV)
    with pytest.raises(InvalidKeyError, match="32 bytes"):
        unseal(key, seal(KEY, "text", IV))


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(InvalidEnvelopeError, match="surrogate") as refused:
        seal(KEY, "private \ud800 text", IV)
    # The codec's own error holds the whole text; it must not travel along.
    assert refused.value.__context__ is None


@pytest.mark.parametrize(
    "envelope",
    ["", "*", "A", "AAA", "é", "\ud800", b64encode(bytes(31)).decode(), b64encode(bytes(16)).decode()],
)
def test_a_malformed_envelope_is_refused(envelope: str) -> None:
    with pytest.raises(InvalidEnvelopeError):
        unseal(KEY, envelope)


@pytest.mark.parametrize(
    "misspell",
    [
        lambda text: text.rstrip("="),
        lambda text: text + "=",
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text[:40] + "\r\n" + text[40:],
        lambda text: text.replace("+", "-").replace("/", "_"),
    ],
    ids=["no padding", "too much padding", "line feed", "blank", "folded", "base64url"],
)
def test_bad_base64_is_refused(misspell: Callable[[str], str]) -> None:
    # A text whose envelope has padding, and all of +, / and =.
    texts = (f"text {number}" for number in range(1000))
    envelope = next(e for e in (seal(KEY, text, IV) for text in texts) if {"+", "/", "="} <= set(e))
    with pytest.raises(InvalidEnvelopeError, match="base64"):
        unseal(KEY, misspell(envelope))


def test_an_envelope_for_another_key_is_refused() -> None:
    with pytest.raises(InvalidEnvelopeError, match="another key"):
        unseal(bytes(32), seal(KEY, "text", IV))


def test_an_envelope_of_bytes_beyond_utf_8_is_refused() -> None:
    raw = IV + AESGCM(KEY).encrypt(IV, b"private \xff text", None)
    with pytest.raises(InvalidEnvelopeError, match="UTF-8") as refused:
        unseal(KEY, b64encode(raw).decode())
    assert refused.value.__context__ is None


def test_an_envelope_with_the_usual_iv_of_12_bytes_is_refused() -> None:
    raw = IV[:12] + AESGCM(KEY).encrypt(IV[:12], b"a text that is long enough", None)
    with pytest.raises(InvalidEnvelopeError):
        unseal(KEY, b64encode(raw).decode())


def test_any_iv_of_the_right_length_is_accepted() -> None:
    for iv in (bytes(16), b"\xff" * 16):
        assert unseal(KEY, seal(KEY, "text", iv)) == "text"


def test_base64url_is_no_second_spelling() -> None:
    envelope = urlsafe_b64encode(b"\xff" * 48).decode()
    with pytest.raises(InvalidEnvelopeError, match="base64"):
        unseal(KEY, envelope)
