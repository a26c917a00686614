"""Composes functions/discovery: public keys, and a probe of each AWS service that the deployment needs."""

from contextlib import ExitStack
from dataclasses import dataclass

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.items import key
from webhooks.adapters.health_probes import queues_probe, secrets_probe, tables_probe
from webhooks.bootstrap.aws_app import AwsApp, open_clients
from webhooks.bootstrap.keys import service_key_store, signing_key_store
from webhooks.bootstrap.runtime import clock, start
from webhooks.entrypoints.api.discovery_responses import DeploymentInfo
from webhooks.services.discovery import Discovery
from webhooks.settings import DiscoverySettings


@dataclass(frozen=True, kw_only=True)
class DiscoveryApp(AwsApp):
    discovery: Discovery
    info: DeploymentInfo


def compose(settings: DiscoverySettings | None = None, aws: AwsClients | None = None) -> DiscoveryApp:
    settings, opened = start(DiscoverySettings, settings), ExitStack()
    aws = open_clients(opened, aws)
    tables = {
        settings.subscriptions_table: key("probe", "probe"),
        settings.deliveries_table: key("probe", "probe"),
        settings.access_table: key("probe"),
    }
    queues = (
        settings.events_queue_url,
        settings.deliveries_queue_url,
        settings.slow_deliveries_queue_url,
        settings.recovery_queue_url,
    )
    probes = {
        "dynamodb": tables_probe(aws, tables),
        "sqs": queues_probe(aws, queues),
        "secrets manager": secrets_probe(aws, (settings.service_keys_secret, settings.signing_keys_secret)),
    }
    discovery = Discovery(
        service_keys=service_key_store(settings, aws),
        signing_keys=signing_key_store(settings, aws),
        probes=probes,
        clock=clock,
    )
    info = DeploymentInfo(
        curve_name=settings.curve.value,
        allowed_time_span=settings.allowed_time_span,
        region=settings.region,
        stage=settings.stage,
        service_directory=settings.service_directory,
        webhooks_per_community=settings.webhooks_per_community,
    )
    return DiscoveryApp(aws=aws, opened=opened, probes=probes, discovery=discovery, info=info)
