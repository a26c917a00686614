"""Webhooks in DynamoDB: their changes, each as one transaction that is repeated until it wins its race."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from botocore.exceptions import ClientError, HTTPClientError

from webhooks.adapters.aws.backoff import Backoff
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.aws.errors import error_code, unavailable
from webhooks.adapters.dynamodb.items import Item, key
from webhooks.adapters.dynamodb.keys import (
    HEAD,
    NEXT,
    community_pk,
    make_webhook_id,
    sequence_of,
    webhook_sk,
)
from webhooks.adapters.dynamodb.sequence_bitmaps import Head, bitmap_from_bytes
from webhooks.adapters.dynamodb.subscription_pages import SubscriptionPages, head_from
from webhooks.adapters.dynamodb.subscription_transaction import (
    Action,
    Change,
    Purpose,
    Tables,
    answer_pk,
    record_from,
)
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.dynamodb.webhook_items import webhook_from
from webhooks.domain.errors import CommunityFullError, ConflictError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook
from webhooks.ports import (
    AlreadyProcessedError,
    Clock,
    CorruptError,
    IdempotencyRecord,
    Page,
    RandomBytes,
    StaleError,
    StoredRecord,
)

TRIES = 12  # of one change against others' in the same community: a few seconds in all
CONDITION = "ConditionalCheckFailed"
LOST_RACE = frozenset(
    {
        "TransactionConflict",
        "TransactionInProgressException",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    }
)


class DynamoSubscriptions:
    """The subscriptions table, and the answers kept in the access table."""

    def __init__(
        self,
        aws: AwsClients,
        tables: Tables,
        *,
        clock: Clock,
        random_bytes: RandomBytes,
        backoff: Backoff | None = None,
    ) -> None:
        self._aws = aws
        self._tables = tables
        self._clock = clock
        self._random_bytes = random_bytes
        self._backoff = backoff or Backoff()
        self._table = Table(aws, tables.subscriptions, backoff=self._backoff)
        self._access = Table(aws, tables.access, backoff=self._backoff)
        self._pages = SubscriptionPages(self._table)

    def next_id(self, scope: Scope, *, now: float) -> str:
        """Reserve a webhook id."""
        with unavailable("dynamodb UpdateItem"):
            response = self._aws.dynamodb.update_item(
                TableName=self._table.name,
                Key=key(community_pk(scope), NEXT),
                UpdateExpression="ADD #last :one",
                ExpressionAttributeNames={"#last": "last"},
                ExpressionAttributeValues={":one": {"N": "1"}},
                ReturnValues="UPDATED_NEW",
            )
        sequence = int(response["Attributes"]["last"]["N"])
        return make_webhook_id(now=now, sequence=sequence, random=self._random_bytes(4))

    def add(self, webhook: Webhook, kept: IdempotencyRecord, *, limit: int | None = None) -> None:
        """Store a new webhook.

        Raises AlreadyProcessedError, InvalidInputError, ConflictError, CommunityFullError.
        """
        self._commit(None, webhook, kept=kept, limit=limit)

    def count(self, scope: Scope) -> int:
        """Return how many webhooks a community has."""
        return self._pages.head(scope).total

    def change(self, before: Webhook, after: Webhook, *, kept: IdempotencyRecord | None) -> None:
        """Replace a webhook. Raises StaleError, AlreadyProcessedError, InvalidInputError, ConflictError."""
        self._commit(before, after, kept=kept)

    def remove(self, webhook: Webhook, kept: IdempotencyRecord) -> None:
        """Delete a webhook. Raises StaleError, AlreadyProcessedError, ConflictError."""
        self._commit(webhook, None, kept=kept)

    def get(self, scope: Scope, webhook_id: str) -> Webhook | None:
        """Return a webhook as it is now. Raises CorruptError."""
        found = self.get_many([(scope, webhook_id)]).get((scope, webhook_id))
        if isinstance(found, CorruptError):
            raise found
        return found

    def get_many(
        self, keys: Sequence[tuple[Scope, str]]
    ) -> Mapping[tuple[Scope, str], Webhook | CorruptError]:
        """Return the webhooks that exist, what cannot be read as its error."""
        places = places_of(keys)
        items = {
            (item["pk"]["S"], item["sk"]["S"]): item
            for item in self._table.get_many(key(pk, sk) for pk, sk in dict.fromkeys(places.values()))
        }
        return found_webhooks(places, items)

    def page(self, scope: Scope, *, index: int, size: int, tags: Sequence[str]) -> Page:
        """Return a page by its number."""
        return self._pages.page(scope, index=index, size=size, tags=tags)

    def find_record(self, key: str) -> StoredRecord | None:
        """Return the answer that is kept for the key."""
        item = self._record_item(key)
        if item is None or int(item["expiresAt"]["N"]) <= self._clock():
            return None
        return record_from(item)

    def _record_item(self, record_key: str) -> Item | None:
        return self._access.get(key(answer_pk(record_key)))

    def _commit(
        self,
        before: Webhook | None,
        after: Webhook | None,
        *,
        kept: IdempotencyRecord | None,
        limit: int | None = None,
    ) -> None:
        change = Change.of(before, after, kept=kept, token=self._random_bytes(8).hex())
        for tries in range(TRIES):
            head, bitmaps = self._layout(change)
            # The transaction's condition is HEAD's version: this total is the one that it adds to.
            if limit is not None and head is not None and head.total >= limit:
                if self._is_recorded(change):
                    return
                raise CommunityFullError(head.total, limit)
            actions = change.actions(self._tables, head, bitmaps, now=int(self._clock()))
            failed = self._transact(actions, change)
            if not failed or self._is_settled(failed, change):
                return
            self._backoff.wait(tries)
        raise ConflictError(
            "others change this community's webhooks at the same time; send the request again"
        )

    def _is_recorded(self, change: Change) -> bool:
        """Tell whether its key's record is of this change. Raises AlreadyProcessedError for another's."""
        if change.kept is None or (record := self.find_record(change.kept.key)) is None:
            return False
        if record.token not in (change.token, change.kept.replaces):
            raise AlreadyProcessedError
        return record.token == change.token

    def _layout(self, change: Change) -> tuple[Head | None, dict[str, int]]:
        """Read HEAD, then the bitmaps: if somebody changes one of them between, HEAD's condition fails."""
        if not change.flips:
            return None, {}
        pk = community_pk(change.scope)
        head = self._table.get(key(pk, HEAD))
        items = self._table.get_many(key(pk, sk) for sk in change.flips)
        return head_from(head) if head else None, {
            item["sk"]["S"]: bitmap_from_bytes(item["bits"]["B"]) for item in items
        }

    def _transact(self, actions: Sequence[Action], change: Change) -> set[Purpose]:
        """Send a transaction; returns the purposes of the actions that failed it, none when it is done."""
        request: dict[str, Any] = {
            "TransactItems": [action.request for action in actions],
            "ClientRequestToken": str(UUID(bytes=self._random_bytes(16), version=4)),
        }
        with unavailable("dynamodb TransactWriteItems"):
            try:
                self._aws.dynamodb.transact_write_items(**request)
            except ClientError as error:
                return _failures(actions, error)
            except HTTPClientError:  # no answer: it may have happened
                if not self._is_done(change):
                    raise
        return set()

    def _is_settled(self, failed: set[Purpose], change: Change) -> bool:
        """Tell whether the change is done after all; False for a race that the next try can win.

        Raises what a failed condition means.
        """
        if failed == {"layout"}:
            return False
        if self._is_done(change):  # the client below repeated what had taken effect
            return True
        if "answer" in failed:
            raise AlreadyProcessedError
        if change.before is None:
            raise ConflictError("the webhook's id is taken; send the request again")
        raise StaleError

    def _is_done(self, change: Change) -> bool:
        """Tell whether a transaction of this very change took effect."""
        if change.kept is not None:
            item = self._record_item(change.kept.key)
        else:
            item = self._table.get(key(community_pk(change.scope), webhook_sk(change.sequence)))
        return item is not None and item.get("change", {}).get("S") == change.token


