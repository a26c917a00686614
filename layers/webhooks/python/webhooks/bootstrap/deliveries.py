"""Composes functions/deliveries."""

from contextlib import ExitStack
from dataclasses import dataclass

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.delivery_log_reader import DynamoDeliveryLogReader
from webhooks.bootstrap.access import authenticator
from webhooks.bootstrap.aws_app import AwsApp, open_clients
from webhooks.bootstrap.keys import service_key_store
from webhooks.bootstrap.runtime import start
from webhooks.bootstrap.storage import subscription_store
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.services.delivery_log import DeliveryLogs
from webhooks.settings import DeliveriesSettings


@dataclass(frozen=True, kw_only=True)
class DeliveriesApp(AwsApp):
    authenticator: Authenticator
    log: DeliveryLogs


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
    )
