"""Equality of JSON values by hash: 1 equals 1.0, and neither true nor "1"."""

from collections.abc import Callable
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import Any

# Limits of an array or object that is compared as a whole: larger ones equal none in a query of 8 KB.
MAX_DEPTH = 16
MAX_LENGTH = 4096
MAX_TEXT = 65_536  # characters of `composite_text`, which writes 1e18 at five times its length

_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)  # rounds nothing
# Python hashes larger numbers modulo this, without a salt: a hostile event could hold only colliding numbers.
_MODULUS = 2**61 - 1
_LOWEST, _HIGHEST = Decimal(-_MODULUS), Decimal(_MODULUS)


def scalar_key(value: Any) -> Any:
    """Return a key that scalars share where they are equal as JSON: 1 and 1.0, but not "1" or true."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return ("true",) if value else ("false",)
    if isinstance(value, int) and -_MODULUS < value < _MODULUS:
        return value
    exact = _EXACT.normalize(Decimal(value))
    if _LOWEST < exact < _HIGHEST and exact == exact.to_integral_value():
        return int(exact)
    return (str(exact),)  # the hash of a text is salted


class ScalarKeys:
    """The keys of an event's values. A number's key takes up to a millisecond, so it is made once.

    Numbers are known by their id(): the event must stay in memory.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, Any] = {}

    def of(self, value: Any) -> Any:
        """Return `scalar_key` of the value."""
        kind = type(value)
        if kind is str:
            return value
        if kind is not Decimal and not (kind is int and not -_MODULUS < value < _MODULUS):
            return scalar_key(value)
        known = self._numbers.get(id(value))
        if known is None:
            known = self._numbers[id(value)] = scalar_key(value)
        return known


def composite_text(
    value: Any, depth: int = MAX_DEPTH, *, key_of: Callable[[Any], Any] = scalar_key
) -> tuple[str, int]:
    """Write a value so that equal values have the same text; a value larger than any query's has none ("").

    Also returns the number of values looked at. `key_of` makes the keys of scalars.
    """
    if not isinstance(value, dict | list):
        key = key_of(value)
        return ("" if isinstance(key, str) and len(key) > MAX_TEXT else repr(key)), 1
    if depth == 0 or len(value) > MAX_LENGTH:
        return "", 1
    texts, visited, room = [], 1, MAX_TEXT
    for key, inner in value.items() if isinstance(value, dict) else ((None, each) for each in value):
        text, more = composite_text(inner, depth - 1, key_of=key_of)
        visited += more
        room -= len(text)
        if not text or room < 0:
            return "", visited
        texts.append(text if key is None else f"{key!r}:{text}")
    if isinstance(value, dict):
        return f"{{{','.join(sorted(texts))}}}", visited
    return f"[{','.join(texts)}]", visited
