"""The two exceptions. Their messages never hold a key, a secret or a body."""


class VerificationError(Exception):
    """A callback does not verify; the message names the first fault."""


class InvalidKeyError(ValueError):
    """A key or secret of the receiver's own configuration is malformed."""
