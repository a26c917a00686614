"""Keys, envelopes and callback signatures of the wire protocol.

Knows nothing of our domain, of AWS, of HTTP clients, of the clock or of chance: time and random_bytes are
arguments. Runs on Python 3.10 too: the `webhooks` command carries it to tenants' machines.
"""

from .callback import CallbackKeys, sign_callback
from .curves import Curve
from .derivation import (
    decode_webhook_secret,
    derive_webhook_secret,
    encode_webhook_secret,
)
from .envelope import IV_BYTES, seal, unseal
from .errors import (
    InvalidCallbackError,
    InvalidEnvelopeError,
    InvalidKeyError,
    SigningError,
    VerificationError,
)
from .jwks import jwk, thumbprint
from .keys import PrivateKey, PublicKey, shared_key
from .verification import verify_callback

__all__ = [
    "IV_BYTES",
    "CallbackKeys",
    "Curve",
    "InvalidCallbackError",
    "InvalidEnvelopeError",
    "InvalidKeyError",
    "PrivateKey",
    "PublicKey",
    "SigningError",
    "VerificationError",
    "decode_webhook_secret",
    "derive_webhook_secret",
    "encode_webhook_secret",
    "jwk",
    "seal",
    "shared_key",
    "sign_callback",
    "thumbprint",
    "unseal",
    "verify_callback",
]
