"""The growth of a quantity while the load stays the same."""

import statistics
from collections.abc import Sequence

from benchmarks.figure import Goal

STEADY = Goal(1.1)


def growth(values: Sequence[float], *, slack: float) -> float:
    """Return the last third's median over the second third's; the first third is warm-up.

    `slack`, in the quantity's unit, is taken off the last third: so much may be noise.
    """
    third = len(values) // 3
    parts = (values[third:-third], values[-third:]) if third else (values[:1], values[-1:])
    before, after = map(statistics.median, parts)
    return 1.0 if before == after else max(0.0, after - slack) / before if before else float("inf")
