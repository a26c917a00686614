"""Laws of the signing layer, and its agreement with implementations that share nothing with it."""

import json
import time
from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from signing import (
    CallbackKeys,
    Curve,
    InvalidEnvelopeError,
    PrivateKey,
    PublicKey,
    encode_webhook_secret,
    jwk,
    seal,
    shared_key,
    sign_callback,
    thumbprint,
    unseal,
)
from tests import plain_protocol
from webhooks_verify import verify_callback
from webhooks_verify.http_signatures import parse_signature_input
from webhooks_verify.keys import read_public_key

# The plain implementation takes tens of milliseconds for a point: fewer examples, no deadline.
quick = settings(deadline=None)
slow = settings(deadline=None, max_examples=15)

curves = st.sampled_from(Curve)
texts = st.text(st.characters(exclude_categories=["Cs"]))
keys32 = st.binary(min_size=32, max_size=32)
ivs = st.binary(min_size=16, max_size=16)
seeds = st.binary(min_size=16, max_size=64)
visible = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
delivery_ids = visible.filter(lambda text: "." not in text)
paths = st.text(st.sampled_from("abcXYZ019-._~%/?&=+"), max_size=30)
json_bodies = st.dictionaries(texts, texts | st.integers() | st.none()).map(
    lambda value: json.dumps(value, ensure_ascii=False).encode()
)


@st.composite
def scalars(draw: st.DrawFn) -> tuple[Curve, int]:
    """Draw a curve and a private key on it, often near an end or with leading zeros."""
    curve = draw(curves)
    lengths = st.integers(min_value=1, max_value=32).flatmap(
        lambda length: st.integers(min_value=1, max_value=min(256**length, curve.order) - 1)
    )
    scalar = draw(lengths | st.integers(1, 3) | st.integers(curve.order - 3, curve.order - 1))
    return curve, scalar


def base64_text(raw: bytes) -> str:
    return b64encode(raw).decode()


@quick
@given(keys32, texts, ivs)
def test_a_sealed_text_is_unsealed(key: bytes, text: str, iv: bytes) -> None:
    assert unseal(key, seal(key, text, iv)) == text


@quick
@given(keys32, texts, ivs)
def test_envelopes_are_those_of_the_plain_implementation(key: bytes, text: str, iv: bytes) -> None:
    envelope = seal(key, text, iv)
    assert envelope == plain_protocol.seal(key, text, iv)
    assert plain_protocol.unseal(key, envelope) == text


@quick
@given(keys32, texts, st.characters(categories=["Cs"]), texts, ivs)
def test_a_text_with_a_lone_surrogate_is_refused(
    key: bytes, before: str, surrogate: str, behind: str, iv: bytes
) -> None:
    with pytest.raises(InvalidEnvelopeError):
        seal(key, before + surrogate + behind, iv)


@quick
@given(keys32, texts, ivs, st.data())
def test_an_envelope_changed_in_any_bit_is_refused(
    key: bytes, text: str, iv: bytes, data: st.DataObject
) -> None:
    raw = bytearray(b64decode(seal(key, text, iv)))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(InvalidEnvelopeError):
        unseal(key, base64_text(bytes(raw)))


@quick
@given(keys32, texts, ivs, st.data())
def test_an_envelope_changed_in_any_character_is_refused(
    key: bytes, text: str, iv: bytes, data: st.DataObject
) -> None:
    envelope = seal(key, text, iv)
    position = data.draw(st.integers(0, len(envelope) - 1))
    character = data.draw(st.characters().filter(lambda other: other != envelope[position]))
    with pytest.raises(InvalidEnvelopeError):
        unseal(key, envelope[:position] + character + envelope[position + 1 :])


@quick
@given(keys32, texts, ivs, st.data())
def test_a_shortened_envelope_is_refused(key: bytes, text: str, iv: bytes, data: st.DataObject) -> None:
    envelope = seal(key, text, iv)
    with pytest.raises(InvalidEnvelopeError):
        unseal(key, envelope[: data.draw(st.integers(0, len(envelope) - 1))])


@quick
@given(scalars(), st.data())
def test_a_private_key_is_read_with_any_number_of_leading_zeros(
    pair: tuple[Curve, int], data: st.DataObject
) -> None:
    curve, scalar = pair
    shortest = (scalar.bit_length() + 7) // 8
    length = data.draw(st.integers(shortest, 33))
    private = PrivateKey.from_base64(base64_text(scalar.to_bytes(length)), curve)
    assert private.to_base64() == base64_text(scalar.to_bytes(32))
    assert PrivateKey.from_base64(private.to_base64(), curve) == private
    public = private.public_key
    assert PublicKey.from_base64(public.to_base64(), curve) == public
    assert PublicKey.from_bytes(public.raw, curve) == public


@slow
@given(scalars())
def test_public_keys_are_those_of_the_plain_implementation(pair: tuple[Curve, int]) -> None:
    curve, scalar = pair
    private = PrivateKey.from_base64(base64_text(scalar.to_bytes(32)), curve)
    assert (
        private.public_key.to_base64()
        == plain_protocol.read_key_pair(private.to_base64(), curve.value).public
    )


