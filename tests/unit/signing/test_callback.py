"""Callbacks: the headers that are made, and what a receiver refuses."""

import json
import time
from typing import Any

import pytest
from standardwebhooks import Webhook

from signing import (
    CallbackKeys,
    Curve,
    InvalidCallbackError,
    InvalidKeyError,
    PrivateKey,
    VerificationError,
    derive_webhook_secret,
    encode_webhook_secret,
    jwk,
    sign_callback,
    thumbprint,
    verify_callback,
)
from tests import plain_protocol

SEED = b"seed of the tests, 32 bytes long"
NOW = 1_700_000_000
BODY = json.dumps({"id": "evt_1", "data": {"name": "héllo ✓"}}, ensure_ascii=False).encode()
CONTENT = PrivateKey.derive(SEED, b"content", Curve.P256)
KEY_ID = thumbprint(CONTENT.public_key)
JWKS = {"keys": [jwk(CONTENT.public_key, KEY_ID)]}
SECRET = derive_webhook_secret(SEED, "wh_1", 2)
SECRET_BEFORE = derive_webhook_secret(SEED, "wh_1", 1)

both_curves = pytest.mark.parametrize("curve", list(Curve), ids=lambda curve: curve.value)


def callback_keys(curve: Curve = Curve.SECP256K1) -> CallbackKeys:
    return CallbackKeys(PrivateKey.derive(SEED, b"service", curve), CONTENT, KEY_ID)


def signed(curve: Curve = Curve.SECP256K1, **changes: Any) -> dict[str, str]:
    parts = {
        "method": "POST",
        "url": "https://example.com/hook?a=1",
        "content_type": "application/json",
        "body": BODY,
        "delivery_id": "dlv_1",
        "timestamp": NOW,
        "keys": callback_keys(curve),
        "webhook_secrets": [SECRET],
    }
    return sign_callback(**parts | changes)


def sent(curve: Curve = Curve.SECP256K1, **changes: Any) -> dict[str, str]:
    return signed(curve, **changes) | {"Content-Type": "application/json"}


def verify(headers: dict[str, str], curve: Curve = Curve.SECP256K1, **changes: Any) -> list[str]:
    parts = {
        "method": "POST",
        "url": "https://example.com/hook?a=1",
        "headers": headers,
        "body": BODY,
        "service_key": callback_keys(curve).service.public_key,
        "webhook_secret": SECRET,
        "jwks": JWKS,
        "now": NOW,
    }
    return verify_callback(**parts | changes)


def test_a_callback_has_exactly_the_headers_of_the_protocol() -> None:
    assert list(signed()) == [
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "Content-Digest",
        "Signature-Input",
        "Signature",
    ]


def test_a_signature_input_covers_the_request_in_the_form_of_rfc_9421() -> None:
    assert signed()["Signature-Input"] == (
        'webhook=("@method" "@target-uri" "content-digest" "content-type" "webhook-id" "webhook-timestamp")'
        f';created={NOW};keyid="{KEY_ID}";alg="ecdsa-p256-sha256";tag="webhook"'
    )


@both_curves
def test_a_receiver_verifies_every_signature(curve: Curve) -> None:
    assert verify(sent(curve), curve) == [curve.scheme, "v1", "rfc9421"]


@both_curves
def test_each_key_in_its_grace_signs_too_and_the_shown_one_comes_first(curve: Curve) -> None:
    shown, *others = (PrivateKey.derive(SEED, name, curve) for name in (b"shown", b"one", b"other"))
    headers = sent(curve, keys=CallbackKeys(shown, CONTENT, KEY_ID, beside=tuple(others)))
    alone = sent(curve, keys=CallbackKeys(shown, CONTENT, KEY_ID))

    tokens = headers["webhook-signature"].split()
    assert [token.split(",")[0] for token in tokens] == [curve.scheme] * 3 + ["v1"]
    assert [tokens[0], tokens[3]] == alone["webhook-signature"].split()
    for key in (shown, *others):
        public = key.public_key
        assert verify(headers, curve, service_key=public) == [curve.scheme, "v1", "rfc9421"]
        assert plain_protocol.service_signature_holds(
            headers, BODY, service_public=public.to_wire(), curve_name=curve.value
        )
    with pytest.raises(VerificationError, match=f"no {curve.scheme} signature of the service key holds"):
        verify(alone, curve, service_key=others[0].public_key)


