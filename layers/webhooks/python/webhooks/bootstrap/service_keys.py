"""Composes functions/service_keys: both sets of key pairs, and the authentication of their callers."""

from contextlib import ExitStack
from dataclasses import dataclass

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.release_probes import item_probe
from webhooks.bootstrap.access import authenticator
from webhooks.bootstrap.aws_app import AwsApp, open_clients
from webhooks.bootstrap.keys import service_key_store, signing_key_store
from webhooks.bootstrap.runtime import clock, random_bytes, start
from webhooks.domain.keyring import notice
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.entrypoints.api.service_key_responses import ServiceKeyResponses
from webhooks.services.service_keys import SERVICE, SIGNING, ServiceKeys
from webhooks.settings import ServiceKeysSettings


@dataclass(frozen=True, kw_only=True)
class ServiceKeysApp(AwsApp):
    authenticator: Authenticator
    service_keys: ServiceKeys
    responses: ServiceKeyResponses


def compose(settings: ServiceKeysSettings | None = None, aws: AwsClients | None = None) -> ServiceKeysApp:
    settings, opened = start(ServiceKeysSettings, settings), ExitStack()
    aws = open_clients(opened, aws)
    service = service_key_store(settings, aws)
    return ServiceKeysApp(
        aws=aws,
        opened=opened,
        probes={
            "service keys": service_key_store(settings, aws).read_now,
            "signing keys": signing_key_store(settings, aws).read_now,
            "access table": item_probe(aws, settings.access_table, sort_key=False),
        },
        authenticator=authenticator(settings, aws, service_keys=service),
        service_keys=ServiceKeys(
            {SERVICE: service, SIGNING: signing_key_store(settings, aws)},
            clock=clock,
            random_bytes=random_bytes,
            grace=settings.key_grace_seconds,
            notice=notice(settings.key_cache_seconds),
        ),
        responses=ServiceKeyResponses(random_bytes=random_bytes),
    )
