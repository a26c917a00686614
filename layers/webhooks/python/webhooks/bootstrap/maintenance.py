"""Composes functions/maintenance."""

from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.subscription_transaction import Tables
from webhooks.adapters.dynamodb.subscriptions import DynamoSubscriptions
from webhooks.adapters.secrets_manager.credential_secrets import ListedSecrets, binding
from webhooks.bootstrap import runtime
from webhooks.entrypoints.schedule import ScheduledCleanup
from webhooks.services.orphan_cleanup import OrphanCleanup
from webhooks.settings import MaintenanceSettings


def compose() -> ScheduledCleanup:
    """Return what Lambda calls."""
    runtime.log()
    settings, invocation = MaintenanceSettings.load(), runtime.invocation
    aws = AwsClients(time_left=invocation.left)
    cleanup = OrphanCleanup(
        secrets=ListedSecrets(
            aws,
            prefix=settings.credentials_prefix,
            tags=binding(table=settings.subscriptions_table, stack=settings.stack_id),
        ),
        subscriptions=DynamoSubscriptions(
            aws,
            Tables(settings.subscriptions_table, settings.access_table),
            clock=runtime.clock,
            random_bytes=runtime.random_bytes,
        ),
        clock=runtime.clock,
        time_left=invocation.left,
    )
    return ScheduledCleanup(cleanup, invocation, clock=runtime.clock)
