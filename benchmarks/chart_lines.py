"""The style of a chart's lines: distinct colours and markers, and no line that hides another.

Imports no matplotlib, so that tests need none.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.figure import Line

# Colours that the colour-blind tell apart (Okabe and Ito), without the light ones, and three more.
COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#E69F00",
    "#444444",
    "#8B5E3C",
    "#6A3D9A",
    "#999999",
)
MARKERS = "osD^vPX<>*"
NEAR = 0.05  # two points at most so far apart, relative to the larger, look like one
OVERLAP = 0.7  # of the points of two lines that are near: the line behind is drawn wider from here on
WIDTH, WIDER = 1.6, 2.2  # of a line, and for each line in front of it; points
IN_FRONT = 2  # lines that are counted for the width, at most
MANY = 40  # points of a line: from here on only some have a marker
MARKS = 8  # markers on a line of many points


@dataclass(frozen=True, slots=True)
class StyledLine:
    """A line as it is drawn. `marks`: its first point with a marker, and the distance to the next."""

    label: str
    points: Line
    colour: str
    marker: str
    width: float
    marks: tuple[int, int]


def styled(lines: Mapping[str, Line]) -> list[StyledLine]:
    """Style the lines in their order; lines of the same values become one, with all of their names."""
    distinct: dict[tuple[tuple[float, float], ...], list[str]] = {}
    for name, line in lines.items():
        distinct.setdefault(tuple((x, y) for x, y in line), []).append(name)
    order = list(distinct)
    alone = len(order) == 1 and len(order[0]) > MANY  # nothing to tell it from
    return [
        StyledLine(
            label=_label(names),
            points=points,
            colour=COLOURS[index % len(COLOURS)],
            marker="" if alone else MARKERS[(index + index // len(COLOURS)) % len(MARKERS)],
            width=WIDTH + WIDER * min(IN_FRONT, sum(_overlap(points, other) for other in order[index + 1 :])),
            marks=_marks(points, index, len(order)),
        )
        for index, (points, names) in enumerate(distinct.items())
    ]


def _label(names: list[str]) -> str:
    first, *others = names
    return "\n".join([first, *(f"{name} (the same)" for name in others)])


def _overlap(one: Line, other: Line) -> bool:
    if len(one) != len(other) or not one:
        return False
    near = sum(_is_near(a[0], b[0]) and _is_near(a[1], b[1]) for a, b in zip(one, other, strict=True))
    return near >= OVERLAP * len(one)


def _is_near(one: float, other: float) -> bool:
    return abs(one - other) <= NEAR * max(abs(one), abs(other))


def _marks(points: Line, index: int, lines: int) -> tuple[int, int]:
    if len(points) <= MANY:
        return 0, 1
    step = len(points) // MARKS
    return index * step // lines, step  # each line's markers lie elsewhere
