"""HTTP message signatures and content digests, against the known answers of RFC 9421 and RFC 9530."""

from base64 import b64decode, urlsafe_b64decode
from typing import Any

import pytest

from signing import Curve, InvalidKeyError, PrivateKey, PublicKey, jwk, thumbprint
from signing.http_signatures import (
    COMPONENTS,
    callback_base,
    content_digest,
    parse_signature,
    parse_signature_input,
    signature_base,
    signature_params,
    target_uri,
)
from signing.jwks import find_key

# RFC 9421, B.1.3: test-key-ecc-p256, the last 65 bytes of its SubjectPublicKeyInfo without the 0x04.
RFC_9421_SPKI = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkD"
    "XZCnTNnoXQ=="
)
RFC_9421_KEY = PublicKey.from_bytes(b64decode(RFC_9421_SPKI)[-64:], Curve.P256)


def test_the_response_of_rfc_9421_b_2_4_verifies() -> None:
    header = (
        'sig-b24=("@status" "content-type" "content-digest" "content-length")'
        ';created=1618884473;keyid="test-key-ecc-p256"'
    )
    [signed] = parse_signature_input(header)
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
    assert RFC_9421_KEY.verify(base, signatures["sig-b24"])
    assert not RFC_9421_KEY.verify(base + b" ", signatures["sig-b24"])
    assert signed.components == ('"@status"', '"content-type"', '"content-digest"', '"content-length"')
    assert signed.number("created") == 1618884473
    assert signed.text("keyid") == "test-key-ecc-p256"


def test_the_key_pair_of_rfc_9421_b_1_3_belongs_together() -> None:
    # From the SEC 1 structure of the same section.
    private = b64decode("MHcCAQEEIFKbhfNZfpDsW43+0+JjUr9K+bTeuxopu653+hBaXGA7")[-32:]
    assert PrivateKey(Curve.P256, private).public_key == RFC_9421_KEY


def test_a_content_digest_is_that_of_rfc_9530() -> None:
    # RFC 9530, B.1: {"hello": "world"} and a line feed.
    expected = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
    assert content_digest(b'{"hello": "world"}\n') == expected


def test_the_signature_base_of_a_callback_is_the_general_one() -> None:
    values = ("POST", "https://example.com/", "sha-256=:A:", "application/json", "dlv_1", "1700000000")
    params = signature_params(created=1700000000, key_id="key")
    assert callback_base(values, params) == signature_base(zip(COMPONENTS, values, strict=True), params)


@pytest.mark.parametrize(
    ("url", "requested"),
    [
        ("https://example.com/hook", "https://example.com/hook"),
        ("https://example.com", "https://example.com/"),
        ("https://example.com:8443?a=/b", "https://example.com:8443/?a=/b"),
        ("https://example.com/hook?a=1&b=%20#part", "https://example.com/hook?a=1&b=%20"),
        ("https://example.com#part/of", "https://example.com/"),
        ("https://EXAMPLE.com/A/../b//", "https://EXAMPLE.com/A/../b//"),
        ("http://[::1]:8080", "http://[::1]:8080/"),
        (
            "https://example.com/to?u=https://other.example#x",
            "https://example.com/to?u=https://other.example",
        ),
        ("no-url", "no-url"),
    ],
)
def test_the_target_uri_is_that_of_the_request(url: str, requested: str) -> None:
    assert target_uri(url) == requested


def test_a_key_of_rfc_7517_is_written_with_its_coordinates() -> None:
    # RFC 7517, A.1, the first key.
    x, y = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
    raw = urlsafe_b64decode(x + "=") + urlsafe_b64decode(y + "=")
    key = PublicKey.from_bytes(raw, Curve.P256)
    written = {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "1", "use": "sig", "alg": "ES256"}
    assert jwk(key, "1") == written
    assert find_key({"keys": [{"kid": "0"}, written]}, "1") == key
    assert find_key({"keys": [written]}, "2") is None


def test_a_thumbprint_is_that_of_rfc_7638() -> None:
    key = RFC_9421_KEY
    # As RFC 9449, 6.1 does it for its P-256 key.
    x, y = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"
    dpop = PublicKey.from_bytes(urlsafe_b64decode(x + "=") + urlsafe_b64decode(y + "="), Curve.P256)
    assert thumbprint(dpop) == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    assert thumbprint(key) != thumbprint(dpop)


def test_a_key_on_another_curve_is_not_published() -> None:
    key = PrivateKey.derive(bytes(32), b"a", Curve.SECP256K1).public_key
    for publish in (lambda: jwk(key, "1"), lambda: thumbprint(key)):
        with pytest.raises(InvalidKeyError, match="P-256"):
            publish()


X, Y = (jwk(RFC_9421_KEY, "1")[name] for name in "xy")


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
def test_a_published_key_outside_p_256_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidKeyError):
        find_key({"keys": [members | {"kid": "1"}]}, "1")


@pytest.mark.parametrize("jwks", [{}, {"keys": None}, {"keys": {}}, {"keys": [None, 1, "1", []]}])
def test_a_malformed_jwks_has_no_key(jwks: dict[str, Any]) -> None:
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
