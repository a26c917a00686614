"""Webhooks by event name, for fan-out, from the subscriptions table."""

import logging
from collections.abc import Mapping, Sequence

from webhooks.adapters.items import key
from webhooks.adapters.subscription_keys import HEAD, community_pk, listeners_pk
from webhooks.adapters.tables import Table
from webhooks.adapters.webhook_items import entry_from
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import IndexEntry
from webhooks.ports import CorruptError

logger = logging.getLogger(__name__)


class DynamoSubscriptionIndex:
    """The index entries and the communities' versions."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def versions(self, scopes: Sequence[Scope]) -> Mapping[Scope, int]:
        """Return each community's version as it is now."""
        places = {community_pk(scope): scope for scope in scopes}
        items = self._table.get_many((key(pk, HEAD) for pk in places), attributes=("pk", "version"))
        found = {places[item["pk"]["S"]]: int(item["version"]["N"]) for item in items}
        return {scope: found.get(scope, 0) for scope in places.values()}

    def listeners(self, scope: Scope, event_name: str) -> Sequence[IndexEntry | CorruptError]:
        """Return the enabled webhooks that list the event's name, what cannot be read as its error."""
        entries: list[IndexEntry | CorruptError] = []
        for item in self._table.query(listeners_pk(scope, event_name)):
            try:
                entries.append(entry_from(item))
            except CorruptError as error:
                logger.error("index.corrupt", extra={"reason": str(error)})  # noqa: TRY400 - the text says it all
                entries.append(error)
        return entries
