"""Composes functions/webhooks: DynamoDB, Secrets Manager and the address guard."""

from webhooks.adapters.aws import AwsClients
from webhooks.adapters.credential_secrets import binding
from webhooks.adapters.credentials import SecretCredentials
from webhooks.adapters.key_store import SecretMaster
from webhooks.adapters.subscription_changes import Tables
from webhooks.adapters.subscriptions import DynamoSubscriptions
from webhooks.bootstrap import runtime
from webhooks.bootstrap.access import compose_access
from webhooks.bootstrap.egress import compose_guard
from webhooks.bootstrap.keys import compose_service_keys
from webhooks.entrypoints.answers import Answers
from webhooks.entrypoints.community import Communities
from webhooks.services.registration import Registration
from webhooks.settings import WebhooksSettings


def compose() -> tuple[Communities, Registration, Answers]:
    """Return what the routes need."""
    runtime.log()
    settings, aws = WebhooksSettings.load(), AwsClients(time_left=runtime.invocation.left)
    clock, entropy = runtime.clock, runtime.entropy
    registration = Registration(
        subscriptions=DynamoSubscriptions(
            aws,
            Tables(subscriptions=settings.subscriptions_table, access=settings.access_table),
            clock=clock,
            entropy=entropy,
        ),
        credentials=SecretCredentials(
            aws,
            prefix=settings.credentials_prefix,
            kms_key_id=settings.kms_key_id,
            clock=clock,
            entropy=entropy,
            tags=binding(table=settings.subscriptions_table, stack=settings.stack_id),
        ),
        guard=compose_guard(settings),
        clock=clock,
        webhooks_per_community=settings.webhooks_per_community,
    )
    answers = Answers(master=SecretMaster(aws, settings.webhook_master_secret, clock=clock), entropy=entropy)
    keys = compose_service_keys(aws, settings.service_keys_secret, settings.curve)
    access = compose_access(settings, aws, keys)
    communities = Communities(access, clock=clock, allowed_time_span=settings.allowed_time_span)
    return communities, registration, answers
