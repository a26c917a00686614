"""Values: compared by their fields, and unchangeable for the type checker."""

from dataclasses import replace

import pytest

from webhooks.domain.values import value_type


@value_type(frozen=True, slots=True)
class Point:
    """A value with a default."""

    x: int
    y: int = 0


def test_values_are_compared_by_their_fields() -> None:
    assert Point(1) == Point(1, 0)
    assert Point(1) != Point(1, 1)
    assert len({Point(1), Point(1, 0), Point(2)}) == 2


def test_a_changed_copy_leaves_its_value() -> None:
    point = Point(1)
    assert (replace(point, y=2), point) == (Point(1, 2), Point(1))


def test_a_value_has_no_other_attributes() -> None:
    with pytest.raises(AttributeError):
        Point(1).z = 2  # type: ignore[attr-defined]  # that is the test


def test_the_type_checker_refuses_a_change() -> None:
    point = Point(1)
    point.x = 2  # type: ignore[misc]  # an unused comment of this kind is an error of the type checker
    assert point == Point(2)
