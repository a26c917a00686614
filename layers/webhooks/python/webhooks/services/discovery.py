"""Public facts: the service's public keys, and the health of the services behind it."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from signing import jwk, thumbprint
from webhooks.domain.errors import UnavailableError
from webhooks.domain.values import value_type
from webhooks.ports import Clock, KeyStore, Probe

CACHED = 5  # seconds that a result is good for: a load balancer's checks must not become our load
PATIENCE = 5.0  # seconds: a new instance makes its clients in them too


@value_type(frozen=True, slots=True)
class Health:
    """The names of the services behind ours that did not answer; none: all is well."""

    failing: tuple[str, ...]
    checked_at: float


class Discovery:
    """Shows keys and health. `probes`: one for each service behind ours, in the order of the response;
    `patience`: seconds that all of them have together.
    """

    def __init__(
        self,
        *,
        service_keys: KeyStore,
        signing_keys: KeyStore,
        probes: Mapping[str, Probe],
        clock: Clock,
        patience: float = PATIENCE,
    ) -> None:
        self._service_keys = service_keys
        self._signing_keys = signing_keys
        self._probes = probes
        self._clock = clock
        self._patience = patience
        self._health: Health | None = None

    def public_key(self) -> str:
        """Return the service's public key, as callers encrypt for it and verify with it."""
        return self._service_keys.read().in_use(self._clock()).public_key.to_base64()

    def known_public_key(self) -> str:
        """Return the public key as `public_key` does, or an empty text where it cannot be read now."""
        try:
            return self.public_key()
        except UnavailableError:
            return ""

    def jwks(self) -> dict[str, Any]:
        """Return the signing keys: in use, to come, and those before in their grace."""
        shown = self._signing_keys.read().published(self._clock())
        return {"keys": [jwk(key.public_key, thumbprint(key.public_key)) for key in shown]}

    def health(self) -> Health:
        """Probe all services at once, or return a result of the last seconds."""
        now = self._clock()
        if self._health is None or not 0 <= now - self._health.checked_at < CACHED:
            self._health = Health(self._failing(), now)
        return self._health

    def _failing(self) -> tuple[str, ...]:
        pool = ThreadPoolExecutor(len(self._probes))
        asked = {name: pool.submit(_responses, probe) for name, probe in self._probes.items()}
        done, _ = wait(asked.values(), timeout=self._patience)
        pool.shutdown(wait=False)  # a probe that hangs ends by its own timeout; it is not waited for
        return tuple(
            name for name, response in asked.items() if response not in done or not response.result()
        )


def _responses(probe: Probe) -> bool:
    try:
        probe()
    except UnavailableError:
        return False
    return True
