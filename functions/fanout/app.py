"""functions/fanout: from the events queue to the deliveries queue."""

from typing import Any

from webhooks.bootstrap.fanout import compose
from webhooks.bootstrap.runtime import invocation
from webhooks.entrypoints.sqs import event_messages, read_batch

fanout = compose()


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, list[dict[str, str]]]:
    """Fan a batch of events out; the response names the messages that must come again."""
    invocation.begin(context)
    return read_batch(lambda: fanout.fan_out(event_messages(event)))
