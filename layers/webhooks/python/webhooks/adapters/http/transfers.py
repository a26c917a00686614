"""Transfers over libcurl's multi interface: one thread, one epoll, one pool of connections.

libcurl sees each transfer through, from the connection to the response's last byte, and says what is next to
wait for. Here that is waited for, and what came of a transfer gets a name.
"""

import os
import select
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

import pycurl  # type: ignore[import-untyped]

from webhooks.adapters.http.egress_guard import EgressGuard, Target
from webhooks.adapters.http.failures import TransferError
from webhooks.adapters.http.response_reader import ResponseReader
from webhooks.adapters.http.transfer import Transfer, header_lines, outcome_of
from webhooks.domain.http import HttpOutcome, HttpRequest

TRIED_ADDRESSES: Final = 4
_FREE_HANDLES: Final = 128  # kept for later transfers; a batch has 100 deliveries
_BUFFER_BYTES: Final = 16_384  # a TLS record; each request in flight may hold two
_ERRORS: Final = select.EPOLLERR | select.EPOLLHUP


@dataclass(frozen=True, slots=True)
class Limits:
    """The pool: kept connections, the seconds that one waits for another request, and that one lives."""

    connections: int = 256
    idle_seconds: int = 30  # under the 60 s of AWS's load balancers
    life_seconds: int = 300  # a host's changed address is followed at last


