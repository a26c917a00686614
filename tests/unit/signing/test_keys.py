"""Keys as base64: reading, writing and refusals."""

import hmac
from base64 import b64encode, urlsafe_b64encode

import pytest

from signing import Curve, InvalidKeyError, PrivateKey, PublicKey, shared_key
from tests import plain_protocol

both_curves = pytest.mark.parametrize("curve", list(Curve), ids=lambda curve: curve.value)


def base64_text(raw: bytes) -> str:
    return b64encode(raw).decode()


def key(curve: Curve, name: bytes = b"a") -> PrivateKey:
    return PrivateKey.derive(b"seed of the tests, 32 bytes long", name, curve)


@pytest.mark.parametrize("name", ["secp256k1", "prime256v1"])
def test_a_curve_is_found_by_the_name_a_deployment_gives_it(name: str) -> None:
    assert Curve(name).value == name  # type: ignore[call-arg]  # a look-up by value, which mypy takes for __new__


@both_curves
def test_a_scalar_is_read_with_and_without_its_leading_zeros(curve: Curve) -> None:
    expected = PrivateKey.from_base64(base64_text((5).to_bytes(32)), curve)
    for length in range(1, 34):
        assert PrivateKey.from_base64(base64_text((5).to_bytes(length)), curve) == expected


@both_curves
def test_a_scalar_is_written_in_32_bytes(curve: Curve) -> None:
    assert PrivateKey.from_base64(base64_text(b"\x05"), curve).to_base64() == base64_text((5).to_bytes(32))


@both_curves
@pytest.mark.parametrize("length", [32, 33])
def test_the_highest_scalar_is_read(curve: Curve, length: int) -> None:
    scalar = curve.order - 1
    private = PrivateKey.from_base64(base64_text(scalar.to_bytes(length)), curve)
    # (n-1)G = -G: the base point with the other y.
    plain = plain_protocol.CURVES[curve.value]
    x, y = plain.base
    assert private.public_key.raw == x.to_bytes(32) + (plain.p - y).to_bytes(32)


@both_curves
@pytest.mark.parametrize("length", [32, 33])
def test_a_scalar_of_the_order_or_more_is_refused(curve: Curve, length: int) -> None:
    for scalar in (curve.order, curve.order + 1, 2**256 - 1):
        with pytest.raises(InvalidKeyError, match="between 1 and the order"):
            PrivateKey.from_base64(base64_text(scalar.to_bytes(length)), curve)


@both_curves
@pytest.mark.parametrize("length", [1, 31, 32, 33])
def test_a_scalar_of_zero_is_refused(curve: Curve, length: int) -> None:
    with pytest.raises(InvalidKeyError):
        PrivateKey.from_base64(base64_text(bytes(length)), curve)


@both_curves
@pytest.mark.parametrize("raw", [b"", (5).to_bytes(34), b"\x01" + bytes(32), b"\xff" * 33, b"x" * 1000])
def test_a_scalar_of_another_length_is_refused(curve: Curve, raw: bytes) -> None:
    with pytest.raises(InvalidKeyError):
        PrivateKey.from_base64(base64_text(raw), curve)


def with_unused_bit(text: str) -> str:
    """Set the lowest of the bits before the padding, which a lenient reader ignores."""
    digits = text.rstrip("=")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return digits[:-1] + alphabet[alphabet.index(digits[-1]) | 1] + "=" * (len(text) - len(digits))


def misspelled(raw: bytes) -> dict[str, str]:
    text = base64_text(raw)
    return {
        "no padding": text.rstrip("="),
        "base64url": urlsafe_b64encode(raw).decode(),
        "a blank before": f" {text}",
        "a line feed behind": f"{text}\n",
        "a line feed inside": f"{text[:4]}\n{text[4:]}",
        "too much padding": f"{text}=",
        "unused bits set": with_unused_bit(text),
        "not ASCII": "é" + text[1:],
        "a lone surrogate": "\ud800" + text[1:],
        "hexadecimal": raw.hex(),
        "nothing": "",
    }


misspellings = pytest.mark.parametrize("how", list(misspelled(b"?")))


@misspellings
@both_curves
def test_a_private_key_that_is_not_standard_padded_base64_is_refused(curve: Curve, how: str) -> None:
    scalar = b"\x7b\xff\xff\xfb" * 8  # its text has + and /
    PrivateKey.from_base64(base64_text(scalar), curve)
    with pytest.raises(InvalidKeyError):
        PrivateKey.from_base64(misspelled(scalar)[how], curve)


@misspellings
@both_curves
def test_a_public_key_that_is_not_standard_padded_base64_is_refused(curve: Curve, how: str) -> None:
    keys = (key(curve, bytes([number])).public_key for number in range(255))
    public = next(public for public in keys if {"+", "/"} <= set(public.to_base64()))
    with pytest.raises(InvalidKeyError):
        PublicKey.from_base64(misspelled(public.raw)[how], curve)


