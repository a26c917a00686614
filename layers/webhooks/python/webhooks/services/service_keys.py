"""The service's own key pairs: shown to callers with an unscoped system license, and reset by them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from signing import Curve, PrivateKey
from webhooks.domain.caller import Caller
from webhooks.domain.errors import ConflictError, ForbiddenError, NotFoundError
from webhooks.domain.keyring import KeyPairs
from webhooks.ports import Clock, KeyStore, RandomBytes, StaleError

SERVICE, SIGNING = "service", "signing"
KEY_SEED = 48  # bytes of random_bytes for a new private key: uniform over the curve's order


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A key pair by the tag that says what it is for."""

    tag: str
    pair: PrivateKey


class ServiceKeys:
    """Lists and resets key pairs. `grace`: seconds that a replaced key counts once the new one is in use."""

    def __init__(
        self, stores: Mapping[str, KeyStore], *, clock: Clock, random_bytes: RandomBytes, grace: int
    ) -> None:
        self._stores = stores
        self._clock = clock
        self._random_bytes = random_bytes
        self._grace = grace

    def list(self, caller: Caller) -> list[ServiceKey]:
        """Return the newest pair of each tag. Raises ForbiddenError without an unscoped system license."""
        require_global(caller)
        return [ServiceKey(tag, store.read_now().current) for tag, store in self._stores.items()]

    def reset(self, caller: Caller, key_id: str, *, request: str) -> ServiceKey:
        """Replace the pair whose public key is `key_id` and return the one that took its place.

        The exact repeat of a reset, known by `request`, gets the same pair again and changes nothing. Raises
        NotFoundError for a key that is not the newest of its tag, ForbiddenError, ConflictError where another
        reset was faster or too many keys are in their grace.
        """
        require_global(caller)
        for tag, store in self._stores.items():
            pairs = store.read_now()
            if answered := pairs.answer_to(request):
                return ServiceKey(tag, answered)
            if pairs.current.public_key.to_wire() == key_id:
                return ServiceKey(tag, self._replace(store, pairs, request=request))
        raise NotFoundError(
            "keyId: no key has this id, or it was reset before; GET /servicekeys lists the keys"
        )

    def _replace(self, store: KeyStore, pairs: KeyPairs, *, request: str) -> PrivateKey:
        fresh = _new_key(self._random_bytes, pairs.current.curve)
        after = pairs.reset(fresh, now=self._clock(), grace=self._grace, request=request)
        try:
            store.replace(pairs, after)
        except StaleError:
            if answered := store.read_now().answer_to(request):  # our own repeat was faster
                return answered
            raise ConflictError("keyId: this key was reset by another request a moment ago") from None
        return after.current


def _new_key(random_bytes: Callable[[int], bytes], curve: Curve) -> PrivateKey:
    return PrivateKey.derive(random_bytes(KEY_SEED), b"reset key", curve)


def require_global(caller: Caller) -> None:
    """Raise ForbiddenError without an unscoped system license: these keys are of every tenant's concern."""
    if not caller.license.is_global:
        raise ForbiddenError(
            "a license of auth level system that is for every tenant and community is required; "
            "the deployment's operator issues it"
        )
