"""Composes functions/events."""

from contextlib import ExitStack
from dataclasses import dataclass

from webhooks.adapters.aws.clients import AwsClients
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
        authenticator=authenticator(settings, aws, service_keys=service_key_store(settings, aws)),
        publishing=Publishing(publisher=SqsEventPublisher(aws, settings.events_queue_url), clock=clock),
    )
