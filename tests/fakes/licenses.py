"""Licenses in memory."""

from threading import RLock

from tests.fakes.faults import Fault, effect, no_fault
from webhooks.domain.caller import License
from webhooks.domain.scope import Scope


class FakeLicenses:
    """Licenses by their keys."""

    def __init__(self, *, fault: Fault = no_fault) -> None:
        self._fault = fault
        self._lock = RLock()
        self._licenses: dict[str, License] = {}

    def issue(self, license_key: str, license_: License) -> None:
        """Store a license, over the one that the key stood for."""
        with self._lock:
            self._licenses[license_key] = license_

    def find(self, license_key: str, scope: Scope | None) -> License | None:  # noqa: ARG002 - the port's
        """Return the key's license, None if it was never issued."""
        with self._lock, effect(self._fault, "licenses.find"):
            return self._licenses.get(license_key)
