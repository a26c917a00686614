"""Webhooks and index entries as items of the subscriptions table, and back.

What the tenant says is one JSON text: it keeps every number and character that JSON can have. What the
service itself looks at is beside it, as attributes of their own. Attributes that this does not know stay.
"""

import json
from decimal import Decimal
from functools import lru_cache
from typing import Any

from webhooks.adapters.dynamodb.items import Item
from webhooks.domain.json_text import write_json
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import (
    AuthType,
    CredentialRef,
    Criteria,
    Definition,
    Endpoint,
    IndexEntry,
    Webhook,
)
from webhooks.ports import CorruptError

DEFINITIONS = 512  # remembered by their text: a webhook is read for each batch that has its deliveries
OPTIONAL = ("credentialSecret", "credentialVersion", "disabledReason")
_UNREADABLE = (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError)


def webhook_attributes(webhook: Webhook) -> Item:
    """Return all attributes of a webhook but its key; those of OPTIONAL that it has not are left out."""
    attributes: Item = {
        "webhookId": {"S": webhook.id},
        "revision": {"N": str(webhook.revision)},
        "createdAt": {"N": str(webhook.created_at)},
        "disabled": {"BOOL": webhook.definition.disabled},
        "secretVersion": {"N": str(webhook.secret_version)},
        "definition": {"S": definition_text(webhook.definition)},
    }
    if webhook.credential is not None:
        attributes["credentialSecret"] = {"S": webhook.credential.secret_name}
        attributes["credentialVersion"] = {"S": webhook.credential.version_id}
    if webhook.disabled_reason is not None:
        attributes["disabledReason"] = {"S": webhook.disabled_reason}
    return attributes


def webhook_from(item: Item, scope: Scope) -> Webhook:
    """Read a webhook. Raises CorruptError."""
    try:
        secret = item.get("credentialSecret")
        reason = item.get("disabledReason")
        return Webhook(
            id=item["webhookId"]["S"],
            scope=scope,
            definition=_definition(item["definition"]["S"], item["disabled"]["BOOL"]),
            created_at=int(item["createdAt"]["N"]),
            revision=int(item["revision"]["N"]),
            credential=CredentialRef(secret["S"], item["credentialVersion"]["S"]) if secret else None,
            secret_version=int(item["secretVersion"]["N"]),
            disabled_reason=reason["S"] if reason else None,
            slow_since=int(item["slowSince"]["N"]) if "slowSince" in item else None,
        )
    except _UNREADABLE:
        place = item.get("sk", {}).get("S", "?")
        raise CorruptError(
            f"the stored webhook {place} of {scope.tenant_id}/{scope.community_id} cannot be read"
        ) from None


def entry_attributes(webhook: Webhook) -> Item:
    """Return the attributes of a webhook's index entries: the same for every event name."""
    return {
        "webhookId": {"S": webhook.id},
        "criteria": {"S": webhook.definition.criteria.value},
        "query": {"S": write_json([dict(conditions) for conditions in webhook.definition.query])},
    }


def entry_from(item: Item) -> IndexEntry:
    """Read an index entry. Raises CorruptError."""
    try:
        query = tuple(
            _object(conditions) for conditions in json.loads(item["query"]["S"], parse_float=Decimal)
        )
        return IndexEntry(
            item["webhookId"]["S"], Criteria(item["criteria"]["S"]), query, sequence=int(item["sk"]["S"])
        )
    except _UNREADABLE:
        place = item.get("pk", {}).get("S", "?")
        raise CorruptError(f"an index entry of {place} cannot be read") from None


def definition_text(definition: Definition) -> str:
    """Write what a tenant says of a webhook, except for `disabled`."""
    endpoint = definition.endpoint
    return write_json(
        {
            "eventNames": definition.event_names,
            "name": definition.name,
            "api": {
                "url": endpoint.url,
                "method": endpoint.method,
                "authType": endpoint.auth_type.value,
                "oauthGrantType": endpoint.oauth_grant_type,
                "oauthTokenUrl": endpoint.oauth_token_url,
                "oauthScopes": endpoint.oauth_scopes,
            },
            "successCodes": definition.success_codes,
            "createdBy": definition.created_by,
            "tags": definition.tags,
            "query": [dict(conditions) for conditions in definition.query],
            "criteria": definition.criteria.value,
            "retryCodes": definition.retry_codes,
            "retryCount": definition.retry_count,
            "ttl": definition.ttl,
        }
    )


@lru_cache(DEFINITIONS)
def _definition(text: str, disabled: bool) -> Definition:  # noqa: FBT001 - a cache's key
    stored = json.loads(text, parse_float=Decimal)
    endpoint = stored["api"]
    return Definition(
        event_names=_texts(stored["eventNames"]),
        name=_text(stored["name"]),
        endpoint=Endpoint(
            url=_text(endpoint["url"]),
            method=_text(endpoint["method"]),
            auth_type=AuthType(endpoint["authType"]),
            oauth_grant_type=endpoint["oauthGrantType"],
            oauth_token_url=endpoint["oauthTokenUrl"],
            oauth_scopes=_texts(endpoint["oauthScopes"]),
        ),
        success_codes=tuple(int(code) for code in stored["successCodes"]),
        created_by=_text(stored["createdBy"]),
        disabled=disabled,
        tags=_texts(stored["tags"]),
        query=tuple(_object(conditions) for conditions in stored["query"]),
        criteria=Criteria(stored["criteria"]),
        retry_codes=tuple(int(code) for code in stored["retryCodes"]),
        retry_count=int(stored["retryCount"]),
        ttl=int(stored["ttl"]),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(map(_text, value))


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError
    return value