@both_curves
def test_a_public_key_of_another_length_is_refused(curve: Curve) -> None:
    raw = key(curve).public_key.raw
    for other in (b"", raw[:63], raw + b"\0", b"\x04" + raw, b"\x02" + raw[:32]):
        with pytest.raises(InvalidKeyError, match="64 bytes"):
            PublicKey.from_base64(base64_text(other), curve)
        with pytest.raises(InvalidKeyError, match="64 bytes"):
            PublicKey.from_bytes(other, curve)


@both_curves
def test_a_point_off_the_curve_is_refused(curve: Curve) -> None:
    raw = key(curve).public_key.raw
    plain = plain_protocol.CURVES[curve.value]
    for other in (bytes(64), b"\xff" * 64, raw[:-1] + bytes([raw[-1] ^ 1]), raw[32:] + raw[:32]):
        with pytest.raises(InvalidKeyError, match=f"not a point on {curve.value}"):
            PublicKey.from_bytes(other, curve)
    # The right point, with a coordinate that is not reduced modulo p: a second spelling of one identity.
    small_x = next(
        (x, y)
        for x in range(1, 100)
        for y in [pow(x**3 + plain.a * x + plain.b, (plain.p + 1) // 4, plain.p)]
        if plain.contains(x, y)
    )
    PublicKey.from_bytes(small_x[0].to_bytes(32) + small_x[1].to_bytes(32), curve)
    with pytest.raises(InvalidKeyError):
        PublicKey.from_bytes((small_x[0] + plain.p).to_bytes(32) + small_x[1].to_bytes(32), curve)


def test_a_point_of_the_other_curve_is_refused() -> None:
    for curve, other in (list(Curve), list(Curve)[::-1]):
        with pytest.raises(InvalidKeyError):
            PublicKey.from_base64(key(curve).public_key.to_base64(), other)


def test_keys_on_two_curves_share_nothing() -> None:
    with pytest.raises(InvalidKeyError, match="the public key is on prime256v1, the private on secp256k1"):
        shared_key(key(Curve.SECP256K1), key(Curve.P256).public_key)


@both_curves
def test_equal_keys_are_equal_and_one_entry_of_a_cache(curve: Curve) -> None:
    one, same, other = key(curve), key(curve), key(curve, b"b")
    assert one == same
    assert one != other
    assert one != one.to_base64()
    assert {one, same, other} == {one, other}
    assert {one.public_key, same.public_key, other.public_key} == {one.public_key, other.public_key}
    assert one.public_key is one.public_key


def test_keys_of_the_same_number_on_two_curves_differ() -> None:
    one, other = (PrivateKey.from_base64(base64_text(b"\x05"), curve) for curve in Curve)
    assert one != other


@both_curves
def test_a_key_cannot_be_changed(curve: Curve) -> None:
    private = key(curve)
    with pytest.raises(AttributeError):
        private.curve = curve  # type: ignore[misc]  # that it fails is the point
    with pytest.raises(AttributeError):
        private.public_key.raw = b""  # type: ignore[misc]  # that it fails is the point


@both_curves
def test_a_seed_gives_the_same_key_again_and_another_info_another_key(curve: Curve) -> None:
    seed = b"seed of the tests, 32 bytes long"
    assert PrivateKey.derive(seed, b"a", curve) == PrivateKey.derive(seed, b"a", curve)
    assert PrivateKey.derive(seed, b"a", curve) != PrivateKey.derive(seed, b"b", curve)
    assert PrivateKey.derive(seed, b"a", curve) != PrivateKey.derive(seed[::-1], b"a", curve)


@both_curves
def test_a_derived_key_is_hkdf_sha256_of_the_seed(curve: Curve) -> None:
    # The keys of a running deployment follow from its seed: this must never change. RFC 5869 by hand, then
    # 48 bytes reduced to 1..n-1.
    extracted = hmac.digest(bytes(32), b"seed of the tests, 32 bytes long", "sha256")
    first = hmac.digest(extracted, b"a" + b"\x01", "sha256")
    second = hmac.digest(extracted, first + b"a" + b"\x02", "sha256")
    scalar = int.from_bytes((first + second)[:48]) % (curve.order - 1) + 1
    assert key(curve, b"a").to_base64() == base64_text(scalar.to_bytes(32))


def test_a_seed_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(InvalidKeyError, match="at least 16 bytes"):
        PrivateKey.derive(b"fifteen bytes..", b"a", Curve.P256)


def test_a_signature_on_secp256k1_is_the_same_for_the_same_message() -> None:
    private = key(Curve.SECP256K1)
    assert private.sign(b"message") == private.sign(b"message")
    assert private.sign(b"message") != private.sign(b"massage")


@both_curves
def test_no_two_messages_have_one_nonce(curve: Curve) -> None:
    # A nonce that two messages share gives the key away; r is a function of the nonce alone.
    private = key(curve)
    signatures = [private.sign(b"message %d" % number) for number in range(100)]
    assert len({signature[:32] for signature in signatures}) == len(signatures)


def test_signatures_on_secp256k1_are_those_of_rfc_6979() -> None:
    # Known answer for secp256k1 (private key 1, "Satoshi Nakamoto"), as published with Bitcoin libraries.
    one = PrivateKey.from_base64(base64_text(b"\x01"), Curve.SECP256K1)
    assert one.sign(b"Satoshi Nakamoto").hex() == (
        "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
        "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"
    )