@both_curves
def test_the_plain_implementation_verifies_every_signature(curve: Curve) -> None:
    headers = sent(curve)
    public = callback_keys(curve).service.public_key.to_wire()
    assert plain_protocol.service_signature_holds(
        headers, BODY, service_public=public, curve_name=curve.value
    )
    assert plain_protocol.secret_signature_holds(headers, BODY, secret=encode_webhook_secret(SECRET))
    url = "https://example.com/hook?a=1"
    assert plain_protocol.http_signature_holds(headers, BODY, method="POST", url=url, jwks=JWKS)


@both_curves
def test_the_plain_implementation_refuses_another_body_and_key(curve: Curve) -> None:
    headers = sent(curve)
    service = callback_keys(curve).service.public_key.to_wire()
    other = PrivateKey.derive(SEED, b"other", curve).public_key.to_wire()
    holds = plain_protocol.service_signature_holds
    assert not holds(headers, BODY + b" ", service_public=service, curve_name=curve.value)
    assert not holds(headers, BODY, service_public=other, curve_name=curve.value)
    assert not plain_protocol.secret_signature_holds(
        headers, BODY, secret=encode_webhook_secret(SECRET_BEFORE)
    )
    assert not plain_protocol.http_signature_holds(
        headers, BODY, method="PUT", url="https://example.com/hook?a=1", jwks=JWKS
    )


@pytest.mark.parametrize("beside", [(), (PrivateKey.derive(SEED, b"before", Curve.SECP256K1),)])
def test_an_unmodified_standard_webhooks_library_verifies(beside: tuple[PrivateKey, ...]) -> None:
    keys = CallbackKeys(callback_keys().service, CONTENT, KEY_ID, beside=beside)
    headers = signed(timestamp=int(time.time()), webhook_secrets=[SECRET, SECRET_BEFORE], keys=keys)
    for secret in (SECRET, SECRET_BEFORE):
        assert Webhook(encode_webhook_secret(secret)).verify(BODY, headers) == json.loads(BODY)


def test_the_previous_secret_signs_too_after_a_rotation() -> None:
    headers = sent(webhook_secrets=[SECRET, SECRET_BEFORE])
    assert [token.split(",")[0] for token in headers["webhook-signature"].split(" ")] == [
        "es256k",
        "v1",
        "v1",
    ]
    assert verify(headers, webhook_secret=SECRET_BEFORE) == verify(headers)


def test_the_keys_sign_alone_without_a_webhook_secret() -> None:
    headers = sent(webhook_secrets=[])
    assert verify(headers, webhook_secret=None) == ["es256k", "rfc9421"]
    with pytest.raises(VerificationError, match="no v1 signature"):
        verify(headers)


def test_the_same_attempt_is_signed_the_same() -> None:
    assert signed() == signed()
    assert signed(timestamp=NOW + 1) != signed()


def test_a_url_without_a_path_is_signed_as_it_is_requested() -> None:
    headers = sent(url="https://example.com#top")
    assert verify(headers, url="https://example.com/")