@slow
@given(curves, seeds, seeds)
def test_both_sides_and_the_plain_implementation_share_one_key(
    curve: Curve, one_seed: bytes, other_seed: bytes
) -> None:
    one, other = PrivateKey.derive(one_seed, b"a", curve), PrivateKey.derive(other_seed, b"b", curve)
    key = shared_key(one, other.public_key)
    assert len(key) == 32
    assert key == shared_key(other, one.public_key)
    plain = plain_protocol.read_key_pair(one.to_base64(), curve.value)
    assert key == plain_protocol.shared_key(plain, other.public_key.to_base64())


@slow
@given(curves)
def test_a_caller_of_the_plain_implementation_is_understood(curve: Curve) -> None:
    service = PrivateKey.derive(bytes(32), b"service", curve)
    caller = plain_protocol.new_key_pair(curve.value)
    headers = plain_protocol.request_headers(
        caller,
        service.public_key.to_base64(),
        license_key="license",
        ts=1.5,
        appid="app",
        uuid="u",
        more=True,
    )
    key = shared_key(service, PublicKey.from_base64(headers["publickey"], curve))
    assert unseal(key, headers["licensekey"]) == "license"
    assert json.loads(unseal(key, headers["requestid"])) == {
        "ts": 1.5,
        "appid": "app",
        "uuid": "u",
        "more": True,
    }


@quick
@given(curves, seeds, st.binary())
def test_signatures_are_low_s_and_hold(curve: Curve, seed: bytes, message: bytes) -> None:
    private = PrivateKey.derive(seed, b"a", curve)
    signature = private.sign(message)
    assert len(signature) == 64
    assert 0 < int.from_bytes(signature[32:]) <= curve.order // 2
    assert read_public_key(private.public_key.to_base64()).verify(message, signature)


SIGNING = PrivateKey.derive(bytes(32), b"signing", Curve.P256)
KEY_ID = thumbprint(SIGNING.public_key)
JWKS = {"keys": [jwk(SIGNING.public_key, KEY_ID)]}


@st.composite
def callbacks(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "method": draw(st.sampled_from(["POST", "PUT", "PATCH"])),
        "url": "https://example.com/" + draw(paths),
        "content_type": "application/json",
        "body": draw(st.binary() | json_bodies),
        "delivery_id": draw(delivery_ids),
        "timestamp": draw(st.integers(0, 10**12)),
        "keys": CallbackKeys(PrivateKey.derive(draw(seeds), b"service", draw(curves)), SIGNING, KEY_ID),
        "webhook_secrets": draw(st.lists(keys32, min_size=1, max_size=2)),
    }


def signed(callback: dict[str, Any]) -> dict[str, str]:
    return sign_callback(**callback) | {"Content-Type": callback["content_type"]}


@quick
@given(callbacks())
def test_a_signed_callback_verifies(callback: dict[str, Any]) -> None:
    service = callback["keys"].service
    for secret in callback["webhook_secrets"]:
        assert verify_callback(
            method=callback["method"],
            url=callback["url"],
            headers=signed(callback),
            body=callback["body"],
            public_key=service.public_key.to_base64(),
            secret=encode_webhook_secret(secret),
            jwks=JWKS,
            now=callback["timestamp"],
        ) == [service.curve.scheme, "v1", "rfc9421"]


@slow
@given(callbacks())
def test_a_signed_callback_verifies_by_the_plain_implementation(callback: dict[str, Any]) -> None:
    headers, body, service = signed(callback), callback["body"], callback["keys"].service
    assert plain_protocol.service_signature_holds(
        headers, body, service_public=service.public_key.to_base64(), curve_name=service.curve.value
    )
    for secret in callback["webhook_secrets"]:
        assert plain_protocol.secret_signature_holds(headers, body, secret=encode_webhook_secret(secret))
    assert plain_protocol.http_signature_holds(
        headers, body, method=callback["method"], url=callback["url"], jwks=JWKS
    )


@quick
@given(callbacks(), json_bodies)
def test_a_signed_callback_verifies_by_the_standard_webhooks_library(
    callback: dict[str, Any], body: bytes
) -> None:
    # The library reads the clock itself.
    headers = signed(callback | {"body": body, "timestamp": int(time.time())})
    for secret in callback["webhook_secrets"]:
        assert Webhook(encode_webhook_secret(secret)).verify(body, headers) == json.loads(body)


@quick
@given(callbacks())
def test_headers_have_their_form(callback: dict[str, Any]) -> None:
    headers = signed(callback)
    for value in headers.values():
        assert value.isascii()
        assert value.isprintable()
        assert value == value.strip()
    tokens = headers["webhook-signature"].split(" ")
    assert all(token.count(",") == 1 for token in tokens)
    assert len(tokens) == 1 + len(callback["webhook_secrets"])
    [_] = parse_signature_input(headers["Signature-Input"]) or []
