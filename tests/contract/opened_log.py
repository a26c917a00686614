"""A backend's delivery log together with its reader."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.contract.backends import Backend
from tests.fakes.batch_reader import FakeBatchReader
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.subscriptions import FakeSubscriptions
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.batch_reader import DynamoBatchReader
from webhooks.adapters.dynamodb.delivery_log import DynamoDeliveryLog
from webhooks.domain.delivery_log import LogEntry, Logged, LogKey
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
        log = FakeDeliveryLog()
        webhooks = FakeSubscriptions(clock=backend.clock, random_bytes=backend.random_bytes)
        return OpenedLog(log, FakeBatchReader(webhooks, log))
    aws, table = clients or backend.aws, backend.table("deliveries")
    reader = DynamoBatchReader(aws, subscriptions="none", deliveries=table, backoff=backend.backoff)
    return OpenedLog(DynamoDeliveryLog(aws, table, days=30, backoff=backend.backoff), reader, table)