@pytest.mark.parametrize(
    "changes",
    [
        {"method": ""},
        {"method": "PO\nST"},
        {"url": "https://exämple.com/"},
        {"url": "https://example.com/ "},
        {"url": 'https://example.com/\r\n"webhook-id": x'},
        {"url": "https://example.com/\ud800"},
        {"content_type": "application/json\0"},
        {"content_type": ""},
        {"delivery_id": ""},
        {"delivery_id": "dlv.1"},
        {"delivery_id": "dlv_1\n"},
        {"delivery_id": "dłv"},
        {"timestamp": -1},
    ],
)
def test_a_value_that_no_header_can_hold_is_not_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidCallbackError):
        signed(**changes)


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(33)])
def test_a_webhook_secret_of_another_length_does_not_sign(secret: bytes) -> None:
    with pytest.raises(InvalidKeyError):
        signed(webhook_secrets=[secret])


def test_the_content_key_is_on_p_256() -> None:
    service = callback_keys().service
    with pytest.raises(InvalidKeyError, match="prime256v1"):
        CallbackKeys(service, service, "key")


@pytest.mark.parametrize("key_id", ["", 'a"b', "a\\b", "a\n", "é"])
def test_a_key_id_that_cannot_be_quoted_is_refused(key_id: str) -> None:
    with pytest.raises(InvalidKeyError, match="id"):
        CallbackKeys(callback_keys().service, CONTENT, key_id)


def test_header_names_come_in_any_case() -> None:
    headers = {name.upper(): value for name, value in sent().items()}
    assert verify(headers) == verify({name.lower(): f" {value}\t" for name, value in headers.items()})


@pytest.mark.parametrize(
    ("given", "schemes"),
    [
        ({"webhook_secret": None, "jwks": None}, ["es256k"]),
        ({"service_key": None, "jwks": None}, ["v1"]),
        ({"service_key": None, "webhook_secret": None}, ["rfc9421"]),
    ],
)
def test_every_scheme_with_a_given_key_is_verified(given: dict[str, None], schemes: list[str]) -> None:
    assert verify(sent(), **given) == schemes


def test_a_callback_without_any_key_is_not_verified() -> None:
    with pytest.raises(VerificationError, match="nothing to verify with"):
        verify(sent(), service_key=None, webhook_secret=None, jwks=None)


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
def test_a_timestamp_that_is_no_epoch_seconds_is_refused(value: str) -> None:
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
            {"service_key": PrivateKey.derive(SEED, b"other", Curve.SECP256K1).public_key},
            "no es256k signature",
        ),
        ({"service_key": callback_keys(Curve.P256).service.public_key}, "no es256 signature"),
        ({"webhook_secret": SECRET_BEFORE}, "no v1 signature"),
        ({"body": BODY + b" "}, "no es256k signature"),
        ({"body": BODY + b" ", "service_key": None}, "no v1 signature"),
        ({"body": BODY + b" ", "service_key": None, "webhook_secret": None}, "Content-Digest"),
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
def test_a_signature_that_does_not_verify_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        verify(sent(), **changes)


def test_the_other_form_of_a_signature_is_refused() -> None:
    # s and n-s both verify; a second spelling of a signature is not ours.
    scheme, text = sent(webhook_secrets=[])["webhook-signature"].split(",")
    raw = plain_protocol.b64decode(text)
    high = Curve.SECP256K1.order - int.from_bytes(raw[32:])
    other = f"{scheme},{plain_protocol.b64encode(raw[:32] + high.to_bytes(32)).decode()}"
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
def test_a_fault_in_a_signature_input_is_named(signature_input: str, message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        verify(sent() | {"Signature-Input": signature_input})


@pytest.mark.parametrize(
    ("signature", "message"),
    [("x", "malformed"), ("webhook=:AAA:", "no base64 bytes"), ("webhook=:AAAA:", "does not hold")],
)
def test_a_fault_in_a_signature_is_named(signature: str, message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        verify(sent() | {"Signature": signature})


def test_a_foreign_signature_may_stand_beside_ours() -> None:
    headers = sent()
    headers["Signature-Input"] = f'proxy=("@authority");created=1, {headers["Signature-Input"]}'
    headers["Signature"] = f"{headers['Signature']}, proxy=:AAAA:"
    assert verify(headers) == ["es256k", "v1", "rfc9421"]