class Transfers:
    """Carries requests to vetted addresses. Not thread-safe, but for `wake`."""

    def __init__(self, guard: EgressGuard, *, ca_file: str, limits: Limits) -> None:
        self._guard = guard
        self._ca_file = ca_file
        self._limits = limits
        self._running: dict[Any, Transfer] = {}
        self._free: list[Transfer] = []
        self._opened: list[socket.socket] = []
        self._timer: float | None = None
        self._poll = select.epoll()
        self._watched: set[int] = set()
        self._wakeup = os.fdopen(os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC), "r+b", buffering=0)
        self._poll.register(self._wakeup, select.EPOLLIN)
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, limits.connections)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)

    def start(
        self,
        request: HttpRequest,
        target: Target,
        *,
        lookup_seconds: float,
        seconds: float,
        excerpt_bytes: int,
        done: Callable[[HttpOutcome | TransferError], None],
    ) -> Transfer:
        """Begin a request that may take so many seconds; `done` gets what came of it, in `wait`."""
        transfer = self._free.pop() if self._free else self._new()
        transfer.request, transfer.target, transfer.done = request, target, done
        transfer.lookup_seconds, transfer.reader = lookup_seconds, ResponseReader(excerpt_bytes)
        transfer.address = transfer.refusal = None
        url, easy = target.url, transfer.easy
        host = f"[{url.host}]" if ":" in url.host else url.host
        easy.setopt(pycurl.URL, f"{url.scheme}://{host}:{url.port}/")
        easy.setopt(pycurl.REQUEST_TARGET, url.path)  # to the letter
        addresses = ",".join(target.addresses[:TRIED_ADDRESSES])
        # "+": to be forgotten after a while, as libcurl keeps what it looked up itself.
        easy.setopt(pycurl.RESOLVE, [f"+{host}:{url.port}:{addresses}"])
        easy.setopt(pycurl.CUSTOMREQUEST, request.method)
        easy.setopt(pycurl.POSTFIELDS, request.body)
        easy.setopt(pycurl.HTTPHEADER, header_lines(request, url.authority))
        easy.setopt(pycurl.TIMEOUT_MS, max(1, round(seconds * 1000)))
        self._multi.add_handle(easy)
        self._running[easy] = transfer
        return transfer

    def cancel(self, transfer: Transfer) -> None:
        """End a transfer whose outcome nobody needs any more."""
        if self._running.pop(transfer.easy, None) is not None:
            self._multi.remove_handle(transfer.easy)
            transfer.easy.close()

    def wait(self, seconds: float | None) -> None:
        """Wait until something happens, at most so many seconds, and carry on with what it is for."""
        now = time.monotonic()
        if self._timer is not None:
            due = max(0.0, self._timer - now)
            seconds = due if seconds is None else min(due, seconds)
        # epoll counts in whole milliseconds and libcurl too: rounded up, a timer is due when it ends.
        for descriptor, events in self._poll.poll(seconds):
            if descriptor == self._wakeup.fileno():
                self._wakeup.read(8)
                continue
            mask = (pycurl.CSELECT_IN if events & (select.EPOLLIN | _ERRORS) else 0) | (
                pycurl.CSELECT_OUT if events & select.EPOLLOUT else 0
            )
            self._multi.socket_action(descriptor, mask)
        if self._timer is not None and time.monotonic() >= self._timer:
            self._timer = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        for opened in self._opened:  # libcurl has a descriptor of its own for each
            opened.close()
        self._opened.clear()
        self._end_all()

    def wake(self) -> None:
        """End a `wait`. Thread-safe."""
        with suppress(ValueError):  # closed meanwhile
            self._wakeup.write((1).to_bytes(8, sys.byteorder))

    def close(self) -> None:
        """Close everything, kept connections too."""
        for transfer in list(self._running.values()):
            self.cancel(transfer)
        for transfer in self._free:
            transfer.easy.close()
        self._free.clear()
        self._multi.close()
        self._poll.close()
        self._wakeup.close()

    def _new(self) -> Transfer:
        easy = pycurl.Curl()
        transfer = Transfer(easy)
        for option, value in (
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.PROXY, ""),  # not even that of the environment
            (pycurl.NOSIGNAL, 1),
            (pycurl.UPLOAD_BUFFERSIZE, _BUFFER_BYTES),
            (pycurl.BUFFERSIZE, _BUFFER_BYTES),
            (pycurl.FOLLOWLOCATION, 0),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
            (pycurl.HTTP09_ALLOWED, 0),
            (pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2),  # or newer
            (pycurl.CAINFO, self._ca_file),
            (pycurl.MAXAGE_CONN, self._limits.idle_seconds),
            (pycurl.MAXLIFETIME_CONN, self._limits.life_seconds),
            (pycurl.OPENSOCKETFUNCTION, lambda _purpose, address: self.open_socket(transfer, address)),
            (pycurl.HEADERFUNCTION, transfer.header),
            (pycurl.WRITEFUNCTION, transfer.piece),
        ):
            easy.setopt(option, value)
        return transfer

    def open_socket(self, transfer: Transfer, address: Any) -> Any:
        """Give libcurl a socket for an address, if it is one that was vetted, and passes once more."""
        family, kind, protocol, (host, *_) = address
        ip = ip_address(host if isinstance(host, str) else host.decode())
        transfer.refusal = self._guard.refusal(ip)
        if transfer.refusal is None and not any(ip == ip_address(each) for each in transfer.target.addresses):
            transfer.refusal = "unvetted"
        if transfer.refusal is not None:
            return pycurl.SOCKET_BAD
        transfer.address = str(ip)
        transfer.reader.restart()
        opened = socket.socket(family, kind, protocol)
        self._opened.append(opened)
        return opened

    def _watch(self, what: int, descriptor: int, _multi: Any, _data: Any) -> None:
        """Wait for what libcurl says of a socket."""
        if what == pycurl.POLL_REMOVE:
            if descriptor in self._watched:
                self._watched.remove(descriptor)
                with suppress(OSError):  # closed already, which takes it out
                    self._poll.unregister(descriptor)
            return
        events = (select.EPOLLIN if what & pycurl.POLL_IN else 0) | (
            select.EPOLLOUT if what & pycurl.POLL_OUT else 0
        )
        if descriptor in self._watched:
            self._poll.modify(descriptor, events)
        else:
            self._poll.register(descriptor, events)
            self._watched.add(descriptor)

    def _set_timer(self, milliseconds: int) -> None:
        self._timer = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    def _end_all(self) -> None:
        while True:
            queued, done, failed = self._multi.info_read()
            for easy, code, text in [*((easy, 0, "") for easy in done), *failed]:
                transfer = self._running.pop(easy, None)
                if transfer is None:  # given up by what came of one before it
                    continue
                try:
                    outcome: HttpOutcome | TransferError = outcome_of(transfer, code, text)
                except TransferError as error:
                    outcome = error
                self._multi.remove_handle(easy)
                easy.setopt(pycurl.POSTFIELDS, b"")  # a handle that is kept holds no body
                done = transfer.done
                del transfer.request, transfer.reader, transfer.done
                if len(self._free) < _FREE_HANDLES:
                    self._free.append(transfer)
                else:
                    easy.close()
                done(outcome)
            if not queued:
                return
