"""Composes functions/fanout."""

import random
import time
from contextlib import ExitStack
from dataclasses import dataclass

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.fanout_reader import DynamoFanoutReader
from webhooks.adapters.dynamodb.seen_events import DynamoSeenEvents
from webhooks.adapters.dynamodb.subscription_index import DynamoSubscriptionIndex
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.release_probes import ABSENT, batch_probe, query_probe, send_probe
from webhooks.adapters.sqs.delivery_queues import SqsFastLane
from webhooks.adapters.sqs.events_dlq import SqsEventsDlq
from webhooks.adapters.sqs.events_queue import SqsEventsQueue
from webhooks.bootstrap.aws_app import AwsApp, open_clients
from webhooks.bootstrap.runtime import clock, invocation, start
from webhooks.entrypoints.batch_metrics import report_fanout
from webhooks.ports import FanoutReader, SeenEvents, SubscriptionIndex, TimeLeft
from webhooks.services.fanout.pipeline import Fanout
from webhooks.settings import FanoutSettings


@dataclass(frozen=True, kw_only=True)
class FanoutApp(AwsApp):
    """Fan-out and its ports. `fanout` caches its reads of `index`."""

    fanout: Fanout
    index: SubscriptionIndex
    seen: SeenEvents
    reader: FanoutReader
    fast_lane: SqsFastLane
    events: SqsEventsQueue
    events_dlq: SqsEventsDlq


def compose(
    settings: FanoutSettings | None = None,
    aws: AwsClients | None = None,
    *,
    time_left: TimeLeft = invocation.left,
) -> FanoutApp:
    """Compose the function. `time_left`: seconds of the running invocation."""
    settings, opened = start(FanoutSettings, settings), ExitStack()
    aws = open_clients(opened, aws, time_left=time_left)
    subscriptions, deliveries = (
        Table(aws, settings.subscriptions_table),
        Table(aws, settings.deliveries_table),
    )
    index = DynamoSubscriptionIndex(subscriptions)
    seen = DynamoSeenEvents(deliveries, days=settings.attempt_log_days, clock=clock)
    reader = DynamoFanoutReader(index, subscriptions, deliveries, clock=clock)
    fast_lane = SqsFastLane(aws, settings.deliveries_queue_url)
    events = SqsEventsQueue(aws, settings.events_queue_url)
    events_dlq = SqsEventsDlq(aws, settings.events_dlq_url)
    return FanoutApp(
        aws=aws,
        opened=opened,
        probes={
            "communities": batch_probe(aws, settings.subscriptions_table),
            "index": query_probe(aws, settings.subscriptions_table),
            "seen events": lambda: seen.read([ABSENT], consistently=False),
            "events queue": send_probe(aws, settings.events_queue_url),
            "deliveries queue": send_probe(aws, settings.deliveries_queue_url),
            "events DLQ": send_probe(aws, settings.events_dlq_url),
        },
        fanout=Fanout(
            index=index,
            seen=seen,
            reader=reader,
            lane=fast_lane,
            events=events,
            events_dlq=events_dlq,
            rng=random.random,
            clock=time.time,
            time_left=time_left,
            report=report_fanout,
        ),
        index=index,
        seen=seen,
        reader=reader,
        fast_lane=fast_lane,
        events=events,
        events_dlq=events_dlq,
    )
