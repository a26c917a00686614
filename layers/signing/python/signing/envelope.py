"""Envelopes: base64(IV[16] || AES-256-GCM || tag[16]) of a UTF-8 text, under the key that two pairs share."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import base64_text
from .errors import InvalidEnvelopeError, InvalidKeyError

_KEY_BYTES = 32
IV_BYTES = 16  # not GCM's usual 12: the platform's clients write 16
_TAG_BYTES = 16


def seal(key: bytes, text: str, iv: bytes) -> str:
    """Encrypt a text under a 32-byte key with a 16-byte IV, which must be random: it never serves twice.

    Raises InvalidEnvelopeError for a text that is not Unicode (a lone surrogate) and for a wrong IV length.
    """
    if len(iv) != IV_BYTES:
        raise InvalidEnvelopeError(f"the IV of an envelope has {IV_BYTES} bytes")
    plain = _utf8(text)
    if plain is None:
        raise InvalidEnvelopeError("the text has a lone surrogate, which UTF-8 cannot write")
    return base64_text.encode(iv + _cipher(key).encrypt(iv, plain, None))


def unseal(key: bytes, envelope: str) -> str:
    """Decrypt an envelope under a 32-byte key.

    Raises InvalidEnvelopeError for bad base64, too few bytes, a wrong tag, and a text that is not UTF-8.
    """
    raw = base64_text.decode(envelope)
    if raw is None:
        raise InvalidEnvelopeError("an envelope is standard, padded base64")
    if len(raw) < IV_BYTES + _TAG_BYTES:
        raise InvalidEnvelopeError(f"an envelope has at least {IV_BYTES + _TAG_BYTES} bytes: IV and tag")
    try:
        plain = _cipher(key).decrypt(raw[:IV_BYTES], raw[IV_BYTES:], None)
    except InvalidTag:
        raise InvalidEnvelopeError("the envelope was made for another key, or was changed") from None
    text = _text(plain)
    if text is None:
        raise InvalidEnvelopeError("the envelope does not hold UTF-8")
    return text


def _cipher(key: bytes) -> AESGCM:
    if len(key) != _KEY_BYTES:
        raise InvalidKeyError(f"the key of an envelope has {_KEY_BYTES} bytes")
    return AESGCM(key)


# Python's Unicode errors carry the whole text that they failed on. These two let it go no further: an error
# raised after the except clause has no context that a log could show.


def _utf8(text: str) -> bytes | None:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return None


def _text(plain: bytes) -> str | None:
    try:
        return plain.decode()
    except UnicodeDecodeError:
        return None
