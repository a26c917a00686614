"""Composes functions/deliveries."""

from contextlib import ExitStack
from dataclasses import dataclass

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.communities import DynamoCommunities
from webhooks.adapters.dynamodb.delivery_log_reader import DynamoDeliveryLogReader
from webhooks.adapters.dynamodb.health_store import DynamoHealthStore
from webhooks.adapters.dynamodb.rate_limiter import DynamoRateLimiter
from webhooks.adapters.dynamodb.replays import DynamoReplays
from webhooks.adapters.dynamodb.subscription_index import DynamoSubscriptionIndex
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.release_probes import item_probe, query_probe, send_probe
from webhooks.adapters.sqs.recovery_queue import SqsRecoveryQueue
from webhooks.bootstrap.access import authenticator
from webhooks.bootstrap.aws_app import AwsApp, open_clients
from webhooks.bootstrap.health import endpoint_health
from webhooks.bootstrap.keys import service_key_store
from webhooks.bootstrap.runtime import clock, random_bytes, start
from webhooks.bootstrap.storage import subscription_store
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.ports import Communities
from webhooks.services.delivery_log import DeliveryLogs
from webhooks.services.endpoint_health import EndpointHealth
from webhooks.services.explanation import Explanations
from webhooks.services.replays import TenantReplays
from webhooks.settings import DeliveriesSettings


@dataclass(frozen=True, kw_only=True)
class DeliveriesApp(AwsApp):
    authenticator: Authenticator
    log: DeliveryLogs
    replays: TenantReplays
    health: EndpointHealth
    communities: Communities
    explanations: Explanations


def compose(settings: DeliveriesSettings | None = None, aws: AwsClients | None = None) -> DeliveriesApp:
    settings, opened = start(DeliveriesSettings, settings), ExitStack()
    aws = open_clients(opened, aws)
    subscriptions = subscription_store(settings, aws)
    subscriptions_table = Table(aws, settings.subscriptions_table)
    log = DynamoDeliveryLogReader(aws, settings.deliveries_table)
    return DeliveriesApp(
        aws=aws,
        opened=opened,
        probes={
            "service keys": service_key_store(settings, aws).read_now,
            "subscriptions table": item_probe(aws, settings.subscriptions_table),
            "access table": item_probe(aws, settings.access_table, sort_key=False),
            "delivery log": query_probe(aws, settings.deliveries_table),
            "recovery queue": send_probe(aws, settings.recovery_queue_url),
        },
        authenticator=authenticator(settings, aws, service_keys=service_key_store(settings, aws)),
        log=DeliveryLogs(log=log, subscriptions=subscriptions),
        replays=TenantReplays(
            replays=DynamoReplays(Table(aws, settings.deliveries_table)),
            log=log,
            subscriptions=subscriptions,
            queue=SqsRecoveryQueue(aws, settings.recovery_queue_url),
            limiter=DynamoRateLimiter(Table(aws, settings.deliveries_table)),
            clock=clock,
            random_bytes=random_bytes,
        ),
        explanations=Explanations(
            index=DynamoSubscriptionIndex(subscriptions_table),
            subscriptions=subscriptions,
            health=DynamoHealthStore(subscriptions_table),
            log=log,
        ),
        health=endpoint_health(settings, aws),
        communities=DynamoCommunities(Table(aws, settings.subscriptions_table)),
    )
