"""Reads one HTTP answer off a connection: all of it counts for the deadline, its start is kept."""

import codecs
import re
import zlib
from dataclasses import dataclass
from http.client import HTTPException, IncompleteRead
from typing import Final

from webhooks.adapters.connections import Connection
from webhooks.adapters.wire import Wire

_PIECE_BYTES: Final = 4_096
_SWITCHING_PROTOCOLS: Final = 101
_BODILESS: Final = (204, 304)
_NAME: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PLAIN: Final = re.compile(rb"HTTP/1\.1 ([2-9]\d\d)(?: [^\r\n]*)?\r\n((?:%b:[^\r\n]*\r\n)*)\r\n" % _NAME)
_FIELD: Final = re.compile(rb"(%b):[ \t]*([^\r\n]*?)[ \t]*\r\n" % _NAME)
_TELLING: Final = frozenset(
    (
        b"connection",
        b"content-encoding",
        b"content-length",
        b"keep-alive",
        b"location",
        b"retry-after",
        b"transfer-encoding",
    )
)


class CutShortError(ConnectionError):
    """The connection ended before the answer did."""


class NotHttpError(Exception):
    """What came is not HTTP, or its headers are longer than may be read; the text says what."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: `body` is its start, as it was sent; `encoding` how it was packed, if it was."""

    status: int
    retry_after: str | None
    body: bytes
    encoding: str
    keep_alive: str | None
    reusable: bool
    location: str | None = None


def read_reply(connection: Connection, *, keep: int) -> Reply:
    """Read an answer to its end, or as far as may be read; keep so many bytes of its body.

    Raises NotHttpError, CutShortError, and OSError and DeadlineError as the wire does.
    """
    try:
        reply = _read(connection, keep)
    except (OSError, HTTPException, ValueError) as error:
        if connection.wire.cut:  # within its headers: a body may be cut
            raise NotHttpError("its headers are too long") from error
        if isinstance(error, OSError):  # RemoteDisconnected is an HTTPException, too
            raise
        raise NotHttpError(f"no HTTP: {type(error).__name__}") from error
    return reply


def _read(connection: Connection, keep: int) -> Reply:
    wire = connection.wire
    plain = _plain(wire, keep)
    if plain is not None:
        return plain
    response = connection.answer()
    if wire.cut:
        raise NotHttpError("its headers are too long")
    if wire.ended:  # the parser takes the end of the connection for the end of the headers
        raise CutShortError("closed within its headers")
    body = bytearray()
    try:
        while piece := response.read(_PIECE_BYTES):
            body += piece[: keep - len(body)]
    except IncompleteRead as error:  # only chunked bodies
        if not (wire.cut or wire.ended):
            raise NotHttpError("its chunks are malformed") from error
        if wire.ended:
            raise CutShortError("closed within its body") from error
    if response.length and not wire.cut:
        raise CutShortError("closed within its body")
    headers = response.headers
    return Reply(
        status=response.status,
        retry_after=headers.get("retry-after"),
        body=bytes(body),
        encoding=headers.get("content-encoding", "").strip().lower(),
        keep_alive=headers.get("keep-alive"),
        reusable=response.isclosed()
        and not (response.will_close or wire.cut or response.status == _SWITCHING_PROTOCOLS),
        location=headers.get("location"),
    )


def _plain(wire: Wire, keep: int) -> Reply | None:
    """Read an answer of the kind that nearly all are: all of it has come, and it says its length.

    None, and nothing taken off the wire, for every other: `http.client` knows what to make of it, at a
    multiple of the CPU.
    """
    ahead = wire.ahead()
    found = _PLAIN.match(ahead)
    if found is None:
        return None
    fields: dict[bytes, bytes] = {}
    for name, value in _FIELD.findall(found[2]):
        telling = name.lower()
        if telling in _TELLING:
            if telling in fields:
                return None
            fields[telling] = value
    status = int(found[1])
    said = b"0" if status in _BODILESS else fields.get(b"content-length", b"")
    connection = fields.get(b"connection", b"keep-alive").lower()
    if b"transfer-encoding" in fields or not said.isdigit() or connection not in (b"keep-alive", b"close"):
        return None
    start, length = found.end(), int(said)
    if start + length > len(ahead):
        return None
    wire.skip(start + length)
    return Reply(
        status=status,
        retry_after=_text(fields.get(b"retry-after")),
        body=ahead[start : start + min(length, keep)],
        encoding=(_text(fields.get(b"content-encoding")) or "").lower(),
        keep_alive=_text(fields.get(b"keep-alive")),
        reusable=connection == b"keep-alive",
        location=_text(fields.get(b"location")),
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def unpacked(body: bytes, encoding: str, *, limit: int) -> bytes:
    """Undo `gzip` or `deflate`, which nobody asked for, to at most `limit` bytes; others stay packed."""
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        return body[:limit]
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(body, limit)  # 32: by its own header
    except zlib.error:
        return body[:limit]


def excerpt(body: bytes, *, limit: int) -> str:
    """Return the start of a body as text, at most `limit` bytes of UTF-8; what is not text is replaced."""
    if not body:
        return ""
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(body[:limit])
    return text.encode()[:limit].decode(errors="ignore")
