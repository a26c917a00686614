"""Webhooks and their index over tables in memory that bill units, with few plain listeners."""

import math
from dataclasses import replace
from functools import cache
from unittest import mock

from tests.aws_stub.responses import Respond, stub_aws
from tests.aws_stub.tables import Tables as StubTables
from tests.clocks import Clock
from tests.contract.webhooks_made import ACME, make_record
from tests.lambda_functions import ACCOUNT
from tests.random_bytes import DistinctBytes
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.epoch import RELIABLE_AFTER
from webhooks.adapters.dynamodb.items import Item
from webhooks.adapters.dynamodb.subscription_index import DynamoSubscriptionIndex
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.webhook import Definition, Webhook
from webhooks.ports import IdempotencyRecord

SUBSCRIPTIONS = "subscriptions"


_RESPONDS: list[Respond] = []


def _respond(operation: str, body: bytes) -> bytes:
    return _RESPONDS[0](operation, body)


@cache
def _aws() -> AwsClients:
    """Return clients that all share: making them takes longer than a test."""
    with mock.patch.dict("os.environ", ACCOUNT):
        aws = AwsClients(time_left=lambda: math.inf)
        stub_aws(aws, _respond)
    return aws


class OpenedIndex:
    """`plain`: listeners of a name before conditions are used."""

    def __init__(self, *, plain: int = 0) -> None:
        self.tables, self.clock = StubTables(), Clock()
        self.aws = _aws()
        _RESPONDS[:] = [self.tables.response]  # the last one that was opened
        self.table = Table(self.aws, SUBSCRIPTIONS)
        self.store = self.of_release(plain)
        self.index = DynamoSubscriptionIndex(self.table, clock=self.clock)
        self.webhooks: dict[str, Webhook] = {}
        self._records = 0
        self.store.next_epoch()
        self.clock.now += RELIABLE_AFTER

    def of_release(self, plain: int) -> DynamoSubscriptions:
        return DynamoSubscriptions(
            self.aws,
            Tables(SUBSCRIPTIONS, "access"),
            clock=self.clock,
            random_bytes=DistinctBytes(),
            plain_listeners=plain,
        )

    def add(self, definition: Definition) -> Webhook:
        webhook_id = self.store.next_id(ACME, now=self.clock.now)
        webhook = Webhook(id=webhook_id, scope=ACME, definition=definition, created_at=int(self.clock.now))
        self.store.add(webhook, self._record())
        self.webhooks[webhook.id] = webhook
        return webhook

    def change(
        self, webhook: Webhook, definition: Definition, *, store: DynamoSubscriptions | None = None
    ) -> Webhook:
        after = replace(webhook, definition=definition, revision=webhook.revision + 1)
        (store or self.store).change(webhook, after, record=self._record())
        self.webhooks[webhook.id] = after
        return after

    def remove(self, webhook: Webhook) -> None:
        self.store.remove(webhook, self._record())
        del self.webhooks[webhook.id]

    def entries(self) -> list[Item]:
        """Return all index entries, and fields of names."""
        return [item for item in self.tables.items(SUBSCRIPTIONS) if item["pk"]["S"].startswith("E#")]

    def _record(self) -> IdempotencyRecord:
        self._records += 1
        return make_record(f"request {self._records}")
