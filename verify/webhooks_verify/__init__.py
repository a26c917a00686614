"""Verifies the callbacks of a webhooks service, for receivers.

Needs Python 3.10 and `cryptography`. Shares no code with the service that signs.
"""

from .errors import InvalidKeyError, VerificationError
from .keys import decode_secret
from .verification import TOLERANCE_SECONDS, verify_callback

__version__ = "0.9.0"

__all__ = [
    "TOLERANCE_SECONDS",
    "InvalidKeyError",
    "VerificationError",
    "decode_secret",
    "verify_callback",
]
