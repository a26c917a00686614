"""JSON without changed numbers: decimals stay decimals, and text is passed on as a copy.

RFC 8259 lets a reader keep doubles only, which would change 1222223333.00000001.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NoReturn

from webhooks.domain.values import value_type

_SPACES: Final = b" \n\r\t"  # RFC 8259, section 2
_SPACE: Final = "[ \t\n\r]*"
_BEGIN: Final = re.compile(rf"{_SPACE}\{{{_SPACE}")
_END: Final = re.compile(rf"{_SPACE}\}}{_SPACE}")
_COLON: Final = re.compile(rf"{_SPACE}:{_SPACE}")
_COMMA: Final = re.compile(rf"{_SPACE},{_SPACE}(?=\")")

ASCII: Final = json.JSONEncoder(separators=(",", ":"))
UTF_8: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


_DECODER: Final = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)
_LONG_DECODER: Final = json.JSONDecoder(parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse)


@value_type(frozen=True, slots=True)
class JsonObject:
    """An object: its text, its fields' values, and each value's begin and end in the text."""

    text: str
    values: Mapping[str, Any]
    spans: Mapping[str, tuple[int, int]]

    def copy_of(self, name: str) -> str:
        """Return a field's value as it was sent, without the space between its parts."""
        begin, end = self.spans[name]
        return compact(self.text[begin:end])


def read_object(text: str) -> JsonObject:
    """Read a JSON object in one pass. Numbers are int or Decimal; of two equal names the last one counts.

    Raises ValueError, ArithmeticError for an exponent that no Decimal has, and RecursionError.
    """
    try:
        return _read_object(text, _DECODER)
    except json.JSONDecodeError:
        raise
    except ValueError:  # Python makes no int of more than 4,300 digits
        return _read_object(text, _LONG_DECODER)


def _read_object(text: str, decoder: json.JSONDecoder) -> JsonObject:
    values: dict[str, Any] = {}
    spans: dict[str, tuple[int, int]] = {}
    read, after = decoder.raw_decode, _BEGIN.match(text)
    position = after.end() if after else 0
    more = after is not None and text.startswith('"', position)
    while more:
        name, position = read(text, position)
        if (colon := _COLON.match(text, position)) is None:
            raise json.JSONDecodeError("Expecting ':'", text, position)
        begin = colon.end()
        values[name], position = read(text, begin)
        spans[name] = begin, position
        if comma := _COMMA.match(text, position):
            position = comma.end()
        more = comma is not None
    if after is None or not _END.fullmatch(text, position):
        expected = "'{'" if after is None else "',' or the end of the object"
        raise json.JSONDecodeError(f"Expecting {expected}", text, position)
    return JsonObject(text, values, spans)


def compact(text: str) -> str:
    """Remove the space between the parts of a valid JSON text, and nothing else."""
    if " " not in text and "\n" not in text and "\r" not in text and "\t" not in text:
        return text
    escaped = '\\"' in text
    if escaped:  # two control characters, which JSON never has, stand in for escaped backslashes and quotes
        text = text.replace("\\\\", "\0").replace('\\"', "\1")
    pieces = text.split('"')
    between = '"'.join(pieces[::2])  # every other piece is outside the strings, and is ASCII
    pieces[::2] = between.encode().translate(None, _SPACES).decode().split('"')
    compacted = '"'.join(pieces)
    return compacted.replace("\1", '\\"').replace("\0", "\\\\") if escaped else compacted


def write_json(value: Any, encoder: json.JSONEncoder = ASCII) -> str:
    """Write compact JSON; a Decimal is a number."""
    try:
        return encoder.encode(value)
    except TypeError:  # a Decimal is in it
        if isinstance(value, dict):
            members = (f"{write_json(k, encoder)}:{write_json(v, encoder)}" for k, v in value.items())
            return f"{{{','.join(members)}}}"
        if isinstance(value, list | tuple):
            return f"[{','.join(write_json(each, encoder) for each in value)}]"
        if isinstance(value, Decimal):
            return str(value)
        raise
