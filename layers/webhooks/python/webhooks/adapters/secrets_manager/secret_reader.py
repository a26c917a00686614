"""Reads of the template's secrets, shared by all that is in one secret."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from signing import SigningError
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import unavailable
from webhooks.domain.errors import UnavailableError
from webhooks.domain.key_parts import State
from webhooks.ports import Clock

SHARED_SECONDS = 5  # in which one read serves all parts of a secret: they become due together


@dataclass(frozen=True, slots=True)
class StoredState:
    """A secret's state, the id of the version that has it, and when it was read."""

    state: State
    version: str
    read_at: float


class SecretReader:
    """Reads secrets' JSON. Raises UnavailableError for any other content, and never quotes it."""

    def __init__(self, aws: AwsClients, *, clock: Clock) -> None:
        self._aws = aws
        self._clock = clock
        self._last: dict[str, StoredState] = {}

    def read(self, secret_id: str) -> StoredState:
        """Return a state that was read within the last `SHARED_SECONDS`."""
        last = self._last.get(secret_id)
        if last and self._clock() - last.read_at < SHARED_SECONDS:
            return last
        return self.read_now(secret_id)

    def read_now(self, secret_id: str) -> StoredState:
        with unavailable("secretsmanager GetSecretValue"):
            response = self._aws.secrets.get_secret_value(SecretId=secret_id)
        state = parsed(secret_id, lambda: dict(json.loads(response["SecretString"])))
        stored = StoredState(state, response["VersionId"], self._clock())
        self._last[secret_id] = stored
        return stored

    def forget(self, secret_id: str) -> None:
        """Read a secret anew that was written."""
        self._last.pop(secret_id, None)


def parsed[T](secret_id: str, parse: Callable[[], T]) -> T:
    """Return what `parse` reads from a secret. Raises UnavailableError, without its content."""
    try:
        return parse()
    except (KeyError, TypeError, ValueError, AttributeError, SigningError):
        raise UnavailableError(f"the secret {secret_id} does not hold what it must") from None
