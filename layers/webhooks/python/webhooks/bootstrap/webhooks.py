"""Composes functions/webhooks: DynamoDB, Secrets Manager and the address guard."""

from webhooks.adapters.aws import AwsClients
from webhooks.adapters.credential_secrets import binding
from webhooks.adapters.credentials import SecretCredentials
from webhooks.adapters.egress import EgressGuard
from webhooks.adapters.key_store import SecretMaster
from webhooks.adapters.subscription_changes import Tables
from webhooks.adapters.subscriptions import DynamoSubscriptions
from webhooks.bootstrap import runtime
from webhooks.bootstrap.access import compose_access, compose_service_keys
from webhooks.domain.addresses import parse_policy
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
        guard=EgressGuard(
            parse_policy(
                allow_http=settings.allow_http_endpoints,
                ports=settings.allowed_ports,
                networks=settings.allowed_networks,
            )
        ),
        clock=clock,
        webhooks_per_community=settings.webhooks_per_community,
    )
    answers = Answers(master=SecretMaster(aws, settings.webhook_master_secret, clock=clock), entropy=entropy)
    access = compose_access(settings, aws, compose_service_keys(settings, aws))
    communities = Communities(access, clock=clock, allowed_time_span=settings.allowed_time_span)
    return communities, registration, answers
