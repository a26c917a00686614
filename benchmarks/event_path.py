"""The functions of the event path as Lambda runs them: their batches, and canned responses of AWS."""

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from hashlib import md5
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.lambda_functions import ENVIRONMENT as BASE
from tests.lambda_functions import LOOPBACK, load_function
from webhooks.adapters.dynamodb.items import Item, key
from webhooks.adapters.dynamodb.keys import HEAD, community_pk, entry_sk, listeners_pk, webhook_sk
from webhooks.adapters.dynamodb.webhook_items import entry_attributes, webhook_attributes
from webhooks.domain.delivery import delivery_of, pack_deliveries
from webhooks.domain.delivery_message import encode_pack
from webhooks.domain.event import Event, parse_event
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Definition, Endpoint, Webhook, make_webhook_id

SCOPE = Scope("acme", "main")
NAME = "order.paid"
EVENT_BYTES = 2048  # of a callback's body, as in the price comparison
LINE = {"sku": "A-1001", "name": "A thing with a name", "quantity": 2, "price": 12.5, "inStock": True}
OCCURRED_AT = 1_790_000_000_000  # epoch ms
CREATED_AT = 1_790_000_000  # epoch seconds, of webhooks
SEED = json.dumps({"seed": "s" * 64})
ENVIRONMENT = BASE | LOOPBACK | {"WEBHOOKS_PER_COMMUNITY": "1000000"}
SUBSCRIPTIONS, DELIVERIES = ENVIRONMENT["SUBSCRIPTIONS_TABLE"], ENVIRONMENT["DELIVERIES_TABLE"]


def set_environment(**more: str) -> None:
    """Give this process the functions' environment, and no emulator."""
    os.environ.update({**ENVIRONMENT, **more})
    os.environ.pop("AWS_ENDPOINT_URL", None)


def function(name: str, **environment: str) -> ModuleType:
    """Load functions/<name>/app.py, and discard its log."""
    set_environment(**environment)
    module = load_function(name, os.environ)
    discard_log()
    return module


def discard_log() -> None:
    """Let the log go to the null device, after a function was composed: reading a pipe costs CPU."""
    for handler in logging.getLogger("webhooks").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open to the end


def webhook(number: int, url: str, *, scope: Scope = SCOPE, **changes: Any) -> Webhook:
    """Return a webhook. `number`: its sequence number in the community."""
    definition = Definition(
        event_names=(NAME,),
        name=f"webhook {number}",
        endpoint=Endpoint(url),
        success_codes=(200,),
        created_by="benchmark",
        query=({"currency": "EUR"},),
        **changes,
    )
    made = make_webhook_id(now=CREATED_AT, sequence=number, random=bytes(4))
    return Webhook(made, scope, definition, created_at=CREATED_AT)


def event(number: int, size: int = EVENT_BYTES) -> str:
    """Return an event as JSON; the body of its callback has about `size` bytes."""
    lines = [LINE] * max(1, (size - 256) // len(json.dumps(LINE, separators=(",", ":"))))
    content = {
        "eventId": f"event-{md5(str(number).encode(), usedforsecurity=False).hexdigest()}",  # incompressible
        "eventName": NAME,
        "tenantId": SCOPE.tenant_id,
        "communityId": SCOPE.community_id,
        "occurredAt": OCCURRED_AT + number,
        "data": {"orderId": f"A-{number}", "currency": "EUR", "lines": lines},
    }
    return json.dumps(content)


def parsed(number: int) -> Event:
    return parse_event(event(number), message_id="m", sent_at=OCCURRED_AT)


def events_batch(count: int, first: int = 0) -> dict[str, Any]:
    return batch("events", [event(number) for number in range(first, first + count)])


def deliveries_batch(packs: Sequence[tuple[Webhook, Sequence[int]]]) -> dict[str, Any]:
    """Return a batch as Lambda hands it to the dispatcher, of webhooks and the numbers of their events.

    As fan-out sends them: events that share a pack are marked.
    """
    texts = [
        encode_pack(pack)
        for webhook, numbers in packs
        for pack in pack_deliveries(
            webhook.id,
            webhook.scope,
            deliveries=[
                replace(delivery_of(parsed(number), webhook.id), is_marked=len(numbers) > 1)
                for number in numbers
            ],
        )
    ]
    return batch("deliveries", texts)


def batch(queue: str, texts: Sequence[str]) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"00000000-0000-0000-0000-{number:012d}",
                "receiptHandle": "r" * 300,
                "body": text,
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(OCCURRED_AT)},
                "messageAttributes": {},
                "md5OfBody": "0" * 32,
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:us-east-1:1:{queue}",
                "awsRegion": "us-east-1",
            }
            for number, text in enumerate(texts)
        ]
    }


def webhook_item(webhook: Webhook) -> Item:
    sequence = int(webhook.id[8:16], 16)
    return key(community_pk(webhook.scope), webhook_sk(sequence)) | webhook_attributes(webhook)


def entry_item(webhook: Webhook) -> Item:
    sequence = int(webhook.id[8:16], 16)
    return key(listeners_pk(webhook.scope, NAME), entry_sk(sequence)) | entry_attributes(webhook)


def responses(webhooks: Sequence[Webhook]) -> dict[str, bytes]:
    """Return the dispatcher's responses by operation: these webhooks, and an empty log."""
    items = [webhook_item(webhook) for webhook in webhooks]
    return {
        "BatchGetItem": found(items),
        "BatchWriteItem": b'{"UnprocessedItems":{}}',
        "UpdateItem": b"{}",  # the mark of a webhook whose response took the fast lane's time
        "SendMessageBatch": sent(10),
        "GetSecretValue": json.dumps({"Name": "n", "VersionId": "v", "SecretString": SEED}).encode(),
    }


def found(items: Sequence[Item]) -> bytes:
    """Return the response to the dispatcher's BatchGetItem: these webhooks, and an empty log."""
    return json.dumps({"Responses": {SUBSCRIPTIONS: items, DELIVERIES: []}}).encode()


def fanout_responses(webhooks: Sequence[Webhook]) -> dict[str, bytes]:
    """Return fan-out's responses by operation: these webhooks listen."""
    head = key(community_pk(SCOPE), HEAD) | {"version": {"N": "1"}}
    return {
        "BatchGetItem": json.dumps({"Responses": {SUBSCRIPTIONS: [head]}}).encode(),
        "Query": json.dumps({"Items": [entry_item(webhook) for webhook in webhooks], "Count": 1}).encode(),
        "UpdateItem": b"{}",
        "SendMessageBatch": sent(10),
        "DeleteMessageBatch": b'{"Successful":[]}',
    }


def sent(count: int) -> bytes:
    """Return the response to a SendMessageBatch that took all entries."""
    taken = [{"Id": str(number), "MessageId": "m", "MD5OfMessageBody": "0" * 32} for number in range(count)]
    return json.dumps({"Successful": taken}).encode()
