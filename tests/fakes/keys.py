"""The service's own key pairs, and the master of the webhooks' secrets, in memory."""

from threading import RLock

from tests.fakes.faults import Fault, effect, no_fault
from webhooks.domain.errors import StaleError
from webhooks.domain.keyring import KeyPairs


class FakeKeyStore:
    """One set of key pairs."""

    def __init__(self, pairs: KeyPairs, *, fault: Fault = no_fault) -> None:
        self._pairs = pairs
        self._fault = fault
        self._lock = RLock()

    def read(self) -> KeyPairs:
        """Return the pairs."""
        return self.read_now()

    def read_now(self) -> KeyPairs:
        """Return the pairs as they are now."""
        with self._lock:
            return self._pairs

    def replace(self, before: KeyPairs, after: KeyPairs) -> None:
        """Store new pairs. Raises StaleError if `before` is not the stored set."""
        with self._lock, effect(self._fault, "keys.replace"):
            if self._pairs.current != before.current:
                raise StaleError
            self._pairs = after


class FakeMaster:
    """A master secret."""

    def __init__(self, master: bytes) -> None:
        self._master = master

    def read(self) -> bytes:
        """Return the master."""
        return self._master
