"""Transfers over libcurl's multi interface: one thread, one selector, one pool of connections.

libcurl sees each transfer through, from the connection to the response's last byte, and says which sockets
and which time to wait for. This module waits for them, and hands on the outcome of each transfer.
"""

import selectors
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, Final

import pycurl  # type: ignore[import-untyped]

from webhooks.adapters.http.egress_guard import EgressGuard, Target
from webhooks.adapters.http.failures import TransferError
from webhooks.adapters.http.response_reader import ResponseReader
from webhooks.adapters.http.transfer import Transfer, header_lines, outcome_of
from webhooks.domain.http import HttpOutcome, HttpRequest
from webhooks.domain.values import value_type

TRIED_ADDRESSES: Final = 4
_FREE_HANDLES: Final = 128  # kept for later transfers; a batch has 100 deliveries
_BUFFER_BYTES: Final = 16_384  # a TLS record; each request in flight may hold two
_parsed: Final = lru_cache(1_024)(ip_address)  # an endpoint's addresses are the same for each new connection


@value_type(frozen=True, slots=True)
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
        self._chunked: list[Transfer] = []  # they wait for `_report_chunks`
        self._timer: float | None = None
        self._selector = selectors.DefaultSelector()
        self._waked, self._wakes = socket.socketpair()
        self._waked.setblocking(False)
        self._wakes.setblocking(False)
        self._selector.register(self._waked, selectors.EVENT_READ)
        self._watched: set[int] = set()
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
        """Begin a request that may take so many seconds; `done` gets its outcome, in `wait`."""
        transfer = self._free.pop() if self._free else self._new()
        transfer.request, transfer.target, transfer.done = request, target, done
        transfer.lookup_seconds = lookup_seconds
        transfer.reader = ResponseReader(excerpt_bytes, on_chunked=lambda: self._chunked.append(transfer))
        transfer.address = transfer.refusal = None
        url, easy = target.url, transfer.easy
        easy.setopt(pycurl.HEADERFUNCTION, transfer.reader.header)
        easy.setopt(pycurl.WRITEFUNCTION, transfer.reader.piece)
        host = f"[{url.host}]" if ":" in url.host else url.host
        easy.setopt(pycurl.URL, f"{url.scheme}://{host}:{url.port}/")
        easy.setopt(pycurl.REQUEST_TARGET, url.path)  # to the letter
        addresses = ",".join(target.addresses[:TRIED_ADDRESSES])
        # "+": to be forgotten after a while, as libcurl keeps its own lookups.
        easy.setopt(pycurl.RESOLVE, [f"+{host}:{url.port}:{addresses}"])
        easy.setopt(pycurl.CUSTOMREQUEST, request.method)
        easy.setopt(pycurl.POSTFIELDS, request.body)
        easy.setopt(pycurl.HTTPHEADER, header_lines(request, url.authority))
        easy.setopt(pycurl.TIMEOUT_MS, max(1, round(seconds * 1000)))
        self._multi.add_handle(easy)
        self._running[easy] = transfer
        return transfer

    def cancel(self, transfer: Transfer) -> None:
        """End a transfer whose outcome is not needed any more."""
        if self._running.pop(transfer.easy, None) is not None:
            self._multi.remove_handle(transfer.easy)
            transfer.easy.close()

    def wait(self, until: float | None) -> None:
        """Wait until something happens, at the latest until a monotonic time, and carry on the transfers."""
        due = min((each for each in (until, self._timer) if each is not None), default=None)
        # Selectors round up to the unit of their system call: a timer is due when the wait for it ends.
        for key, events in self._selector.select(None if due is None else max(0.0, due - time.monotonic())):
            if key.fileobj is self._waked:
                self._waked.recv(4096)
                continue
            mask = (pycurl.CSELECT_IN if events & selectors.EVENT_READ else 0) | (
                pycurl.CSELECT_OUT if events & selectors.EVENT_WRITE else 0
            )
            self._multi.socket_action(key.fd, mask)
        if self._timer is not None and time.monotonic() >= self._timer:
            self._timer = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        for opened in self._opened:  # libcurl has a descriptor of its own for each
            opened.close()
        self._opened.clear()
        self._report_chunks()
        self._end_all()

    def wake(self) -> None:
        """End a `wait`. Thread-safe."""
        with suppress(OSError):  # closed meanwhile, or full: then it is awake
            self._wakes.send(b"\0")

    def close(self) -> None:
        """Close everything, kept connections too."""
        for transfer in list(self._running.values()):
            self.cancel(transfer)
        for transfer in self._free:
            transfer.easy.close()
        self._free.clear()
        self._multi.close()
        self._selector.close()
        self._waked.close()
        self._wakes.close()

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
        ):
            easy.setopt(option, value)
        return transfer

    def open_socket(self, transfer: Transfer, address: Any) -> Any:
        """Give libcurl a socket for an address, if it is one that was vetted, and passes once more."""
        family, kind, protocol, (host, *_) = address
        ip = _parsed(host if isinstance(host, str) else host.decode())
        transfer.refusal = self._guard.refusal(ip)
        if transfer.refusal is None and ip not in map(_parsed, transfer.target.addresses):
            transfer.refusal = "unvetted"
        if transfer.refusal is not None:
            return pycurl.SOCKET_BAD
        transfer.address = str(ip)
        transfer.reader.restart()
        opened = socket.socket(family, kind, protocol)
        self._opened.append(opened)
        return opened

    def _watch(self, action: int, descriptor: int, _multi: Any, _data: Any) -> None:
        """Note which events libcurl waits for at a socket."""
        if action == pycurl.POLL_REMOVE:
            if descriptor in self._watched:
                self._watched.remove(descriptor)
                self._selector.unregister(descriptor)
            return
        events = (selectors.EVENT_READ if action & pycurl.POLL_IN else 0) | (
            selectors.EVENT_WRITE if action & pycurl.POLL_OUT else 0
        )
        if descriptor in self._watched:
            self._selector.modify(descriptor, events)
        else:
            self._selector.register(descriptor, events)
            self._watched.add(descriptor)

    def _set_timer(self, milliseconds: int) -> None:
        self._timer = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000

    def _report_chunks(self) -> None:
        """Go on with chunked responses, whose reader gets all bytes from now on. It costs calls of Python.

        They paused before their bodies: libcurl takes no option in a callback, and it reads what it skips,
        such as a chunk's extension, for as long as the peer sends.
        """
        while self._chunked:
            transfer = self._chunked.pop()
            transfer.is_reported = True
            for option, value in (
                (pycurl.DEBUGFUNCTION, transfer.reader.raw),
                (pycurl.XFERINFOFUNCTION, transfer.reader.progress),
                (pycurl.VERBOSE, 1),
                (pycurl.NOPROGRESS, 0),
            ):
                transfer.easy.setopt(option, value)
            with suppress(pycurl.error):  # it has ended meanwhile, by malformed chunks or by a reset
                transfer.easy.pause(pycurl.PAUSE_CONT)

    def _end_all(self) -> None:
        while True:
            queued, done, failed = self._multi.info_read()
            for easy, code, text in [*((easy, 0, "") for easy in done), *failed]:
                transfer = self._running.pop(easy, None)
                if transfer is None:  # given up through the outcome of one before it
                    continue
                try:
                    outcome: HttpOutcome | TransferError = outcome_of(transfer, code, text)
                except TransferError as error:
                    outcome = error
                self._multi.remove_handle(easy)
                easy.setopt(pycurl.POSTFIELDS, b"")  # a handle that is kept holds no body
                if transfer.is_reported:
                    transfer.is_reported = False
                    easy.setopt(pycurl.VERBOSE, 0)
                    easy.setopt(pycurl.NOPROGRESS, 1)
                done = transfer.done
                del transfer.request, transfer.reader, transfer.done
                if len(self._free) < _FREE_HANDLES:
                    self._free.append(transfer)
                else:
                    easy.close()
                done(outcome)
            if not queued:
                return
