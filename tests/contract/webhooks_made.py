"""Webhooks and idempotency records for storage tests, complete and with every kind of value."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.clocks import NOW
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import AuthType, CredentialRef, Criteria, Definition, Endpoint, Webhook
from webhooks.ports import IdempotencyRecord, Subscriptions

ACME = Scope("acme", "north")


def make_definition(**changes: Any) -> Definition:
    definition = Definition(
        event_names=("order.created", "order.paid"),
        name="Bücher \U0001f4da",
        endpoint=Endpoint(
            url="https://example.com/hook",
            auth_type=AuthType.OAUTH2,
            oauth_grant_type="client_credentials",
            oauth_token_url="https://example.com/token",
            oauth_scopes=("a", "b"),
        ),
        success_codes=(200, 204),
        created_by="shop",
        tags=("blue", "a#b"),
        query=(
            {"amount": Decimal("1222223333.00000001"), "nested.flag": None},
            {"list": [1, "1", {"x": True}]},
        ),
        criteria=Criteria.ALL,
        retry_codes=(0, 503),
        retry_count=2,
        ttl=3,
        rate_limit=5,
        recover=False,
    )
    return replace(definition, **changes)


def make_webhook(webhook_id: str, scope: Scope = ACME, **changes: Any) -> Webhook:
    return Webhook(
        id=webhook_id,
        scope=scope,
        definition=make_definition(**changes),
        created_at=int(NOW),
        credential=CredentialRef("prefix/acme/north/x", "v1"),
    )


def changed(webhook: Webhook, **changes: Any) -> Webhook:
    return replace(webhook, definition=replace(webhook.definition, **changes), revision=webhook.revision + 1)


def make_record(key: str, body: str = "{}") -> IdempotencyRecord:
    return IdempotencyRecord(key, body, int(NOW) + 600)


def recorded_body(subscriptions: Subscriptions, key: str) -> str | None:
    """Return the body of the record under the key."""
    record = subscriptions.find_record(key)
    return record.body if record else None
