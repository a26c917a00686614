"""functions/dispatcher: sends deliveries of both lanes to the endpoints."""

from typing import Any

from webhooks.bootstrap.dispatcher import DispatcherApp, compose
from webhooks.bootstrap.runtime import invocation
from webhooks.entrypoints.probe import probed
from webhooks.entrypoints.sqs import BatchResponse, Handler, delivery_messages, lane_of, read_batch


def handler(app: DispatcherApp) -> Handler:
    def handle(event: dict[str, Any], context: object) -> BatchResponse:
        """Deliver a batch of packs; return the messages that must come again."""
        invocation.begin(context)
        return read_batch(
            event,
            lambda: app.dispatcher.dispatch(delivery_messages(event), lane_of(event, app.slow_queue_url)),
        )

    return handle


app = compose()
lambda_handler = probed(handler(app), app.probes, invocation)
