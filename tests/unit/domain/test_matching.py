"""A query holds or not: the law of delivery.md, case by case and in general."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.domain.matching import json_equal, matches
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


def entry(*query, criteria=Criteria.ANY):
    return IndexEntry("w" * 24, criteria, query)


@pytest.mark.parametrize(
    ("query", "holds"),
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
def test_a_condition_holds_as_json_equality_says(query, holds):
    assert matches(entry(query), EVENT) is holds


def test_no_query_holds_for_every_event():
    assert matches(entry(), {})


def test_any_needs_one_object_and_all_needs_every_object():
    right, wrong = {"status": "ok"}, {"status": "bad"}

    assert matches(entry(right, wrong), EVENT)
    assert not matches(entry(wrong), EVENT)
    assert not matches(entry(right, wrong, criteria=Criteria.ALL), EVENT)
    assert matches(entry(right, {"count": 1}, criteria=Criteria.ALL), EVENT)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON)
def test_equality_is_reflexive_and_symmetric(left, right):
    assert json_equal(left, left)
    assert json_equal(left, right) == json_equal(right, left)


@given(st.dictionaries(st.text(min_size=1).filter(lambda name: "." not in name), JSON, max_size=5))
def test_an_event_matches_the_query_made_of_its_own_fields(data):
    assert matches(entry(*({name: value} for name, value in data.items()), criteria=Criteria.ALL), data)


@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 2), min_size=1), min_size=1, max_size=4)
)
def test_all_is_never_wider_than_any(query):
    data = {"a": 0, "b": 1, "c": 2}
    if matches(entry(*query, criteria=Criteria.ALL), data):
        assert matches(entry(*query), data)
