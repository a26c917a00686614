"""Composes functions/test_event."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.batch_reader import DynamoBatchReader
from webhooks.adapters.dynamodb.delivery_log import DynamoDeliveryLog
from webhooks.adapters.dynamodb.rate_limiter import DynamoRateLimiter
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.http.client import CurlHttpClient
from webhooks.adapters.http.oauth_tokens import OAuthTokens
from webhooks.adapters.release_probes import batch_probe, item_probe
from webhooks.bootstrap.access import authenticator
from webhooks.bootstrap.aws_app import AwsApp, open_clients
from webhooks.bootstrap.guard import egress_guard
from webhooks.bootstrap.keys import service_key_store, signing_key_store, webhook_master
from webhooks.bootstrap.runtime import clock, random_bytes, start
from webhooks.bootstrap.storage import credential_probes, credential_store
from webhooks.entrypoints.api.authenticator import Authenticator
from webhooks.ports import HttpClient
from webhooks.services.dispatch.attempt import Attempts
from webhooks.services.dispatch.callback_request import CallbackSigner
from webhooks.services.dispatch.loading import Loader
from webhooks.services.test_event import WebhookTests
from webhooks.settings import TestEventSettings


@dataclass(frozen=True, kw_only=True)
class TestEventApp(AwsApp):
    authenticator: Authenticator
    tests: WebhookTests


def compose(
    settings: TestEventSettings | None = None,
    aws: AwsClients | None = None,
    *,
    http: HttpClient | None = None,
) -> TestEventApp:
    settings, opened = start(TestEventSettings, settings), ExitStack()
    aws = open_clients(opened, aws)
    if http is None:
        http = opened.enter_context(CurlHttpClient(egress_guard(settings), clock=clock))
    service_keys = service_key_store(settings, aws)
    reader = DynamoBatchReader(
        aws, subscriptions=settings.subscriptions_table, deliveries=settings.deliveries_table
    )
    signer = CallbackSigner(
        service=service_keys,
        signing=signing_key_store(settings, aws),
        master=webhook_master(settings, aws),
    )
    return TestEventApp(
        aws=aws,
        opened=opened,
        probes={
            "service keys": service_key_store(settings, aws).read_now,
            "signing keys": signing_key_store(settings, aws).read_now,
            "master of webhooks' secrets": webhook_master(settings, aws).read,
            "subscriptions table": batch_probe(aws, settings.subscriptions_table),
            "access table": item_probe(aws, settings.access_table, sort_key=False),
            **credential_probes(settings, aws),
        },
        authenticator=authenticator(settings, aws, service_keys=service_keys),
        tests=WebhookTests(
            reader=reader,
            loader=Loader(
                signer=signer,
                reader=reader,
                credentials=credential_store(settings, aws),
                workers=opened.enter_context(ThreadPoolExecutor(1, thread_name_prefix="credentials")),
            ),
            signer=signer,
            attempts=Attempts(
                tokens=OAuthTokens(clock), monotonic=time.monotonic, default_ttl=settings.default_ttl
            ),
            http=http,
            log=DynamoDeliveryLog(aws, settings.deliveries_table, days=settings.attempt_log_days),
            limiter=DynamoRateLimiter(Table(aws, settings.deliveries_table)),
            clock=clock,
            random_bytes=random_bytes,
        ),
    )
