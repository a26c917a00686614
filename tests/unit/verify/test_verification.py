"""The faults of a callback that a receiver's verification names."""

from base64 import b64decode, b64encode
from typing import Any

import pytest

from signing import Curve, PrivateKey, encode_webhook_secret, jwk
from tests.signed_callbacks import (
    BODY,
    KEY_ID,
    NOW,
    SECRET_BEFORE,
    SEED,
    callback_keys,
    sent,
    signed,
    verify,
)
from webhooks_verify import VerificationError


def test_header_names_come_in_any_case() -> None:
    headers = {name.upper(): value for name, value in sent().items()}
    assert verify(headers) == verify({name.lower(): f" {value}\t" for name, value in headers.items()})


@pytest.mark.parametrize(
    ("given", "schemes"),
    [
        ({"secret": None, "jwks": None}, ["es256k"]),
        ({"public_key": None, "jwks": None}, ["v1"]),
        ({"public_key": None, "secret": None}, ["rfc9421"]),
    ],
)
def test_each_given_key_verifies_its_signature(given: dict[str, Any], schemes: list[str]) -> None:
    assert verify(sent(), **given) == schemes


def test_a_callback_without_any_key_is_not_verified() -> None:
    with pytest.raises(VerificationError, match="nothing to verify with"):
        verify(sent(), public_key=None, secret=None, jwks=None)


@pytest.mark.parametrize("distance", [-300, 300])
def test_a_callback_at_the_edge_of_the_tolerance_is_fresh(distance: int) -> None:
    assert verify(sent(), now=NOW + distance)


@pytest.mark.parametrize(
    ("distance", "message"),
    [(-301, "lies 301 s after now, 300 s are allowed"), (301, "lies 301 s before now")],
)
def test_a_callback_from_another_time_is_refused(distance: int, message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        verify(sent(), now=NOW + distance)


@pytest.mark.parametrize("name", [*signed(), "Content-Type"])
def test_a_missing_header_is_named(name: str) -> None:
    headers = sent()
    del headers[name]
    with pytest.raises(VerificationError, match=f"the header {name.lower()} is missing"):
        verify(headers)


@pytest.mark.parametrize("name", [*signed(), "Content-Type"])
@pytest.mark.parametrize("value", ["", "é", "a\nb", "\ud800", "²"])
def test_a_header_that_is_not_printable_ascii_is_named(name: str, value: str) -> None:
    with pytest.raises(VerificationError, match=name.lower()):
        verify(sent() | {name: value})


@pytest.mark.parametrize("value", ["x", "-1", "1e9", "01700000000", "1700000000.0", "+1700000000", "9" * 400])
def test_a_timestamp_in_another_form_than_epoch_seconds_is_refused(value: str) -> None:
    with pytest.raises(VerificationError, match="webhook-timestamp is not epoch seconds"):
        verify(sent() | {"webhook-timestamp": value})


@pytest.mark.parametrize("value", ["v1", "v1,", ",x", "v1,a,b", "v1,a  v1,b", "v1,a, v1,b"])
def test_a_token_without_exactly_one_comma_is_refused(value: str) -> None:
    with pytest.raises(VerificationError, match="list of scheme,base64"):
        verify(sent() | {"webhook-signature": value})


def test_an_unknown_scheme_is_passed_over() -> None:
    headers = sent()
    assert verify(headers | {"webhook-signature": "v9,x " + headers["webhook-signature"]}) == verify(headers)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"public_key": PrivateKey.derive(SEED, b"other", Curve.SECP256K1).public_key.to_base64()},
            "no es256k signature",
        ),
        ({"public_key": callback_keys(Curve.P256).service.public_key.to_base64()}, "no es256 signature"),
        ({"secret": encode_webhook_secret(SECRET_BEFORE)}, "no v1 signature"),
        ({"body": BODY + b" "}, "no es256k signature"),
        ({"body": BODY + b" ", "public_key": None}, "no v1 signature"),
        ({"body": BODY + b" ", "public_key": None, "secret": None}, "Content-Digest"),
        ({"method": "PUT"}, "Signature does not hold"),
        ({"url": "https://example.com/hook?a=2"}, "Signature does not hold"),
        ({"url": "https://exämple.com/"}, "method and URL are not printable ASCII"),
        ({"jwks": {"keys": []}}, f"the JWKS has no key {KEY_ID}"),
        ({"jwks": {"keys": [{"kid": KEY_ID}]}}, "the JWKS is of no use"),
        (
            {"jwks": {"keys": [jwk(PrivateKey.derive(SEED, b"other", Curve.P256).public_key, KEY_ID)]}},
            "not hold",
        ),
    ],
)
def test_the_part_that_does_not_verify_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        verify(sent(), **changes)


