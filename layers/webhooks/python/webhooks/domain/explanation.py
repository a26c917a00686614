"""Says why a webhook's query did not hold for an event: the condition that failed, and the values found.

Pure. Whether it held is asked of `matching` itself, so that both always agree.
"""

from collections.abc import Iterator
from typing import Any, Final

from webhooks.domain.json_text import UTF_8
from webhooks.domain.matching import MAX_VISITS, CostlyQueryError, EventFields, matches
from webhooks.domain.values import value_type
from webhooks.domain.webhook import IndexEntry

FOUND: Final = 5  # values of a field
SHOWN: Final = 100  # characters of a value
MORE: Final = "…"


@value_type(frozen=True, slots=True)
class FailedCondition:
    """A condition that did not hold. `object`: its position in the query, from 0.

    `found`: the first values of the field, none where it is missing. A value is as it was published, but a
    long one is a text: the beginning of the string or of the JSON, with an ellipsis.
    """

    object: int
    field: str
    wanted: Any
    found: tuple[Any, ...]


@value_type(frozen=True, slots=True)
class Explanation:
    """Whether a query holds. If not, `conditions` has the first that failed of each object that does not."""

    matched: bool
    conditions: tuple[FailedCondition, ...] = ()


def explain(entry: IndexEntry, fields: EventFields, *, visits: int = MAX_VISITS) -> Explanation:
    """Explain an entry's query. Raises CostlyQueryError where `matches` does."""
    if matches(entry, fields, visits=visits):
        return Explanation(matched=True)
    fields.allow(visits)
    conditions = []
    try:
        for position, wanted in enumerate(entry.query):
            for field, value in wanted.items():
                if not fields.hold(field, value):
                    found = tuple(_shown(each) for each in fields.found(field)[:FOUND])
                    conditions.append(FailedCondition(position, field, value, found))
                    break
    except CostlyQueryError:  # with ALL, matching ended at the first object: the others may cost too much
        pass
    return Explanation(matched=False, conditions=tuple(conditions))


def _shown(value: Any) -> Any:
    text, room = [], SHOWN
    for piece in _pieces(value):
        text.append(piece[: room + 1])
        room -= len(piece)
        if room < 0:
            if isinstance(value, str):
                return value[:SHOWN] + MORE
            return "".join(text)[:SHOWN] + MORE
    return value


def _pieces(value: Any) -> Iterator[str]:
    """Write a value as JSON, piece by piece: a large one is never written as a whole."""
    match value:
        case str():
            yield UTF_8.encode(value[: SHOWN + 1])
        case dict():
            yield "{"
            for position, (name, inner) in enumerate(value.items()):
                yield f"{',' * bool(position)}{UTF_8.encode(name[: SHOWN + 1])}:"
                yield from _pieces(inner)
            yield "}"
        case list():
            yield "["
            for position, inner in enumerate(value):
                if position:
                    yield ","
                yield from _pieces(inner)
            yield "]"
        case None | bool():
            yield UTF_8.encode(value)
        case _:
            yield str(value)
