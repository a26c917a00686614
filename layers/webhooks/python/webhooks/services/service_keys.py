"""The service's own key pairs: listed and reset by operators, who are authorized before they come here."""

from collections.abc import Mapping

from signing import PrivateKey
from webhooks.domain.errors import ConflictError, NotFoundError, StaleError
from webhooks.domain.keyring import NOTICE, KeyPairs
from webhooks.domain.values import value_type
from webhooks.ports import Clock, KeyStore, RandomBytes

SERVICE, SIGNING = "service", "signing"
KEY_SEED = 48  # bytes of random_bytes for a new private key: uniform over the curve's order


@value_type(frozen=True, slots=True)
class ServiceKey:
    """A key pair, and the tag for its purpose."""

    tag: str
    pair: PrivateKey


class ServiceKeys:
    """Lists and resets key pairs. `grace`: seconds that a replaced key counts once the new one is in use.

    `notice`: seconds from a reset to that use (keyring.notice).
    """

    def __init__(
        self,
        stores: Mapping[str, KeyStore],
        *,
        clock: Clock,
        random_bytes: RandomBytes,
        grace: int,
        notice: int = NOTICE,
    ) -> None:
        self._stores = stores
        self._clock = clock
        self._random_bytes = random_bytes
        self._grace = grace
        self._notice = notice

    def list(self) -> list[ServiceKey]:
        """Return the newest pair of each tag."""
        return [ServiceKey(tag, store.read_now().current) for tag, store in self._stores.items()]

    def reset(self, key_id: str, *, idempotency_key: str) -> ServiceKey:
        """Replace the pair whose public key is `key_id` and return its successor.

        The exact repeat of a reset, by its idempotency key, gets the same pair again and changes nothing.
        Raises NotFoundError for a key that is not the newest of its tag, ConflictError where another reset
        was faster or too many keys are in their grace.
        """
        for tag, store in self._stores.items():
            pairs = store.read_now()
            if made := pairs.made_by(idempotency_key):
                return ServiceKey(tag, made)
            if pairs.current.public_key.to_base64() == key_id:
                return ServiceKey(tag, self._replace(store, pairs, idempotency_key))
        raise NotFoundError(
            "keyId: no key has this id, or it was reset before; GET /servicekeys lists the keys"
        )

    def _replace(self, store: KeyStore, pairs: KeyPairs, idempotency_key: str) -> PrivateKey:
        fresh = PrivateKey.derive(self._random_bytes(KEY_SEED), b"reset key", pairs.current.curve)
        after = pairs.reset(
            fresh, now=self._clock(), grace=self._grace, request=idempotency_key, after=self._notice
        )
        try:
            store.replace(pairs, after)
        except StaleError:
            if made := store.read_now().made_by(idempotency_key):  # our own repeat was faster
                return made
            raise ConflictError("keyId: another request has just reset this key") from None
        return after.current
