"""The service's own key pairs and the master of the webhooks' secrets, each in a secret of the template's."""

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError

from webhooks.adapters.aws import AwsClients, error_code, unavailable
from webhooks.adapters.expiring import Expiring
from webhooks.domain.errors import UnavailableError
from webhooks.domain.keyring import KeyPairs, master_secret, to_state
from webhooks.ports import Clock, StaleError

KEYS_SECONDS = 30  # a reset takes effect everywhere within a minute
MASTER_SECONDS = 300  # it changes only by an operator's hand

type State = Mapping[str, Any]


class SecretKeyStore:
    """One set of key pairs. `parse` reads the pairs from their JSON (domain.keyring)."""

    def __init__(
        self, aws: AwsClients, secret_id: str, *, parse: Callable[[State], KeyPairs], clock: Clock
    ) -> None:
        self._aws = aws
        self._secret_id = secret_id
        self._parse = parse
        self._cache: Expiring[str, KeyPairs] = Expiring(1, clock=clock)

    def read(self) -> KeyPairs:
        """Return the pairs, at most 30 s old."""
        known = self._cache.get(self._secret_id)
        return known[0] if known else self.read_now()

    def read_now(self) -> KeyPairs:
        """Return the pairs as they are now."""
        pairs = read_state(self._aws, self._secret_id, parse=self._parse)
        self._cache.put(self._secret_id, pairs, seconds=KEYS_SECONDS)
        return pairs

    def replace(self, before: KeyPairs, after: KeyPairs) -> None:
        """Store new pairs. Raises StaleError if `before` is not what is stored.

        The new version's id is the hash of the key that it replaces: of two resets of the same key at the
        same time, Secrets Manager refuses the second one.
        """
        if self.read_now().current != before.current:
            raise StaleError
        with unavailable("secretsmanager PutSecretValue"):
            try:
                self._aws.secrets.put_secret_value(
                    SecretId=self._secret_id,
                    ClientRequestToken=sha256(before.current.public_key.raw).hexdigest(),
                    SecretString=json.dumps(to_state(after)),
                )
            except ClientError as error:
                if error_code(error) != "ResourceExistsException":
                    raise
                raise StaleError from None
        self._cache.put(self._secret_id, after, seconds=KEYS_SECONDS)


class SecretMaster:
    """What the webhooks' own secrets are derived from."""

    def __init__(self, aws: AwsClients, secret_id: str, *, clock: Clock) -> None:
        self._aws = aws
        self._secret_id = secret_id
        self._cache: Expiring[str, bytes] = Expiring(1, clock=clock)

    def read(self) -> bytes:
        """Return the master."""
        if known := self._cache.get(self._secret_id):
            return known[0]
        master = read_state(self._aws, self._secret_id, parse=master_secret)
        self._cache.put(self._secret_id, master, seconds=MASTER_SECONDS)
        return master


def read_state[T](aws: AwsClients, secret_id: str, *, parse: Callable[[State], T]) -> T:
    """Read a secret's JSON. Raises UnavailableError for what it must not be, and never says what it is."""
    with unavailable("secretsmanager GetSecretValue"):
        answer = aws.secrets.get_secret_value(SecretId=secret_id)
    try:
        return parse(json.loads(answer["SecretString"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UnavailableError(f"the secret {secret_id} does not hold what it must") from None
