"""Explanations of queries that did not hold: by example, and in agreement with matching."""

import json
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from webhooks.domain.explanation import FOUND, MORE, SHOWN, Explanation, FailedCondition, explain
from webhooks.domain.json_text import read_object, write_json
from webhooks.domain.matching import CostlyQueryError, EventFields, matches
from webhooks.domain.webhook import Criteria, IndexEntry

DATA = read_object(
    """{"status": "ok", "count": 1, "code": "1", "price": 19.90, "flag": true, "nothing": null,
    "tags": ["a", "b", ["c"]], "user": {"id": "u1", "deep": {"er": 7}}, "a.b": "dotted", "a": {"b": "nested"},
    "commits": [{"title": "Test", "files": ["x"]}, {"title": "Merge", "files": []}], "empty": [], "none": {}}"""
).values


def entry(*query: dict[str, Any], criteria: Criteria = Criteria.ANY) -> IndexEntry:
    return IndexEntry("w" * 24, criteria, query)


@pytest.mark.parametrize(
    ("field", "wanted", "found"),
    [
        ("status", "OK", ["ok"]),
        ("count", "1", [1]),
        ("code", 1, ["1"]),
        ("count", True, [1]),
        ("flag", 1, [True]),
        ("nothing", "", [None]),
        ("missing", None, []),
        ("price", Decimal("19.9000001"), [Decimal("19.90")]),
        ("tags", "z", [["a", "b", ["c"]]]),
        ("tags.0", "b", ["a"]),
        ("tags.9", "b", []),
        ("user", {"id": "u1"}, [{"id": "u1", "deep": {"er": 7}}]),
        ("user.deep.er", 8, [7]),
        ("user.id.x", "u1", []),
        ("a.b", "other", ["dotted", "nested"]),
        ("commits.title", "Push", ["Test", "Merge"]),
        ("commits.1.title", "Test", ["Merge"]),
        ("commits.files", "y", [["x"], []]),
        ("empty", None, [[]]),
        ("none", [], [{}]),
    ],
)
def test_the_failed_condition_says_what_was_found(field: str, wanted: Any, found: list[Any]) -> None:
    explained = explain(entry({"status": "ok", field: wanted, "later": 1}), EventFields(DATA))
    assert explained == Explanation(False, (FailedCondition(0, field, wanted, tuple(found)),))


def test_with_any_each_object_has_its_failed_condition() -> None:
    explained = explain(entry({"status": "x"}, {"count": 1, "flag": False}), EventFields(DATA))
    assert [(each.object, each.field) for each in explained.conditions] == [(0, "status"), (1, "flag")]


def test_with_all_objects_that_hold_have_none() -> None:
    query = entry({"status": "ok"}, {"count": 2}, {"flag": True}, {"code": 1}, criteria=Criteria.ALL)
    explained = explain(query, EventFields(DATA))
    assert [(each.object, each.field) for each in explained.conditions] == [(1, "count"), (3, "code")]


@pytest.mark.parametrize("query", [(), ({},), ({"status": "ok"},), ({"x": 1}, {"count": 1})])
def test_a_query_that_holds_has_no_conditions(query: tuple[dict[str, Any], ...]) -> None:
    assert explain(entry(*query), EventFields(DATA)) == Explanation(True)


def test_many_and_long_values_are_shortened() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    values = ["s" * 5000, {"k" * 5000: 1}, [1] * 500_000, 10**3000, deep, *range(10)]
    [condition] = explain(entry({"items": "none"}), EventFields({"items": values})).conditions
    assert condition.found == ("[" + json.dumps("s" * 5000)[: SHOWN - 1] + MORE,)
    data = {"items": [{"v": value} for value in values]}
    [condition] = explain(entry({"items.v": "none"}), EventFields(data)).conditions
    assert condition.found == (
        "s" * SHOWN + MORE,
        f'{{"{"k" * (SHOWN - 2)}{MORE}',
        ("[" + "1," * SHOWN)[:SHOWN] + MORE,
        "1" + "0" * (SHOWN - 1) + MORE,
        "[" * SHOWN + MORE,
    )
    assert len(condition.found) == FOUND


