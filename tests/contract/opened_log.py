"""A backend's delivery log together with its reader."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.aws_stub.responses import stub_aws
from tests.aws_stub.tables import Tables
from tests.contract.backends import Backend
from tests.fakes.batch_reader import FakeBatchReader
from tests.fakes.delivery_log import FakeDeliveryLog
from tests.fakes.subscriptions import FakeSubscriptions
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.batch_reader import DynamoBatchReader
from webhooks.adapters.dynamodb.delivery_log import DynamoDeliveryLog
from webhooks.adapters.dynamodb.delivery_log_reader import DynamoDeliveryLogReader
from webhooks.domain.delivery_log import LogEntry, Logged, LogKey
from webhooks.domain.log_looks import NOWHERE
from webhooks.ports import BatchContext, BatchReader, DeliveryLog, DeliveryLogReader


@dataclass
class OpenedLog:
    log: DeliveryLog
    reader: BatchReader
    reads: DeliveryLogReader
    table: str = ""

    def record(self, entries: Sequence[LogEntry]) -> list[LogEntry]:
        return list(self.log.record(entries))

    def look(
        self, keys: Sequence[LogKey], *, after: Mapping[LogKey, str] = NOWHERE, units: int = 100
    ) -> BatchContext:
        """Look for deliveries in shared items, webhook by webhook."""
        looks = [
            self.reader.look([each for each in keys if each.webhook_id == webhook], after=after, units=units)
            for webhook in sorted({each.webhook_id for each in keys})
        ]
        return BatchContext(
            dict(pair for look in looks for pair in look.webhooks.items()),
            dict(pair for look in looks for pair in look.logged.items()),
            frozenset(each for look in looks for each in look.newer),
            looked_to=dict(pair for look in looks for pair in look.looked_to.items()),
        )

    def logged(self, keys: Sequence[LogKey]) -> dict[LogKey, Logged]:
        return dict(self.reader.read([], keys).logged)


def open_log(
    backend: Backend, *, clients: AwsClients | None = None, keep_all_payloads: bool = False
) -> OpenedLog:
    """Open a log of its own; `clients` are the backend's but for faults that a test puts in."""
    if backend.aws is None:
        log = FakeDeliveryLog(keep_all_payloads=keep_all_payloads)
        webhooks = FakeSubscriptions(clock=backend.clock, random_bytes=backend.random_bytes)
        return OpenedLog(log, FakeBatchReader(webhooks, log), log)
    aws, table = clients or backend.aws, backend.table("deliveries")
    reader = DynamoBatchReader(aws, subscriptions="none", deliveries=table, backoff=backend.backoff)
    log_of = DynamoDeliveryLog(
        aws, table, days=30, keep_all_payloads=keep_all_payloads, backoff=backend.backoff
    )
    return OpenedLog(log_of, reader, DynamoDeliveryLogReader(aws, table, backoff=backend.backoff), table)


def open_stub_log(tables: Tables) -> OpenedLog:
    """Open a log over tables that count billed units."""
    aws = AwsClients(time_left=lambda: math.inf)
    stub_aws(aws, tables.response)
    reader = DynamoBatchReader(aws, subscriptions="subscriptions", deliveries="deliveries")
    log = DynamoDeliveryLog(aws, "deliveries", days=30)
    return OpenedLog(log, reader, DynamoDeliveryLogReader(aws, "deliveries"), "deliveries")
