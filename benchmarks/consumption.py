"""The consumption of a function: calls, units and bytes at AWS, log lines, requests to endpoints."""

import io
import json
import logging
import socketserver
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.aws_stub.item_size import READ_UNIT, WRITE_UNIT, item_bytes, units
from tests.aws_stub.responses import Respond


@dataclass
class Consumption:
    """Calls to AWS with their reads, writes and messages; log lines."""

    calls: Counter[str] = field(default_factory=Counter)
    read_units: dict[str, float] = field(default_factory=lambda: defaultdict(float))  # by table
    write_units: int = 0
    items: int = 0  # that were written whole
    item_bytes: int = 0
    messages: int = 0
    message_bytes: int = 0
    log: io.StringIO = field(default_factory=io.StringIO)

    @property
    def log_bytes(self) -> int:
        return len(self.log.getvalue().encode())

    def forget(self) -> None:
        """Start to count anew; log lines are counted from then on."""
        self.calls.clear()
        self.read_units.clear()
        self.write_units = self.items = self.item_bytes = self.messages = self.message_bytes = 0
        for handler in logging.getLogger("webhooks").handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(self.log)

    def counting(self, respond: Respond) -> Respond:
        """Count the requests that `respond` takes.

        Raises AssertionError for a transaction, whose units are not counted.
        """

        def response(operation: str, body: bytes) -> bytes:
            self.calls[operation] += 1
            asked, found = json.loads(body), respond(operation, body)
            match operation:
                case "BatchGetItem":
                    self._read(asked["RequestItems"], json.loads(found)["Responses"])
                case "Query":
                    self._query(asked, json.loads(found)["Items"])
                case "BatchWriteItem":
                    self._write(asked["RequestItems"])
                case "UpdateItem":
                    self.write_units += 1  # what is added is short, and so are these items
                case "SendMessageBatch":
                    self.messages += len(asked["Entries"])
                    self.message_bytes += sum(_message_bytes(entry) for entry in asked["Entries"])
                case "TransactWriteItems" | "PutItem" | "GetItem":
                    raise AssertionError(operation)
            return found

        return response

    def _query(self, asked: Mapping[str, Any], found: Sequence[Any]) -> None:
        billed = units(sum(map(item_bytes, found)), READ_UNIT)  # of all items together
        self.read_units[asked["TableName"]] += billed if asked.get("ConsistentRead") else billed / 2

    def _read(self, asked: Mapping[str, Any], found: Mapping[str, Sequence[Any]]) -> None:
        for table, request in asked.items():
            sizes = {json.dumps([item["pk"], item["sk"]]): item_bytes(item) for item in found.get(table, ())}
            for each in request["Keys"]:
                billed = units(sizes.get(json.dumps([each["pk"], each["sk"]]), 0), READ_UNIT)
                self.read_units[table] += billed if request.get("ConsistentRead") else billed / 2

    def _write(self, asked: Mapping[str, Any]) -> None:
        for puts in asked.values():
            for put in puts:
                size = item_bytes(put["PutRequest"]["Item"])
                self.items += 1
                self.item_bytes += size
                self.write_units += units(size, WRITE_UNIT)


def _message_bytes(entry: Mapping[str, Any]) -> int:
    attributes = entry.get("MessageAttributes", {})
    return len(entry["MessageBody"].encode()) + sum(
        len(f"{name}String{value['StringValue']}".encode()) for name, value in attributes.items()
    )


@dataclass
class Endpoint:
    """Responds 200 at once, and counts requests and their bytes."""

    url: str
    requests: int = 0
    request_bytes: int = 0
    body_bytes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def forget(self) -> None:
        self.requests = self.request_bytes = self.body_bytes = 0

    def count(self, head: int, body: int) -> None:
        with self.lock:
            self.requests += 1
            self.request_bytes += head + body
            self.body_bytes += body


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while head := self._head():
                length = next(
                    int(line.split(b":")[1]) for line in head if line.lower().startswith(b"content-length:")
                )
                counting.count(sum(map(len, head)), len(self.rfile.read(length)))
                self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

        def _head(self) -> list[bytes]:
            lines = []
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                lines.append(line)
            return [*lines, b"\r\n"] if lines else []

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        counting = Endpoint(f"http://127.0.0.1:{server.server_address[1]}/hook")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield counting
        finally:
            server.shutdown()
