"""Composes functions/recovery."""

import secrets
import time

from webhooks.adapters.aws import AwsClients
from webhooks.adapters.credentials import SecretCredentials
from webhooks.adapters.subscription_changes import Tables
from webhooks.adapters.subscriptions import DynamoSubscriptions
from webhooks.bootstrap import runtime
from webhooks.observability import start_logging
from webhooks.services.sweep import Sweep
from webhooks.settings import LoggingSettings, RecoverySettings


def compose() -> Sweep:
    """Return the use case."""
    logging = LoggingSettings.load()
    start_logging(service=logging.service, level=logging.level)
    settings = RecoverySettings.load()
    aws = AwsClients(time_left=runtime.invocation.left)
    return Sweep(
        credentials=SecretCredentials(
            aws,
            prefix=settings.credentials_prefix,
            kms_key_id=settings.kms_key_id,
            clock=time.time,
            entropy=secrets.token_bytes,
        ),
        subscriptions=DynamoSubscriptions(
            aws,
            Tables(settings.subscriptions_table, settings.access_table),
            clock=time.time,
            entropy=secrets.token_bytes,
        ),
        clock=time.time,
    )
