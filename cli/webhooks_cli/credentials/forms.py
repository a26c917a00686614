"""Items of webhooks by the form of their credential. These are copies of the service's rules."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

from webhooks_cli.backup.webhook_items import COMMUNITY, CREDENTIAL, Item, path_of, without

SECRET, VERSION, SEALED = "credentialSecret", "credentialVersion", "credentialSealed"
FORM = "v"  # of the item: 2 where its credential is sealed, absent else
SEALED_FORM = {"N": "2"}
TABLE_FORM, SECRET_FORM = "table", "secrets-manager"  # the forms, as the command names them
LARGEST = 65_536  # bytes of a credential's text
PARAMETER = {"Table": TABLE_FORM, "SecretsManager": SECRET_FORM}  # of CredentialStore


def form_of(item: Mapping[str, Any]) -> "str | None":
    """Return the form of a webhook's credential; None where it has none."""
    if SEALED in item:
        return TABLE_FORM
    return SECRET_FORM if SECRET in item else None


def place_of(item: Mapping[str, Any]) -> str:
    """Return a webhook as people name it: tenant/community/id."""
    return path_of({"webhookId": {"S": "?"}, **item})


def context_of(item: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return tenant, community and webhook."""
    tenant, community = item["pk"]["S"][len(COMMUNITY) :].split("#")
    return tenant, community, item["webhookId"]["S"]


def with_sealed(item: Mapping[str, Any], sealed: str) -> Item:
    """Return a webhook with a sealed credential in place of another."""
    return {**without(item, SECRET, VERSION), SEALED: {"S": sealed}, FORM: SEALED_FORM}


def with_secret(item: Mapping[str, Any], name: str, version: str) -> Item:
    """Return a webhook with the version of a secret in place of another credential."""
    dropped = (SEALED, FORM) if SEALED in item else ()
    return {**without(item, *dropped), SECRET: {"S": name}, VERSION: {"S": version}}


def as_secret(item: Mapping[str, Any]) -> Item:
    """Return a webhook as it would name its credential in a secret: files of backups have this form alone.

    The names of a sealed one derive from its text, so that each copy of it has the same.
    """
    if SEALED not in item:
        return dict(item)
    digest = sha256(item[SEALED]["S"].encode()).digest()
    return with_secret(item, f"{path_of(item)}-{digest[:4].hex()}", str(UUID(bytes=digest[16:], version=4)))


def problem_of(text: "str | None") -> "str | None":
    """Say what is wrong with a stored credential; None where it is one. Nothing of it is shown."""
    if text is None:
        return "its secret is gone, or its sealed text does not open"
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    texts = without(values, FORM).values() if isinstance(values, dict) else [None]
    if not all(isinstance(each, str) for each in texts):
        return "what is stored is no credential"
    if isinstance(values, dict) and values.get(FORM, 1) != 1:
        return "its credential has the form of a later release"
    return None if len(text.encode("utf-8", "surrogatepass")) <= LARGEST else "its credential is too large"


def credential_update(before: Mapping[str, Any], after: Mapping[str, Any], **more: Any) -> Item:
    """Return the parts of an update that gives a webhook another credential, where it has the one before.

    `more`: other attributes, each with its value; the webhook must have their values before.
    """
    names = (*CREDENTIAL, FORM)
    values = {name: after[name] for name in names if name in after} | more
    kept = {name: before[name] for name in (*CREDENTIAL, *more) if name in before}
    removed = [name for name in names if name in before and name not in after]
    expression = "SET " + ", ".join(f"#{name} = :{name}" for name in values)
    if removed:
        expression += " REMOVE " + ", ".join(f"#{name}" for name in removed)
    return {
        "UpdateExpression": expression,
        "ConditionExpression": " AND ".join(f"#{name} = :before_{name}" for name in kept),
        "ExpressionAttributeNames": {f"#{name}": name for name in {*values, *kept, *removed}},
        "ExpressionAttributeValues": {
            **{f":{name}": value for name, value in values.items()},
            **{f":before_{name}": value for name, value in kept.items()},
        },
    }
