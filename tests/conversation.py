"""What a test's receiver may do with a request: the scripts, and the connection that they run on."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


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
class Conversation:
    """An accepted connection, for answers that need to do odd things with it."""

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
        while b"\r\n\r\n" not in self.unread:
            if not self._more():
                return None
        head, _, self.unread = self.unread.partition(b"\r\n\r\n")
        request_line, *lines = head.decode("latin-1").split("\r\n")
        method, path, _version = request_line.split(" ")
        headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
        length = int(next((value for name, value in headers if name.lower() == "content-length"), 0))
        while len(self.unread) < length:
            if not self._more():
                return None
        body, self.unread = self.unread[:length], self.unread[length:]
        return Received(method, path, headers, body, self.number)

    def _more(self) -> bool:
        data = self.sock.recv(65_536)
        self.unread += data
        return bool(data)


# What is done with a request; the connection stays open while it returns True.
Script = Callable[[Conversation, Received], bool]


def reply(
    status: int = 200, body: bytes = b"", *, headers: dict[str, str] | None = None, delay: float = 0.0
) -> Script:
    """Answer as an ordinary server does, after `delay` seconds."""
    fields = {"Content-Length": str(len(body)), **(headers or {})}
    head = f"HTTP/1.1 {status} Whatever\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in fields.items()
    )
    data = head.encode("latin-1") + b"\r\n" + body

    def run(conversation: Conversation, _received: Received) -> bool:
        conversation.wait(delay)
        conversation.send(data)
        return fields.get("Connection") != "close"

    return run


def token(access_token: str, *, expires_in: object = 3_600, delay: float = 0.0) -> Script:
    """Answer as an OAuth 2 token endpoint does."""
    said = {"access_token": access_token, "token_type": "Bearer", "expires_in": expires_in}
    return reply(200, json.dumps(said).encode(), headers={"Content-Type": "application/json"}, delay=delay)


def raw(data: bytes, *, keep_open: bool = False) -> Script:
    """Answer with these bytes, then close, or wait for what comes."""

    def run(conversation: Conversation, _received: Received) -> bool:
        conversation.send(data)
        if keep_open:
            conversation.wait()
        return False

    return run


def drip(data: bytes, *, every: float) -> Script:
    """Answer a byte at a time."""

    def run(conversation: Conversation, _received: Received) -> bool:
        for byte in data:
            conversation.send(bytes([byte]))
            conversation.wait(every)
            if conversation.stopping.is_set():
                break
        return False

    return run


def endless(head: bytes, *, again: bytes) -> Script:
    """Answer without an end, as fast as it is taken."""

    def run(conversation: Conversation, _received: Received) -> bool:
        conversation.send(head)
        while not conversation.stopping.is_set():
            conversation.send(again)
        return False

    return run


def stall(conversation: Conversation, _received: Received) -> bool:
    """Never answer."""
    conversation.wait()
    return False


def reset(conversation: Conversation, _received: Received) -> bool:
    """Tear the connection down."""
    conversation.reset()
    return False


def mute(conversation: Conversation) -> None:
    """Read nothing, not even a TLS greeting: for Receiver's `greeting`."""
    conversation.wait()


def then_close(script: Script, *, after: float = 0.0) -> Script:
    """Close a connection that was to stay open, without a word."""

    def run(conversation: Conversation, received: Received) -> bool:
        script(conversation, received)
        conversation.wait(after)
        return False

    return run
