"""Builds the stores of webhooks and of their credentials."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.credential_forms import CredentialForms
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.kms.credential_seal import KmsCredentialSeal
from webhooks.adapters.kms.release_probes import open_probe, seal_probe
from webhooks.adapters.secrets_manager.credential_secrets import webhook_of
from webhooks.adapters.secrets_manager.credentials import SecretCredentials
from webhooks.bootstrap.runtime import clock, random_bytes
from webhooks.ports import Probe
from webhooks.settings import CredentialSettings, SubscriptionSettings


def subscription_store(settings: SubscriptionSettings, aws: AwsClients) -> DynamoSubscriptions:
    tables = Tables(subscriptions=settings.subscriptions_table, access=settings.access_table)
    return DynamoSubscriptions(aws, tables, clock=clock, random_bytes=random_bytes)


def credential_store(
    settings: CredentialSettings,
    aws: AwsClients,
    *,
    kms_key_id: str = "",
    seals: bool = False,
    tags: Mapping[str, str] = MappingProxyType({}),
) -> CredentialForms:
    """Return the store of credentials. `seals`: it seals those that it writes.

    `kms_key_id`: of these and of its new secrets; `tags`: of the latter.
    """
    secrets = SecretCredentials(
        aws,
        prefix=settings.credentials_prefix,
        kms_key_id=kms_key_id,
        clock=clock,
        random_bytes=random_bytes,
        tags=tags,
    )
    seal = KmsCredentialSeal(aws, key_id=kms_key_id, clock=clock, random_bytes=random_bytes)
    named = partial(webhook_of, prefix=settings.credentials_prefix)
    return CredentialForms(secrets, seal, seals=seals, webhook_of=named)


def credential_probes(
    settings: CredentialSettings, aws: AwsClients, *, seals: bool = False
) -> dict[str, Probe]:
    """Return the probes of the key that credentials are sealed under; none without a key of the stack.

    The permission to open is probed whatever the form of new credentials is: earlier ones may be sealed.
    """
    if not settings.kms_key_id:
        return {}
    opening: dict[str, Probe] = {"opening of credentials": open_probe(aws, settings.kms_key_id)}
    return opening | ({"sealing of credentials": seal_probe(aws, settings.kms_key_id)} if seals else {})
