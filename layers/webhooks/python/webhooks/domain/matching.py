"""Does a webhook's query hold for an event's data? Pure, and the same law for everyone."""

from collections.abc import Mapping, Sequence
from typing import Any

from webhooks.domain.webhook import Criteria, IndexEntry


def matches(entry: IndexEntry, data: Mapping[str, Any]) -> bool:
    """Tell whether the entry's query holds; no query holds for every event of that name."""
    if not entry.query:
        return True
    hold = (_holds(conditions, data) for conditions in entry.query)
    return all(hold) if entry.criteria is Criteria.ALL else any(hold)


def _holds(conditions: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    return all(
        any(_value_holds(found, wanted) for found in _lookup(data, field))
        for field, wanted in conditions.items()
    )


def _value_holds(found: Any, wanted: Any) -> bool:
    """Equal as JSON; where the event has an array, one equal element is enough."""
    return json_equal(found, wanted) or (
        isinstance(found, list) and any(json_equal(element, wanted) for element in found)
    )


def _lookup(data: Mapping[str, Any], field: str) -> Sequence[Any]:
    """Return the values that the dotted field names: a key that has the dots itself, and the nested one."""
    found = [data[field]] if field in data else []
    value: Any = data
    if "." in field:
        for part in field.split("."):
            if not isinstance(value, Mapping) or part not in value:
                return found
            value = value[part]
        found.append(value)
    return found


def json_equal(left: Any, right: Any) -> bool:
    """Compare as JSON values: 1 equals 1.0, and neither true nor "1"; objects whatever their keys' order."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(
            json_equal(value, right[key]) for key, value in left.items()
        )
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(json_equal, left, right))
    return bool(left == right)
