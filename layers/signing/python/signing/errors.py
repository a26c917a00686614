"""The exceptions of this layer. Their messages never hold a key, a secret or a plain text.

SigningError
├── InvalidKeyError
├── InvalidEnvelopeError
└── InvalidCallbackError
"""


class SigningError(Exception):
    """Base of everything that this layer raises on purpose."""


class InvalidKeyError(SigningError):
    """A key or secret is not what the wire protocol says it should be."""


class InvalidEnvelopeError(SigningError):
    """An envelope cannot be made of this text, or opened with this key."""


class InvalidCallbackError(SigningError):
    """A part of a callback cannot stand in a header, so it cannot be signed."""
