"""functions/dispatcher: sends deliveries of both lanes to the endpoints."""

from typing import Any

from webhooks.bootstrap.dispatcher import compose
from webhooks.bootstrap.runtime import invocation
from webhooks.entrypoints.sqs import delivery_messages, lane_of, read_batch

dispatch, slow_queue_url = compose()


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, list[dict[str, str]]]:
    """Deliver a batch of packs; return the messages that must come again."""
    invocation.begin(context)
    return read_batch(lambda: dispatch.dispatch(delivery_messages(event), lane_of(event, slow_queue_url)))
