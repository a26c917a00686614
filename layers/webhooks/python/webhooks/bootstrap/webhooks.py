"""Composes functions/webhooks: DynamoDB, Secrets Manager and the address guard."""

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.secrets_manager.credential_secrets import binding
from webhooks.adapters.secrets_manager.credentials import SecretCredentials
from webhooks.adapters.secrets_manager.key_store import SecretMaster
from webhooks.bootstrap import runtime
from webhooks.bootstrap.access import compose_access
from webhooks.bootstrap.egress import compose_guard
from webhooks.bootstrap.keys import compose_service_keys
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.entrypoints.api.webhook_responses import WebhookResponses
from webhooks.services.webhooks import Webhooks
from webhooks.settings import WebhooksSettings


def compose() -> tuple[Authenticator, Webhooks, WebhookResponses]:
    """Return what the routes need."""
    runtime.log()
    settings, aws = WebhooksSettings.load(), AwsClients(time_left=runtime.invocation.left)
    clock, random_bytes = runtime.clock, runtime.random_bytes
    use_cases = Webhooks(
        subscriptions=DynamoSubscriptions(
            aws,
            Tables(subscriptions=settings.subscriptions_table, access=settings.access_table),
            clock=clock,
            random_bytes=random_bytes,
        ),
        credentials=SecretCredentials(
            aws,
            prefix=settings.credentials_prefix,
            kms_key_id=settings.kms_key_id,
            clock=clock,
            random_bytes=random_bytes,
            tags=binding(table=settings.subscriptions_table, stack=settings.stack_id),
        ),
        guard=compose_guard(settings),
        clock=clock,
        webhooks_per_community=settings.webhooks_per_community,
    )
    responses = WebhookResponses(
        master=SecretMaster(aws, settings.webhook_master_secret, clock=clock), random_bytes=random_bytes
    )
    keys = compose_service_keys(aws, settings.service_keys_secret, settings.curve)
    return compose_access(settings, aws, keys), use_cases, responses
