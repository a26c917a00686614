"""Queries and events: the rules of docs/filters.md, by example and in general, and the cost of a query."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.domain.json_equality import MAX_TEXT, ScalarKeys, composite_text, scalar_key
from webhooks.domain.matching import FEW, MAX_VISITS, CostlyQueryError, EventFields, matches
from webhooks.domain.webhook import Criteria, IndexEntry

EVENT = {
    "status": "ok",
    "count": 1,
    "flag": True,
    "ratio": 0.5,
    "nothing": None,
    "tags": ["a", "b", ["c"]],
    "user": {"id": "u1", "roles": ["admin"], "deep": {"er": 7}},
    "a.b": "dotted",
    "a": {"b": "nested"},
}
ORDER = {
    "commits": [{"title": "Test", "files": ["x"]}, {"title": "Merge", "files": ["y", "z"]}, "no object"],
    "labels": [{"title": "bug", "by": [{"id": 1}]}, {"title": "urgent", "by": [{"id": 2}, {"id": 3}]}],
    "matrix": [[1, 2], [3, [4]], [{"x": 5}]],
    "metadata": {"app.kubernetes.io/name": "web", "labels": {"a.b.c": "deep"}},
    "7": {"0": "a key that is a number"},
    "list": [{"0": "unreachable without its index"}],
    "empty": [],
    "none": {},
    "": {"": "empty names"},
    "amount": Decimal("1222223333.00000001"),
    "price": Decimal("19.90"),
    "large": 10**30,
    "same": Decimal("1E+30"),
    "prices": [Decimal("1.10"), 2, Decimal("1E+2"), Decimal("-0.0"), Decimal("1E-400")],
    "flags": [True, None],
}


def entry(*query: dict[str, Any], criteria: Criteria = Criteria.ANY) -> IndexEntry:
    return IndexEntry("w" * 24, criteria, query)


def holds(query: dict[str, Any], data: dict[str, Any]) -> bool:
    return matches(entry(query), EventFields(data))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "ok"}, True),
        ({"status": "OK"}, False),
        ({"count": 1}, True),
        ({"count": 1.0}, True),
        ({"count": "1"}, False),
        ({"count": True}, False),
        ({"flag": True}, True),
        ({"flag": 1}, False),
        ({"nothing": None}, True),
        ({"missing": None}, False),
        ({"tags": "a"}, True),
        ({"tags": "c"}, False),
        ({"tags": ["c"]}, True),
        ({"tags": ["a", "b", ["c"]]}, True),
        ({"user.id": "u1"}, True),
        ({"user.roles": "admin"}, True),
        ({"user.deep.er": 7}, True),
        ({"user.deep": {"er": 7}}, True),
        ({"user.id.x": "u1"}, False),
        ({"status.x": "ok"}, False),
        ({"a.b": "dotted"}, True),
        ({"a.b": "nested"}, True),
        ({"status": "ok", "count": 2}, False),
        ({"status": "ok", "count": 1}, True),
    ],
)
def test_a_condition_holds_by_json_equality(query: dict[str, Any], expected: bool) -> None:
    assert holds(query, EVENT) is expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"commits.title": "Merge"}, True),  # adnanh/webhook#504, argoproj/argo-events#1127
        ({"commits.title": "Push"}, False),
        ({"commits.files": "z"}, True),
        ({"commits.files": ["y", "z"]}, True),
        ({"commits.title": ["Test", "Merge"]}, False),
        ({"labels.0.title": "bug"}, True),
        ({"labels.0.title": "urgent"}, False),
        ({"labels.2.title": "urgent"}, False),
        ({"labels.00.title": "bug"}, False),
        ({"labels.-1.title": "urgent"}, False),
        ({"labels.by.id": 3}, True),
        ({"labels.1.by.1.id": 3}, True),
        ({"labels.1.by.0.id": 3}, False),
        ({"labels.0": {"by": [{"id": 1}], "title": "bug"}}, True),
        ({"labels": {"by": [{"id": 1}], "title": "bug"}}, True),
        ({"matrix.0": 2}, True),
        ({"matrix.1.1": 4}, True),
        ({"matrix.x": 5}, False),
        ({"matrix.2.x": 5}, True),
        ({"matrix": 1}, False),
        ({"matrix": [1, 2]}, True),
        ({"metadata.app.kubernetes.io/name": "web"}, True),  # neutree-ai/agent-platform#260
        ({"metadata.labels.a.b.c": "deep"}, True),
        ({"7.0": "a key that is a number"}, True),
        ({"list.0.0": "unreachable without its index"}, True),
        ({"list.0": "unreachable without its index"}, False),
        ({"list.0": {"0": "unreachable without its index"}}, True),
        ({"empty": []}, True),
        ({"empty": None}, False),
        ({"empty.0": None}, False),
        ({"none": {}}, True),
        ({"none": []}, False),
        ({".": "empty names"}, True),
        ({"amount": Decimal("1222223333.00000001")}, True),
        ({"amount": Decimal("1222223333.0")}, False),
        ({"amount": 1222223333}, False),
        ({"price": Decimal("19.9")}, True),
        ({"large": Decimal("1E+30")}, True),
        ({"same": 10**30}, True),
        ({"large": 10**30 + 1}, False),
        ({"prices": Decimal("1.1")}, True),
        ({"prices": Decimal("2.000")}, True),
        ({"prices": 100}, True),
        ({"prices": 0}, True),
        ({"prices": Decimal("1E-401")}, False),
        ({"prices": "100"}, False),
        ({"prices": [Decimal("1.1"), Decimal("2.0"), 100, 0, Decimal("1e-400")]}, True),
        ({"flags": 1}, False),
        ({"flags": None}, True),
        ({"flags": [True, None]}, True),
        ({"flags": [1, None]}, False),
    ],
)
def test_a_path_leads_into_objects_and_through_arrays(query: dict[str, Any], expected: bool) -> None:
    assert holds(query, ORDER) is expected


def test_an_empty_query_matches_every_event() -> None:
    assert matches(entry(), EventFields({}))


def test_any_needs_one_object_and_all_needs_every_object() -> None:
    right, wrong, event = {"status": "ok"}, {"status": "bad"}, EventFields(EVENT)

    assert matches(entry(right, wrong), event)
    assert not matches(entry(wrong), event)
    assert not matches(entry(right, wrong, criteria=Criteria.ALL), event)
    assert matches(entry(right, {"count": 1}, criteria=Criteria.ALL), event)


def json_equal(left: object, right: object) -> bool:
    """Compare as JSON does, in the plainest way."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(
            json_equal(value, right[key]) for key, value in left.items()
        )
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(json_equal, left, right))
    return bool(left == right)


