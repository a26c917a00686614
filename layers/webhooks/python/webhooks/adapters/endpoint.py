"""Sends one request to a tenant's endpoint within its deadline; whatever happens there is a value."""

import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from webhooks.adapters.connections import Connection, ConnectionKey, IdleConnections, connect, secure
from webhooks.adapters.deadline import Deadline, DeadlineError
from webhooks.adapters.egress import EgressGuard, HostUnresolvedError, Target
from webhooks.adapters.failure import FAILURES, Phase, explain
from webhooks.adapters.reading import Reply, excerpt, read_reply, unpacked
from webhooks.adapters.wire import Wire
from webhooks.domain.exchange import (
    Answer,
    Exchange,
    HttpRequest,
    NoAnswer,
    NoAnswerReason,
    shown_location,
)

EXCERPT_BYTES: Final = 1_024
_TRIED_ADDRESSES: Final = 4
_RETRY_AFTER_LENGTH: Final = 64  # a date has 29 characters


@dataclass(slots=True)
class _Attempt:
    deadline: Deadline
    phase: Phase = Phase.RESOLVING
    address: str | None = None

    def failed(self, reason: NoAnswerReason, detail: str) -> NoAnswer:
        return NoAnswer(reason, detail, self.deadline.elapsed_ms, self.address)


def tls_context() -> ssl.SSLContext:
    """Return the context that all connections share: TLS 1.2 or newer, the system's authorities."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


class HttpEndpoint:
    """Call endpoints over kept connections to vetted addresses. Thread-safe."""

    def __init__(
        self,
        guard: EgressGuard,
        *,
        ssl_context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
        idle: IdleConnections | None = None,
    ) -> None:
        self._guard = guard
        self._context = tls_context() if ssl_context is None else ssl_context
        self._clock = clock
        self._idle = IdleConnections(clock=clock) if idle is None else idle

    def exchange(self, request: HttpRequest, *, seconds: float) -> Exchange:
        """Send a request once, within the seconds from its host's lookup to the answer's last byte."""
        attempt = _Attempt(Deadline(seconds, clock=self._clock))
        reply = self._try(request, attempt, keep=EXCERPT_BYTES)
        if isinstance(reply, NoAnswer):
            return reply
        return Answer(
            status=reply.status,
            retry_after=reply.retry_after and reply.retry_after[:_RETRY_AFTER_LENGTH],
            excerpt=excerpt(unpacked(reply.body, reply.encoding, limit=EXCERPT_BYTES), limit=EXCERPT_BYTES),
            latency_ms=attempt.deadline.elapsed_ms,
            address=attempt.address or "",
            location=shown_location(reply.status, reply.location),
        )

    def fetch(self, request: HttpRequest, *, seconds: float, keep: int) -> Reply | NoAnswer:
        """Do as `exchange` does and return the answer itself, with up to `keep` bytes of its body."""
        return self._try(request, _Attempt(Deadline(seconds, clock=self._clock)), keep=keep)

    def close(self) -> None:
        """Close the connections that wait for another request."""
        self._idle.close()

    def _try(self, request: HttpRequest, attempt: _Attempt, *, keep: int) -> Reply | NoAnswer:
        if request.fault is not None:
            return attempt.failed(NoAnswerReason.REFUSED, request.fault)
        try:
            target = self._guard.target(request.url, seconds=attempt.deadline.left())
            connection = self._kept(target, attempt) or self._opened(target, attempt)
            return self._ask(connection, request, target=target, attempt=attempt, keep=keep)
        except HostUnresolvedError as error:
            late = DeadlineError() if attempt.deadline.is_over else error
            return attempt.failed(*explain(late, attempt.phase))
        except FAILURES as error:
            return attempt.failed(*explain(error, attempt.phase))

    def _kept(self, target: Target, attempt: _Attempt) -> Connection | None:
        for address in target.addresses:
            connection = self._idle.take(_key(target, address))
            if connection is not None:
                connection.wire.arm(attempt.deadline)
                attempt.address = address
                return connection
        return None

    def _opened(self, target: Target, attempt: _Attempt) -> Connection:
        """Connect to the first address that takes it; each may use its share of the time that is left."""
        addresses = target.addresses[:_TRIED_ADDRESSES]
        attempt.phase = Phase.CONNECTING
        for untried in range(len(addresses), 0, -1):
            address = attempt.address = addresses[-untried]
            try:
                sock = connect(address, port=target.url.port, seconds=attempt.deadline.left() / untried)
                break
            except OSError:
                if untried == 1:
                    raise
        if target.url.scheme == "https":
            attempt.phase = Phase.HANDSHAKE
            sock = secure(sock, self._context, host=target.url.host, deadline=attempt.deadline)
        return Connection(_key(target, address), Wire(sock, attempt.deadline))

    def _ask(
        self, connection: Connection, request: HttpRequest, *, target: Target, attempt: _Attempt, keep: int
    ) -> Reply:
        attempt.phase = Phase.SENDING
        headers = {"Host": target.url.authority, "Accept-Encoding": "identity", **request.headers}
        reusable = sent = False
        try:
            with suppress(BrokenPipeError):  # it stopped listening, and may have said why: 413, for one
                connection.ask(request.method, target.url.path, headers=headers, body=request.body)
                sent = True
            attempt.phase = Phase.ANSWERING
            reply = read_reply(connection, keep=keep)
            reusable = sent and reply.reusable  # whether it is clean is asked when it is taken again
        finally:
            if not reusable:
                connection.wire.hang_up()
        if reusable:
            self._idle.give(connection, keep_alive=reply.keep_alive)
        return reply


def _key(target: Target, address: str) -> ConnectionKey:
    return ConnectionKey(target.url.scheme, target.url.host, target.url.port, address)
