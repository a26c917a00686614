"""A backend's attempt log together with what reads it back."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.contract.backends import Backend
from webhooks.adapters.aws import AwsClients
from webhooks.adapters.batch_reader import DynamoBatchReader
from webhooks.adapters.delivery_log import DynamoDeliveryLog
from webhooks.adapters.memory.batch_reader import MemoryBatchReader
from webhooks.adapters.memory.delivery_log import MemoryDeliveryLog
from webhooks.adapters.memory.subscriptions import MemorySubscriptions
from webhooks.domain.outcome import LogEntry, Logged, LogKey
from webhooks.ports import BatchReader, DeliveryLog


@dataclass
class OpenedLog:
    log: DeliveryLog
    reader: BatchReader
    table: str = ""

    def record(self, entries: Sequence[LogEntry]) -> list[LogEntry]:
        return list(self.log.record(entries))

    def find(self, keys: Sequence[LogKey]) -> dict[LogKey, Logged]:
        return dict(self.reader.read([], keys).logged)


def open_log(backend: Backend, *, clients: AwsClients | None = None) -> OpenedLog:
    """Open a log of its own; `clients` are the backend's but for faults that a test puts in."""
    if backend.aws is None:
        log = MemoryDeliveryLog()
        webhooks = MemorySubscriptions(clock=backend.clock, entropy=backend.entropy)
        return OpenedLog(log, MemoryBatchReader(webhooks, log))
    aws, table = clients or backend.aws, backend.table("deliveries")
    reader = DynamoBatchReader(aws, subscriptions="none", deliveries=table, backoff=backend.backoff)
    return OpenedLog(DynamoDeliveryLog(aws, table, days=30, backoff=backend.backoff), reader, table)
