"""The service's own key pairs and the master of the webhooks' secrets, each in a secret of the template's."""

import json
import logging
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError

from signing import SigningError
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import error_code, unavailable
from webhooks.domain.errors import StaleError, UnavailableError
from webhooks.domain.keyring import KNOWN, KeyPairs, master_secret, to_state
from webhooks.ports import Clock

KEYS_SECONDS = KNOWN  # unless a function is given another age
MASTER_SECONDS = 300  # it changes only by an operator's hand
RETRY_SECONDS = 5  # after a read that failed: the value that is known serves meanwhile
RETRY_SHARE = 10  # and that many times as long as the read took, where Secrets Manager hangs

type State = Mapping[str, Any]

logger = logging.getLogger(__name__)


class CachedSecret[T]:
    """A value that is read anew once it is `seconds` old; while that fails, the last one read serves."""

    def __init__(self, secret_id: str, read: Callable[[], T], *, seconds: int, clock: Clock) -> None:
        self._secret_id = secret_id
        self._read = read
        self._seconds = seconds
        self._clock = clock
        self._known: tuple[T] | None = None
        self._due_at = 0.0

    def get(self) -> T:
        """Return the value. Raises UnavailableError where none was ever read."""
        now = self._clock()
        if self._known is None:
            return self.renew()
        if now < self._due_at:
            return self._known[0]
        try:
            return self.renew()
        except UnavailableError as error:
            failed_at = self._clock()
            self._due_at = failed_at + max(RETRY_SECONDS, RETRY_SHARE * (failed_at - now))
            logger.warning("secret.stale", extra={"secret": self._secret_id, "reason": str(error)})
            return self._known[0]

    def renew(self) -> T:
        """Return the value as it is now. Raises UnavailableError."""
        return self.put(self._read())

    def put(self, value: T) -> T:
        """Cache a value that is known to be the newest."""
        self._known = (value,)
        self._due_at = self._clock() + self._seconds
        return value


class SecretKeyStore:
    """One set of key pairs, read anew once they are `seconds` old.

    `parse` reads the pairs from their JSON (domain.keyring).
    """

    def __init__(
        self,
        aws: AwsClients,
        secret_id: str,
        *,
        parse: Callable[[State], KeyPairs],
        clock: Clock,
        seconds: int = KEYS_SECONDS,
    ) -> None:
        self._aws = aws
        self._secret_id = secret_id
        self._cached = CachedSecret(
            secret_id, lambda: read_state(aws, secret_id, parse=parse), seconds=seconds, clock=clock
        )

    def read(self) -> KeyPairs:
        """Return the pairs, at most `seconds` old; the last known ones while they cannot be read."""
        return self._cached.get()

    def read_now(self) -> KeyPairs:
        """Return the pairs as they are now."""
        return self._cached.renew()

    def replace(self, before: KeyPairs, after: KeyPairs) -> None:
        """Store new pairs. Raises StaleError if `before` is not the stored set.

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
        self._cached.put(after)


class SecretMaster:
    """The secret from which the webhooks' own secrets are derived."""

    def __init__(self, aws: AwsClients, secret_id: str, *, clock: Clock) -> None:
        self._cached = CachedSecret(
            secret_id,
            lambda: read_state(aws, secret_id, parse=master_secret),
            seconds=MASTER_SECONDS,
            clock=clock,
        )

    def read(self) -> bytes:
        """Return the master; the last known one while it cannot be read."""
        return self._cached.get()


def read_state[T](aws: AwsClients, secret_id: str, *, parse: Callable[[State], T]) -> T:
    """Read a secret's JSON. Raises UnavailableError for any other content, and never quotes it."""
    with unavailable("secretsmanager GetSecretValue"):
        response = aws.secrets.get_secret_value(SecretId=secret_id)
    try:
        return parse(json.loads(response["SecretString"]))
    except (KeyError, TypeError, ValueError, AttributeError, SigningError):
        raise UnavailableError(f"the secret {secret_id} does not hold what it must") from None
