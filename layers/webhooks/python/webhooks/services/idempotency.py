"""Idempotency: the exact repeat of a request gets the recorded response while its effect holds."""

from collections.abc import Callable

from webhooks.domain.caller import Caller
from webhooks.domain.errors import ConflictError
from webhooks.domain.scope import Scope
from webhooks.domain.values import value_type
from webhooks.domain.webhook import Webhook
from webhooks.ports import IdempotencyRecord, StoredRecord, Subscriptions

# Tells from a request's record and its webhook as it is now whether the request's effect still holds.
type Holds = Callable[[StoredRecord, Webhook | None], bool]


@value_type(frozen=True, slots=True)
class CommunityRequest:
    """An authorized request for a community.

    `idempotency_key` is the same for its exact repeats alone; a record under it counts until `expires_at`, in
    epoch seconds.
    """

    caller: Caller
    scope: Scope
    idempotency_key: str
    expires_at: int


class Idempotency:
    """Finds the recorded responses of requests."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions

    def find(self, request: CommunityRequest, holds: Holds) -> str | IdempotencyRecord:
        """Return the recorded response, or the request's own record, whose body is still to come.

        The first request may have ended before fan-out saw its change: its repeat is answered after that.
        """
        key, replaces = request.idempotency_key, None
        if stored := self._subscriptions.find_record(key):
            # A record that names no webhook was written by an earlier version: it counts until it expires.
            if stored.webhook_id is None or holds(
                stored, self._subscriptions.get(request.scope, stored.webhook_id)
            ):
                self._subscriptions.next_epoch()
                return stored.body
            replaces = stored.token
        return IdempotencyRecord(key, "", request.expires_at, replaces)

    def response(self, request: CommunityRequest, holds: Holds) -> str:
        """Return the response to a repeat that was faster.

        Raises ConflictError where it no longer counts: this request may have taken effect before the other.
        """
        found = self.find(request, holds)
        if isinstance(found, IdempotencyRecord):
            raise ConflictError("the same request is being answered; send it again")
        return found


def exists(_: StoredRecord, webhook: Webhook | None) -> bool:
    """Tell whether a created webhook is still there, at any revision."""
    return webhook is not None


def is_at_revision(record: StoredRecord, webhook: Webhook | None) -> bool:
    """Tell whether a change is still the last one."""
    return webhook is not None and webhook.revision == record.revision


def is_absent(_: StoredRecord, webhook: Webhook | None) -> bool:
    """Tell whether a deleted webhook is still deleted."""
    return webhook is None
