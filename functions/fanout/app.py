"""functions/fanout: matches events to webhooks and sends a delivery for each match."""

from typing import Any

from webhooks.bootstrap.fanout import FanoutApp, compose
from webhooks.bootstrap.runtime import invocation
from webhooks.entrypoints.probe import probed
from webhooks.entrypoints.sqs import BatchResponse, Handler, event_messages, read_batch


def handler(app: FanoutApp) -> Handler:
    def handle(event: dict[str, Any], context: object) -> BatchResponse:
        """Fan out a batch of events; return the messages that must come again."""
        invocation.begin(context)
        return read_batch(event, lambda: app.fanout.fan_out(event_messages(event)))

    return handle


app = compose()
lambda_handler = probed(handler(app), app.probes, invocation)
