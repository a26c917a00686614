"""The receiver's half of HTTP message signatures, by the test vectors of RFC 9421, and keys of a JWKS."""

from base64 import b64decode
from typing import Any

import pytest

from signing import Curve, PublicKey, jwk
from webhooks_verify import InvalidKeyError, keys
from webhooks_verify.http_signatures import parse_signature, parse_signature_input, signature_base
from webhooks_verify.keys import find_key

# RFC 9421, B.1.3: test-key-ecc-p256, the last 65 bytes of its SubjectPublicKeyInfo without the 0x04.
RFC_9421_SPKI = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkD"
    "XZCnTNnoXQ=="
)
RAW = b64decode(RFC_9421_SPKI)[-64:]
RFC_9421_KEY = keys.PublicKey(keys.P256, RAW)


def test_the_response_of_rfc_9421_b_2_4_verifies() -> None:
    header = (
        'sig-b24=("@status" "content-type" "content-digest" "content-length")'
        ';created=1618884473;keyid="test-key-ecc-p256"'
    )
    [signed] = parse_signature_input(header) or []
    base = signature_base(
        [
            ("@status", "200"),
            ("content-type", "application/json"),
            (
                "content-digest",
                "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:",
            ),
            ("content-length", "23"),
        ],
        signed.value,
    )
    signatures = parse_signature(
        "sig-b24=:wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==:"
    )
    assert signatures is not None
    assert (signature := signatures["sig-b24"]) is not None
    assert RFC_9421_KEY.verify(base, signature)
    assert not RFC_9421_KEY.verify(base + b" ", signature)
    assert signed.components == ('"@status"', '"content-type"', '"content-digest"', '"content-length"')
    assert signed.number("created") == 1618884473
    assert signed.text("keyid") == "test-key-ecc-p256"


X, Y = (jwk(PublicKey.from_bytes(RAW, Curve.P256), "1")[name] for name in "xy")


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"kty": "EC", "crv": "P-256", "x": X},
        {"kty": "EC", "crv": "P-256", "x": X, "y": 1},
        {"kty": "EC", "crv": "P-256", "x": X, "y": X},
        {"kty": "EC", "crv": "P-256", "x": X, "y": Y + "="},
        {"kty": "EC", "crv": "P-256", "x": X[:-4], "y": Y[-4:] + Y},
        {"kty": "EC", "crv": "P-256", "x": X, "y": "é"},
        {"kty": "EC", "crv": "secp256k1", "x": X, "y": Y},
        {"kty": "RSA", "crv": "P-256", "x": X, "y": Y},
    ],
)
def test_a_published_key_that_is_not_a_p_256_point_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidKeyError):
        find_key({"keys": [members | {"kid": "1"}]}, "1")


@pytest.mark.parametrize("jwks", [{}, {"keys": None}, {"keys": {}}, {"keys": [None, 1, "1", []]}])
def test_a_document_that_is_not_a_jwks_has_no_key(jwks: dict[str, Any]) -> None:
    assert find_key(jwks, "1") is None


@pytest.mark.parametrize(
    "header",
    [
        "",
        "a",
        "a=",
        "a=(",
        'a=("b"',
        'a=("b"  "c")',
        'a=("b" );created=1',
        'A=("b")',
        'a=("b"),',
        'a=("b") b=("c")',
        'a=("b");created=1;',
        'a=("b"); created=1',
        'a=("b");created=1234567890123456',
        'a=("b");keyid="x',
        'a=("b");keyid="\\"',
        'a=("b")x',
        ' a=("b")',
        'a=("é")',
    ],
)
def test_a_malformed_signature_input_is_refused(header: str) -> None:
    assert parse_signature_input(header) is None


def test_several_signatures_in_one_header_are_read() -> None:
    signed = parse_signature_input(
        'proxy=("@query-param";name="a" "b";bs);created=1;nonce="n, a=(\\"";ok;by=tok:en/*, a=();keyid="k"\t,*b-._=("c")'.replace(
            '\\"', "'"
        )
    )
    assert signed is not None
    assert [each.label for each in signed] == ["proxy", "a", "*b-._"]
    assert signed[0].components == ('"@query-param";name="a"', '"b";bs')
    assert signed[0].parameters == {"created": "1", "nonce": '"n, a=(\'"', "ok": "", "by": "tok:en/*"}
    assert signed[0].number("nonce") is None
    assert signed[0].text("created") is None
    assert signed[1].components == ()
    assert parse_signature("a=:AAAA:, b=:AAA:") == {"a": bytes(3), "b": None}


@pytest.mark.parametrize(
    "header", ["", "a", "a=", "a=AAAA", "a=:AAAA", "a=:A-AA:", "a=:AAAA: b=:AAAA:", "a=:AAAA:,"]
)
def test_a_malformed_signature_is_refused(header: str) -> None:
    assert parse_signature(header) is None
