"""Composes functions/dispatcher."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from webhooks.adapters.aws.clients import NEEDED_SECONDS, AwsClients
from webhooks.adapters.dynamodb.batch_reader import DynamoBatchReader
from webhooks.adapters.dynamodb.delivery_log import DynamoDeliveryLog
from webhooks.adapters.dynamodb.health_store import DynamoHealthStore
from webhooks.adapters.dynamodb.rate_limiter import DynamoRateLimiter
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.http.client import CurlHttpClient
from webhooks.adapters.http.oauth_tokens import OAuthTokens
from webhooks.adapters.release_probes import batch_probe, send_probe
from webhooks.adapters.secrets_manager.credentials import READERS
from webhooks.adapters.sqs.delivery_queues import SqsDeliveryQueue
from webhooks.adapters.sqs.event_publisher import SqsEventPublisher
from webhooks.adapters.sqs.recovery_queue import SqsRecoveryQueue
from webhooks.bootstrap.aws_app import AwsApp, open_clients
from webhooks.bootstrap.guard import egress_guard
from webhooks.bootstrap.keys import secret_reader, service_key_store, signing_key_store, webhook_master
from webhooks.bootstrap.runtime import clock, invocation, start
from webhooks.bootstrap.storage import credential_probes, credential_store, subscription_store
from webhooks.domain.health_rules import HealthRules
from webhooks.entrypoints.batch_metrics import report_dispatch
from webhooks.ports import HttpClient
from webhooks.services.dispatch.attempt import Attempts
from webhooks.services.dispatch.callback_request import CallbackSigner
from webhooks.services.dispatch.decision import DecisionRules
from webhooks.services.dispatch.gone_endpoints import GoneEndpoints
from webhooks.services.dispatch.health_keeper import HealthKeeper
from webhooks.services.dispatch.loading import Loader
from webhooks.services.dispatch.pipeline import Dispatcher
from webhooks.services.dispatch.rate_limits import RateLimits
from webhooks.services.dispatch.settlement import Settlement
from webhooks.services.dispatch.webhook_cache import WebhookCache, cache_seconds
from webhooks.settings import DispatcherSettings

# Of an invocation: a settlement's calls where AWS answers, and the time without which no call begins.
SETTLING_SECONDS = NEEDED_SECONDS + 2


@dataclass(frozen=True, kw_only=True)
class DispatcherApp(AwsApp):
    """The dispatcher, its HTTP client, the signer of its callbacks, and the URL of the slow lane's queue."""

    dispatcher: Dispatcher
    http: HttpClient
    signer: CallbackSigner
    slow_queue_url: str


def compose(
    settings: DispatcherSettings | None = None,
    aws: AwsClients | None = None,
    *,
    http: HttpClient | None = None,
) -> DispatcherApp:
    settings, opened = start(DispatcherSettings, settings), ExitStack()
    aws = open_clients(opened, aws)
    if http is None:
        http = opened.enter_context(CurlHttpClient(egress_guard(settings), clock=clock))
    queue = SqsDeliveryQueue(
        aws,
        fast_url=settings.deliveries_queue_url,
        slow_url=settings.slow_deliveries_queue_url,
        dead_letter_url=settings.deliveries_dlq_url,
    )
    secrets, seconds = secret_reader(aws), settings.key_cache_seconds
    signer = CallbackSigner(
        service=service_key_store(settings, aws, seconds=seconds, reader=secrets),
        signing=signing_key_store(settings, aws, seconds=seconds, reader=secrets),
        master=webhook_master(settings, aws, reader=secrets),
    )
    subscriptions = subscription_store(settings, aws)
    recovery = SqsRecoveryQueue(aws, settings.recovery_queue_url)
    publisher = SqsEventPublisher(aws, settings.events_queue_url)
    cache = WebhookCache(
        seconds=cache_seconds(settings.webhook_cache_seconds, breaker_seconds=settings.breaker_seconds),
        clock=clock,
    )
    workers = opened.enter_context(ThreadPoolExecutor(READERS, thread_name_prefix="credentials"))
    dispatcher = Dispatcher(
        loader=Loader(
            signer=signer,
            reader=DynamoBatchReader(
                aws, subscriptions=settings.subscriptions_table, deliveries=settings.deliveries_table
            ),
            cache=cache,
            credentials=credential_store(settings, aws),
            workers=workers,
        ),
        signer=signer,
        attempts=Attempts(
            tokens=OAuthTokens(clock), monotonic=time.monotonic, default_ttl=settings.default_ttl
        ),
        http=http,
        queue=queue,
        rate_limits=RateLimits(
            DynamoRateLimiter(Table(aws, settings.deliveries_table)), clock=clock, workers=workers
        ),
        settlement=Settlement(
            queue=queue,
            log=DynamoDeliveryLog(
                aws,
                settings.deliveries_table,
                days=settings.attempt_log_days,
                keep_all_payloads=settings.keep_all_payloads,
            ),
            clock=clock,
        ),
        background=opened.enter_context(ThreadPoolExecutor(1, thread_name_prefix="settlement")),
        health=HealthKeeper(
            DynamoHealthStore(Table(aws, settings.subscriptions_table)),
            subscriptions,
            recovery=recovery,
            publisher=publisher,
            cache=cache,
            clock=clock,
            rules=HealthRules(
                breaker_failures=settings.breaker_failures,
                breaker_seconds=settings.breaker_seconds,
                probe_seconds=settings.probe_seconds,
            ),
            slow_from=settings.fast_lane_seconds,
        ),
        gone=GoneEndpoints(
            subscriptions,
            recovery=recovery,
            publisher=publisher,
            cache=cache,
            clock=clock,
            time_left=invocation.left,
        ),
        monotonic=time.monotonic,
        clock=clock,
        rng=random.random,
        rules=DecisionRules(delays=settings.retry_delays, recovers=settings.recover_deliveries),
        fast_seconds=settings.fast_lane_seconds,
        time_left=invocation.left,
        settling_seconds=SETTLING_SECONDS,
        report=report_dispatch,
    )
    return DispatcherApp(
        aws=aws,
        opened=opened,
        probes={
            "keys": signer.refresh,
            "subscriptions table": batch_probe(aws, settings.subscriptions_table),
            "delivery log": batch_probe(aws, settings.deliveries_table),
            "slow lane": send_probe(aws, settings.slow_deliveries_queue_url),
            "deliveries DLQ": send_probe(aws, settings.deliveries_dlq_url),
            "recovery queue": send_probe(aws, settings.recovery_queue_url),
            "events queue": send_probe(aws, settings.events_queue_url),
            **credential_probes(settings, aws),
        },
        dispatcher=dispatcher,
        http=http,
        signer=signer,
        slow_queue_url=settings.slow_deliveries_queue_url,
    )
