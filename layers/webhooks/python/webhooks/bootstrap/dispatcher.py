"""Composes functions/dispatcher."""

import random
import secrets
import time
from concurrent.futures import ThreadPoolExecutor

from webhooks.adapters.aws import NEEDED_SECONDS, AwsClients
from webhooks.adapters.batch_reader import DynamoBatchReader
from webhooks.adapters.credentials import READERS, SecretCredentials
from webhooks.adapters.delivery_log import DynamoDeliveryLog
from webhooks.adapters.delivery_queue import SqsDeliveryQueue
from webhooks.adapters.egress import EgressGuard
from webhooks.adapters.http_client import CurlHttpClient
from webhooks.adapters.key_store import SecretKeyStore, SecretMaster
from webhooks.adapters.oauth import OAuthTokens
from webhooks.adapters.pace import DynamoPace
from webhooks.adapters.subscription_changes import Tables
from webhooks.adapters.subscriptions import DynamoSubscriptions
from webhooks.bootstrap import runtime
from webhooks.domain.addresses import parse_policy
from webhooks.domain.keyring import content_keys, service_keys
from webhooks.observability import start_logging
from webhooks.services.attempt import Attempts
from webhooks.services.callback import CallbackSigner
from webhooks.services.delivery import Dispatch
from webhooks.services.pace import PaceKeeper
from webhooks.services.settlement import Settlement
from webhooks.settings import DispatcherSettings, LoggingSettings

# Of an invocation: a settlement's calls where AWS answers, and what a call needs to begin where it does not.
SETTLING_SECONDS = NEEDED_SECONDS + 2


def compose() -> tuple[Dispatch, str]:
    """Return the use case, and the URL of the slow lane's queue."""
    logging = LoggingSettings.load()
    start_logging(service=logging.service, level=logging.level)
    settings = DispatcherSettings.load()
    aws = AwsClients(time_left=runtime.invocation.left)
    subscriptions = DynamoSubscriptions(
        aws,
        Tables(settings.subscriptions_table, settings.access_table),
        clock=time.time,
        entropy=secrets.token_bytes,
    )
    log = DynamoDeliveryLog(aws, settings.deliveries_table, days=settings.attempt_log_days)
    queue = SqsDeliveryQueue(
        aws, slow_url=settings.slow_deliveries_queue_url, dead_letter_url=settings.deliveries_dlq_url
    )
    dispatch = Dispatch(
        reader=DynamoBatchReader(
            aws, subscriptions=settings.subscriptions_table, deliveries=settings.deliveries_table
        ),
        queue=queue,
        attempts=_attempts(settings, aws),
        settlement=Settlement(
            queue=queue,
            log=log,
            subscriptions=subscriptions,
            clock=time.time,
            time_left=runtime.invocation.left,
        ),
        pace=PaceKeeper(
            DynamoPace(aws, settings.subscriptions_table), clock=time.time, limit=settings.fast_lane_seconds
        ),
        workers=ThreadPoolExecutor(READERS, thread_name_prefix="credentials"),
        http=_http(settings),
        clock=time.time,
        chance=random.random,
        delays=settings.retry_delays,
        fast_seconds=settings.fast_lane_seconds,
        time_left=runtime.invocation.left,
        settling_seconds=SETTLING_SECONDS,
    )
    return dispatch, settings.slow_deliveries_queue_url


def _attempts(settings: DispatcherSettings, aws: AwsClients) -> Attempts:
    return Attempts(
        tokens=OAuthTokens(time.time),
        credentials=SecretCredentials(
            aws,
            prefix=settings.credentials_prefix,
            kms_key_id=settings.kms_key_id,
            clock=time.time,
            entropy=secrets.token_bytes,
        ),
        signer=_signer(settings, aws),
        monotonic=time.monotonic,
        default_ttl=settings.default_ttl,
    )


def _http(settings: DispatcherSettings) -> CurlHttpClient:
    policy = parse_policy(
        allow_http=settings.allow_http_endpoints,
        ports=settings.allowed_ports,
        networks=settings.allowed_networks,
    )
    return CurlHttpClient(EgressGuard(policy))


def _signer(settings: DispatcherSettings, aws: AwsClients) -> CallbackSigner:
    return CallbackSigner(
        service=SecretKeyStore(
            aws,
            settings.service_keys_secret,
            parse=lambda state: service_keys(state, settings.curve),
            clock=time.time,
        ),
        content=SecretKeyStore(aws, settings.signing_keys_secret, parse=content_keys, clock=time.time),
        master=SecretMaster(aws, settings.webhook_master_secret, clock=time.time),
    )
