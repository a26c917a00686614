"""Marks of events, in memory."""

from collections.abc import Collection, Mapping, Sequence
from threading import RLock

from tests.fakes.faults import Fault, effect, no_fault


class FakeSeenEvents:
    """A set for each window; a test can look at them, and take what it wants to be forgotten."""

    def __init__(self, *, fault: Fault = no_fault) -> None:
        self.fault = fault
        self.windows: dict[str, set[bytes]] = {}
        self._lock = RLock()

    def read(self, windows: Sequence[str], *, consistently: bool) -> Mapping[str, Collection[bytes]]:
        """Return the hashes of those windows that exist, as they are now."""
        del consistently
        with self._lock, effect(self.fault, "seen.read"):
            return {each: frozenset(self.windows[each]) for each in windows if each in self.windows}

    def add(self, window: str, hashes: Sequence[bytes], *, below: int) -> Collection[bytes]:
        """Add hashes to a window that has fewer than `below`."""
        with self._lock, effect(self.fault, "seen.add"):
            before = frozenset(self.windows.get(window, ()))
            if len(before) < below:
                self.windows.setdefault(window, set()).update(hashes)
            return before
