"""Webhooks and index entries as items of the subscriptions table, and back.

A webhook's definition is one JSON text, of the fields of Definition and Endpoint: it keeps every number and
character that JSON can have. The service's own facts are beside it, as attributes. Unknown attributes stay.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from functools import lru_cache
from typing import Any, get_type_hints

from webhooks.adapters.dynamodb.health_items import health_from
from webhooks.adapters.dynamodb.items import Item, require_form
from webhooks.adapters.dynamodb.keys import community_pk, webhook_sk
from webhooks.domain.errors import CorruptError
from webhooks.domain.forms import INDEX_ENTRY, VERSION, WEBHOOK_ITEM
from webhooks.domain.json_text import write_json
from webhooks.domain.scope import Scope
from webhooks.domain.text import camel_case
from webhooks.domain.webhook import (
    AuthType,
    CredentialRef,
    Criteria,
    Definition,
    Endpoint,
    IndexEntry,
    OldSecret,
    SealedCredential,
    StoredCredential,
    Webhook,
    sequence_of,
)

DEFINITIONS = 512  # remembered by their text: a webhook is read for each batch that has its deliveries
SECRET, SECRET_VERSION, SEALED = "credentialSecret", "credentialVersion", "credentialSealed"
OPTIONAL = (SECRET, SECRET_VERSION, SEALED, "disabledReason", "oldSecrets", VERSION)
_UNREADABLE = (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError)

type WebhookKey = tuple[Scope, str]  # the scope and the webhook's id
type Keys = tuple[str, str]  # partition key and sort key


def keys_of(webhooks: Sequence[WebhookKey]) -> dict[WebhookKey, Keys]:
    """Return the table's key of each webhook; without those whose ids are none."""
    return {
        (scope, webhook_id): (community_pk(scope), webhook_sk(sequence))
        for scope, webhook_id in webhooks
        if (sequence := sequence_of(webhook_id)) is not None
    }


def found_webhooks(
    keys: Mapping[WebhookKey, Keys], items: Mapping[Keys, Item]
) -> dict[WebhookKey, Webhook | CorruptError]:
    """Read the webhooks among the items; an item under the same key with another id is another webhook."""
    found: dict[WebhookKey, Webhook | CorruptError] = {}
    for (scope, webhook_id), key in keys.items():
        webhook = _read(items[key], scope) if key in items else None
        if isinstance(webhook, CorruptError) or (webhook and webhook.id == webhook_id):
            found[scope, webhook_id] = webhook
    return found


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
    match webhook.credential:
        case CredentialRef(secret_name, version_id):
            attributes |= {SECRET: {"S": secret_name}, SECRET_VERSION: {"S": version_id}}
        case SealedCredential(text=text):
            attributes |= {SEALED: {"S": text}, VERSION: {"N": "2"}}
    if webhook.disabled_reason is not None:
        attributes["disabledReason"] = {"S": webhook.disabled_reason}
    if webhook.old_secrets:
        old = [[each.version, each.until] for each in webhook.old_secrets]
        attributes["oldSecrets"] = {"S": write_json(old)}
    return attributes


def webhook_from(item: Item, scope: Scope) -> Webhook:
    """Read a webhook. Raises CorruptError."""
    try:
        require_form(item, WEBHOOK_ITEM)
        reason = item.get("disabledReason")
        webhook_id = item["webhookId"]["S"]
        return Webhook(
            id=webhook_id,
            scope=scope,
            definition=_definition(item["definition"]["S"], item["disabled"]["BOOL"]),
            created_at=int(item["createdAt"]["N"]),
            revision=int(item["revision"]["N"]),
            credential=_credential(item, scope, webhook_id),
            secret_version=int(item["secretVersion"]["N"]),
            disabled_reason=reason["S"] if reason else None,
            old_secrets=_old_secrets(item),
            health=health_from(item),
        )
    except _UNREADABLE:
        sk = item.get("sk", {}).get("S", "?")
        raise CorruptError(
            f"the stored webhook {sk} of {scope.tenant_id}/{scope.community_id} cannot be read"
        ) from None


