"""Tells whether a webhook's query holds for an event's data, as docs/filters.md defines it.

Pure, with bounded work. The values of a path are gathered and hashed once, when a query first asks for them:
the cost of a condition then depends on its own text, and on neither the event's size nor the number of
webhooks. Different paths to the same values, by names and by indexes, are gathered separately, which is why
the number of values that a query may look at has a limit.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from webhooks.domain.json_equality import ScalarKeys, composite_text, scalar_key
from webhooks.domain.webhook import Criteria, IndexEntry

MAX_GATHERED = 1_000_000  # gathered values of an event, about 64 MB; beyond it they are gathered anew
# Values that one query may look at: the largest event six times, in less than a second of a whole CPU.
MAX_VISITS = 2_000_000
FEW = 8  # objects that are searched for each field; for more objects, all their fields are listed once

_INDEX = re.compile(r"0|[1-9][0-9]*", re.ASCII)


class CostlyQueryError(Exception):
    """A query looks at more values of an event than its limit."""


class EventFields:
    """An event's data by path, made once for each event and shared by all queries.

    `visited` counts the values that were looked at: the part of the work that depends on the event.
    """

    def __init__(self, data: Mapping[str, Any], *, max_gathered: int = MAX_GATHERED) -> None:
        self._data = data
        self._max_gathered = max_gathered
        self._root = _Group((data,), self)
        self._gathered = 0
        self._visits = MAX_VISITS
        self.keys = ScalarKeys()
        self.visited = 0

    def allow(self, visits: int) -> None:
        """Allow that many more values to be looked at."""
        self._visits = self.visited + visits

    def hold(self, field: str, wanted: Any) -> bool:
        """Tell whether a value of the dotted field, or an element of one, equals `wanted`."""
        if self._gathered > self._max_gathered:
            self._root, self._gathered = _Group((self._data,), self), 0
        return self._reach(field, _Group.has, wanted)

    def scalars(self, field: str, *, at_most: int) -> Collection[Any] | None:
        """Return the keys of all scalars that `hold` finds equal to the field's; None for more than that."""
        found: set[Any] = set()
        is_over = self._reach(field, _Group.add_scalars, (found, at_most))
        return None if is_over else found

    def found(self, field: str) -> Sequence[Any]:
        """Return the values of the dotted field for an explanation: of each way to it the first ones."""
        found: list[Any] = []
        self._reach(field, _Group.add_to, found)
        return found

    def _reach(self, field: str, accept: "Callable[[_Group, Any], bool]", wanted: Any) -> bool:
        """Tell whether `accept` takes the values of the path, by any way that leads to some."""
        group, parts = self._root, field.split(".")
        for number, part in enumerate(parts, start=1):
            if number < len(parts) and group.has_dots():  # the rest of the path may be one key
                found = group.child(".".join(parts[number - 1 :]))
                if found is not None and accept(found, wanted):
                    return True
            inner = group.child(part)
            if inner is None:
                return False
            group = inner
        return accept(group, wanted)

    @property
    def gathered(self) -> int:
        """The number of the event's values that are gathered in memory."""
        return self._gathered

    def count(self, visited: int, *, gathered: int) -> None:
        """Count values looked at, and those gathered in memory. Raises CostlyQueryError."""
        self.visited += visited
        self._gathered += gathered
        if self.visited > self._visits:
            raise CostlyQueryError


def matches(entry: IndexEntry, fields: EventFields, *, visits: int = MAX_VISITS) -> bool:
    """Tell whether the entry's query holds; an entry without a query matches every event of its name.

    Raises CostlyQueryError where the query looks at more than `visits` values.
    """
    if not entry.query:
        return True
    fields.allow(visits)
    hold = (
        all(fields.hold(field, wanted) for field, wanted in conditions.items()) for conditions in entry.query
    )
    return all(hold) if entry.criteria is Criteria.ALL else any(hold)


