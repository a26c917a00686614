"""AWS at the wire: answers what botocore is about to send, so that all of it runs and nothing leaves."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from webhooks.adapters.aws.clients import AwsClients

UNIT = 1024  # bytes of a DynamoDB write unit

# Takes an operation's name and the request's body, returns the answer's body.
type Answer = Callable[[str, bytes], bytes]


@dataclass
class Counts:
    """What was asked of AWS."""

    calls: Counter[str] = field(default_factory=Counter)
    write_units: int = 0

    def write(self, body: bytes) -> None:
        """Count the write units of a BatchWriteItem."""
        for puts in json.loads(body)["RequestItems"].values():
            self.write_units += sum(-(-item_bytes(put["PutRequest"]["Item"]) // UNIT) for put in puts)


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._body


def attach(aws: AwsClients, response: Answer) -> None:
    """Let `answer` stand for AWS in all calls of these clients."""

    def send(request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        content = response(event_name.rpartition(".")[2], body)
        headers = {"content-type": "application/x-amz-json-1.0", "content-length": str(len(content))}
        return AWSResponse(request.url, 200, headers, _Raw(content))

    clients: tuple[Any, ...] = (aws.dynamodb, aws.sqs, aws.secrets)
    for client in clients:
        client.meta.events.register("before-send", send)


def canned(responses: Mapping[str, bytes]) -> Answer:
    """Answer each operation with the same bytes every time, whatever was asked: it costs next to nothing."""
    return lambda operation, _: responses[operation]


def counting(response: Answer, counts: Counts) -> Answer:
    """Count what goes through."""

    def counted(operation: str, body: bytes) -> bytes:
        counts.calls[operation] += 1
        if operation == "BatchWriteItem":
            counts.write(body)
        return response(operation, body)

    return counted


def item_bytes(item: Mapping[str, Mapping[str, str]]) -> int:
    """Return an item's bytes as DynamoDB counts them, for attributes of texts and numbers."""
    return sum(len(name) + len(text.encode()) for name, value in item.items() for text in value.values())
