"""The signing half of HTTP message signatures, by RFC 9421, RFC 9530, RFC 7517 and the receivers' package."""

from base64 import b64decode, urlsafe_b64decode

import pytest

import webhooks_verify.http_signatures
from signing import Curve, InvalidKeyError, PrivateKey, PublicKey, http_signatures, jwk, thumbprint
from signing.http_signatures import COMPONENTS, callback_base, content_digest, signature_params
from webhooks_verify.http_signatures import signature_base
from webhooks_verify.keys import find_key

# RFC 9421, B.1.3: test-key-ecc-p256, the last 65 bytes of its SubjectPublicKeyInfo without the 0x04.
RFC_9421_SPKI = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkD"
    "XZCnTNnoXQ=="
)
RFC_9421_KEY = PublicKey.from_bytes(b64decode(RFC_9421_SPKI)[-64:], Curve.P256)


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
def test_the_target_uri_is_the_requested_one_to_signer_and_receiver(url: str, requested: str) -> None:
    assert http_signatures.target_uri(url) == requested
    assert webhooks_verify.http_signatures.target_uri(url) == requested


def test_signer_and_receiver_agree_on_components_algorithm_and_tag() -> None:
    for name in ("COMPONENTS", "ALGORITHM", "TAG"):
        assert getattr(http_signatures, name) == getattr(webhooks_verify.http_signatures, name)


def test_a_key_of_rfc_7517_is_written_with_its_coordinates() -> None:
    # RFC 7517, A.1, the first key.
    x, y = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
    raw = urlsafe_b64decode(x + "=") + urlsafe_b64decode(y + "=")
    key = PublicKey.from_bytes(raw, Curve.P256)
    written = {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "1", "use": "sig", "alg": "ES256"}
    assert jwk(key, "1") == written
    found = find_key({"keys": [{"kid": "0"}, written]}, "1")
    assert found is not None
    assert found.raw == key.raw
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
