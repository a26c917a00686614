"""Composes functions/discovery: public keys, and a probe of everything that the service needs."""

from functools import partial

from webhooks.adapters.aws import AwsClients
from webhooks.adapters.items import key
from webhooks.adapters.key_store import SecretKeyStore
from webhooks.adapters.probes import queues_probe, secrets_probe, tables_probe
from webhooks.bootstrap import runtime
from webhooks.domain.keyring import content_keys, service_keys
from webhooks.entrypoints.discovery import Facts
from webhooks.services.discovery import Discovery
from webhooks.settings import DiscoverySettings


def compose() -> tuple[Discovery, Facts]:
    """Return what the routes need."""
    runtime.log()
    settings, aws, clock = (
        DiscoverySettings.load(),
        AwsClients(time_left=runtime.invocation.left),
        runtime.clock,
    )
    parse_service_keys = partial(service_keys, curve=settings.curve)
    use_case = Discovery(
        service_keys=SecretKeyStore(aws, settings.service_keys_secret, parse=parse_service_keys, clock=clock),
        content_keys=SecretKeyStore(aws, settings.signing_keys_secret, parse=content_keys, clock=clock),
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
        clock=clock,
    )
    facts = Facts(
        curve_name=settings.curve.value,
        allowed_time_span=settings.allowed_time_span,
        region=settings.region,
        stage=settings.stage,
        service_directory=settings.service_directory,
        webhooks_per_community=settings.webhooks_per_community,
    )
    return use_case, facts
