"""The benchmarks' receiver, which costs little: run as a process of its own, it prints its ports as JSON.

POST /dead and /token never get a response, POST /down 500, POST /after/MS 200 after so many ms, POST /close
200 and the connection's end, and POST to any other path 200 at once. GET /arrivals: path, event id and epoch
seconds of each callback since the last GET. No TLS session is resumed.
"""

import argparse
import asyncio
import json
import os
import ssl
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

from local.emulator import HOST
from local.errors import LocalError
from local.paths import ROOT
from tests.http_requests import Request, split_request

DEAD, DOWN, CLOSE = "/dead", "/down", "/close"
TOKEN = "/token"  # noqa: S105 - a path
AFTER = "/after/"  # and milliseconds
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
LAST = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
FAILURE = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"

type Callbacks = deque[tuple[str, bytes, float]]  # path, body and epoch seconds


@contextmanager
def listening(*options: str) -> Iterator[tuple[int, int]]:
    """Run the process while the context lasts; gives its ports for HTTP and HTTPS. Raises LocalError."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.receiver_process", *options],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    try:
        line = process.stdout.readline() if process.stdout else b""
        if not line:
            raise LocalError("the benchmarks' receiver does not start")
        http, https = json.loads(line)
        yield http, https
    finally:
        process.terminate()
        process.communicate()


class Connection(asyncio.Protocol):
    """One connection; all write to one list of callbacks."""

    def __init__(self, callbacks: Callbacks) -> None:
        self._callbacks = callbacks
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it for the responses."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Respond to each request that is complete."""
        self._unread += data
        while (split := split_request(self._unread)) is not None:
            request, self._unread = split
            self._respond(request)

    def _respond(self, request: Request) -> None:
        path = request.path
        if path == TOKEN:
            return
        if request.method == "GET":
            content = json.dumps(_arrivals(self._callbacks)).encode()
            self._transport.write(OK.replace(b": 0", b": %d" % len(content)) + content)
            return
        self._callbacks.append((path, request.body, time.time()))
        if path.startswith(AFTER):
            delay = int(path.removeprefix(AFTER)) / 1000
            asyncio.get_running_loop().call_later(delay, self._transport.write, OK)
        elif path == CLOSE:
            self._transport.write(LAST)
            self._transport.close()
        elif path != DEAD:
            self._transport.write(FAILURE if path == DOWN else OK)


def _arrivals(callbacks: Callbacks) -> list[tuple[str, str, float]]:
    arrivals = []
    while callbacks:
        path, body, at = callbacks.popleft()
        sent: dict[str, Any] = json.loads(body)
        arrivals.append(
            (path, sent.get("id") or sent["eventId"], at)
        )  # of a callback, or of the event itself
    return arrivals


async def serve(callbacks: Callbacks, tls: ssl.SSLContext | None) -> None:
    """Receive until the process is ended, or its parent is gone."""
    loop = asyncio.get_running_loop()
    ports = []
    for context in (None, tls):
        server = await loop.create_server(lambda: Connection(callbacks), HOST, 0, backlog=512, ssl=context)
        ports.append(server.sockets[0].getsockname()[1])
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(1)


def main() -> None:
    """Receive until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--certificate", help="a file with a certificate and its key, for HTTPS")
    parser.add_argument("--keep", type=int, help="the number of callbacks to keep until the next GET")
    options = parser.parse_args()
    tls = None
    if options.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.certificate)
        tls.options |= ssl.OP_NO_TICKET
        tls.num_tickets = 0  # of TLS 1.3
    with suppress(KeyboardInterrupt):  # it ends the benchmark too
        asyncio.run(serve(deque(maxlen=options.keep), tls))


if __name__ == "__main__":
    main()
