"""Communities' versions and the marks of events, from two tables in one call for up to 100 items."""

import logging
from collections.abc import Collection, Sequence

from webhooks.adapters.dynamodb.items import ItemKey
from webhooks.adapters.dynamodb.seen_events import window_from, window_key, window_name
from webhooks.adapters.dynamodb.subscription_index import (
    VERSION_ATTRIBUTES,
    DynamoSubscriptionIndex,
    version_keys,
    versions_from,
)
from webhooks.adapters.dynamodb.table import BATCH_KEYS, Table, batch_request, call, get_batch
from webhooks.domain.errors import NewerFormError, UnavailableError
from webhooks.domain.scope import Scope
from webhooks.ports import Clock, FanoutContext

APART_SECONDS = 60  # after an error, which the marks' table alone may have caused

logger = logging.getLogger(__name__)


class DynamoFanoutReader:
    """Reads the subscriptions table consistently, and the deliveries table along with it, where it can.

    No version waits for the deliveries table: windows that a call leaves unprocessed are left out, and after
    an error the versions are read alone, for a while.
    """

    def __init__(
        self, index: DynamoSubscriptionIndex, subscriptions: Table, deliveries: Table, *, clock: Clock
    ) -> None:
        self._index = index
        self._subscriptions = subscriptions
        self._deliveries = deliveries
        self._clock = clock
        self._apart_until = 0.0

    def read(self, scopes: Sequence[Scope], windows: Sequence[str]) -> FanoutContext:
        """Return the epoch and the versions of communities, and the windows that one call has room for."""
        keys = version_keys(scopes)
        along = windows[: max(0, BATCH_KEYS - len(keys))] if self._clock() >= self._apart_until else ()
        if along:
            try:
                return self._read(scopes, keys, along)
            except UnavailableError as error:
                logger.warning("seen_events.read_apart", extra={"reason": str(error)})
                self._apart_until = self._clock() + APART_SECONDS
        return FanoutContext(self._index.versions(scopes), {})

    def _read(
        self, scopes: Sequence[Scope], keys: Sequence[ItemKey], windows: Sequence[str]
    ) -> FanoutContext:
        versions, marks = self._subscriptions, self._deliveries
        request = batch_request(
            [
                *((versions.name, each) for each in keys),
                *((marks.name, window_key(each)) for each in windows),
            ],
            attributes={versions.name: VERSION_ATTRIBUTES},
            eventually=(marks.name,),
        )
        response = call(versions.aws, "batch_get_item", RequestItems=request)
        found, left = response["Responses"], response.get("UnprocessedKeys", {})
        items = list(found.get(versions.name, ()))
        if versions.name in left:
            rest = {versions.name: left[versions.name]}
            for _, more in get_batch(versions.aws, rest, backoff=versions.backoff):
                items += more
        unread = {window_name(each) for each in left.get(marks.name, {}).get("Keys", ())}
        read: dict[str, Collection[bytes]] = {each: frozenset() for each in windows if each not in unread}
        for item in found.get(marks.name, ()):
            try:
                read |= [window_from(item)]
            except NewerFormError:  # read alone, it is refused with this reason
                del read[window_name(item)]
        return FanoutContext(versions_from(items, scopes, now=self._clock()), read)
