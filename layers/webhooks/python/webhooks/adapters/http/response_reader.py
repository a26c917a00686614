"""Reads one HTTP response as libcurl hands it over: headers by the line, then the body by the piece."""

import codecs
import re
import zlib
from collections.abc import Callable
from typing import Final

import pycurl  # type: ignore[import-untyped]

RESPONSE_BYTES: Final = 65_536  # status line, headers and body together
INTERIM_RESPONSES: Final = 5  # 100 Continue and 103 Early Hints in a row; more have no use
RETRY_AFTER_LENGTH: Final = 64  # a date has 29 characters
_CHUNK_BYTES: Final = 5  # of a chunk beside its data, at least: tiny chunks count, too
_REFUSED: Final = -1  # makes libcurl end the transfer
_PAUSE: Final[int] = pycurl.WRITEFUNC_PAUSE  # and bring the same line again
_FIRST_FINAL_STATUS: Final = 200
_SWITCHING_PROTOCOLS: Final = 101
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] ([1-9]\d\d)\b")
_FRAMING: Final = frozenset((b"content-length", b"transfer-encoding"))
_HEADERS: Final = frozenset((b"retry-after", b"location", b"content-encoding"))
# Of these names and of the end: all other lines are passed over for next to nothing, however many there are.
_FIRST_BYTES: Final = frozenset(b"cCtTrRlL\r\n")


class ResponseReader:
    """A response so far.

    `fault`: why it is no HTTP that we take. `is_cut`: more follows than is read. `has_head`: its
    headers were read to their end. `size`: bytes that came, headers and all. `on_chunked`: called where a
    response pauses before its chunks, until `raw` gets all bytes: nothing else sees their extensions.
    """

    __slots__ = (
        "_fields",
        "_framing",
        "_interim",
        "_on_chunked",
        "_raw_size",
        "body",
        "excerpt_bytes",
        "fault",
        "has_head",
        "is_cut",
        "size",
        "status",
    )

    def __init__(self, excerpt_bytes: int, *, on_chunked: Callable[[], None] = lambda: None) -> None:
        self.excerpt_bytes = excerpt_bytes
        self._on_chunked = on_chunked
        self.fault: str | None = None
        self.body = bytearray()
        self.restart()

    def restart(self) -> None:
        """Begin anew: a kept connection was replaced by a new one."""
        self.size = self._interim = self._raw_size = 0
        self.body.clear()
        self.is_cut = False
        self._begin()

    def _begin(self) -> None:
        self.status = 0
        self.has_head = False
        self._fields: dict[bytes, bytes] = {}
        self._framing: dict[bytes, bytes] = {}

    def header(self, line: bytes) -> int | None:
        """Take a line of the headers, its end included; -1 ends the transfer."""
        self.size += len(line)
        if self.size > RESPONSE_BYTES:
            return self._refuse("its headers are too long")
        if not self.status:
            return self._status_line(line)
        if self.has_head or line[0] not in _FIRST_BYTES:  # after a pause, a trailer, or of no interest
            return None
        if line in (b"\r\n", b"\n"):
            return self._end_of_headers()
        name, _, value = line.partition(b":")
        return self._field(name.rstrip(b" \t").lower(), value.strip())

    def piece(self, data: bytes) -> int | None:
        """Take a piece of the body; -1 ends the transfer, as more is never read."""
        left = RESPONSE_BYTES - self.size
        self.size += len(data) + (_CHUNK_BYTES if b"transfer-encoding" in self._framing else 0)
        room = self.excerpt_bytes - len(self.body)
        if room > 0:
            self.body += data[: min(room, left)]
        if self.size > RESPONSE_BYTES:
            self.is_cut = True
            return _REFUSED
        return None

    def raw(self, kind: int, data: bytes) -> None:
        """Take what libcurl reports of its work: all bytes of the body, with the framing of its chunks."""
        if kind == pycurl.INFOTYPE_DATA_IN:
            self._raw_size += len(data)
            self.is_cut = self.is_cut or self._raw_size > RESPONSE_BYTES

    def progress(self, *_totals: int) -> int:
        """Return -1 to end the transfer."""
        return _REFUSED if self.is_cut else 0

    def field(self, name: bytes) -> str | None:
        """Return the value of `retry-after`, `location` or `content-encoding`."""
        value = self._fields.get(name)
        return None if value is None else value.decode("latin-1")

    def _status_line(self, line: bytes) -> int | None:
        found = _STATUS_LINE.match(line)
        if found is None:
            return self._refuse("no HTTP status line")
        self.status = int(found[1])
        return None

    def _end_of_headers(self) -> int | None:
        if self.status >= _FIRST_FINAL_STATUS:
            self.has_head = True
            if b"transfer-encoding" not in self._framing:
                return None
            self._on_chunked()
            return _PAUSE
        if self.status == _SWITCHING_PROTOCOLS:  # no HTTP follows
            self.has_head = self.is_cut = True
            return _REFUSED
        self._interim += 1
        if self._interim > INTERIM_RESPONSES:
            return self._refuse("too many interim responses")
        self._begin()
        return None

    def _field(self, name: bytes, value: bytes) -> int | None:
        if name in _FRAMING:
            return self._frame(name, value)
        if name in _HEADERS:
            self._fields.setdefault(name, value)
        return None

    def _frame(self, name: bytes, value: bytes) -> int | None:
        """Refuse framing that cannot be read: without it only the deadline would end the response."""
        if name == b"transfer-encoding":
            if value.lower() != b"chunked" or name in self._framing:
                return self._refuse("an unknown transfer coding")
        else:
            lengths = {each.strip() for each in value.split(b",")}
            if len(lengths) != 1 or not (value := lengths.pop()).isdigit():
                return self._refuse("no readable Content-Length")
            if self._framing.get(name, value) != value:
                return self._refuse("several Content-Lengths")
        self._framing[name] = value
        return None

    def _refuse(self, fault: str) -> int:
        self.fault = fault
        return _REFUSED


def unpacked(body: bytes, encoding: str, *, limit: int) -> bytes:
    """Undo `gzip` or `deflate`, which was not asked for, to at most `limit` bytes; others stay packed."""
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        return body[:limit]
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32).decompress(body, limit)  # 32: by its own header
    except zlib.error:
        return body[:limit]


def excerpt(body: bytes, *, limit: int) -> str:
    """Return the start of a body as text, at most `limit` bytes of UTF-8; other bytes are replaced."""
    if not body:
        return ""
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(body[:limit])
    return text.encode()[:limit].decode(errors="ignore")