def places_of(keys: Sequence[tuple[Scope, str]]) -> dict[tuple[Scope, str], tuple[str, str]]:
    """Return where the table keeps each webhook; without those whose ids are none."""
    return {
        (scope, webhook_id): (community_pk(scope), webhook_sk(sequence))
        for scope, webhook_id in keys
        if (sequence := sequence_of(webhook_id)) is not None
    }


def found_webhooks(
    places: Mapping[tuple[Scope, str], tuple[str, str]], items: Mapping[tuple[str, str], Item]
) -> dict[tuple[Scope, str], Webhook | CorruptError]:
    """Read the webhooks among the items; one whose id is another's in the same place is not there."""
    found: dict[tuple[Scope, str], Webhook | CorruptError] = {}
    for (scope, webhook_id), place in places.items():
        webhook = _read(items[place], scope) if place in items else None
        if isinstance(webhook, CorruptError) or (webhook and webhook.id == webhook_id):
            found[scope, webhook_id] = webhook
    return found


def _read(item: Item, scope: Scope) -> Webhook | CorruptError:
    try:
        return webhook_from(item, scope)
    except CorruptError as error:
        return error


def _failures(actions: Sequence[Action], error: ClientError) -> set[Purpose]:
    """Read which actions failed a transaction; raises the error again where it is not a lost race."""
    code = error_code(error)
    if code in LOST_RACE:
        return {"layout"}
    reasons = cast("dict[str, Any]", error.response).get("CancellationReasons", [])
    codes = [reason.get("Code") or "None" for reason in reasons]
    if code != "TransactionCanceledException" or set(codes) - LOST_RACE - {"None", CONDITION}:
        raise error
    failed: set[Purpose] = {
        action.purpose if code == CONDITION else "layout"
        for action, code in zip(actions, codes, strict=True)
        if code != "None"
    }
    return failed or {"layout"}
