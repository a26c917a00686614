"""Which equality conditions find a listener: its index entries are under them; an event looks up its values.

A webhook whose query is an equality condition at heart wants the events with this value alone. What is found
by a condition is matched with the whole query all the same: a condition only needs to hold for every event
that the query holds for. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from webhooks.domain.json_equality import scalar_key
from webhooks.domain.matching import CostlyQueryError, EventFields
from webhooks.domain.values import value_type
from webhooks.domain.webhook import Criteria

MAX_FIELDS = 8  # of a name, by which listeners are found
MAX_FIELD = 256  # characters of one
MAX_CONDITIONS = 4  # by which one listener is found: one for each object of its query
MAX_CANDIDATES = 8  # conditions that are weighed against each other
MAX_LOOKUPS = 20  # values of an event that are looked up: with more, all listeners are read
HASH = 32  # hex characters


@value_type(frozen=True, slots=True)
class Condition:
    """A field, and the key of the scalar that it must equal (domain.json_equality)."""

    field: str
    value: Any

    @property
    def digest(self) -> str:
        """The same for equal conditions alone."""
        text = f"{self.field!r}={self.value!r}"
        return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH]


def alternatives(criteria: Criteria, query: Sequence[Mapping[str, Any]]) -> Sequence[Sequence[Condition]]:
    """Return lists of conditions: one of a list must hold where the query does. No list where none must.

    ANY: a list for each object: for any event that the query matches, all conditions of one object hold. ALL:
    one list, with the conditions of all objects.
    """
    groups = [[*_usable(each)] for each in query]
    if criteria is Criteria.ALL:
        together = [condition for group in groups for condition in group]
        return [together] if together else []
    return groups if all(groups) and len(groups) <= MAX_CONDITIONS else []


def lookups(fields: EventFields, names: Iterable[str], *, visits: int) -> Sequence[Condition] | None:
    """Return the conditions on these fields that hold for an event; None where they are too many.

    `visits`: values of the event that one field may look at.
    """
    found: list[Condition] = []
    for name in names:
        fields.allow(visits)
        try:
            values = fields.scalars(name, at_most=MAX_LOOKUPS - len(found))
        except CostlyQueryError:
            return None
        if values is None:
            return None
        found += [Condition(name, value) for value in values]
    return found


def _usable(conditions: Mapping[str, Any]) -> Iterable[Condition]:
    usable = (
        Condition(field, scalar_key(wanted))
        for field, wanted in conditions.items()
        if not isinstance(wanted, dict | list) and len(field) <= MAX_FIELD
    )
    return [each for each, _ in zip(usable, range(MAX_CANDIDATES), strict=False)]
