"""Counts of calls to AWS, of the keys of a BatchGetItem, and of the write units of a BatchWriteItem."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.aws_stub.item_size import WRITE_UNIT, item_bytes, units
from tests.aws_stub.responses import Respond, clients_of
from webhooks.adapters.aws.clients import AwsClients

OTHER_WRITES = ("PutItem", "UpdateItem", "TransactWriteItems")  # their units are not counted here


@dataclass
class Counts:
    """Calls by operation, with botocore's own retries. A deletion counts as one write unit."""

    calls: Counter[str] = field(default_factory=Counter)
    write_units: int = 0
    keys_read: int = 0

    def add(self, operation: str, body: bytes) -> None:
        """Count a call. Raises AssertionError for a write other than BatchWriteItem, a rate limiter's, a mark or a
        health's; the units of a health are not counted.
        """
        if operation == "UpdateItem" and json.loads(body)["Key"]["pk"]["S"].startswith(("L#", "SEEN#")):
            self.write_units += 1  # its item is small
        elif operation == "UpdateItem" and "#healthVersion" in json.loads(body)["ExpressionAttributeNames"]:
            pass
        else:
            assert operation not in OTHER_WRITES, operation
        self.calls[operation] += 1
        if operation == "BatchGetItem":
            self.keys_read += sum(len(asked["Keys"]) for asked in json.loads(body)["RequestItems"].values())
        if operation == "BatchWriteItem":
            for writes in json.loads(body)["RequestItems"].values():
                puts = (write["PutRequest"]["Item"] for write in writes if "PutRequest" in write)
                self.write_units += sum(units(item_bytes(item), WRITE_UNIT) for item in puts)
                self.write_units += sum("DeleteRequest" in write for write in writes)

    def clear(self) -> None:
        self.calls.clear()
        self.write_units = self.keys_read = 0


def counting(respond: Respond, counts: Counts) -> Respond:
    """Count the calls that `respond` takes."""

    def counted_response(operation: str, body: bytes) -> bytes:
        counts.add(operation, body)
        return respond(operation, body)

    return counted_response


@contextmanager
def counted(aws: AwsClients) -> Iterator[Counts]:
    """Count the calls of these clients, with any responder."""
    counts = Counts()

    def count(request: Any, event_name: str, **_: Any) -> None:
        counts.add(event_name.rpartition(".")[2], request.body)

    for client in clients_of(aws):
        client.meta.events.register_first("before-send", count, unique_id="counted")
    try:
        yield counts
    finally:
        for client in clients_of(aws):
            client.meta.events.unregister("before-send", unique_id="counted")