def _credential(item: Item, scope: Scope, webhook_id: str) -> StoredCredential | None:
    if SEALED in item:  # for the webhook that the item is: in another's place it does not open
        return SealedCredential(scope, webhook_id, item[SEALED]["S"])
    return CredentialRef(item[SECRET]["S"], item[SECRET_VERSION]["S"]) if SECRET in item else None


def _old_secrets(item: Item) -> tuple[OldSecret, ...]:
    stored = json.loads(item["oldSecrets"]["S"]) if "oldSecrets" in item else ()
    return tuple(OldSecret(int(version), int(until)) for version, until in stored)


def index_entries(webhook: Webhook | None) -> Mapping[str, Item]:
    """Return the attributes of a webhook's index entries, by event name."""
    if webhook is None or webhook.definition.disabled:
        return {}
    return dict.fromkeys(webhook.definition.event_names, entry_attributes(webhook))


def entry_attributes(webhook: Webhook) -> Item:
    """Return the attributes of a webhook's index entries: the same for every event name."""
    return {
        "webhookId": {"S": webhook.id},
        "criteria": {"S": webhook.definition.criteria.value},
        "query": {"S": write_json(webhook.definition.query)},
    }


def entry_from(item: Item) -> IndexEntry:
    """Read an index entry. Raises CorruptError."""
    try:
        require_form(item, INDEX_ENTRY)
        query = tuple(map(_object, json.loads(item["query"]["S"], parse_float=Decimal)))
        return IndexEntry(
            item["webhookId"]["S"], Criteria(item["criteria"]["S"]), query, sequence=int(item["sk"]["S"])
        )
    except _UNREADABLE:
        pk = item.get("pk", {}).get("S", "?")
        raise CorruptError(f"an index entry of {pk} cannot be read") from None


def definition_text(definition: Definition) -> str:
    """Write a definition, except for `disabled`."""
    values = {stored: getattr(definition, name) for name, stored, _ in _DEFINITION}
    return write_json(values | {"api": {s: getattr(definition.endpoint, name) for name, s, _ in _ENDPOINT}})


@lru_cache(DEFINITIONS)
def _definition(text: str, disabled: bool) -> Definition:  # noqa: FBT001 - a cache's key
    stored = json.loads(text, parse_float=Decimal)
    values = {name: read(stored[key]) for name, key, read in _DEFINITION if key in stored}
    return Definition(**values, disabled=disabled)


def _read(item: Item, scope: Scope) -> Webhook | CorruptError:
    try:
        return webhook_from(item, scope)
    except CorruptError as error:
        return error


def _endpoint(stored: Any) -> Endpoint:
    return Endpoint(**{name: read(stored[key]) for name, key, read in _ENDPOINT})


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


# How a field is read, by its type.
_READERS: Mapping[Any, Callable[[Any], Any]] = {
    str: _text,
    str | None: lambda value: value,
    int: int,
    bool: bool,
    int | None: lambda value: value,
    bool | None: lambda value: value,
    AuthType: AuthType,
    Criteria: Criteria,
    Endpoint: _endpoint,
    tuple[str, ...]: _texts,
    tuple[int, ...]: lambda value: tuple(map(int, value)),
    tuple[Mapping[str, Any], ...]: lambda value: tuple(map(_object, value)),
}


def _table(of: type, *, but: str = "") -> list[tuple[str, str, Callable[[Any], Any]]]:
    """Return the name, the stored name and the reader of each field."""
    types = get_type_hints(of)
    return [
        (each.name, "api" if each.name == "endpoint" else camel_case(each.name), _READERS[types[each.name]])
        for each in fields(of)
        if each.name != but
    ]


_ENDPOINT = _table(Endpoint)
_DEFINITION = _table(Definition, but="disabled")
