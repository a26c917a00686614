"""A look for deliveries of one webhook in the shared items of its log, as far as it may read.

An item can have a delivery where its key sorts behind the delivery's place, and its newest delivery is at
most SPAN newer. So the items that can have a delivery are a stretch of the partition; stretches that overlap
are read as one. A look that ends before its last stretch tells the place that it came to, and a later one
goes on behind it: whatever the number of items, each look is a part of the whole, and no part is read again.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from webhooks.domain.delivery_log import LATEST, LogKey
from webhooks.domain.log_sharing import SPAN

_BEHIND: Final = "~"  # sorts behind all that follows a time, or a key, in the keys of shared items
NOWHERE: Final[Mapping[LogKey, str]] = {}


class Look:
    """The state of a look. `after`: the places that looks before came to, of deliveries that had one."""

    def __init__(self, keys: Iterable[LogKey], after: Mapping[LogKey, str] = NOWHERE) -> None:
        self._after = after
        self._came_to = ""
        self._first = {each: max(_place(each), _behind(after.get(each, ""))) for each in keys}

    @property
    def open(self) -> set[LogKey]:
        """Return the deliveries that it has not found, and that items behind its place can have."""
        return {each for each in self._first if _end(each) > max(self._came_to, self._after.get(each, ""))}

    def stretch(self) -> tuple[str, str] | None:
        """Return the keys of items to read next, both included; None at the end."""
        begin = _behind(self._came_to)
        stretches = sorted((max(self._first[each], begin), _end(each)) for each in self.open)
        if not stretches:
            return None
        first, end = stretches[0]
        for begin, its_end in stretches[1:]:
            if begin > end:
                break
            end = max(end, its_end)
        return first, end

    def end(self, keys: Iterable[LogKey]) -> None:
        """Look no more for some deliveries."""
        for each in keys:
            self._first.pop(each, None)

    def came_to(self, place: str) -> None:
        """Note that all items of its stretches up to a key were read."""
        self._came_to = place

    def touched(self, place: str) -> set[LogKey]:
        """Return the deliveries that an item with this key can have."""
        return {each for each in self.open if self._first[each] <= place <= _end(each)}

    def left(self) -> Mapping[LogKey, str]:
        """Return the deliveries that it would go on to look for, each with the place that it came to."""
        return {each: max(self._came_to, self._after.get(each, "")) for each in self.open}


def _place(log_key: LogKey) -> str:
    """Return a delivery's place: the key of an item whose newest delivery it is begins so."""
    return log_key.delivery_id.partition("-")[2]


def _behind(place: str) -> str:
    return place and place + _BEHIND


def _end(log_key: LogKey) -> str:
    return f"{min(log_key.log_time + SPAN, LATEST):012x}{_BEHIND}"
