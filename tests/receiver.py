"""A scriptable HTTP or HTTPS endpoint on loopback, which records what it gets and misbehaves on request.

with Receiver() as receiver:
    receiver.script(reply(503), reply(200))  # in order; the last one is repeated
    ...
    assert receiver.requests[0].body == b"..."
"""

import json
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self


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


def then_close(script: Script, *, after: float = 0.0) -> Script:
    """Close a connection that was to stay open, without a word."""

    def run(conversation: Conversation, received: Received) -> bool:
        script(conversation, received)
        conversation.wait(after)
        return False

    return run


class Receiver:
    """Listens from `with` on. `mute`: accepts connections and reads nothing, not even a TLS greeting."""

    def __init__(
        self, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1", mute: bool = False
    ) -> None:
        self._tls = tls
        self._mute = mute
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=512)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[Received] = []
        self.connections = 0
        self._scripts: dict[str | None, deque[Script]] = {None: deque([reply()])}
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._stopping = threading.Event()

    @property
    def url(self) -> str:
        """The receiver's own address; append a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    def script(self, *scripts: Script, path: str | None = None) -> None:
        """Answer with these in order, and with the last one from then on; for one path, or all others."""
        with self._changed:
            self._scripts[path] = deque(scripts)

    def wait_for(self, count: int, *, seconds: float = 5.0, path: str | None = None) -> list[Received]:
        """Return the requests (to the path) as soon as there are so many; fails when the time is up."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._to(path)) >= count, timeout=seconds):
                raise AssertionError(f"{len(self._to(path))} of {count} requests came within {seconds} s")
            return self._to(path)

    def _to(self, path: str | None) -> list[Received]:
        return [received for received in self.requests if path is None or received.path == path]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        with self._changed:
            still_open = list(self._open)
        for sock in still_open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(timeout=5)
        self._listener.close()

    def _start(self, run: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=run, args=args, daemon=True, name="receiver")
        self._threads = [running for running in self._threads if running.is_alive()]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                self._open.add(sock)
            self._start(self._serve, sock, self.connections)
            self.connections += 1

    def _serve(self, sock: socket.socket, number: int) -> None:
        secured = sock
        try:
            if self._mute:
                self._stopping.wait()
            else:
                if self._tls is not None:
                    secured = self._tls.wrap_socket(sock, server_side=True)
                    self._change(sock, secured)
                self._converse(Conversation(secured, number, self._stopping))
        except (OSError, ValueError):
            pass  # the other side is gone, or speaks no HTTP: nothing to record
        finally:
            self._change(secured, None)
            secured.close()

    def _converse(self, conversation: Conversation) -> None:
        while (received := conversation.read_request()) is not None:
            with self._changed:
                self.requests.append(received)
                scripts = self._scripts.get(received.path, self._scripts[None])
                script = scripts.popleft() if len(scripts) > 1 else scripts[0]
                self._changed.notify_all()
            if not script(conversation, received):
                return

    def _change(self, closed: socket.socket, opened: socket.socket | None) -> None:
        with self._changed:
            self._open.discard(closed)
            if opened is not None:
                self._open.add(opened)
