"""Encrypts and decrypts as the API's protocol does, for callers that try it out. Stores nothing."""

from signing import IV_BYTES, Curve, PrivateKey, PublicKey, SigningError, seal, shared_key, unseal
from webhooks.domain.errors import InvalidInputError
from webhooks.domain.values import value_type
from webhooks.ports import RandomBytes


@value_type(frozen=True, slots=True)
class Converted:
    """The text, and the public key that belongs to the private key."""

    text: str
    public_key: str


class EcdsaHelper:
    """Both ways of the protocol's encryption, on one curve."""

    def __init__(self, curve: Curve, *, random_bytes: RandomBytes) -> None:
        self._curve = curve
        self._random_bytes = random_bytes

    def encrypt(self, text: str, *, public_key: str, private_key: str) -> Converted:
        """Encrypt a text for the holder of the public key. Raises InvalidInputError."""
        key, own = self._agree(public_key, private_key)
        try:
            return Converted(seal(key, text, self._random_bytes(IV_BYTES)), own)
        except SigningError as error:
            raise InvalidInputError([f"data: {error}"]) from None

    def decrypt(self, text: str, *, public_key: str, private_key: str) -> Converted:
        """Decrypt a text that was encrypted with the counterparts of both keys. Raises InvalidInputError."""
        key, own = self._agree(public_key, private_key)
        try:
            return Converted(unseal(key, text), own)
        except SigningError as error:
            raise InvalidInputError([f"data: {error}"]) from None

    def _agree(self, public_key: str, private_key: str) -> tuple[bytes, str]:
        problems = []
        try:
            public = PublicKey.from_base64(public_key, self._curve)
        except SigningError as error:
            problems.append(f"publicKey: {error}")
        try:
            private = PrivateKey.from_base64(private_key, self._curve)
        except SigningError as error:
            problems.append(f"privateKey: {error}")
        if problems:
            raise InvalidInputError(problems)
        return shared_key(private, public), private.public_key.to_base64()
