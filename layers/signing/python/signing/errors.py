"""The exceptions of this layer. Their messages never hold a key, a secret or a plain text.

SigningError
├── InvalidKeyError
├── InvalidEnvelopeError
├── NewerSealedTextError
└── InvalidCallbackError
"""


class SigningError(Exception):
    """Base of all errors that this layer raises on purpose."""


class InvalidKeyError(SigningError):
    """A key or secret is malformed."""


class InvalidEnvelopeError(SigningError):
    """An envelope cannot be made of this text, or opened with this key."""


class NewerSealedTextError(SigningError):
    """A sealed text has a form of a later release."""


class InvalidCallbackError(SigningError):
    """A header cannot carry a part of a callback, so it cannot be signed."""
