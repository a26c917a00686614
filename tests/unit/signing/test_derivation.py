"""Webhook secrets that follow from the master secret."""

import hashlib
import hmac
from base64 import b64encode

from signing import derive_webhook_secret, encode_webhook_secret
from webhooks_verify import decode_secret

MASTER = bytes(range(32))


def test_a_webhook_secret_is_hkdf_sha256_of_the_master() -> None:
    # RFC 5869 by hand: extract with 32 zero bytes of salt, then one block of expand.
    extracted = hmac.new(bytes(32), MASTER, hashlib.sha256).digest()
    expected = hmac.new(extracted, b"webhook-secret/1/wh_1" + b"\x01", hashlib.sha256).digest()
    assert derive_webhook_secret(MASTER, "wh_1", 1) == expected


def test_each_webhook_and_each_version_has_its_own_secret() -> None:
    pairs = [("wh", 1), ("wh", 2), ("wh", 11), ("1/wh", 1), ("1", 1), ("", 1), ("", 11), ("h\u00e9", 1)]
    assert len({derive_webhook_secret(MASTER, name, version) for name, version in pairs}) == len(pairs)


def test_a_secret_is_shown_with_its_prefix_and_read_again() -> None:
    secret = derive_webhook_secret(MASTER, "wh_1", 1)
    text = encode_webhook_secret(secret)
    assert text == "whsec_" + b64encode(secret).decode()
    assert decode_secret(text) == secret
