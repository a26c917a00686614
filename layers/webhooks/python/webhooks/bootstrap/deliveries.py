"""Composes functions/deliveries."""

from contextlib import ExitStack
from dataclasses import dataclass

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.communities import DynamoCommunities
from webhooks.adapters.dynamodb.delivery_log_reader import DynamoDeliveryLogReader
from webhooks.adapters.dynamodb.table import Table
from webhooks.bootstrap.access import authenticator
from webhooks.bootstrap.aws_app import AwsApp, open_clients
from webhooks.bootstrap.keys import service_key_store
from webhooks.bootstrap.runtime import start
from webhooks.bootstrap.storage import endpoint_health, subscription_store
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.ports import Communities
from webhooks.services.delivery_log import DeliveryLogs
from webhooks.services.endpoint_health import EndpointHealth
from webhooks.settings import DeliveriesSettings


@dataclass(frozen=True, kw_only=True)
class DeliveriesApp(AwsApp):
    authenticator: Authenticator
    log: DeliveryLogs
    health: EndpointHealth
    communities: Communities


def compose(settings: DeliveriesSettings | None = None, aws: AwsClients | None = None) -> DeliveriesApp:
    settings, opened = start(DeliveriesSettings, settings), ExitStack()
    aws = open_clients(opened, aws)
    return DeliveriesApp(
        aws=aws,
        opened=opened,
        authenticator=authenticator(settings, aws, service_keys=service_key_store(settings, aws)),
        log=DeliveryLogs(
            log=DynamoDeliveryLogReader(aws, settings.deliveries_table),
            subscriptions=subscription_store(settings, aws),
        ),
        health=endpoint_health(settings, aws),
        communities=DynamoCommunities(Table(aws, settings.subscriptions_table)),
    )
