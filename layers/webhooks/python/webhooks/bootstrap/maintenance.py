"""Composes functions/maintenance."""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.communities import DynamoCommunities
from webhooks.adapters.dynamodb.health_store import DynamoHealthStore
from webhooks.adapters.dynamodb.table import Table
from webhooks.adapters.release_probes import batch_probe, list_secrets_probe, send_probe
from webhooks.adapters.secrets_manager.credential_secrets import ListedSecrets, binding
from webhooks.adapters.sqs.recovery_queue import SqsRecoveryQueue
from webhooks.bootstrap.aws_app import AwsApp, open_clients
from webhooks.bootstrap.runtime import clock, invocation, start
from webhooks.bootstrap.storage import subscription_store
from webhooks.entrypoints.schedule import Schedule, ScheduledChecks, ScheduledCleanup
from webhooks.services.orphan_cleanup import OrphanCleanup
from webhooks.services.restarts import Restarts
from webhooks.services.unhealthy import count_tenants
from webhooks.settings import MaintenanceSettings


@dataclass(frozen=True, kw_only=True)
class MaintenanceApp(AwsApp):
    schedule: Schedule


def compose(settings: MaintenanceSettings | None = None, aws: AwsClients | None = None) -> MaintenanceApp:
    settings, opened = start(MaintenanceSettings, settings), ExitStack()
    aws = open_clients(opened, aws)
    subscriptions = subscription_store(settings, aws)
    cleanup = OrphanCleanup(
        secrets=ListedSecrets(
            aws,
            prefix=settings.credentials_prefix,
            tags=binding(table=settings.subscriptions_table, stack=settings.stack_id),
        ),
        subscriptions=subscriptions,
        clock=clock,
        time_left=invocation.left,
    )
    restarts = Restarts(
        health=DynamoHealthStore(Table(aws, settings.subscriptions_table)),
        subscriptions=subscriptions,
        queue=SqsRecoveryQueue(aws, settings.recovery_queue_url),
        clock=clock,
        time_left=invocation.left,
    )
    communities = DynamoCommunities(Table(aws, settings.subscriptions_table))
    schedule = Schedule(
        cleanup=ScheduledCleanup(cleanup, invocation),
        checks=ScheduledChecks(restarts, invocation, count_tenants=partial(count_tenants, communities)),
    )
    return MaintenanceApp(
        aws=aws,
        opened=opened,
        probes={
            "subscriptions table": batch_probe(aws, settings.subscriptions_table),
            "secrets": list_secrets_probe(aws),
            "recovery queue": send_probe(aws, settings.recovery_queue_url),
        },
        schedule=schedule,
    )
