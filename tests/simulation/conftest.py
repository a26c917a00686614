import logging
from collections import Counter
from collections.abc import Iterator

import pytest

SCHEDULES = 2000
figures: Counter[str] = Counter()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--schedules", type=int, default=SCHEDULES, help="random schedules of the event path to run"
    )
    parser.addoption("--first-seed", type=int, default=0, help="the seed of the first one")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Log nothing: the trace of the simulation says more than the service's log of so many faults."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call":
        figures.update({name: count for name, count in report.user_properties if isinstance(count, int)})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    groups = {"schedules": 0, "fault": 0, "sent again": 0}
    for name, count in figures.items():
        group = name.partition(" ")[0] if not name.startswith("sent again") else "sent again"
        groups[group] = groups.get(group, 0) + count
    if figures:
        terminalreporter.section("simulation")
        terminalreporter.line(", ".join(f"{name} {count}" for name, count in groups.items()))
        for name, count in sorted(figures.items()):
            if name.startswith(("sent again", "schedules")):
                terminalreporter.line(f"  {name}: {count}")
