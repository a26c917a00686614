"""A request that libcurl carries, and its outcome."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import pycurl  # type: ignore[import-untyped]

from webhooks.adapters.http.egress_guard import Target
from webhooks.adapters.http.failures import TIMED_OUT, Phase, TransferError, explain
from webhooks.adapters.http.response_reader import RETRY_AFTER_LENGTH, ResponseReader, excerpt, unpacked
from webhooks.domain.http import (
    HttpOutcome,
    HttpRequest,
    HttpResponse,
    NoResponse,
    NoResponseReason,
    PhaseTimes,
    shown_location,
)

# libcurl would add these by itself.
_NOT_BY_ITSELF: Final = ("Accept", "Content-Type", "Expect", "User-Agent")
_PHASES: Final = (
    pycurl.CONNECT_TIME_T,
    pycurl.APPCONNECT_TIME_T,
    pycurl.STARTTRANSFER_TIME_T,
    pycurl.TOTAL_TIME_T,
)
_FIRST_BYTE: Final = 2  # of them


class Transfer:
    """A request under way, with the libcurl handle that carries it."""

    def __init__(self, easy: Any) -> None:
        self.easy = easy
        self.request: HttpRequest
        self.target: Target
        self.reader: ResponseReader
        self.lookup_seconds = 0.0
        self.address: str | None = None
        self.refusal: str | None = None
        self.is_reported = False  # libcurl tells the reader of all bytes
        self.done: Callable[[HttpOutcome | TransferError], None]


def header_lines(request: HttpRequest, authority: str) -> list[bytes]:
    """Return the headers as libcurl takes them; `authority` is the Host header's value."""
    lines = [f"Host: {authority}", *_added(tuple(request.headers))]
    # A name and a semicolon is how libcurl is told of an empty value.
    lines += [f"{name}: {value}" if value.strip() else f"{name};" for name, value in request.headers.items()]
    return [line.encode("latin-1") for line in lines]


@lru_cache(maxsize=1024)  # requests have the same names again and again
def _added(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the lines beside a request's own headers: identity, and the names that libcurl leaves out."""
    known = {name.lower() for name in names}
    identity = () if "accept-encoding" in known else ("Accept-Encoding: identity",)
    return (*identity, *(f"{name}:" for name in _NOT_BY_ITSELF if name.lower() not in known))


def outcome_of(transfer: Transfer, code: int, text: str) -> HttpOutcome:
    """Return the outcome of a transfer that ended with libcurl's code and text. Raises TransferError."""
    easy, reader = transfer.easy, transfer.reader
    times = _times(transfer)
    address = easy.getinfo(pycurl.PRIMARY_IP) or transfer.address
    if transfer.refusal is not None:
        return NoResponse(NoResponseReason.REFUSED, transfer.refusal, times.total, None, times)
    if reader.fault is not None:
        return NoResponse(NoResponseReason.MALFORMED, reader.fault, times.total, address, times)
    if code and not (reader.is_cut or (reader.has_head and _is_sending(transfer) and code != TIMED_OUT)):
        errno = easy.getinfo(pycurl.OS_ERRNO)
        reason, detail = explain(code, text, errno=errno, phase=_phase(transfer))
        return NoResponse(reason, detail, times.total, address, times)
    if not reader.has_head:
        return NoResponse(NoResponseReason.RESET, "closed within its headers", times.total, address, times)
    limit = reader.excerpt_bytes
    encoding = (reader.field(b"content-encoding") or "").lower()
    retry_after, location = reader.field(b"retry-after"), reader.field(b"location")
    return HttpResponse(
        status=reader.status,
        retry_after=retry_after and retry_after[:RETRY_AFTER_LENGTH],
        excerpt=excerpt(unpacked(bytes(reader.body), encoding, limit=limit), limit=limit),
        latency_ms=times.total,
        address=address or "",
        location=location and shown_location(reader.status, location),
        times=times,
    )


def _times(transfer: Transfer) -> PhaseTimes:
    easy, before = transfer.easy, transfer.lookup_seconds
    ends = [easy.getinfo(each) / 1_000_000 for each in _PHASES]
    if not transfer.reader.size:
        ends[_FIRST_BYTE] = 0
    return PhaseTimes(round(before * 1000), *(round((before + end) * 1000) if end else 0 for end in ends))


def _is_sending(transfer: Transfer) -> bool:
    return bool(transfer.easy.getinfo(pycurl.SIZE_UPLOAD_T) < len(transfer.request.body))


def _phase(transfer: Transfer) -> Phase:
    easy = transfer.easy
    if easy.getinfo(pycurl.REQUEST_SIZE):
        return Phase.SENDING if _is_sending(transfer) else Phase.ANSWERING
    is_connected = easy.getinfo(pycurl.CONNECT_TIME_T) and transfer.target.url.scheme == "https"
    return Phase.HANDSHAKE if is_connected else Phase.CONNECTING
