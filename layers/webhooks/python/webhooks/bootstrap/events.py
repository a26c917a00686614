"""Composes functions/events."""

from contextlib import ExitStack
from dataclasses import dataclass

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.release_probes import item_probe, send_probe
from webhooks.adapters.sqs.event_publisher import SqsEventPublisher
from webhooks.bootstrap.access import authenticator
from webhooks.bootstrap.aws_app import AwsApp, open_clients
from webhooks.bootstrap.keys import service_key_store
from webhooks.bootstrap.runtime import clock, start
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.services.publishing import Publishing
from webhooks.settings import EventsSettings


@dataclass(frozen=True, kw_only=True)
class EventsApp(AwsApp):
    authenticator: Authenticator
    publishing: Publishing


def compose(settings: EventsSettings | None = None, aws: AwsClients | None = None) -> EventsApp:
    settings, opened = start(EventsSettings, settings), ExitStack()
    aws = open_clients(opened, aws)
    return EventsApp(
        aws=aws,
        opened=opened,
        probes={
            "service keys": service_key_store(settings, aws).read_now,
            "access table": item_probe(aws, settings.access_table, sort_key=False),
            "events queue": send_probe(aws, settings.events_queue_url),
        },
        authenticator=authenticator(settings, aws, service_keys=service_key_store(settings, aws)),
        publishing=Publishing(publisher=SqsEventPublisher(aws, settings.events_queue_url), clock=clock),
    )
