"""Builds the stores of webhooks and of their credentials."""

from collections.abc import Mapping
from types import MappingProxyType

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.secrets_manager.credentials import SecretCredentials
from webhooks.bootstrap.runtime import clock, random_bytes
from webhooks.settings import CredentialSettings, SubscriptionSettings


def subscription_store(settings: SubscriptionSettings, aws: AwsClients) -> DynamoSubscriptions:
    tables = Tables(subscriptions=settings.subscriptions_table, access=settings.access_table)
    return DynamoSubscriptions(aws, tables, clock=clock, random_bytes=random_bytes)


def credential_store(
    settings: CredentialSettings, aws: AwsClients, *, tags: Mapping[str, str] = MappingProxyType({})
) -> SecretCredentials:
    """Return the store of credentials. `tags`: of the secrets that it creates."""
    return SecretCredentials(
        aws,
        prefix=settings.credentials_prefix,
        kms_key_id=settings.kms_key_id,
        clock=clock,
        random_bytes=random_bytes,
        tags=tags,
    )
