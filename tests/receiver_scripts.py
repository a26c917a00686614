"""The scripts of a test's receiver, and the connection that they run on."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.http_requests import split_request


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came; `headers` in their order, names as sent; `at` in epoch seconds."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int  # counts from 0: requests with the same number came over the same connection
    at: float = field(default_factory=time.time)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass(slots=True)
class Connection:
    """An accepted connection, for scripts that misuse it."""

    sock: socket.socket
    number: int
    stopping: threading.Event
    unread: bytes = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def wait(self, seconds: float | None = None) -> None:
        """Wait so long, or until the receiver stops."""
        self.stopping.wait(seconds)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def read_request(self) -> Received | None:
        """Read the next request; None when the other side closes instead."""
        while (split := split_request(self.unread)) is None:
            data = self.sock.recv(65_536)
            if not data:
                return None
            self.unread += data
        request, self.unread = split
        return Received(*request, self.number)


# Deals with a request; the connection stays open while it returns True.
Script = Callable[[Connection, Received], bool]


@dataclass(frozen=True)
class Reply:
    """A script that responds as an ordinary server does, after `delay` seconds."""

    status: int
    body: bytes
    headers: dict[str, str]
    delay: float

    def __call__(self, connection: Connection, _received: Received) -> bool:
        fields = {"Content-Length": str(len(self.body)), **self.headers}
        head = f"HTTP/1.1 {self.status} Reason\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        connection.wait(self.delay)
        connection.send(head.encode("latin-1") + b"\r\n" + self.body)
        return fields.get("Connection") != "close"


def reply(
    status: int = 200, body: bytes = b"", *, headers: dict[str, str] | None = None, delay: float = 0.0
) -> Script:
    """Respond as an ordinary server does, after `delay` seconds."""
    return Reply(status, body, headers or {}, delay)


def token(access_token: str, *, expires_in: object = 3_600, delay: float = 0.0) -> Script:
    """Respond as an OAuth 2 token endpoint does."""
    said = {"access_token": access_token, "token_type": "Bearer", "expires_in": expires_in}
    return reply(200, json.dumps(said).encode(), headers={"Content-Type": "application/json"}, delay=delay)


def raw(data: bytes, *, keep_open: bool = False) -> Script:
    """Respond with these bytes, then close the connection, or keep it open until the receiver stops."""

    def run(connection: Connection, _received: Received) -> bool:
        connection.send(data)
        if keep_open:
            connection.wait()
        return False

    return run


def drip(data: bytes, *, every: float) -> Script:
    """Respond a byte at a time."""

    def run(connection: Connection, _received: Received) -> bool:
        for byte in data:
            connection.send(bytes([byte]))
            connection.wait(every)
            if connection.stopping.is_set():
                break
        return False

    return run


def endless(head: bytes, *, again: bytes) -> Script:
    """Respond without an end, as fast as the other side reads."""

    def run(connection: Connection, _received: Received) -> bool:
        connection.send(head)
        while not connection.stopping.is_set():
            connection.send(again)
        return False

    return run


def stall(connection: Connection, _received: Received) -> bool:
    """Never respond."""
    connection.wait()
    return False


def reset(connection: Connection, _received: Received) -> bool:
    """Reset the connection."""
    connection.reset()
    return False


def mute(connection: Connection) -> None:
    """Read nothing, not even a TLS ClientHello: for Receiver's `greeting`."""
    connection.wait()


def then_close(script: Script, *, after: float = 0.0) -> Script:
    """Close a connection that the response kept open."""

    def run(connection: Connection, received: Received) -> bool:
        script(connection, received)
        connection.wait(after)
        return False

    return run
