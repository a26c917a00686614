"""Connections to vetted addresses: how one is opened, what it answers, and which wait for another request."""

import errno
import http.client
import os
import re
import socket
import ssl
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final, NamedTuple, cast

from webhooks.adapters.deadline import Deadline
from webhooks.adapters.strands import READABLE, WRITABLE, await_ready
from webhooks.adapters.wire import Wire, in_time

_IDLE_LIMIT: Final = 256  # a function has 1,024 file descriptors, and most are for what is in flight
# Under the 60 s of AWS's load balancers. Servers that close sooner say so, or are seen to have closed.
_IDLE_SECONDS: Final = 30.0
_KEEP_ALIVE: Final = re.compile(
    r"timeout=(\d{1,9})"
)  # RFC 2068, 19.7.1: no standard now, but what servers say
_SWITCHING_PROTOCOLS: Final = 101
_FIRST_FINAL_STATUS: Final = 200


class ConnectionKey(NamedTuple):
    """What makes a connection fit for a request: the vetted address, and the host it is checked against."""

    scheme: str
    host: str
    port: int
    address: str


@dataclass(frozen=True, slots=True)
class Connection:
    """An open connection."""

    key: ConnectionKey
    wire: Wire

    def ask(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> None:
        """Send a request (RFC 9112, 3) in one piece: one system call, one TLS record, one packet.

        Nothing is escaped: `HttpRequest.fault` and `parse_url` refuse what could break the message.
        """
        fields = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        head = f"{method} {path} HTTP/1.1\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
        self.wire.sendall(head.encode("latin-1") + body)

    def answer(self) -> http.client.HTTPResponse:
        """Read the final answer's status and headers; interim answers (RFC 9110, 15.2) are passed over."""
        while True:
            response = http.client.HTTPResponse(cast("socket.socket", self.wire))
            response.begin()
            if response.status >= _FIRST_FINAL_STATUS or response.status == _SWITCHING_PROTOCOLS:
                return response
            response.close()


def connect(address: str, *, port: int, seconds: float) -> socket.socket:
    """Open a TCP connection to an address, which is never looked up. Raises OSError."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        error = sock.connect_ex((address, port))
        if error == errno.EINPROGRESS:
            is_decided = await_ready(sock, WRITABLE, seconds)
            error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if is_decided else errno.ETIMEDOUT
        if error:
            raise OSError(error, os.strerror(error))  # noqa: TRY301 - of its errno's own class
    except BaseException:
        sock.close()
        raise
    return sock


def secure(sock: socket.socket, context: ssl.SSLContext, *, host: str, deadline: Deadline) -> ssl.SSLSocket:
    """Do the TLS handshake, with SNI and the certificate's check on the host's name.

    Raises OSError and DeadlineError.
    """
    secured = None
    try:
        secured = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
        in_time(secured, secured.do_handshake, deadline, events=READABLE)
    except BaseException:
        (secured or sock).close()
        raise
    return secured


class IdleConnections:
    """Connections that wait for another request, bounded in number and in time. Thread-safe."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        limit: int = _IDLE_LIMIT,
        seconds: float = _IDLE_SECONDS,
    ) -> None:
        self._clock = clock
        self._limit = limit
        self._seconds = seconds
        self._lock = Lock()
        self._count = 0
        # Least recently used key first; under a key, least recently used connection first, with its end.
        self._waiting: OrderedDict[ConnectionKey, list[tuple[Connection, float]]] = OrderedDict()

    def __len__(self) -> int:
        return self._count

    def take(self, key: ConnectionKey) -> Connection | None:
        """Return an open connection, the most recently used one, or None. What was closed is thrown away."""
        while True:
            with self._lock:
                waiting = self._waiting.get(key)
                if waiting is None:
                    return None
                connection, until = self._pop(key, waiting, index=-1)
            if self._clock() < until and connection.wire.is_clean:
                return connection
            connection.wire.hang_up()

    def give(self, connection: Connection, *, keep_alive: str | None) -> None:
        """Keep a connection for another request; `keep_alive` is the answer's header of that name, if any."""
        seconds = self._seconds
        if keep_alive is not None and (named := _KEEP_ALIVE.search(keep_alive)):
            seconds = min(seconds, int(named[1]) - 1)  # a second before the server means to close it
        surplus = []
        with self._lock:
            self._waiting.setdefault(connection.key, []).append((connection, self._clock() + seconds))
            self._waiting.move_to_end(connection.key)
            self._count += 1
            while self._count > self._limit or self._oldest_is_over():
                key, waiting = next(iter(self._waiting.items()))
                surplus.append(self._pop(key, waiting, index=0)[0])
        for closed in surplus:
            closed.wire.hang_up()

    def close(self) -> None:
        """Close all that wait."""
        with self._lock:
            closed = [connection for waiting in self._waiting.values() for connection, _ in waiting]
            self._waiting.clear()
            self._count = 0
        for connection in closed:
            connection.wire.hang_up()

    def _oldest_is_over(self) -> bool:
        waiting = next(iter(self._waiting.values()), None)
        return waiting is not None and waiting[0][1] <= self._clock()

    def _pop(
        self, key: ConnectionKey, waiting: list[tuple[Connection, float]], *, index: int
    ) -> tuple[Connection, float]:
        popped = waiting.pop(index)
        self._count -= 1
        if not waiting:
            del self._waiting[key]
        return popped
