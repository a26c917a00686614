"""The webhooks and the log items of a batch, from two tables in one call for up to 100 items."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import batched

from webhooks.adapters.aws.backoff import Backoff
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.delivery_log import LOGGED, item_key, logged_from
from webhooks.adapters.dynamodb.items import Item, Key, key
from webhooks.adapters.dynamodb.subscriptions import found_webhooks, places_of
from webhooks.adapters.dynamodb.table import BATCH_KEYS, asked, get_batch
from webhooks.domain.delivery_log import LogKey
from webhooks.domain.scope import Scope
from webhooks.ports import BatchContext


class DynamoBatchReader:
    """Reads the subscriptions and the deliveries table together, consistently."""

    def __init__(
        self, aws: AwsClients, *, subscriptions: str, deliveries: str, backoff: Backoff | None = None
    ) -> None:
        self._aws = aws
        self._subscriptions = subscriptions
        self._deliveries = deliveries
        self._backoff = backoff or Backoff()

    def read(self, webhooks: Sequence[tuple[Scope, str]], log: Sequence[LogKey]) -> BatchContext:
        """Return those that exist of both."""
        webhook_keys = places_of(webhooks)
        log_keys = {_pair(item := item_key(each)): (each, item) for each in log}
        items = self._read(
            [
                *((self._subscriptions, key(*pair)) for pair in dict.fromkeys(webhook_keys.values())),
                *((self._deliveries, item) for _, item in log_keys.values()),
            ]
        )
        logged = {
            log_keys[_pair(item)][0]: known
            for item in items[self._deliveries]
            if (known := logged_from(item)) is not None
        }
        stored = {_pair(item): item for item in items[self._subscriptions]}
        return BatchContext(found_webhooks(webhook_keys, stored), logged)

    def _read(self, wanted: Sequence[tuple[str, Key]]) -> dict[str, list[Item]]:
        items: dict[str, list[Item]] = defaultdict(list)
        for chunk in batched(wanted, BATCH_KEYS, strict=False):
            keys: dict[str, list[Key]] = defaultdict(list)
            for table, item_key_ in chunk:
                keys[table].append(item_key_)
            request = {
                table: asked(of_table, LOGGED if table == self._deliveries else ())
                for table, of_table in keys.items()
            }
            for table, found in get_batch(self._aws, request, backoff=self._backoff).items():
                items[table] += found
        return items


def _pair(item: Key) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]
