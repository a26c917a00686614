"""The webhooks and the log items of a batch, from two tables in one call for up to 100 items."""

from collections.abc import Mapping, Sequence

from webhooks.adapters.aws.backoff import Backoff
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.delivery_log_items import LOGGED, item_key, logged_from
from webhooks.adapters.dynamodb.items import key
from webhooks.adapters.dynamodb.shared_looks import look_for
from webhooks.adapters.dynamodb.table import Table, get_items
from webhooks.adapters.dynamodb.webhook_items import found_webhooks, keys_of
from webhooks.domain.delivery_log import Logged, LogKey
from webhooks.domain.errors import NewerFormError
from webhooks.domain.log_looks import NOWHERE, Look
from webhooks.domain.scope import Scope
from webhooks.ports import BatchContext


class DynamoBatchReader:
    """Reads the subscriptions and the deliveries table together; the first one consistently."""

    def __init__(
        self, aws: AwsClients, *, subscriptions: str, deliveries: str, backoff: Backoff | None = None
    ) -> None:
        self._aws = aws
        self._subscriptions = subscriptions
        self._deliveries = Table(aws, deliveries, backoff=backoff)
        self._backoff = backoff or Backoff()

    def read(
        self, webhooks: Sequence[tuple[Scope, str]], log: Sequence[LogKey], *, consistent: bool = True
    ) -> BatchContext:
        """Return those that exist of both. `consistent`: the log is read so, as the webhooks always are."""
        webhook_keys = keys_of(webhooks)
        log_keys = {item_key(each): each for each in log}
        wanted = [
            *((self._subscriptions, pair) for pair in dict.fromkeys(webhook_keys.values())),
            *((self._deliveries.name, pair) for pair in log_keys),
        ]
        items = get_items(
            self._aws,
            [(table, key(*pair)) for table, pair in wanted],
            attributes={self._deliveries.name: LOGGED},
            backoff=self._backoff,
            eventually=() if consistent else (self._deliveries.name,),
        )
        stored = {(item["pk"]["S"], item["sk"]["S"]): item for item in items[self._subscriptions]}
        logged, newer = dict[LogKey, Logged](), set[LogKey]()
        for item in items[self._deliveries.name]:
            log_key = log_keys[item["pk"]["S"], item["sk"]["S"]]
            try:
                if (known := logged_from(item)) is not None:
                    logged[log_key] = known
            except NewerFormError:
                newer.add(log_key)
        return BatchContext(found_webhooks(webhook_keys, stored), logged, frozenset(newer))

    def look(
        self, log: Sequence[LogKey], *, after: Mapping[LogKey, str] = NOWHERE, units: int
    ) -> BatchContext:
        """Return those of a webhook's deliveries that are in shared items."""
        if not log:
            return BatchContext({}, {})
        look = Look(log, after)
        before = look.left()
        found = look_for(self._deliveries, log[0].webhook_id, look, units=units)
        if found.error is not None and found.left == before:  # it came no further
            raise found.error
        logged = {
            each: known for each, item in found.items.items() if (known := logged_from(item)) is not None
        }
        return BatchContext({}, logged, frozenset(found.newer), looked_to=found.left)
