"""Requests as they come over a connection, for receivers; bodies are framed by Content-Length alone."""

from typing import NamedTuple

HEAD_END = b"\r\n\r\n"


class Request(NamedTuple):
    """A request; `headers` in their order, names as sent."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def split_request(unread: bytes) -> tuple[Request, bytes] | None:
    """Split the first request off a connection's bytes; None while it is incomplete.

    Raises ValueError for bytes that are not HTTP.
    """
    head, end, rest = unread.partition(HEAD_END)
    if not end:
        return None
    request_line, *lines = head.decode("latin-1").split("\r\n")
    method, path, _version = request_line.split(" ")
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    length = int(next((value for name, value in headers if name.lower() == "content-length"), 0))
    if len(rest) < length:
        return None
    return Request(method, path, headers, rest[:length]), rest[length:]
