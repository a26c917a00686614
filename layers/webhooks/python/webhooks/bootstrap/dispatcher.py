"""Composes functions/dispatcher."""

import random
import time
from concurrent.futures import ThreadPoolExecutor

from webhooks.adapters.aws import NEEDED_SECONDS, AwsClients
from webhooks.adapters.batch_reader import DynamoBatchReader
from webhooks.adapters.credentials import READERS, SecretCredentials
from webhooks.adapters.delivery_log import DynamoDeliveryLog
from webhooks.adapters.delivery_queue import SqsDeliveryQueue
from webhooks.adapters.http_client import CurlHttpClient
from webhooks.adapters.key_store import SecretMaster
from webhooks.adapters.oauth import OAuthTokens
from webhooks.adapters.pace import DynamoPace
from webhooks.adapters.subscription_changes import Tables
from webhooks.adapters.subscriptions import DynamoSubscriptions
from webhooks.bootstrap import runtime
from webhooks.bootstrap.egress import compose_guard
from webhooks.bootstrap.keys import compose_content_keys, compose_service_keys
from webhooks.services.attempt import Attempts
from webhooks.services.callback import CallbackSigner
from webhooks.services.delivery import Dispatch
from webhooks.services.pace import PaceKeeper
from webhooks.services.settlement import Settlement
from webhooks.settings import DispatcherSettings

# Of an invocation: a settlement's calls where AWS answers, and what a call needs to begin where it does not.
SETTLING_SECONDS = NEEDED_SECONDS + 2


def compose() -> tuple[Dispatch, str]:
    """Return the use case, and the URL of the slow lane's queue."""
    runtime.log()
    clock, entropy, time_left = runtime.clock, runtime.entropy, runtime.invocation.left
    settings, aws = DispatcherSettings.load(), AwsClients(time_left=time_left)
    subscriptions = DynamoSubscriptions(
        aws, Tables(settings.subscriptions_table, settings.access_table), clock=clock, entropy=entropy
    )
    log = DynamoDeliveryLog(aws, settings.deliveries_table, days=settings.attempt_log_days)
    queue = SqsDeliveryQueue(
        aws,
        fast_url=settings.deliveries_queue_url,
        slow_url=settings.slow_deliveries_queue_url,
        dead_letter_url=settings.deliveries_dlq_url,
    )
    dispatch = Dispatch(
        reader=DynamoBatchReader(
            aws, subscriptions=settings.subscriptions_table, deliveries=settings.deliveries_table
        ),
        queue=queue,
        attempts=_attempts(settings, aws),
        settlement=Settlement(
            queue=queue, log=log, subscriptions=subscriptions, clock=clock, time_left=time_left
        ),
        pace=PaceKeeper(
            DynamoPace(aws, settings.subscriptions_table), clock=clock, limit=settings.fast_lane_seconds
        ),
        workers=ThreadPoolExecutor(READERS, thread_name_prefix="credentials"),
        http=CurlHttpClient(compose_guard(settings), clock=clock),
        clock=clock,
        chance=random.random,
        delays=settings.retry_delays,
        fast_seconds=settings.fast_lane_seconds,
        time_left=time_left,
        settling_seconds=SETTLING_SECONDS,
    )
    return dispatch, settings.slow_deliveries_queue_url


def _attempts(settings: DispatcherSettings, aws: AwsClients) -> Attempts:
    return Attempts(
        tokens=OAuthTokens(runtime.clock),
        credentials=SecretCredentials(
            aws,
            prefix=settings.credentials_prefix,
            kms_key_id=settings.kms_key_id,
            clock=runtime.clock,
            entropy=runtime.entropy,
        ),
        signer=_signer(settings, aws),
        monotonic=time.monotonic,
        default_ttl=settings.default_ttl,
    )


def _signer(settings: DispatcherSettings, aws: AwsClients) -> CallbackSigner:
    return CallbackSigner(
        service=compose_service_keys(aws, settings.service_keys_secret, settings.curve),
        content=compose_content_keys(aws, settings.signing_keys_secret),
        master=SecretMaster(aws, settings.webhook_master_secret, clock=runtime.clock),
    )
