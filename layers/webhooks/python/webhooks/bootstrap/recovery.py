"""Composes functions/recovery."""

from contextlib import ExitStack
from dataclasses import dataclass

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.delivery_log import DynamoDeliveryLog
from webhooks.adapters.dynamodb.delivery_log_reader import DynamoDeliveryLogReader
from webhooks.adapters.dynamodb.health_store import DynamoHealthStore
from webhooks.adapters.dynamodb.replays import DynamoReplays
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.release_probes import batch_probe, item_probe, query_probe, send_probe
from webhooks.adapters.sqs.delivery_queues import SqsSlowLane
from webhooks.adapters.sqs.event_publisher import SqsEventPublisher
from webhooks.adapters.sqs.recovery_queue import SqsRecoveryDlq, SqsRecoveryQueue
from webhooks.bootstrap.aws_app import AwsApp, open_clients
from webhooks.bootstrap.runtime import clock, random_bytes, start
from webhooks.bootstrap.storage import subscription_store
from webhooks.services.recovery.checks import WebhookChecks
from webhooks.services.recovery.disabling import Disabling
from webhooks.services.recovery.pages import ReplayPages
from webhooks.services.recovery.reading import PageReader
from webhooks.services.recovery.tasks import RecoveryTasks
from webhooks.settings import RecoverySettings


@dataclass(frozen=True, kw_only=True)
class RecoveryApp(AwsApp):
    tasks: RecoveryTasks


def compose(settings: RecoverySettings | None = None, aws: AwsClients | None = None) -> RecoveryApp:
    settings, opened = start(RecoverySettings, settings), ExitStack()
    aws = open_clients(opened, aws)
    subscriptions = subscription_store(settings, aws)
    health = DynamoHealthStore(Table(aws, settings.subscriptions_table))
    log = DynamoDeliveryLog(
        aws,
        settings.deliveries_table,
        days=settings.attempt_log_days,
        keep_all_payloads=settings.keep_all_payloads,
    )
    reader = DynamoDeliveryLogReader(aws, settings.deliveries_table)
    replays = DynamoReplays(Table(aws, settings.deliveries_table))
    queue = SqsRecoveryQueue(aws, settings.recovery_queue_url)
    lane = SqsSlowLane(aws, settings.slow_deliveries_queue_url)
    disabling = Disabling(
        subscriptions=subscriptions,
        health=health,
        reader=reader,
        log=log,
        queue=queue,
        publisher=SqsEventPublisher(aws, settings.events_queue_url),
        clock=clock,
    )
    pages = ReplayPages(
        replays=replays,
        reader=PageReader(reader),
        log=log,
        lane=lane,
        queue=queue,
        subscriptions=subscriptions,
        health=health,
        clock=clock,
        probe_seconds=settings.probe_seconds,
    )
    checks = WebhookChecks(
        subscriptions=subscriptions,
        health=health,
        log=reader,
        lane=lane,
        queue=queue,
        replays=replays,
        disabling=disabling,
        clock=clock,
        random_bytes=random_bytes,
        probe_seconds=settings.probe_seconds,
        rate=settings.recovery_rate,
        disable_after_days=settings.disable_after_days,
    )
    dlq = SqsRecoveryDlq(aws, settings.recovery_dlq_url)
    tasks = RecoveryTasks(page=pages.work, check=checks.work, dlq=dlq)
    return RecoveryApp(
        aws=aws,
        opened=opened,
        probes={
            "subscriptions table": item_probe(aws, settings.subscriptions_table),
            "webhooks": batch_probe(aws, settings.subscriptions_table),
            "replays": item_probe(aws, settings.deliveries_table),
            "delivery log": query_probe(aws, settings.deliveries_table),
            "recovery queue": send_probe(aws, settings.recovery_queue_url),
            "recovery DLQ": send_probe(aws, settings.recovery_dlq_url),
            "slow lane": send_probe(aws, settings.slow_deliveries_queue_url),
            "events queue": send_probe(aws, settings.events_queue_url),
        },
        tasks=tasks,
    )
