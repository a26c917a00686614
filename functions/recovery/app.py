"""functions/recovery: sends pages of replays and recoveries, and probes endpoints that are down."""

from typing import Any

from webhooks.bootstrap.recovery import RecoveryApp, compose
from webhooks.bootstrap.runtime import invocation
from webhooks.entrypoints.probe import probed
from webhooks.entrypoints.sqs import BatchResponse, Handler, read_batch, task_messages


def handler(app: RecoveryApp) -> Handler:
    def handle(event: dict[str, Any], context: object) -> BatchResponse:
        """Work on tasks; return the messages that must come again."""
        invocation.begin(context)
        return read_batch(event, lambda: app.tasks.work(task_messages(event)))

    return handle


app = compose()
lambda_handler = probed(handler(app), app.probes, invocation)
