"""Composes functions/recovery."""

from webhooks.adapters.aws import AwsClients
from webhooks.adapters.credential_secrets import ListedSecrets, binding
from webhooks.adapters.subscription_changes import Tables
from webhooks.adapters.subscriptions import DynamoSubscriptions
from webhooks.bootstrap import runtime
from webhooks.entrypoints.schedule import ScheduledSweep
from webhooks.services.sweep import Sweep
from webhooks.settings import RecoverySettings


def compose() -> ScheduledSweep:
    """Return what Lambda calls."""
    runtime.log()
    settings, invocation = RecoverySettings.load(), runtime.invocation
    aws = AwsClients(time_left=invocation.left)
    sweep = Sweep(
        secrets=ListedSecrets(
            aws,
            prefix=settings.credentials_prefix,
            tags=binding(table=settings.subscriptions_table, stack=settings.stack_id),
        ),
        subscriptions=DynamoSubscriptions(
            aws,
            Tables(settings.subscriptions_table, settings.access_table),
            clock=runtime.clock,
            entropy=runtime.entropy,
        ),
        clock=runtime.clock,
        time_left=invocation.left,
    )
    return ScheduledSweep(sweep, invocation, clock=runtime.clock)
