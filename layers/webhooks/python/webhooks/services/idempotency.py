"""Repeats of a request: its kept answer counts while the webhook is still as its change left it."""

from collections.abc import Callable
from dataclasses import dataclass

from webhooks.domain.errors import ConflictError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook
from webhooks.ports import StoredRecord, Subscriptions

# Tells from a request's record and its webhook as it is now whether what the request did still holds.
type Holds = Callable[[StoredRecord, Webhook | None], bool]


@dataclass(frozen=True, slots=True)
class Earlier:
    """The answer to an equal request if it counts, or the token of its record, which may be replaced then."""

    body: str | None = None
    replaces: str | None = None


class Repeats:
    """Finds the answers to equal requests."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions

    def find(self, scope: Scope, key: str, holds: Holds) -> Earlier:
        """Return the answer to an equal request, or which record may be replaced."""
        record = self._subscriptions.find_record(key)
        if record is None:
            return Earlier()
        # A record that names no webhook was written by an earlier version: it counts until it expires.
        if record.webhook_id is None or holds(record, self._subscriptions.get(scope, record.webhook_id)):
            return Earlier(body=record.body)
        return Earlier(replaces=record.token)

    def body(self, scope: Scope, key: str, holds: Holds) -> str:
        """Return the answer to an equal request that was faster.

        Raises ConflictError where it no longer counts: this request may have taken effect before the other.
        """
        body = self.find(scope, key, holds).body
        if body is None:
            raise ConflictError("the same request is being answered; send it again")
        return body


def exists(_: StoredRecord, webhook: Webhook | None) -> bool:
    """Tell whether a created webhook is still there, at any revision."""
    return webhook is not None


def is_at_revision(record: StoredRecord, webhook: Webhook | None) -> bool:
    """Tell whether a change is still the last one."""
    return webhook is not None and webhook.revision == record.revision


def is_absent(_: StoredRecord, webhook: Webhook | None) -> bool:
    """Tell whether a deleted webhook is still deleted."""
    return webhook is None
