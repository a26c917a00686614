"""Responses about the service's key pairs: the private keys encrypted for the caller."""

from collections.abc import Sequence

from signing import IV_BYTES, seal
from webhooks.domain.caller import Caller
from webhooks.ports import RandomBytes
from webhooks.services.service_keys import ServiceKey


class ServiceKeyResponses:
    """Writes responses about key pairs; each encrypted key gets an IV of its own."""

    def __init__(self, *, random_bytes: RandomBytes) -> None:
        self._random_bytes = random_bytes

    def pairs(self, caller: Caller, keys: Sequence[ServiceKey]) -> list[dict[str, str]]:
        """Return the pairs in the specification's fields."""
        return [
            {
                "tag": key.tag,
                "keyId": key.pair.public_key.to_base64(),
                "keySecret": seal(caller.shared_key, key.pair.to_base64(), self._random_bytes(IV_BYTES)),
                "type": "ecdsa",
            }
            for key in keys
        ]
