"""Composes functions/discovery: public keys, and a probe of everything that the service needs."""

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.items import key
from webhooks.adapters.health_probes import queues_probe, secrets_probe, tables_probe
from webhooks.bootstrap import runtime
from webhooks.bootstrap.keys import compose_content_keys, compose_service_keys
from webhooks.entrypoints.api.discovery_responses import DeploymentInfo
from webhooks.services.discovery import Discovery
from webhooks.settings import DiscoverySettings


def compose() -> tuple[Discovery, DeploymentInfo]:
    """Return what the routes need."""
    runtime.log()
    settings, aws = DiscoverySettings.load(), AwsClients(time_left=runtime.invocation.left)
    use_case = Discovery(
        service_keys=compose_service_keys(aws, settings.service_keys_secret, settings.curve),
        content_keys=compose_content_keys(aws, settings.signing_keys_secret),
        probes={
            "dynamodb": tables_probe(
                aws,
                {
                    settings.subscriptions_table: key("probe", "probe"),
                    settings.deliveries_table: key("probe", "probe"),
                    settings.access_table: key("probe"),
                },
            ),
            "sqs": queues_probe(
                aws,
                (
                    settings.events_queue_url,
                    settings.deliveries_queue_url,
                    settings.slow_deliveries_queue_url,
                ),
            ),
            "secrets manager": secrets_probe(
                aws, (settings.service_keys_secret, settings.signing_keys_secret)
            ),
        },
        clock=runtime.clock,
    )
    deployment = DeploymentInfo(
        curve_name=settings.curve.value,
        allowed_time_span=settings.allowed_time_span,
        region=settings.region,
        stage=settings.stage,
        service_directory=settings.service_directory,
        webhooks_per_community=settings.webhooks_per_community,
    )
    return use_case, deployment
