"""A receiver in a process of its own that notes when which event's callback came, and costs little.

POST /dead and /token never get an answer, POST /down 500, POST anywhere else 200, at once. GET /arrivals:
path, event id and epoch seconds of each callback since the last time it was asked.
"""

import asyncio
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import cast

from local import emulator
from local.errors import LocalError
from local.paths import ROOT

HOOK, DEAD, DOWN = "/hook", "/dead", "/down"
TOKEN = "/token"  # noqa: S105 - a path
AFTER = "/after/"  # and milliseconds
START_SECONDS = 10
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
FAILURE = OK.replace(b"200 OK", b"500 No")

type Arrival = tuple[str, str, float]


@dataclass
class Receiver:
    """The receiver, as who started it sees it. `came`: each event's first arrival at /hook, by its id."""

    port: int
    came: dict[str, float] = field(default_factory=dict)
    repeated: int = 0

    @property
    def url(self) -> str:
        """Return its address; append a path."""
        return f"http://{emulator.HOST}:{self.port}"

    def look(self) -> dict[str, float]:
        """Take what has come since, and return all of `came`."""
        connection = http.client.HTTPConnection(emulator.HOST, self.port, timeout=10)
        connection.request("GET", "/arrivals")
        for path, event_id, at in json.loads(connection.getresponse().read()):
            if path == HOOK:
                self.repeated += event_id in self.came
                self.came.setdefault(event_id, at)
        connection.close()
        return self.came

    def forget(self) -> None:
        """Forget what has come so far."""
        self.look()
        self.came.clear()
        self.repeated = 0


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Run one while the context lasts. Raises LocalError."""
    running = Receiver(emulator.free_port())
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.arrivals", str(running.port)], cwd=ROOT, stdin=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not emulator.is_answering(f"{running.url}/arrivals"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise LocalError("the benchmarks' receiver does not start")
            time.sleep(0.05)
        yield running
    finally:
        process.terminate()
        process.wait()


class Connection(asyncio.Protocol):
    """One connection; all write into one list of arrivals."""

    def __init__(self, arrivals: list[Arrival]) -> None:
        self._arrivals = arrivals
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it for the answers."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete."""
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n")) >= 0:
            head = self._unread[:end]
            length = _length(head)
            if len(self._unread) < end + 4 + length:
                return
            body = self._unread[end + 4 : end + 4 + length]
            self._unread = self._unread[end + 4 + length :]
            method, path, _ = head.split(b" ", 2)
            self._take(method, path.decode(), body)

    def _take(self, method: bytes, path: str, body: bytes) -> None:
        at = time.time()
        if path == TOKEN:
            return
        if method == b"GET":
            content = json.dumps(self._arrivals).encode()
            self._arrivals.clear()
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
            return
        if path.startswith(AFTER):
            delay = int(path.removeprefix(AFTER)) / 1000
            asyncio.get_running_loop().call_later(delay, self._transport.write, OK)
        elif path != DEAD:
            self._transport.write(FAILURE if path == DOWN else OK)
        event = json.loads(body)
        self._arrivals.append(
            (path, event.get("id") or event["eventId"], at)
        )  # a callback, or the event as it was


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def serve(port: int) -> None:
    """Receive until the process is ended, or the one that started it is gone."""
    arrivals: list[Arrival] = []
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: Connection(arrivals), emulator.HOST, port, backlog=512)
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(1)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):  # a person's, who ends the benchmark with it
        asyncio.run(serve(int(sys.argv[1])))
