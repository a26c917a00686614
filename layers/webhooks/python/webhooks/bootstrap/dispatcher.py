"""Composes functions/dispatcher."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

from webhooks.adapters.aws.clients import NEEDED_SECONDS, AwsClients
from webhooks.adapters.dynamodb.batch_reader import DynamoBatchReader
from webhooks.adapters.dynamodb.delivery_log import DynamoDeliveryLog
from webhooks.adapters.dynamodb.slow_marks import DynamoSlowMarks
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.http.client import CurlHttpClient
from webhooks.adapters.http.oauth_tokens import OAuthTokens
from webhooks.adapters.secrets_manager.credentials import READERS, SecretCredentials
from webhooks.adapters.secrets_manager.key_store import SecretMaster
from webhooks.adapters.sqs.delivery_queues import SqsDeliveryQueue
from webhooks.bootstrap import runtime
from webhooks.bootstrap.egress import compose_guard
from webhooks.bootstrap.keys import compose_content_keys, compose_service_keys
from webhooks.services.dispatch.attempt import Attempts
from webhooks.services.dispatch.callback_request import CallbackSigner
from webhooks.services.dispatch.loading import Loader
from webhooks.services.dispatch.pipeline import Dispatcher
from webhooks.services.dispatch.settlement import Settlement
from webhooks.services.dispatch.slow_endpoints import SlowEndpoints
from webhooks.settings import DispatcherSettings

# Of an invocation: a settlement's calls where AWS answers, and what a call needs to begin where it does not.
SETTLING_SECONDS = NEEDED_SECONDS + 2


def compose() -> tuple[Dispatcher, str]:
    """Return the use case, and the URL of the slow lane's queue."""
    runtime.log()
    clock, random_bytes, time_left = runtime.clock, runtime.random_bytes, runtime.invocation.left
    settings, aws = DispatcherSettings.load(), AwsClients(time_left=time_left)
    subscriptions = DynamoSubscriptions(
        aws,
        Tables(settings.subscriptions_table, settings.access_table),
        clock=clock,
        random_bytes=random_bytes,
    )
    log = DynamoDeliveryLog(aws, settings.deliveries_table, days=settings.attempt_log_days)
    queue = SqsDeliveryQueue(
        aws,
        fast_url=settings.deliveries_queue_url,
        slow_url=settings.slow_deliveries_queue_url,
        dead_letter_url=settings.deliveries_dlq_url,
    )
    signer = _signer(settings, aws)
    dispatch = Dispatcher(
        loader=_loader(settings, aws, signer),
        signer=signer,
        attempts=Attempts(
            tokens=OAuthTokens(clock), monotonic=time.monotonic, default_ttl=settings.default_ttl
        ),
        http=CurlHttpClient(compose_guard(settings), clock=clock),
        queue=queue,
        settlement=Settlement(
            queue=queue, log=log, subscriptions=subscriptions, clock=clock, time_left=time_left
        ),
        background=ThreadPoolExecutor(1, thread_name_prefix="settlement"),
        slow_endpoints=SlowEndpoints(
            DynamoSlowMarks(aws, settings.subscriptions_table), clock=clock, limit=settings.fast_lane_seconds
        ),
        clock=clock,
        rng=random.random,
        delays=settings.retry_delays,
        fast_seconds=settings.fast_lane_seconds,
        time_left=time_left,
        settling_seconds=SETTLING_SECONDS,
    )
    return dispatch, settings.slow_deliveries_queue_url


def _loader(settings: DispatcherSettings, aws: AwsClients, signer: CallbackSigner) -> Loader:
    return Loader(
        signer=signer,
        reader=DynamoBatchReader(
            aws, subscriptions=settings.subscriptions_table, deliveries=settings.deliveries_table
        ),
        credentials=SecretCredentials(
            aws,
            prefix=settings.credentials_prefix,
            kms_key_id=settings.kms_key_id,
            clock=runtime.clock,
            random_bytes=runtime.random_bytes,
        ),
        workers=ThreadPoolExecutor(READERS, thread_name_prefix="credentials"),
    )


def _signer(settings: DispatcherSettings, aws: AwsClients) -> CallbackSigner:
    return CallbackSigner(
        service=compose_service_keys(aws, settings.service_keys_secret, settings.curve),
        content=compose_content_keys(aws, settings.signing_keys_secret),
        master=SecretMaster(aws, settings.webhook_master_secret, clock=runtime.clock),
    )
