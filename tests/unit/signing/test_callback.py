"""The headers of a callback, by each implementation that verifies them."""

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
    encode_webhook_secret,
)
from tests import plain_protocol
from tests.signed_callbacks import (
    BODY,
    JWKS,
    KEY_ID,
    NOW,
    SECRET,
    SECRET_BEFORE,
    SEED,
    SIGNING,
    callback_keys,
    sent,
    signed,
    verify,
)
from webhooks_verify import VerificationError

both_curves = pytest.mark.parametrize("curve", list(Curve), ids=lambda curve: curve.value)


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
def test_each_key_in_its_grace_signs_too_after_the_published_one(curve: Curve) -> None:
    shown, *others = (PrivateKey.derive(SEED, name, curve) for name in (b"shown", b"one", b"other"))
    headers = sent(curve, keys=CallbackKeys(shown, SIGNING, KEY_ID, beside=tuple(others)))
    alone = sent(curve, keys=CallbackKeys(shown, SIGNING, KEY_ID))

    tokens = headers["webhook-signature"].split()
    assert [token.split(",")[0] for token in tokens] == [curve.scheme] * 3 + ["v1"]
    first = headers | {"webhook-signature": f"{tokens[0]} {tokens[3]}"}
    assert verify(first, curve, public_key=shown.public_key.to_base64()) == [curve.scheme, "v1", "rfc9421"]
    for key in (shown, *others):
        public = key.public_key
        assert verify(headers, curve, public_key=public.to_base64()) == [curve.scheme, "v1", "rfc9421"]
        assert plain_protocol.service_signature_holds(
            headers, BODY, service_public=public.to_base64(), curve_name=curve.value
        )
    with pytest.raises(VerificationError, match=f"no {curve.scheme} signature of the service key holds"):
        verify(alone, curve, public_key=others[0].public_key.to_base64())


@both_curves
def test_the_plain_implementation_verifies_every_signature(curve: Curve) -> None:
    headers = sent(curve)
    public = callback_keys(curve).service.public_key.to_base64()
    assert plain_protocol.service_signature_holds(
        headers, BODY, service_public=public, curve_name=curve.value
    )
    assert plain_protocol.secret_signature_holds(headers, BODY, secret=encode_webhook_secret(SECRET))
    url = "https://example.com/hook?a=1"
    assert plain_protocol.http_signature_holds(headers, BODY, method="POST", url=url, jwks=JWKS)


@both_curves
def test_the_plain_implementation_refuses_another_body_and_key(curve: Curve) -> None:
    headers = sent(curve)
    service = callback_keys(curve).service.public_key.to_base64()
    other = PrivateKey.derive(SEED, b"other", curve).public_key.to_base64()
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
    keys = CallbackKeys(callback_keys().service, SIGNING, KEY_ID, beside=beside)
    headers = signed(timestamp=int(time.time()), webhook_secrets=[SECRET, SECRET_BEFORE], keys=keys)
    for secret in (SECRET, SECRET_BEFORE):
        assert Webhook(encode_webhook_secret(secret)).verify(BODY, headers) == json.loads(BODY)


def test_the_secret_before_a_rotation_signs_too() -> None:
    headers = sent(webhook_secrets=[SECRET, SECRET_BEFORE])
    assert [token.split(",")[0] for token in headers["webhook-signature"].split(" ")] == [
        "es256k",
        "v1",
        "v1",
    ]
    assert verify(headers, secret=encode_webhook_secret(SECRET_BEFORE)) == verify(headers)


def test_the_keys_sign_alone_without_a_webhook_secret() -> None:
    headers = sent(webhook_secrets=[])
    assert verify(headers, secret=None) == ["es256k", "rfc9421"]
    with pytest.raises(VerificationError, match="no v1 signature"):
        verify(headers)


def test_the_same_attempt_is_signed_the_same_but_for_the_signature_on_p_256() -> None:
    first, again, later = (
        {name: value for name, value in signed(timestamp=at).items() if name != "Signature"}
        for at in (NOW, NOW, NOW + 1)
    )
    assert first == again
    assert {name for name in first if first[name] != later[name]} == {
        "webhook-timestamp",
        "webhook-signature",
        "Signature-Input",
    }


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
def test_a_part_that_a_header_cannot_carry_is_not_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidCallbackError):
        signed(**changes)


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(33)])
def test_a_webhook_secret_of_another_length_does_not_sign(secret: bytes) -> None:
    with pytest.raises(InvalidKeyError):
        signed(webhook_secrets=[secret])


def test_the_signing_key_is_on_p_256() -> None:
    service = callback_keys().service
    with pytest.raises(InvalidKeyError, match="prime256v1"):
        CallbackKeys(service, service, "key")


@pytest.mark.parametrize("key_id", ["", 'a"b', "a\\b", "a\n", "é"])
def test_a_key_id_that_cannot_be_quoted_is_refused(key_id: str) -> None:
    with pytest.raises(InvalidKeyError, match="id"):
        CallbackKeys(callback_keys().service, SIGNING, key_id)
