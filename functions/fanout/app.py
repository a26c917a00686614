"""functions/fanout: matches events to webhooks and sends a delivery for each match."""

from typing import Any

from webhooks.bootstrap.fanout import compose
from webhooks.bootstrap.runtime import invocation
from webhooks.entrypoints.sqs import event_messages, read_batch

fanout = compose()


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, list[dict[str, str]]]:
    """Fan out a batch of events; return the messages that must come again."""
    invocation.begin(context)
    return read_batch(lambda: fanout.fan_out(event_messages(event)))
