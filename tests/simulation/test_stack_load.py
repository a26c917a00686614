"""Figure 18's simulation of a whole stack, on a small scale."""

import pytest

from benchmarks.figures import stack
from benchmarks.stack_load import BREAKER_SECONDS, ONSET_SECONDS, Seen, StackLoad

CONCURRENCY = {"events": 4, "deliveries": 8, "slow": 8}
LOAD = StackLoad(rate=50, concurrency=CONCURRENCY, warm_seconds=4, seconds=BREAKER_SECONDS + 22)


@pytest.fixture(scope="module")
def seen() -> Seen:
    return LOAD.run()


def at(line: list[tuple[float, float]], first: float, last: float) -> list[float]:
    return [value for second, value in line if first <= second < last]


def test_the_breaker_takes_dead_endpoints_out_of_the_slow_lane(seen: Seen) -> None:
    running, waiting = seen.running["slow"], seen.waiting["slow"]
    assert max(at(running, -4, 0)) == 0
    assert max(at(running, ONSET_SECONDS, BREAKER_SECONDS)) > 0
    assert sum(at(running, BREAKER_SECONDS + 20, LOAD.seconds)) == 0
    assert waiting[-1][1] == 0


def test_every_healthy_event_has_its_callback_and_few_come_late(seen: Seen) -> None:
    assert seen.late == 0
    before, dying = seen.between(-4, 0), seen.between(ONSET_SECONDS, BREAKER_SECONDS)
    assert min(before) > 0
    assert sorted(dying)[len(dying) // 2] < 1.5 * sorted(before)[len(before) // 2]


def test_no_queue_has_more_invocations_than_its_concurrency(seen: Seen) -> None:
    for queue, line in seen.running.items():
        assert max(value for _, value in line) <= CONCURRENCY[queue]


def test_the_same_seed_gives_the_same_run() -> None:
    load = StackLoad(rate=20, concurrency=CONCURRENCY, warm_seconds=1, seconds=2)
    assert load.run(3).latencies == load.run(3).latencies != load.run(4).latencies


def test_the_figure_has_the_parts_of_an_outage_and_charts(seen: Seen) -> None:
    readings = {each.name: each for each in stack.readings_of(LOAD, seen)}
    for part in ("before", "the first 10 s", "dying", "breaker open"):
        assert readings[f"50 events/s, {part}: p99"].median > 0
    assert readings["50 events/s, breaker open: slow lane's time, an hour"].median == 0
    assert {chart.name for chart in stack.charts_of(LOAD, seen)} == {"waiting-50", "running-50", "p99-50"}
