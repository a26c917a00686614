"""The functions of the event path as Lambda runs them: what they are given, and what AWS would answer."""

import importlib.util
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from local.paths import ROOT
from webhooks.adapters.dynamodb.items import Item, key
from webhooks.adapters.dynamodb.keys import HEAD, community_pk, entry_sk, listeners_pk, webhook_sk
from webhooks.adapters.dynamodb.webhook_items import entry_attributes, webhook_attributes
from webhooks.domain.delivery import delivery_of, pack_deliveries
from webhooks.domain.delivery_message import encode_pack
from webhooks.domain.event import Event, parse_event
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Definition, Endpoint, Webhook

SCOPE = Scope("acme", "main")
NAME = "order.paid"
SUBSCRIPTIONS, DELIVERIES = "subscriptions", "deliveries"
EVENT_BYTES = 2048  # of a callback's body, as in the price comparison
OCCURRED_AT = 1_790_000_000_000  # epoch ms
SEED = json.dumps({"seed": "s" * 64})
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": "benchmark",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "EC_CURVE_NAME": "secp256k1",
    "SUBSCRIPTIONS_TABLE": SUBSCRIPTIONS,
    "ACCESS_TABLE": "access",
    "DELIVERIES_TABLE": DELIVERIES,
    "EVENTS_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/events",
    "EVENTS_DLQ_URL": "https://sqs.us-east-1.amazonaws.com/1/events-dlq",
    "DELIVERIES_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/deliveries",
    "SLOW_DELIVERIES_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/slow",
    "DELIVERIES_DLQ_URL": "https://sqs.us-east-1.amazonaws.com/1/deliveries-dlq",
    "SERVICE_KEYS_SECRET": "service",
    "SIGNING_KEYS_SECRET": "signing",
    "WEBHOOK_MASTER_SECRET": "master",
    "CREDENTIALS_PREFIX": "benchmark/credentials/",
    "KMS_KEY_ID": "",
    "ALLOW_HTTP_ENDPOINTS": "true",
    "ALLOWED_PORTS": "*",
    "ALLOWED_NETWORKS": "127.0.0.0/8",
    "ALLOWED_TIME_SPAN": "120",
    "STACK_ID": "arn:aws:cloudformation:us-east-1:1:stack/benchmark/1",
    "WEBHOOKS_PER_COMMUNITY": "1000000",
    "RAW_CREDENTIAL_HEADERS": "Refused",
    "LICENSES_URL": "",
    "RETRY_DELAYS": "30,300",
    "DEFAULT_TTL": "5",
    "FAST_LANE_SECONDS": "1",
    "ATTEMPT_LOG_DAYS": "30",
}


def function(name: str, **environment: str) -> ModuleType:
    """Load functions/NAME/app.py as Lambda does, with its log written to nowhere: a pipe that is read costs
    whoever reads it.
    """
    os.environ.update({**ENVIRONMENT, **environment})
    os.environ.pop("AWS_ENDPOINT_URL", None)
    spec = importlib.util.spec_from_file_location(f"app_{name}", ROOT / "functions" / name / "app.py")
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for handler in logging.getLogger("webhooks").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open to the end
    return module


def webhook(number: int, url: str, *, scope: Scope = SCOPE, **changes: Any) -> Webhook:
    """Return a webhook; its number is its place in the community."""
    definition = Definition(
        event_names=(NAME,),
        name=f"webhook {number}",
        endpoint=Endpoint(url),
        success_codes=(200,),
        created_by="benchmark",
        query=({"currency": "EUR"},),
        **changes,
    )
    return Webhook(f"{1_790_000_000:08x}{number:08x}{0:08x}", scope, definition, created_at=1_790_000_000)


def event(number: int, size: int = EVENT_BYTES) -> str:
    """Return an event's text, whose callback has a body of about `size` bytes."""
    line = {"sku": "A-1001", "name": "A thing with a name", "quantity": 2, "price": 12.5, "inStock": True}
    content = {
        "eventId": f"event-{number:032d}",
        "eventName": NAME,
        "tenantId": SCOPE.tenant_id,
        "communityId": SCOPE.community_id,
        "occurredAt": OCCURRED_AT + number,
        "data": {"orderId": f"A-{number}", "currency": "EUR", "lines": []},
    }
    content["data"]["lines"] = [line] * max(1, (size - 256) // len(json.dumps(line, separators=(",", ":"))))
    return json.dumps(content)


def parsed(number: int) -> Event:
    """Return an event as fan-out reads it."""
    return parse_event(event(number), message_id="m", sent_at=OCCURRED_AT)


def events_batch(count: int, first: int = 0) -> dict[str, Any]:
    """Return what Lambda gives to fan-out."""
    return batch("events", [event(number) for number in range(first, first + count)])


def deliveries_batch(packs: Sequence[tuple[Webhook, Sequence[int]]]) -> dict[str, Any]:
    """Return what Lambda gives to the dispatcher: a message for each webhook and its events' numbers."""
    texts = [
        encode_pack(pack)
        for webhook, numbers in packs
        for pack in pack_deliveries(
            webhook.id,
            webhook.scope,
            deliveries=[delivery_of(parsed(number), webhook.id) for number in numbers],
        )
    ]
    return batch("deliveries", texts)


def batch(queue: str, texts: Sequence[str]) -> dict[str, Any]:
    """Return what Lambda gives to the reader of a queue."""
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
    """Return a webhook's item."""
    sequence = int(webhook.id[8:16], 16)
    return key(community_pk(webhook.scope), webhook_sk(sequence)) | webhook_attributes(webhook)


def entry_item(webhook: Webhook) -> Item:
    """Return a webhook's index entry."""
    sequence = int(webhook.id[8:16], 16)
    return key(listeners_pk(webhook.scope, NAME), entry_sk(sequence)) | entry_attributes(webhook)


def responses(webhooks: Sequence[Webhook]) -> dict[str, bytes]:
    """Return what AWS answers each operation of the dispatcher: these webhooks, and an empty log."""
    items = [webhook_item(webhook) for webhook in webhooks]
    return {
        "BatchGetItem": found(items),
        "BatchWriteItem": b'{"UnprocessedItems":{}}',
        "SendMessageBatch": sent(10),
        "GetSecretValue": json.dumps({"Name": "n", "SecretString": SEED}).encode(),
    }


def found(items: Sequence[Item]) -> bytes:
    """Return the answer to the dispatcher's BatchGetItem: these webhooks, and nothing in the log."""
    return json.dumps({"Responses": {SUBSCRIPTIONS: items, DELIVERIES: []}}).encode()


def fanout_answers(webhooks: Sequence[Webhook]) -> dict[str, bytes]:
    """Return what AWS answers each operation of fan-out: these webhooks listen."""
    head = key(community_pk(SCOPE), HEAD) | {"version": {"N": "1"}}
    return {
        "BatchGetItem": json.dumps({"Responses": {SUBSCRIPTIONS: [head]}}).encode(),
        "Query": json.dumps({"Items": [entry_item(webhook) for webhook in webhooks], "Count": 1}).encode(),
        "SendMessageBatch": sent(10),
        "DeleteMessageBatch": b'{"Successful":[]}',
    }


def sent(count: int) -> bytes:
    """Return the answer to a SendMessageBatch of which every entry was taken."""
    taken = [{"Id": str(number), "MessageId": "m", "MD5OfMessageBody": "0" * 32} for number in range(count)]
    return json.dumps({"Successful": taken}).encode()
