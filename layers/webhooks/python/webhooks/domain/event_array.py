"""An array of events in one message, and the rest of it, which continues as messages of their own.

The text of a continuation is a line that no JSON begins with, then the array again, in which the place of
each event that is elsewhere is empty: an event keeps its position, and with it the id that it has by default.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from webhooks.domain.errors import InvalidEventError
from webhooks.domain.event import EARLIEST, LATEST, parse_event
from webhooks.domain.event_slice import MAX_PARTS, EventSlice, encode_slice
from webhooks.domain.forms import ARRAY_PART
from webhooks.domain.scope import Scope
from webhooks.domain.values import value_type

WORD: Final = "array "
PREFIX: Final = f"{WORD}1 "  # the number is the form's version
MAX_EVENTS: Final = 10_000
MAX_MESSAGE_BYTES: Final = 1024 * 1024  # of a message of the queue
MAX_MESSAGE_ID: Final = 200  # characters, so that an event's id has room for the position

_HEAD: Final = re.compile(f"{WORD}([1-9][0-9]{{0,8}}) ", re.ASCII)
_SPACE: Final = "[ \t\n\r]*"
_BEGIN: Final = re.compile(rf"{_SPACE}\[{_SPACE}")
_COMMA: Final = re.compile(rf"{_SPACE},{_SPACE}")
_END: Final = re.compile(rf"{_SPACE}\]{_SPACE}")
_BRACKET: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


def _skip(_: str) -> None:
    """Read a number as nothing: it is judged with its event."""


_DECODER: Final = json.JSONDecoder(parse_float=_skip, parse_int=_skip, parse_constant=_skip)


@value_type(frozen=True, slots=True)
class ArrayPart:
    """Events of an array for a message of their own. `events`: JSON, with empty places.

    `first`: the position of its first place; `scope`: of its first event, None where this is invalid.
    """

    message_id: str
    sent_at: int
    first: int
    events: str
    scope: Scope | None


@value_type(frozen=True, slots=True)
class EventArray:
    """The events of an array as they were sent, by position.

    `message_id` and `sent_at` (epoch ms) are those of the message that the producer sent.
    """

    message_id: str
    sent_at: int
    texts: Mapping[int, str]

    def event_message_id(self, position: int) -> str:
        """Return the id of an event that has none."""
        return f"{self.message_id}-{position}"

    def parts(self, positions: Sequence[int], *, size: int) -> list[ArrayPart]:
        """Split events into parts of about `size` each, at most MAX_PARTS; none where one has no room.

        That can only be where one event takes nearly the whole message: all others are small then.
        """
        wanted = min(max(1, -(-len(positions) // size)), MAX_PARTS, len(positions))
        for count in dict.fromkeys((wanted, min(MAX_PARTS, len(positions)))):
            bounds = [len(positions) * part // count for part in range(count + 1)]
            parts = [self._part(positions[low:high]) for low, high in pairwise(bounds)]
            if all(len(encode_part(part).encode()) <= MAX_MESSAGE_BYTES for part in parts):
                return parts
        return []

    def _part(self, positions: Sequence[int]) -> ArrayPart:
        some = set(positions)
        places = (self.texts[at] if at in some else "" for at in range(positions[0], positions[-1] + 1))
        first = positions[0]
        try:
            id_by_default = self.event_message_id(first)
            event = parse_event(self.texts[first], message_id=id_by_default, sent_at=self.sent_at)
        except InvalidEventError:
            scope = None
        else:
            scope = event.scope
        return ArrayPart(self.message_id, self.sent_at, first, f"[{','.join(places)}]", scope)


def is_array(text: str) -> bool:
    """Tell whether a message is an array of events, or the rest of one."""
    return text.startswith(WORD) or _BEGIN.match(text) is not None


def parse_array(text: str, *, message_id: str, sent_at: int) -> EventArray:
    """Read an array, or the rest of one, whose own head then has the id and the time.

    An element is not judged here, whatever it is. Raises InvalidEventError for a text that is no JSON, and
    for an array without events or with too many; NewerFormError.
    """
    is_rest = text.startswith(WORD)
    first = 0
    if is_rest:
        headed = _HEAD.match(text)
        if headed is None:
            raise InvalidEventError("not the rest of an array: it has no version")
        ARRAY_PART.require_known(int(headed[1]))
        head_line, _, text = text[headed.end() :].partition("\n")
        message_id, sent_at, first = _read_head(head_line)
    texts: dict[int, str] = {}
    try:
        for position, (begin, end) in enumerate(_places(text), start=first):
            if begin < end:
                texts[position] = text[begin:end]
            elif not is_rest:
                raise json.JSONDecodeError("Expecting value", text, begin)
            if position - first >= MAX_EVENTS:
                raise InvalidEventError(f"an array may have at most {MAX_EVENTS} events")
    except ValueError as error:
        raise InvalidEventError(f"the message is an array, but not JSON: {str(error)[:120]}") from None
    if not texts:
        raise InvalidEventError("the array is empty: it must have one event at least")
    return EventArray(message_id, sent_at, texts)


def encode_part(part: EventSlice | ArrayPart) -> str:
    """Write a part of an event's or of an array's work as the text of one message."""
    if isinstance(part, EventSlice):
        return encode_slice(part)
    head = {"messageId": part.message_id, "sentAt": part.sent_at, "first": part.first}
    return f"{PREFIX}{json.dumps(head, separators=(',', ':'))}\n{part.events}"


def scope_of(part: EventSlice | ArrayPart) -> Scope | None:
    """Return the community whose turn at the queue a part takes."""
    return part.event.scope if isinstance(part, EventSlice) else part.scope


def _places(text: str) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each place of an array; of an empty place both are the same."""
    begin = _BEGIN.match(text)
    if begin is None:
        raise json.JSONDecodeError("Expecting '['", text, 0)
    position = begin.end()
    if _END.fullmatch(text, position):
        return
    while True:
        end = position if text.startswith((",", "]"), position) else _end_of_value(text, position)
        yield position, end
        comma = _COMMA.match(text, end)
        if comma is None:
            break
        position = comma.end()
    if not _END.fullmatch(text, end):
        raise json.JSONDecodeError("Expecting ',' or the end of the array", text, end)


def _end_of_value(text: str, begin: int) -> int:
    try:
        return _DECODER.raw_decode(text, begin)[1]
    except RecursionError:  # too deep an event is invalid, its neighbours are not
        depth = 0
        for found in _BRACKET.finditer(text, begin):
            if found[0] in "[{":
                depth += 1
            elif found[0] in "]}":
                depth -= 1
                if depth == 0:
                    return found.end()
        raise json.JSONDecodeError("Expecting the end of a value", text, begin) from None


def _read_head(line: str) -> tuple[str, int, int]:
    try:
        head: dict[str, Any] = json.loads(line)
        message_id, sent_at, first = str(head["messageId"]), int(head["sentAt"]), int(head["first"])
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
        raise InvalidEventError("not the rest of an array: its first line cannot be read") from None
    is_usable = (
        0 < len(message_id) <= MAX_MESSAGE_ID
        and EARLIEST <= sent_at // 1000 <= LATEST
        and 0 <= first <= MAX_EVENTS
    )
    if not is_usable:
        raise InvalidEventError("the rest of an array with an id, a time or a position that no array has")
    return message_id, sent_at, first
