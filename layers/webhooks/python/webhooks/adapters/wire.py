"""A socket that ends on time and reads no more than it may; it knows nothing of HTTP.

Every operation waits for what is left until the deadline and not longer, so that a peer that takes or gives
a byte at a time gains nothing, and nobody is needed to watch.
"""

import io
import select
import socket
import ssl
from collections.abc import Buffer, Callable
from functools import partial
from typing import Final

from webhooks.adapters.deadline import Deadline, DeadlineError
from webhooks.adapters.strands import READABLE, WRITABLE, await_ready

# Status line, headers and body together.
ANSWER_BYTES: Final = 65_536
_BUFFER_BYTES: Final = 4_096  # an usual answer in one read; each connection in flight holds one


def in_time[T](sock: socket.socket, operation: Callable[[], T], deadline: Deadline, *, events: int) -> T:
    """Do an operation on a socket that does not block, as often as it takes.

    `events`: what a plain socket must be for it; TLS says itself what it waits for.
    Raises OSError as it does, and DeadlineError when the peer does not let it succeed in time.
    """
    while True:
        wanted = events
        try:
            return operation()
        except ssl.SSLWantReadError:
            wanted = READABLE
        except ssl.SSLWantWriteError:
            wanted = WRITABLE
        except BlockingIOError:
            pass
        if not await_ready(sock, wanted, deadline.left()):
            raise DeadlineError


class Wire:
    """A connected TCP or TLS socket, in the shape in which `http.client` uses one.

    `ended`: the peer closed its side. `cut`: the answer was longer than may be read.
    """

    def __init__(self, sock: socket.socket | ssl.SSLSocket, deadline: Deadline) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._ahead = b""
        self._reader: _Reader | None = None
        self.arm(deadline)

    def arm(self, deadline: Deadline) -> None:
        """Start the next request: its deadline, and a whole answer to read again."""
        self._deadline = deadline
        self._may_read = ANSWER_BYTES
        self._muted = False
        self.ended = False
        self.cut = False

    def sendall(self, data: Buffer) -> None:
        """Send everything. Raises OSError, and DeadlineError when the peer does not take it in time."""
        with memoryview(data).cast("B") as view:
            sent = 0
            while sent < len(view):
                send = partial(self._sock.send, view[sent:])
                sent += in_time(self._sock, send, self._deadline, events=WRITABLE)

    def receive_into(self, buffer: memoryview) -> int | None:
        """Read what is there, waiting for the first byte; 0 at the end, None if nothing may be waited for."""
        if self._muted:
            return None
        data = self._ahead or self._receive(len(buffer))
        count = min(len(data), len(buffer))
        buffer[:count] = data[:count]
        self._ahead = data[count:]
        return count

    @property
    def is_clean(self) -> bool:
        """Tell whether the peer is connected still and has sent nothing that nobody asked for."""
        self._muted = True  # look into the buffer only
        if self._ahead or (self._reader is not None and self._reader.peek(1)) or self._is_pending:
            return False
        poll = select.poll()
        poll.register(self._sock.fileno(), select.POLLIN | select.POLLPRI)
        return not poll.poll(0)

    def ahead(self) -> bytes:
        """Return the start of an answer, waiting for it; nothing at the end. Only `skip` takes it."""
        # Before there is anything to read, a try would be an exception.
        if not self._is_pending and not await_ready(self._sock, READABLE, self._deadline.left()):
            raise DeadlineError
        self._ahead = self._receive(_BUFFER_BYTES)
        return self._ahead

    def skip(self, count: int) -> None:
        """Take bytes that `ahead` returned."""
        self._ahead = self._ahead[count:]

    @property
    def _is_pending(self) -> bool:
        """Tell whether TLS has bytes that the socket does not show any more."""
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def _receive(self, size: int) -> bytes:
        if self._may_read == 0:
            self.cut = True
            return b""
        receive = partial(self._sock.recv, min(size, self._may_read))
        data = in_time(self._sock, receive, self._deadline, events=READABLE)
        self._may_read -= len(data)
        self.ended = not data
        return data

    def hang_up(self) -> None:
        """Close the connection at once."""
        self._sock.close()

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return the one reader of this connection: bytes read ahead must not be lost between answers."""
        if self._reader is None:
            self._reader = _Reader(_Inlet(self), _BUFFER_BYTES)
        return self._reader

    def settimeout(self, _seconds: float | None) -> None:
        """Leave the time to the deadline."""

    def close(self) -> None:
        """Leave the closing to `hang_up`: `http.client` closes while the answer's body is unread."""


class _Inlet(io.RawIOBase):
    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int | None:
        with memoryview(buffer) as view:
            return self._wire.receive_into(view.cast("B"))


class _Reader(io.BufferedReader):
    def close(self) -> None:
        """Stay open: each answer closes its file, the next one on the connection needs it again."""
