"""Reads an event's name from a path, however a client or a gateway wrote it."""

import re
from typing import Final
from urllib.parse import unquote

from webhooks.domain.errors import InvalidInputError
from webhooks.domain.webhook import EVENT_NAME, EVENT_NAME_RULE

_ENCODED: Final = re.compile(r"(?:[!-$&-~]|%[0-9A-Fa-f]{2})*", re.ASCII)


def event_name(path: str, *, after: str) -> str:
    """Return the part of the path behind `after`, percent-decoded unless a gateway has done it.

    A path with a space, a character beyond ASCII or a bare percent sign is decoded already. The slash at a
    path's end is no part of it. Raises InvalidInputError.
    """
    text = path.partition(after)[2].rstrip("/")
    name = unquote(text, errors="surrogateescape") if _ENCODED.fullmatch(text) else text
    if not EVENT_NAME.fullmatch(name):
        raise InvalidInputError([f"eventName: must be {EVENT_NAME_RULE}, percent-encoded in the path"])
    return name