def test_the_other_form_of_a_signature_is_refused() -> None:
    # s and n-s both verify; a second spelling of a signature is not ours.
    scheme, text = sent(webhook_secrets=[])["webhook-signature"].split(",")
    raw = b64decode(text)
    high = Curve.SECP256K1.order - int.from_bytes(raw[32:])
    other = f"{scheme},{b64encode(raw[:32] + high.to_bytes(32)).decode()}"
    with pytest.raises(VerificationError, match="no es256k signature"):
        verify(sent() | {"webhook-signature": other})


def test_a_dot_in_the_delivery_id_is_refused() -> None:
    with pytest.raises(VerificationError, match="webhook-id has a dot"):
        verify(sent() | {"webhook-id": "dlv.1"})


INPUT = signed()["Signature-Input"]


@pytest.mark.parametrize(
    ("signature_input", "message"),
    [
        ("x", "malformed"),
        (INPUT.replace(';tag="webhook"', ""), "no signature with tag"),
        (INPUT.replace('tag="webhook"', 'tag="other"'), "no signature with tag"),
        (INPUT.replace("ecdsa-p256-sha256", "hmac-sha256"), "another algorithm"),
        (INPUT.replace('"@method" ', ""), "does not cover @method"),
        (INPUT.replace(' "webhook-timestamp"', ""), "does not cover webhook-timestamp"),
        (INPUT.replace('"content-type"', '"content-type";sf'), "does not cover content-type"),
        (INPUT.replace('("@method"', '("@method" "@method"'), "covers a component twice"),
        (
            INPUT.replace('("@method"', '("@method" "@authority"'),
            "covers .@authority., which is not supported",
        ),
        (INPUT.replace('("@method"', '("@method" "x";sf'), "which is not supported"),
        (INPUT.replace('("@method"', '("@method" "X-Y"'), "which is not supported"),
        (INPUT.replace('("@method"', '("@method" "x-y"'), "the header x-y is missing"),
        (INPUT.replace(f"created={NOW}", f"created={NOW + 1}"), "Signature does not hold"),
        (INPUT.replace(f"created={NOW}", f"created={NOW - 301}"), "created lies 301 s before now"),
        (INPUT.replace(f";created={NOW}", ""), "no created"),
        (INPUT.replace(f"created={NOW}", 'created="x"'), "no created"),
        (INPUT.replace(f';keyid="{KEY_ID}"', ""), "no keyid"),
        (INPUT.replace("webhook=(", "other=("), "no base64 bytes for other"),
    ],
)
def test_a_fault_of_the_signature_input_is_named(signature_input: str, message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        verify(sent() | {"Signature-Input": signature_input})


@pytest.mark.parametrize(
    ("signature", "message"),
    [("x", "malformed"), ("webhook=:AAA:", "no base64 bytes"), ("webhook=:AAAA:", "does not hold")],
)
def test_a_fault_of_the_signature_is_named(signature: str, message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        verify(sent() | {"Signature": signature})


def test_a_signature_of_another_sender_may_stand_beside_ours() -> None:
    headers = sent()
    headers["Signature-Input"] = f'proxy=("@authority");created=1, {headers["Signature-Input"]}'
    headers["Signature"] = f"{headers['Signature']}, proxy=:AAAA:"
    assert verify(headers) == ["es256k", "v1", "rfc9421"]