def lookup(value: object, parts: list[str]) -> Iterator[object]:
    """Yield the values of a path, with nothing cached."""
    if not parts:
        yield value
        return
    name, *rest = parts
    if isinstance(value, dict):
        if rest and ".".join(parts) in value:
            yield value[".".join(parts)]
        if name in value:
            yield from lookup(value[name], rest)
    elif isinstance(value, list) and name.isdigit():
        if str(int(name)) == name and int(name) < len(value):
            yield from lookup(value[int(name)], rest)
    elif isinstance(value, list):
        for each in value:
            if isinstance(each, dict):
                yield from lookup(each, parts)


def plainly(condition: dict[str, Any], data: dict[str, Any]) -> bool:
    [(field, wanted)] = condition.items()
    return any(
        json_equal(each, wanted)
        for found in lookup(data, field.split("."))
        for each in (found, *(found if isinstance(found, list) else ()))
    )


SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from(
        [2**61 - 1, 2**61, 10**20, Decimal("1E+20"), Decimal("1.0"), Decimal("0.1"), Decimal("-0.0")]
    ),
    st.sampled_from(["", "a", "1", "true", "0"]),
)
NAMES = st.sampled_from(["a", "b", "0", "1", "a.b", "b.a", "0.a", ""])
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=FEW + 4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=30,
)
FIELD = st.lists(NAMES, min_size=1, max_size=4).map(".".join)


@given(
    st.dictionaries(NAMES, VALUE, max_size=5),
    st.lists(st.tuples(FIELD, st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=2)))),
)
def test_matching_agrees_with_a_check_of_each_value(
    data: dict[str, Any], conditions: list[tuple[str, Any]]
) -> None:
    fields = EventFields(data)
    for field, wanted in conditions:
        assert matches(entry({field: wanted}), fields) == plainly({field: wanted}, data)


@given(st.dictionaries(NAMES, VALUE, min_size=1, max_size=5), FIELD, st.data())
def test_every_value_at_a_path_matches(data: dict[str, Any], field: str, choice: st.DataObject) -> None:
    found = list(lookup(data, field.split(".")))
    if found:
        wanted = choice.draw(st.sampled_from(found))
        assert holds({field: wanted}, data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON)
def test_equality_is_reflexive_and_symmetric(left: object, right: object) -> None:
    one, other = {"x": left}, {"x": right}
    assert holds({"a": one}, {"a": one})
    assert holds({"a": one}, {"a": other}) is holds({"a": other}, {"a": one}) is json_equal(left, right)


@given(st.dictionaries(st.text(min_size=1).filter(lambda name: "." not in name), JSON, max_size=5))
def test_an_event_matches_a_query_of_its_own_fields(data: dict[str, Any]) -> None:
    query = entry(*({name: value} for name, value in data.items()), criteria=Criteria.ALL)
    assert matches(query, EventFields(data))


@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 2), min_size=1), min_size=1, max_size=4)
)
def test_all_is_never_wider_than_any(query: list[dict[str, int]]) -> None:
    fields = EventFields({"a": 0, "b": 1, "c": 2})
    if matches(entry(*query, criteria=Criteria.ALL), fields):
        assert matches(entry(*query), fields)


