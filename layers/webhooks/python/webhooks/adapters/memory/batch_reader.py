"""Webhooks and log together, over the fakes of both."""

from collections.abc import Sequence

from webhooks.adapters.memory.delivery_log import MemoryDeliveryLog
from webhooks.adapters.memory.faults import Fault, effect, no_fault
from webhooks.adapters.memory.subscriptions import MemorySubscriptions
from webhooks.domain.outcome import Logged, LogKey
from webhooks.domain.scope import Scope
from webhooks.ports import Reading


class MemoryBatchReader:
    """Reads both fakes."""

    def __init__(
        self, subscriptions: MemorySubscriptions, log: MemoryDeliveryLog, *, fault: Fault = no_fault
    ) -> None:
        self._subscriptions = subscriptions
        self._log = log
        self._fault = fault

    def read(self, webhooks: Sequence[tuple[Scope, str]], log: Sequence[LogKey]) -> Reading:
        """Return what exists of both."""
        with effect(self._fault, "batch.read"):
            entries = {entry.key: entry for entry in self._log.entries()}
            logged = {
                key: Logged(entries[key].outcome, entries[key].delivery.attempts)
                for key in log
                if key in entries
            }
            return Reading(self._subscriptions.get_many(webhooks), logged)
