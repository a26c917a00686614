"""functions/dispatcher: from the deliveries queue to the endpoints."""

from typing import Any

from webhooks.bootstrap.dispatcher import compose
from webhooks.entrypoints.queue import batch_response, delivery_messages

dispatch = compose()


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, list[dict[str, str]]]:
    """Deliver a batch of packs; answers which messages must come again."""
    return batch_response(dispatch.dispatch(delivery_messages(event)))
