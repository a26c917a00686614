"""Composes functions/webhooks."""

from contextlib import ExitStack
from dataclasses import dataclass

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.health_store import DynamoHealthStore
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.release_probes import item_probe, query_probe, send_probe
from webhooks.adapters.secrets_manager.credential_secrets import binding
from webhooks.adapters.sqs.recovery_queue import SqsRecoveryQueue
from webhooks.bootstrap.access import authenticator
from webhooks.bootstrap.aws_app import AwsApp, open_clients
from webhooks.bootstrap.guard import egress_guard
from webhooks.bootstrap.health import endpoint_health
from webhooks.bootstrap.keys import service_key_store, webhook_master
from webhooks.bootstrap.runtime import clock, random_bytes, start
from webhooks.bootstrap.storage import credential_probes, credential_store, subscription_store
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.entrypoints.api.webhook_responses import WebhookResponses
from webhooks.services.endpoint_health import EndpointHealth
from webhooks.services.webhook_pages import WebhookPages
from webhooks.services.webhook_secrets import WebhookSecrets
from webhooks.services.webhooks import Webhooks
from webhooks.settings import WebhooksSettings


@dataclass(frozen=True, kw_only=True)
class WebhooksApp(AwsApp):
    authenticator: Authenticator
    webhooks: Webhooks
    secrets: WebhookSecrets
    pages: WebhookPages
    health: EndpointHealth
    responses: WebhookResponses


def compose(settings: WebhooksSettings | None = None, aws: AwsClients | None = None) -> WebhooksApp:
    settings, opened = start(WebhooksSettings, settings), ExitStack()
    aws = open_clients(opened, aws)
    tags = binding(table=settings.subscriptions_table, stack=settings.stack_id)
    subscriptions = subscription_store(settings, aws)
    health_store = DynamoHealthStore(Table(aws, settings.subscriptions_table))
    credentials = credential_store(
        settings, aws, kms_key_id=settings.kms_key_id, seals=settings.seals_credentials, tags=tags
    )
    return WebhooksApp(
        aws=aws,
        opened=opened,
        probes={
            "service keys": service_key_store(settings, aws).read_now,
            "master of webhooks' secrets": webhook_master(settings, aws).read,
            "subscriptions table": item_probe(aws, settings.subscriptions_table),
            "access table": item_probe(aws, settings.access_table, sort_key=False),
            "delivery log": query_probe(aws, settings.deliveries_table),
            "recovery queue": send_probe(aws, settings.recovery_queue_url),
            **credential_probes(settings, aws, seals=settings.seals_credentials),
        },
        authenticator=authenticator(settings, aws, service_keys=service_key_store(settings, aws)),
        webhooks=Webhooks(
            subscriptions=subscriptions,
            credentials=credentials,
            guard=egress_guard(settings),
            recovery=SqsRecoveryQueue(aws, settings.recovery_queue_url),
            clock=clock,
            webhooks_per_community=settings.webhooks_per_community,
        ),
        secrets=WebhookSecrets(subscriptions, clock=clock),
        pages=WebhookPages(subscriptions=subscriptions, health=health_store, credentials=credentials),
        health=endpoint_health(settings, aws),
        responses=WebhookResponses(master=webhook_master(settings, aws), random_bytes=random_bytes),
    )
