"""Cursors of pages: the place where the next page begins, for the same query alone."""

import hashlib
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from webhooks.domain.errors import InvalidInputError

_HASH_BYTES = 12
_CURSOR = re.compile(r"[A-Za-z0-9_-]{16,256}", re.ASCII)
REFUSED = "cursor: belongs to another query, or is none; leave it out to begin with the first page"

# The parts of a query that a cursor holds to: its kind first, then its scope and its filters.
type QueryParts = Sequence[str | int | None]


def write_cursor(query: QueryParts, last: str) -> str:
    """Return the cursor of the page behind `last`, which is an id in ASCII."""
    return urlsafe_b64encode(_hash(query) + last.encode("ascii")).decode().rstrip("=")


def read_cursor(cursor: str, query: QueryParts) -> str:
    """Return the id behind which the page begins. Raises InvalidInputError."""
    if not _CURSOR.fullmatch(cursor):
        raise InvalidInputError([REFUSED])
    try:
        content = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        found, last = content[:_HASH_BYTES], content[_HASH_BYTES:].decode("ascii")
    except ValueError:
        raise InvalidInputError([REFUSED]) from None
    if found != _hash(query):
        raise InvalidInputError([REFUSED])
    return last


def _hash(query: QueryParts) -> bytes:
    return hashlib.sha256(json.dumps(list(query)).encode()).digest()[:_HASH_BYTES]
