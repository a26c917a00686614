"""The delivery log, as a tenant reads it: a webhook's deliveries, a community's undelivered, one of them."""

from dataclasses import dataclass, field, replace

from webhooks.domain.delivery_log import LogEntry, LogKey, LogPage, LogQuery, log_key_of
from webhooks.domain.errors import NotFoundError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import WEBHOOK_ID
from webhooks.ports import DeliveryLogReader, Subscriptions

NO_WEBHOOK = "webhookId: no such webhook"
NO_DELIVERY = "deliveryId: no such delivery"


@dataclass(frozen=True, slots=True)
class FoundDelivery:
    """A delivery with its payload, which is the callback's body, where it is kept."""

    entry: LogEntry
    payload: str | None = field(repr=False)


class DeliveryLogs:
    """The use cases of the delivery log. Requests are authorized before they come here."""

    def __init__(self, *, log: DeliveryLogReader, subscriptions: Subscriptions) -> None:
        self._log = log
        self._subscriptions = subscriptions

    def page(self, query: LogQuery, *, after: LogKey | None, size: int, reach: int | None = None) -> LogPage:
        """Return a page, the newest delivery first. `reach`: of the page before, where it is known.

        Raises NotFoundError for a webhook that is not in the query's community.
        """
        webhook_id = query.webhook_id
        if webhook_id is not None and (
            not WEBHOOK_ID.fullmatch(webhook_id) or self._subscriptions.get(query.scope, webhook_id) is None
        ):
            raise NotFoundError(NO_WEBHOOK)
        page = self._log.newest(query, after=after, size=size, reach=reach)
        own = tuple(entry for entry in page.entries if entry.scope == query.scope)
        return page if len(own) == len(page.entries) else replace(page, entries=own)

    def get(self, scope: Scope, delivery_id: str) -> FoundDelivery:
        """Return a delivery of a community. Raises NotFoundError."""
        key = log_key_of(delivery_id)
        entry = self._log.find([key]).get(key) if key else None
        if key is None or entry is None or entry.scope != scope:
            raise NotFoundError(NO_DELIVERY)
        payload = self._log.payloads([key]).get(key) if entry.has_payload else None
        return FoundDelivery(replace(entry, has_payload=payload is not None), payload)
