"""The attempts of a delivery, as much of them as its item in the log has room for."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from webhooks.adapters.dynamodb.items import Item, item_size
from webhooks.domain.delivery import Attempt
from webhooks.domain.delivery_log import LogEntry, Outcome
from webhooks.domain.delivery_message import attempts_to_json
from webhooks.domain.json_text import UTF_8

LENGTHS = range(0, 1025, 16)  # of a response's texts
_text: Final = UTF_8.encode


def histories(entry: LogEntry, room: int) -> Iterator[Item]:
    """Yield the attempts as attributes of an item, with less and less of them; the first has the most."""
    attempts, earlier = list(entry.delivery.attempts), entry.delivery.earlier
    if entry.outcome is Outcome.DELIVERED and attempts:
        attempts[-1] = _shortened(attempts[-1], 0)
    if any(attempt.excerpt or attempt.location for attempt in attempts):
        texts = _Texts(attempts, earlier)
        yield texts.history(texts.longest(room))
    bare = [_shortened(attempt, 0) for attempt in attempts]
    yield _history(bare, earlier)
    plain = [replace(attempt, times=None) for attempt in bare]
    for left_out in range(len(attempts)):
        yield _history([*plain[left_out:-1], bare[-1]], earlier + left_out)
    yield _history(plain[-1:], earlier + max(0, len(plain) - 1))
    yield _history([], earlier + len(plain))


@dataclass(frozen=True, slots=True)
class _Texts:
    """Attempts with texts of responses, all cut off at the same length."""

    attempts: Sequence[Attempt]
    earlier: int

    def history(self, length: int) -> Item:
        return _history([_shortened(attempt, length) for attempt in self.attempts], self.earlier)

    def longest(self, room: int) -> int:
        """Return the largest of LENGTHS with which the attributes have room, 0 where none has.

        The first try is a guess by each text's bytes in JSON, wrong where one has more of them at its start.
        """
        texts = [text for each in self.attempts for text in (each.excerpt, each.location) if text]
        bytes_each = [(len(text), (len(storable(_text(text)).encode()) - 2) / len(text)) for text in texts]
        left = room - item_size(self.history(0)) - len(texts) * len(',"location":""')

        def guessed(length: int) -> int:
            return int(sum(min(count, length) * each for count, each in bytes_each))

        length = LENGTHS[max(0, bisect_right(LENGTHS, left, key=guessed) - 1)]
        if item_size(self.history(length)) <= room:
            return length
        fitting = bisect_right(LENGTHS, room, key=lambda length: item_size(self.history(length)))
        return LENGTHS[max(0, fitting - 1)]


def _history(attempts: Sequence[Attempt], earlier: int) -> Item:
    item: Item = {"attempts": {"S": storable(_text(attempts_to_json(attempts)))}}
    return item | ({"earlier": {"N": str(earlier)}} if earlier else {})


def _shortened(attempt: Attempt, length: int) -> Attempt:
    if not attempt.excerpt and not attempt.location:
        return attempt
    excerpt, location = (attempt.excerpt or "")[:length], (attempt.location or "")[:length]
    return replace(attempt, excerpt=excerpt or None, location=location or None)


def storable(text: str) -> str:
    """Return a text as UTF-8 can write it: JSON can have half of a surrogate pair."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
