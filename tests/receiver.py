"""A scriptable HTTP or HTTPS receiver on loopback, which records its requests and misbehaves as its scripts say.

with Receiver() as receiver:
    receiver.script(reply(503), reply(200))  # in order; the last one is repeated
    ...
    assert receiver.requests[0].body == b"..."
"""

import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from tests.receiver_scripts import (
    Connection,
    Received,
    Script,
    drip,
    endless,
    mute,
    raw,
    reply,
    reset,
    stall,
    then_close,
    token,
)

__all__ = [
    "Connection",
    "Received",
    "Receiver",
    "Script",
    "drip",
    "endless",
    "mute",
    "raw",
    "reply",
    "reset",
    "stall",
    "then_close",
    "token",
]


class Receiver:
    """Listens from `with` on. `greeting`: deals with a connection instead of reading requests from it."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        greeting: Callable[[Connection], None] | None = None,
    ) -> None:
        self._tls = tls
        self._greeting = greeting
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=512)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[Received] = []
        self.connections = 0
        self._scripts: dict[str | None, deque[Script]] = {None: deque([reply()])}
        self._open: set[socket.socket] = set()
        self._accepting = threading.Thread(target=self._accept, daemon=True, name="receiver")
        self._threads: list[threading.Thread] = []
        self._changed = threading.Condition()
        self._stopping = threading.Event()

    @property
    def url(self) -> str:
        """The receiver's own address; append a path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    def script(self, *scripts: Script, path: str | None = None) -> None:
        """Set the scripts of a path, or of all others: each is run once, in order, the last one from then on."""
        with self._changed:
            self._scripts[path] = deque(scripts)

    def wait_for(self, count: int, *, seconds: float = 5.0, path: str | None = None) -> list[Received]:
        """Return the requests (to the path) as soon as there are so many. Raises AssertionError in the end."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._to(path)) >= count, timeout=seconds):
                raise AssertionError(f"{len(self._to(path))} of {count} requests came within {seconds} s")
            return self._to(path)

    def wait_until_closed(self, *, seconds: float = 5.0) -> None:
        """Return when no connection is open on this side. Raises AssertionError in the end."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._open, timeout=seconds):
                raise AssertionError(f"{len(self._open)} connections are still open after {seconds} s")

    def _to(self, path: str | None) -> list[Received]:
        return [received for received in self.requests if path is None or received.path == path]

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()  # after this no new connection is accepted
        for sock in list(self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)
        self._listener.close()

    def _start(self, sock: socket.socket, number: int) -> None:
        thread = threading.Thread(target=self._serve, args=(sock, number), daemon=True, name="receiver")
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
                number = self.connections
                self.connections += 1
            self._start(sock, number)

    def _serve(self, sock: socket.socket, number: int) -> None:
        secured = sock
        try:
            if self._greeting is not None:
                self._greeting(Connection(sock, number, self._stopping))
                return
            if self._tls is not None:
                secured = self._tls.wrap_socket(sock, server_side=True)
                self._change(sock, secured)
            self._read_requests(Connection(secured, number, self._stopping))
        except (OSError, ValueError):
            pass  # the other side is gone, or sent no HTTP: there is nothing to record
        finally:
            secured.close()
            self._change(secured, None)

    def _read_requests(self, connection: Connection) -> None:
        while (received := connection.read_request()) is not None:
            with self._changed:
                self.requests.append(received)
                scripts = self._scripts.get(received.path, self._scripts[None])
                script = scripts.popleft() if len(scripts) > 1 else scripts[0]
                self._changed.notify_all()
            if not script(connection, received):
                return

    def _change(self, closed: socket.socket, opened: socket.socket | None) -> None:
        with self._changed:
            self._open.discard(closed)
            if opened is not None:
                self._open.add(opened)
            self._changed.notify_all()
