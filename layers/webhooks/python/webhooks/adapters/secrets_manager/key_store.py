"""The service's own key pairs and the master of the webhooks' secrets, in the template's secrets.

Each has a secret of its own, or all are parts of one (domain.key_parts): the secret's state tells.
"""

import json
import logging
from collections.abc import Callable
from hashlib import sha256

from botocore.exceptions import ClientError

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import error_code, unavailable
from webhooks.adapters.secrets_manager.secret_reader import SecretReader, StoredState, parsed
from webhooks.domain.errors import StaleError, UnavailableError
from webhooks.domain.key_parts import MASTER_PART, State, is_shared, part_of, with_part
from webhooks.domain.keyring import KNOWN, KeyPairs, master_secret, to_state
from webhooks.ports import Clock

KEYS_SECONDS = KNOWN  # unless a function is given another age
MASTER_SECONDS = 300  # it changes only by an operator's hand
RETRY_SECONDS = 5  # after a read that failed: the value that is known serves meanwhile
RETRY_SHARE = 10  # and that many times as long as the read took, where Secrets Manager hangs
REPLACE_TRIES = 3  # of a secret with parts: another part may change meanwhile

logger = logging.getLogger(__name__)


class CachedPart[T]:
    """A part that is read anew once it is `seconds` old; while that fails, the last one read serves."""

    def __init__(
        self,
        reader: SecretReader,
        secret_id: str,
        part: str,
        *,
        parse: Callable[[State], T],
        seconds: int,
        clock: Clock,
    ) -> None:
        self._reader = reader
        self._secret_id = secret_id
        self._part = part
        self._parse = parse
        self._seconds = seconds
        self._clock = clock
        self._known: tuple[T] | None = None
        self._due_at = 0.0

    def get(self) -> T:
        """Return the value. Raises UnavailableError where none was ever read."""
        now = self._clock()
        if self._known is None:
            return self._renew(self._reader.read(self._secret_id))
        if now < self._due_at:
            return self._known[0]
        try:
            return self._renew(self._reader.read(self._secret_id))
        except UnavailableError as error:
            failed_at = self._clock()
            self._due_at = failed_at + max(RETRY_SECONDS, RETRY_SHARE * (failed_at - now))
            logger.warning("secret.stale", extra={"secret": self._secret_id, "reason": str(error)})
            return self._known[0]

    def renew(self) -> T:
        """Return the value as it is now. Raises UnavailableError."""
        return self._renew(self._reader.read_now(self._secret_id))

    def put(self, value: T) -> None:
        """Cache a value that was just written."""
        self._reader.forget(self._secret_id)
        self._keep(value, self._clock())

    def of(self, stored: StoredState) -> T:
        """Return the value in a state that was read. Raises UnavailableError."""
        return parsed(self._secret_id, lambda: self._parse(part_of(stored.state, self._part)))

    def _renew(self, stored: StoredState) -> T:
        value = self.of(stored)
        self._keep(value, stored.read_at)
        return value

    def _keep(self, value: T, read_at: float) -> None:
        self._known = (value,)
        self._due_at = read_at + self._seconds


class SecretKeyStore:
    """One set of key pairs, read anew once they are `seconds` old.

    `parse` reads the pairs from their JSON (domain.keyring); `part`: theirs, where the secret has parts;
    `reader`: that of the secret's other parts.
    """

    def __init__(
        self,
        aws: AwsClients,
        secret_id: str,
        *,
        parse: Callable[[State], KeyPairs],
        part: str,
        clock: Clock,
        seconds: int = KEYS_SECONDS,
        reader: SecretReader | None = None,
    ) -> None:
        self._aws = aws
        self._secret_id = secret_id
        self._part = part
        self._reader = reader or SecretReader(aws, clock=clock)
        self._cached = CachedPart(self._reader, secret_id, part, parse=parse, seconds=seconds, clock=clock)

    def read(self) -> KeyPairs:
        """Return the pairs, at most `seconds` old; the last known ones while they cannot be read."""
        return self._cached.get()

    def read_now(self) -> KeyPairs:
        """Return the pairs as they are now."""
        return self._cached.renew()

    def replace(self, before: KeyPairs, after: KeyPairs) -> None:
        """Store new pairs. Raises StaleError if `before` is not the stored set."""
        for _ in range(REPLACE_TRIES):
            stored = self._reader.read_now(self._secret_id)
            if self._cached.of(stored).current != before.current:
                break
            if self._put(stored, before, after):
                self._cached.put(after)
                return
            if not is_shared(stored.state):
                break
        raise StaleError

    def _put(self, stored: StoredState, before: KeyPairs, after: KeyPairs) -> bool:
        """Write a version whose id is the hash of its predecessor; tell whether it was the first to do so.

        Of two resets of the same key at the same time, Secrets Manager refuses the second one. Where other
        keys are in the same secret, it is the secret's whole version that only one reset can replace.
        """
        replaced = stored.version.encode() if is_shared(stored.state) else before.current.public_key.raw
        with unavailable("secretsmanager PutSecretValue"):
            try:
                self._aws.secrets.put_secret_value(
                    SecretId=self._secret_id,
                    ClientRequestToken=sha256(replaced).hexdigest(),
                    SecretString=json.dumps(with_part(stored.state, self._part, to_state(after))),
                )
            except ClientError as error:
                if error_code(error) != "ResourceExistsException":
                    raise
                return False
        return True


class SecretMaster:
    """The secret from which the webhooks' own secrets are derived."""

    def __init__(
        self, aws: AwsClients, secret_id: str, *, clock: Clock, reader: SecretReader | None = None
    ) -> None:
        self._cached = CachedPart(
            reader or SecretReader(aws, clock=clock),
            secret_id,
            MASTER_PART,
            parse=master_secret,
            seconds=MASTER_SECONDS,
            clock=clock,
        )

    def read(self) -> bytes:
        """Return the master; the last known one while it cannot be read."""
        return self._cached.get()
