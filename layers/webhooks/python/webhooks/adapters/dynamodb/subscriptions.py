"""Webhooks in DynamoDB: read, and changed one transaction at a time."""

from collections.abc import Mapping, Sequence

from webhooks.adapters.aws.backoff import Backoff
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.conditional_entries import PLAIN_LISTENERS
from webhooks.adapters.dynamodb.idempotency_items import record_from, record_key
from webhooks.adapters.dynamodb.items import key
from webhooks.adapters.dynamodb.keys import NEXT, RESTORING, community_key
from webhooks.adapters.dynamodb.subscription_commits import SubscriptionCommits
from webhooks.adapters.dynamodb.subscription_pages import SubscriptionPages
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.table import Table, call
from webhooks.adapters.dynamodb.webhook_change import Change
from webhooks.adapters.dynamodb.webhook_items import found_webhooks, keys_of
from webhooks.domain.errors import CorruptError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook, make_webhook_id
from webhooks.ports import Clock, IdempotencyRecord, Page, RandomBytes, StoredRecord


class DynamoSubscriptions:
    """The subscriptions table, and the idempotency records in the access table."""

    def __init__(
        self,
        aws: AwsClients,
        tables: Tables,
        *,
        clock: Clock,
        random_bytes: RandomBytes,
        backoff: Backoff | None = None,
        plain_listeners: int = PLAIN_LISTENERS,
    ) -> None:
        self._aws = aws
        self._clock = clock
        self._random_bytes = random_bytes
        self._table = Table(aws, tables.subscriptions, backoff=backoff)
        self._access = Table(aws, tables.access, backoff=backoff)
        self._pages = SubscriptionPages(self._table)
        self._commits = SubscriptionCommits(
            self._table,
            self._access,
            clock=clock,
            random_bytes=random_bytes,
            plain_listeners=plain_listeners,
        )

    def next_id(self, scope: Scope, *, now: float) -> str:
        """Reserve a webhook id."""
        response = call(
            self._aws,
            "update_item",
            TableName=self._table.name,
            Key=community_key(scope, NEXT),
            UpdateExpression="ADD #last :one",
            ExpressionAttributeNames={"#last": "last"},
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
        sequence = int(response["Attributes"]["last"]["N"])
        return make_webhook_id(now=now, sequence=sequence, random=self._random_bytes(4))

    def add(self, webhook: Webhook, record: IdempotencyRecord, *, limit: int | None = None) -> None:
        """Store a new webhook.

        Raises AlreadyProcessedError, InvalidWebhookError, ConflictError, CommunityFullError.
        """
        self._commits.commit(self._change(None, webhook, record), limit=limit)

    def count(self, scope: Scope) -> int:
        """Return how many webhooks a community has."""
        return self._pages.head(scope).total

    def change(self, before: Webhook, after: Webhook, *, record: IdempotencyRecord | None) -> None:
        """Replace a webhook. Raises StaleError, AlreadyProcessedError, InvalidWebhookError, ConflictError."""
        self._commits.commit(self._change(before, after, record))

    def remove(self, webhook: Webhook, record: IdempotencyRecord) -> None:
        """Delete a webhook. Raises StaleError, AlreadyProcessedError, ConflictError."""
        self._commits.commit(self._change(webhook, None, record))

    def get(self, scope: Scope, webhook_id: str) -> Webhook | None:
        """Return a webhook as it is now. Raises CorruptError."""
        found = self.get_many([(scope, webhook_id)]).get((scope, webhook_id))
        if isinstance(found, CorruptError):
            raise found
        return found

    def get_many(
        self, keys: Sequence[tuple[Scope, str]]
    ) -> Mapping[tuple[Scope, str], Webhook | CorruptError]:
        """Return the webhooks that exist, a corrupt one as its error."""
        wanted = keys_of(keys)
        items = {
            (item["pk"]["S"], item["sk"]["S"]): item
            for item in self._table.get_many(key(pk, sk) for pk, sk in dict.fromkeys(wanted.values()))
        }
        return found_webhooks(wanted, items)

    def is_restoring(self) -> bool:
        """Tell whether an operator restores the table."""
        return bool(self._table.get_many([RESTORING]))

    def page(self, scope: Scope, *, index: int, size: int, tags: Sequence[str]) -> Page:
        """Return a page by its number."""
        return self._pages.page(scope, index=index, size=size, tags=tags)

    def find_record(self, idempotency_key: str) -> StoredRecord | None:
        """Return the record under an idempotency key."""
        return record_from(self._access.get(record_key(idempotency_key)), now=self._clock())

    def next_epoch(self) -> None:
        """Let fan-out see all changes up to now."""
        self._commits.next_epoch()

    def _change(
        self, before: Webhook | None, after: Webhook | None, record: IdempotencyRecord | None
    ) -> Change:
        return Change.of(before, after, record=record, token=self._random_bytes(8).hex())
