"""Thousands of random schedules of the whole event path, each one a seed; more with --schedules 100000.

To repeat a failed schedule, call run_schedule(seed). Its bug gets a test of its own in test_regressions.py.
"""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.simulation.schedules import run_schedule

BLOCKS = 16  # so that several processes share the work


@pytest.mark.parametrize("block", range(BLOCKS))
def test_no_delivery_is_lost_or_sent_twice_without_need(
    block: int, pytestconfig: pytest.Config, record_property: Callable[[str, object], None]
) -> None:
    first = pytestconfig.getoption("--first-seed", 0)
    count = pytestconfig.getoption("--schedules", BLOCKS)
    figures: Counter[str] = Counter()
    for seed in range(first + block, first + count, BLOCKS):
        report = run_schedule(seed)
        figures.update(report.figures)
        assert not report.violations, str(report)
    for name, number in figures.items():
        record_property(name, number)


def test_a_seed_is_one_schedule() -> None:
    assert run_schedule(5).trace == run_schedule(5).trace
