"""The result of a benchmark: readings, each of several samples against a goal, and charts."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

type Line = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound that the median must keep: at most, or `at_least`."""

    bound: float
    at_least: bool = False

    def is_met(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:,.12g}"


@dataclass(frozen=True, slots=True)
class Reading:
    """One quantity. `samples`: the measured values; a ratio of each pair of runs if the unit is "times"."""

    name: str
    samples: Sequence[float]
    unit: str = "times"
    goal: Goal | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def verdict(self) -> str:
        """Say whether the goal is met; nothing where there is none."""
        if self.goal is None:
            return ""
        return "met" if self.goal.is_met(self.median) else "missed"

    @property
    def value(self) -> str:
        """Write the median with its unit."""
        return f"{number(self.median)} {self.unit}".strip()

    @property
    def spread(self) -> str:
        """Write the lowest and the highest sample; nothing where all are the same."""
        low, high = number(min(self.samples)), number(max(self.samples))
        return "" if low == high else f"{low} to {high}"


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over numbers, on logarithmic axes where `log` says so ("x", "y" or both)."""

    name: str
    title: str
    x: str
    y: str
    lines: Mapping[str, Line]
    log: str = ""

    @property
    def constant(self) -> float | None:
        """The one value of all points, where a sentence says as much as a picture; else None."""
        values = {y for line in self.lines.values() for _, y in line}
        return values.pop() if len(values) == 1 else None


@dataclass(frozen=True, slots=True)
class Measured:
    """The measurements of a figure's module. `remarks`: facts that help to read them."""

    readings: Sequence[Reading]
    charts: Sequence[Chart] = ()
    remarks: Sequence[str] = field(default=())

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        readings = [
            Reading(**{**each, "goal": Goal(**each["goal"]) if each["goal"] else None})
            for each in stored["readings"]
        ]
        return cls(readings, [Chart(**each) for each in stored["charts"]], stored["remarks"])


def number(value: float) -> str:
    """Write a number with three digits that count, and no more than it has."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
