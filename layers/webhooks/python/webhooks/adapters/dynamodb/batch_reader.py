"""What a batch of deliveries needs to know, from two tables in one call for up to 100 items."""

from collections.abc import Mapping, Sequence
from itertools import batched
from typing import Any

from webhooks.adapters.aws.backoff import Backoff
from webhooks.adapters.aws.clients import AwsClients, unavailable
from webhooks.adapters.dynamodb.delivery_log import LOGGED, logged_from, place_of
from webhooks.adapters.dynamodb.items import Item, key
from webhooks.adapters.dynamodb.table import BATCH_KEYS, TRIES
from webhooks.adapters.dynamodb.webhook_items import found_webhooks, webhook_keys
from webhooks.domain.delivery_log import LogKey
from webhooks.domain.errors import UnavailableError
from webhooks.domain.scope import Scope
from webhooks.ports import BatchContext

type Place = tuple[str, str]


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
        """Return what exists of both."""
        webhook_places = webhook_keys(webhooks)
        log_places = {place_of(each): each for each in log}
        wanted = [
            *((self._subscriptions, place) for place in dict.fromkeys(webhook_places.values())),
            *((self._deliveries, place) for place in log_places),
        ]
        items: dict[tuple[str, Place], Item] = {}
        for chunk in batched(wanted, BATCH_KEYS, strict=False):
            items |= self._get_batch(chunk)
        logged = {
            log_places[place]: known
            for (table, place), item in items.items()
            if table == self._deliveries and (known := logged_from(item)) is not None
        }
        stored = {place: item for (table, place), item in items.items() if table == self._subscriptions}
        return BatchContext(found_webhooks(webhook_places, stored), logged)

    def _get_batch(self, wanted: Sequence[tuple[str, Place]]) -> Mapping[tuple[str, Place], Item]:
        request: dict[str, Any] = {}
        for table, place in wanted:
            asked = request.setdefault(table, {"Keys": [], "ConsistentRead": True})
            asked["Keys"].append(key(*place))
        if self._deliveries in request:
            names = {f"#{name}": name for name in LOGGED}
            request[self._deliveries] |= {
                "ProjectionExpression": ", ".join(names),
                "ExpressionAttributeNames": names,
            }
        found: dict[tuple[str, Place], Item] = {}
        for tries in range(TRIES):
            with unavailable("dynamodb BatchGetItem"):
                response = self._aws.dynamodb.batch_get_item(RequestItems=request)
            for table, items in response["Responses"].items():
                found |= {(table, (item["pk"]["S"], item["sk"]["S"])): item for item in items}
            request = response.get("UnprocessedKeys", {})
            if not request:
                return found
            self._backoff.wait(tries)
        raise UnavailableError("dynamodb BatchGetItem: keys are left unprocessed")
