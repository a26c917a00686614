"""Composes functions/maintenance."""

from contextlib import ExitStack
from dataclasses import dataclass

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.secrets_manager.credential_secrets import ListedSecrets, binding
from webhooks.bootstrap.aws_app import AwsApp, open_clients
from webhooks.bootstrap.runtime import clock, invocation, start
from webhooks.bootstrap.storage import subscription_store
from webhooks.entrypoints.schedule import ScheduledCleanup
from webhooks.services.orphan_cleanup import OrphanCleanup
from webhooks.settings import MaintenanceSettings


@dataclass(frozen=True, kw_only=True)
class MaintenanceApp(AwsApp):
    cleanup: ScheduledCleanup


def compose(settings: MaintenanceSettings | None = None, aws: AwsClients | None = None) -> MaintenanceApp:
    settings, opened = start(MaintenanceSettings, settings), ExitStack()
    aws = open_clients(opened, aws)
    cleanup = OrphanCleanup(
        secrets=ListedSecrets(
            aws,
            prefix=settings.credentials_prefix,
            tags=binding(table=settings.subscriptions_table, stack=settings.stack_id),
        ),
        subscriptions=subscription_store(settings, aws),
        clock=clock,
        time_left=invocation.left,
    )
    return MaintenanceApp(aws=aws, opened=opened, cleanup=ScheduledCleanup(cleanup, invocation, clock=clock))
