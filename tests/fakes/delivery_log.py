"""The delivery log in memory."""

from collections.abc import Sequence
from threading import RLock

from tests.fakes.faults import Fault, effect, no_fault
from webhooks.domain.delivery_log import LogEntry, LogKey


class FakeDeliveryLog:
    """One entry per delivery. `refused`: webhooks whose entries it does not write."""

    def __init__(self, *, fault: Fault = no_fault) -> None:
        self.refused: set[str] = set()
        self._fault = fault
        self._lock = RLock()
        self._entries: dict[LogKey, LogEntry] = {}

    def record(self, entries: Sequence[LogEntry]) -> Sequence[LogEntry]:
        """Write the entries, each over its delivery's earlier one; returns those that were not written."""
        latest = {entry.key: entry for entry in entries}
        with self._lock, effect(self._fault, "log.record"):
            self._entries |= {
                key: entry for key, entry in latest.items() if key.webhook_id not in self.refused
            }
        return [entry for key, entry in latest.items() if key.webhook_id in self.refused]

    def entries(self) -> list[LogEntry]:
        """Return everything that was recorded, the last state of each delivery."""
        with self._lock:
            return list(self._entries.values())
