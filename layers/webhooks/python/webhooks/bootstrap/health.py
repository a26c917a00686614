"""Builds what shows the health of endpoints."""

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.delivery_log_reader import DynamoDeliveryLogReader
from webhooks.adapters.dynamodb.health_store import DynamoHealthStore
from webhooks.adapters.dynamodb.table import Table
from webhooks.bootstrap.runtime import clock
from webhooks.bootstrap.storage import subscription_store
from webhooks.services.endpoint_health import EndpointHealth
from webhooks.settings import DeliveriesSettings, WebhooksSettings


def endpoint_health(settings: WebhooksSettings | DeliveriesSettings, aws: AwsClients) -> EndpointHealth:
    return EndpointHealth(
        subscriptions=subscription_store(settings, aws),
        health=DynamoHealthStore(Table(aws, settings.subscriptions_table)),
        log=DynamoDeliveryLogReader(aws, settings.deliveries_table),
        clock=clock,
    )
