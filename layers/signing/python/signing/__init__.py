"""Keys, envelopes and callback signatures of the Webhooks API.

Imports nothing of the service and no AWS SDK, and reads neither a clock nor a random source: both are
arguments; only OpenSSL has random bytes of its own, for signatures on P-256. Runs on Python 3.10 too, as the
`webhooks` command carries it to tenants' machines. Callbacks are verified by `webhooks_verify`, a package for
receivers.
"""

from .callback import CallbackKeys, sign_callback
from .curves import Curve
from .derivation import derive_webhook_secret, encode_webhook_secret
from .envelope import IV_BYTES, seal, unseal
from .errors import (
    InvalidCallbackError,
    InvalidEnvelopeError,
    InvalidKeyError,
    SigningError,
)
from .http_fields import TCHAR, TOKEN
from .http_signatures import content_digest
from .jwks import jwk, thumbprint
from .keys import PrivateKey, PublicKey, shared_key

__all__ = [
    "IV_BYTES",
    "TCHAR",
    "TOKEN",
    "CallbackKeys",
    "Curve",
    "InvalidCallbackError",
    "InvalidEnvelopeError",
    "InvalidKeyError",
    "PrivateKey",
    "PublicKey",
    "SigningError",
    "content_digest",
    "derive_webhook_secret",
    "encode_webhook_secret",
    "jwk",
    "seal",
    "shared_key",
    "sign_callback",
    "thumbprint",
    "unseal",
]