def nodes(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(nodes, inner))


def nested(depth: int, leaf: list[int]) -> Any:
    value: Any = leaf
    for _ in range(depth):
        value = {"a": [value, 0]}
    return value


@pytest.mark.parametrize(
    "data",
    [
        {"a": list(range(5_000))},
        {"a": [str(number) for number in range(5_000)]},
        {"a": [Decimal(number) / 8 for number in range(5_000)]},
        {"a": [{"x": number, "y": [number]} for number in range(2_000)]},
        {"a": [{f"x{number}": number} for number in range(2_000)]},
        {"a": [{} for _ in range(5_000)]},
        {"a": [[number] for number in range(3_000)]},
        {"a": [[[], {}, {"a": []}] for _ in range(1_000)]},
        {f"x{number}": number for number in range(5_000)},
        nested(200, [1] * 2_000),
        {"a": [nested(3, [number]) for number in range(500)]},
    ],
    ids=lambda data: json.dumps(data, default=str)[:40],
)
def test_each_value_is_visited_a_few_times_for_any_number_of_webhooks(data: dict[str, Any]) -> None:
    fields, wanted = EventFields(data), [1.5, "no", None, True, [], {"no": 1}, [[]], {"a": [{}]}]
    paths = ["a", "a.a", "a.a.a", "a.x", "a.y", "x", *(f"a.x{number}" for number in range(100))]
    paths += [".".join("a" * length) for length in range(1, 40)]

    for number in range(3):
        for path in paths:
            for value in wanted:
                matches(entry({path: value}, {f"{path}.z{number}": value}), fields)

    assert fields.visited <= 20 * nodes(data)  # not 3 * 140 * 16 times as much


def test_the_cost_of_a_path_follows_from_its_values(record_property: Callable[[str, object], None]) -> None:
    data = {"a": [{"b": list(range(number % 50))} for number in range(1_000)]}
    fields = EventFields(data)

    for index in range(2_000):
        matches(entry({f"a.b.{index}": -1}), fields)

    record_property("visited", fields.visited)
    assert fields.visited <= 4 * nodes(data)


def test_a_query_with_many_paths_to_one_value_is_refused_at_no_cost() -> None:
    data: dict[str, Any] = {"a": [{"b": 0}] * 20_000}
    for _ in range(8):
        data = {"a": [data]}
    ways = sorted(product(("a", "0.a"), repeat=8), key=lambda steps: steps.count("0.a"))
    paths = [f"a.{'.'.join(steps)}.b" for steps in ways[:200]]
    fields = EventFields(data)

    with pytest.raises(CostlyQueryError):
        matches(entry(*({path: 1} for path in paths)), fields)

    assert fields.visited <= MAX_VISITS + 4 * nodes(data)
    assert matches(entry({paths[-1]: 0}), fields)
    with pytest.raises(CostlyQueryError):
        matches(entry({paths[-2]: 1}), fields, visits=10_000)


@pytest.mark.parametrize(
    "value", [10**4_000, Decimal("1.10"), -(2**61), 5, True, False, None, "1.1", 2**61 - 2]
)
def test_the_key_of_an_events_number_is_made_once(value: Any) -> None:
    keys = ScalarKeys()
    assert keys.of(value) == scalar_key(value)
    assert keys.of(value) is keys.of(value)


@pytest.mark.parametrize(
    "value", [["x" * MAX_TEXT], [[["x" * 40_000], ["x" * 40_000]]], {"a": ["x" * MAX_TEXT]}]
)
def test_a_value_longer_than_any_query_is_not_encoded_repeatedly(value: Any) -> None:
    assert composite_text(value)[0] == ""


@pytest.mark.parametrize("value", [[10**18] * 1_600, ["\x7f" * 8_000], [[True, None, ""]] * 500])
def test_the_largest_values_of_a_query_are_found(value: list[Any]) -> None:
    assert len(composite_text(value)[0]) > 8_000
    assert holds({"a": value}, {"a": [0, value]})


def test_colliding_numbers_cost_no_more_than_others() -> None:
    modulus = 2**61 - 1
    data = {"a": [modulus * number for number in range(1, 30_000)]}

    assert len({hash(number) for number in data["a"]}) == 1
    assert holds({"a": modulus * 7}, data)  # comparing each with each would take minutes
    assert not holds({"a": 0}, data)


def test_an_array_nested_deeper_than_any_query_matches_nothing() -> None:
    deep = json.loads("[" * 900 + "]" * 900)

    assert not holds({"a": [[]]}, {"a": deep})
    assert holds({"a.0.0": [[]]}, {"a": [[[[]]]]})


def test_the_cache_of_an_event_is_bounded() -> None:
    data = {f"x{number}": list(range(400)) for number in range(50)}
    fields = EventFields(data, max_gathered=1_000)

    for number in range(50):
        assert matches(entry({f"x{number}": 399}), fields)
        assert fields.gathered < 1_000 + 500
