"""Composes functions/fanout."""

import random

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.subscription_index import DynamoSubscriptionIndex
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.sqs.delivery_queues import SqsFastLane
from webhooks.adapters.sqs.events_dlq import SqsEventsDlq
from webhooks.adapters.sqs.events_queue import SqsEventsQueue
from webhooks.bootstrap import runtime
from webhooks.services.fanout.pipeline import Fanout
from webhooks.settings import FanoutSettings


def compose() -> Fanout:
    """Return the use case."""
    runtime.log()
    settings, aws = FanoutSettings.load(), AwsClients(time_left=runtime.invocation.left)
    return Fanout(
        index=DynamoSubscriptionIndex(Table(aws, settings.subscriptions_table)),
        lane=SqsFastLane(aws, settings.deliveries_queue_url),
        events=SqsEventsQueue(aws, settings.events_queue_url),
        events_dlq=SqsEventsDlq(aws, settings.events_dlq_url),
        rng=random.random,
        time_left=runtime.invocation.left,
    )