def test_a_value_of_the_shown_length_is_whole() -> None:
    for value in ("s" * (SHOWN - 2), [1] * 49, {"a": "ü" * 90}):
        [condition] = explain(entry({"v": "none"}), EventFields({"v": value})).conditions
        assert condition.found == (value,)


def test_a_costly_query_is_costly_to_explain_too() -> None:
    data = {"items": [{"a": n} for n in range(1000)]}
    with pytest.raises(CostlyQueryError):
        explain(entry({"items.a": -1}), EventFields(data), visits=100)


def test_with_all_an_object_that_costs_too_much_ends_the_explanation() -> None:
    data = {"status": "ok", "items": [{"a": n} for n in range(1000)]}
    query = entry({"status": "x"}, {"items.a": -1}, criteria=Criteria.ALL)
    explained = explain(query, EventFields(data), visits=100)
    assert [each.object for each in explained.conditions] == [0]


SCALARS = ["a", "b", "1", "", "ü", 1, 0, -1, True, False, None, Decimal("1.0"), Decimal("0.5"), 10**20]
NAMES = ["a", "b", "a.b", "0", "1", "c"]


def value(random: Random, depth: int) -> Any:
    kind = random.random()
    if depth == 0 or kind < 0.4:
        return random.choice(SCALARS)
    if kind < 0.7:
        return [value(random, depth - 1) for _ in range(random.randint(0, 4))]
    return {random.choice(NAMES): value(random, depth - 1) for _ in range(random.randint(0, 4))}


def inside(random: Random, data: Any) -> Any:
    """Return a value somewhere in the data, so that conditions hold often enough."""
    while isinstance(data, dict | list) and data and random.random() < 0.8:
        data = random.choice([*data.values()] if isinstance(data, dict) else data)
    return data


def query(random: Random, data: Any) -> IndexEntry:
    objects = []
    for _ in range(random.randint(0, 3)):
        conditions = {}
        for _ in range(random.randint(1, 3)):
            field = ".".join(random.choice(NAMES) for _ in range(random.randint(1, 3)))
            wanted = inside(random, data) if random.random() < 0.8 else value(random, 1)
            conditions[field] = str(wanted) if random.random() < 0.1 else wanted
        objects.append(conditions)
    return entry(*objects, criteria=random.choice(list(Criteria)))


def test_explanations_of_random_queries_agree_with_matching() -> None:
    random, counts = Random(10), {True: 0, False: 0, None: 0}
    for _ in range(10_000):
        data = {name: value(random, 3) for name in NAMES}
        asked = query(random, data)
        visits = random.choice([2_000_000, 2_000_000, random.randint(0, 30)])
        try:
            wanted = matches(asked, EventFields(data), visits=visits)
        except CostlyQueryError:
            counts[None] += 1
            with pytest.raises(CostlyQueryError):
                explain(asked, EventFields(data), visits=visits)
            continue
        counts[wanted] += 1
        explained = explain(asked, EventFields(data), visits=visits)
        assert explained.matched is wanted
        assert bool(explained.conditions) is not wanted
        for each in explained.conditions:
            only = entry({each.field: each.wanted})
            assert not matches(only, EventFields(data))
            before = dict(zip(asked.query[each.object], asked.query[each.object].values(), strict=True))
            for field, earlier in before.items():
                if field == each.field:
                    break
                assert matches(entry({field: earlier}), EventFields(data))
            assert write_json(list(each.found))  # it can be shown
            # As the data holds them: an equal value under the same path would have been found.
            for found in each.found:
                if not (isinstance(found, str) and found.endswith(MORE)):
                    assert matches(entry({each.field: found}), EventFields(data))
        if not wanted and asked.criteria is Criteria.ANY:
            assert [each.object for each in explained.conditions] == list(range(len(asked.query)))
    assert min(counts.values()) > 500, counts
