"""Composes functions/fanout."""

from webhooks.adapters.aws import AwsClients
from webhooks.adapters.dead_events import SqsDeadEvents
from webhooks.adapters.delivery_queue import SqsFastLane
from webhooks.adapters.events_queue import SqsEventsQueue
from webhooks.adapters.subscription_index import DynamoSubscriptionIndex
from webhooks.adapters.tables import Table
from webhooks.bootstrap import runtime
from webhooks.services.fanout import Fanout
from webhooks.settings import FanoutSettings


def compose() -> Fanout:
    """Return the use case."""
    runtime.log()
    settings, aws = FanoutSettings.load(), AwsClients(time_left=runtime.invocation.left)
    return Fanout(
        index=DynamoSubscriptionIndex(Table(aws, settings.subscriptions_table)),
        lane=SqsFastLane(aws, settings.deliveries_queue_url),
        events=SqsEventsQueue(aws, settings.events_queue_url),
        dead_events=SqsDeadEvents(aws, settings.events_dlq_url),
        time_left=runtime.invocation.left,
    )
