"""Commits changes of webhooks: each as one transaction, which is repeated until it wins its race."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from webhooks.adapters.aws.errors import error_code, unavailable_error
from webhooks.adapters.dynamodb.conditional_entries import (
    PLAIN_LISTENERS,
    ConditionalEntries,
    Entries,
    Placed,
)
from webhooks.adapters.dynamodb.epoch import next_epoch
from webhooks.adapters.dynamodb.idempotency_items import record_from, record_key
from webhooks.adapters.dynamodb.sequence_bitmaps import Head, bitmap_from_bytes
from webhooks.adapters.dynamodb.subscription_pages import head_from
from webhooks.adapters.dynamodb.subscription_transaction import Action, Purpose, Tables, transaction
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.dynamodb.webhook_change import Change
from webhooks.domain.errors import (
    AlreadyProcessedError,
    CommunityFullError,
    ConflictError,
    StaleError,
    TenantMovingError,
    UnavailableError,
)
from webhooks.domain.webhook_size import MAX_WRITES
from webhooks.ports import Clock, RandomBytes

OPERATION = "dynamodb TransactWriteItems"
TRIES = 12  # of one change against others in the same community: a few seconds in all
CONDITION = "ConditionalCheckFailed"
LOST_RACE = frozenset(
    {
        "TransactionConflict",
        "TransactionInProgressException",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    }
)


class SubscriptionCommits:
    """Writes to the subscriptions table and to the idempotency records in the access table."""

    def __init__(
        self,
        table: Table,
        access: Table,
        *,
        clock: Clock,
        random_bytes: RandomBytes,
        plain_listeners: int = PLAIN_LISTENERS,
    ) -> None:
        self._table = table
        self._access = access
        self._tables = Tables(subscriptions=table.name, access=access.name)
        self._clock = clock
        self._random_bytes = random_bytes
        self._conditional = ConditionalEntries(table, clock=clock, plain_listeners=plain_listeners)

    def commit(self, change: Change, *, limit: int | None = None) -> None:
        """Commit a change, then count it in the epoch. `limit`: of webhooks in the community.

        Raises AlreadyProcessedError, StaleError, ConflictError, CommunityFullError, TenantMovingError.
        """
        self._commit(change, limit)
        try:
            self.next_epoch()
        except UnavailableError:
            if change.record is not None:  # the client repeats its request, which counts it
                raise

    def next_epoch(self) -> None:
        """Count a change in the epoch: in a transaction it would conflict with all other changes."""
        next_epoch(self._table, now=self._clock())

    def _commit(self, change: Change, limit: int | None) -> None:
        for tries in range(TRIES):
            head, bitmaps = self._read(change)
            if head is not None and head.is_moving and change.record is not None:
                if self._is_recorded(change):
                    return
                raise TenantMovingError
            # The transaction's condition is HEAD's version: this total is the one that it adds to.
            if limit is not None and head is not None and head.total >= limit:
                if self._is_recorded(change):
                    return
                raise CommunityFullError(head.total, limit)
            placed = self._place(change)
            actions = transaction(change, self._tables, head, bitmaps, now=int(self._clock()), placed=placed)
            failed = self._transact(actions, change)
            if not failed or self._is_settled(failed, change):
                return
            self._table.backoff.wait(tries)
        raise ConflictError(
            "others change this community's webhooks at the same time; send the request again"
        )

    def _place(self, change: Change) -> Placed | None:
        """Find the places of the entries, where some are or may be under conditions."""
        if not (change.bitmaps or change.entries):
            return None
        if not self._conditional.concerns(change.before, change.after, change.sequence):
            return None
        entries = Entries(change.scope, change.sequence, change.old_entries, change.new_entries)
        return self._conditional.place(entries, change.after, room=MAX_WRITES - len(change.bitmaps))

    def _read(self, change: Change) -> tuple[Head | None, dict[str, int]]:
        """Read HEAD, then the bitmaps: a change that writes one of them in between fails HEAD's condition."""
        if not change.bitmaps:
            return None, {}
        head = self._table.get(change.head_key)
        items = self._table.get_many(change.head_key | {"sk": {"S": sk}} for sk in change.bitmaps)
        return head_from(head) if head else None, {
            item["sk"]["S"]: bitmap_from_bytes(item["bits"]["B"]) for item in items
        }

    def _transact(self, actions: Sequence[Action], change: Change) -> set[Purpose]:
        """Send a transaction; returns the purposes of the actions that failed it, none when it is done."""
        request: dict[str, Any] = {
            "TransactItems": [action.request for action in actions],
            "ClientRequestToken": str(UUID(bytes=self._random_bytes(16), version=4)),
        }
        try:
            self._table.aws.dynamodb.transact_write_items(**request)
        except ClientError as error:
            return _failures(actions, error)
        except BotoCoreError as error:
            # Without a response it may have happened.
            if not isinstance(error, HTTPClientError) or not self._is_done(change):
                raise unavailable_error(OPERATION, error) from None
        return set()

    def _is_settled(self, failed: set[Purpose], change: Change) -> bool:
        """Tell whether the change is done after all; False for a race that the next try can win.

        Raises the error that a failed condition means.
        """
        if failed <= {"index"}:
            return False
        if self._is_done(change):  # the client below repeated a transaction that had taken effect
            return True
        if "record" in failed:
            raise AlreadyProcessedError
        if "moving" in failed:
            raise TenantMovingError
        if change.before is None:
            raise ConflictError("the webhook's id is taken; send the request again")
        raise StaleError

    def _is_done(self, change: Change) -> bool:
        """Tell whether a transaction of this very change took effect."""
        if change.record is not None:
            item = self._access.get(record_key(change.record.key))
        else:
            item = self._table.get(change.webhook_key)
        return item is not None and item.get("change", {}).get("S") == change.token

    def _is_recorded(self, change: Change) -> bool:
        """Tell whether its key's record is of this change. Raises AlreadyProcessedError for another's."""
        if change.record is None:
            return False
        stored = record_from(self._access.get(record_key(change.record.key)), now=self._clock())
        if stored is None:
            return False
        if stored.token not in (change.token, change.record.replaces):
            raise AlreadyProcessedError
        return stored.token == change.token


def _failures(actions: Sequence[Action], error: ClientError) -> set[Purpose]:
    """Read which actions failed a transaction. Raises UnavailableError for all errors but a lost race."""
    code = error_code(error)
    if code in LOST_RACE:
        return {"index"}
    reasons = cast("dict[str, Any]", error.response).get("CancellationReasons", [])
    codes = [reason.get("Code") or "None" for reason in reasons]
    if code != "TransactionCanceledException" or set(codes) - LOST_RACE - {"None", CONDITION}:
        raise unavailable_error(OPERATION, error) from None
    failed: set[Purpose] = {
        action.purpose if code == CONDITION else "index"
        for action, code in zip(actions, codes, strict=True)
        if code != "None"
    }
    return failed or {"index"}