class _Group:
    """The values of one path. A name leads to a field of an object, and of each object in an array; a number
    leads to a field of an object, and to one element of an array.
    """

    __slots__ = (
        "_arrays",
        "_children",
        "_composites",
        "_dots",
        "_event",
        "_inner",
        "_own",
        "_scalars",
        "_values",
    )

    def __init__(self, values: Sequence[Any], event: EventFields) -> None:
        self._event = event
        self._values = values
        self._children: dict[str, _Group] = {}
        self._own: _Objects | None = None
        self._inner: _Objects | None = None
        self._arrays: list[list[Any]] | None = None
        self._dots: bool | None = None
        self._scalars: set[Any] | None = None
        self._composites: set[str] | None = None

    def add_to(self, found: list[Any]) -> bool:
        """Add the first values themselves to a list; is always false."""
        found += self._values[:FEW]
        return False

    def child(self, name: str) -> "_Group | None":
        """Return the values of the path's next part, None without any."""
        known = self._children.get(name)
        if known is not None:
            return known
        found = self._lookup(name)
        if not found:
            return None
        self._event.count(len(found), gathered=len(found))
        group = self._children[name] = _Group(found, self._event)
        return group

    def has_dots(self) -> bool:
        """Tell whether a field name of these objects has a dot."""
        if self._dots is None:
            objects = [each for each in self._each() if isinstance(each, dict)]
            self._dots = any("." in name for each in objects for name in each)
            self._event.count(sum(map(len, objects)), gathered=0)
        return self._dots

    def add_scalars(self, found: tuple[set[Any], int]) -> bool:
        """Add the keys of the scalars to a set; tell whether it has more than its limit then."""
        keys, at_most = found
        keys |= self.scalars()
        return len(keys) > at_most

    def scalars(self) -> set[Any]:
        """Return the keys of the scalars among the values, and among their elements."""
        if self._scalars is None:
            self._scalars = set(self._scalar_keys())
            self._event.count(0, gathered=len(self._scalars))
        return self._scalars

    def has(self, wanted: Any) -> bool:
        """Tell whether a value, or an element of one, equals `wanted`."""
        if not isinstance(wanted, dict | list):
            return scalar_key(wanted) in self.scalars()
        if self._composites is None:
            self._composites = set(self._composite_texts())
            self._event.count(0, gathered=len(self._composites))
        return bool(self._composites) and composite_text(wanted)[0] in self._composites

    def _lookup(self, name: str) -> Sequence[Any]:
        if len(self._values) == 1 and isinstance(only := self._values[0], dict):
            return (only[name],) if name in only else ()
        if self._own is None or self._inner is None or self._arrays is None:
            self._own = _Objects([value for value in self._values if isinstance(value, dict)], self._event)
            self._arrays = [value for value in self._values if isinstance(value, list)]
            self._arrays.sort(key=len, reverse=True)
            elements = [each for array in self._arrays for each in array if isinstance(each, dict)]
            self._inner = _Objects(elements, self._event)
            self._event.count(len(self._values) + sum(map(len, self._arrays)), gathered=len(elements))
        found = self._own.get(name)
        if not _INDEX.fullmatch(name):
            inner = self._inner.get(name)
            return [*found, *inner] if found and inner else found or inner
        return [*found, *_at(self._arrays, name)]

    def _each(self) -> Iterator[Any]:
        """Yield the values, and the elements of arrays among them."""
        yield from self._values
        for value in self._values:
            if isinstance(value, list):
                self._event.count(len(value), gathered=0)
                yield from value

    def _scalar_keys(self) -> Iterator[Any]:
        for each in self._each():
            if not isinstance(each, dict | list):
                yield self._event.keys.of(each)

    def _composite_texts(self) -> Iterator[str]:
        for each in self._each():
            if isinstance(each, dict | list):
                text, visited = composite_text(each, key_of=self._event.keys.of)
                self._event.count(visited, gathered=0)
                if text:
                    yield text


class _Objects:
    """Objects, and the values of each field in all of them."""

    __slots__ = ("_by_name", "_event", "_objects")

    def __init__(self, objects: Sequence[Mapping[str, Any]], event: EventFields) -> None:
        self._objects = objects
        self._event = event
        self._by_name: dict[str, list[Any]] | None = None

    def get(self, name: str) -> Sequence[Any]:
        """Return the values of the field, in the objects' order."""
        if len(self._objects) <= FEW:
            return [each[name] for each in self._objects if name in each]
        if self._by_name is None:
            by_name = defaultdict(list)
            for each in self._objects:
                for key, value in each.items():
                    by_name[key].append(value)
            self._by_name = dict(by_name)
            fields = sum(map(len, self._objects))
            self._event.count(fields, gathered=fields)
        return self._by_name.get(name, ())


def _at(arrays: Sequence[list[Any]], name: str) -> Iterator[Any]:
    """Yield each array's element at an index; `arrays` are sorted, the longest first."""
    if not arrays or len(name) > len(str(len(arrays[0]))):
        return
    index = int(name)
    for array in arrays:
        if index >= len(array):
            return
        yield array[index]
