"""Background work of a simulated invocation runs beside it, in its order, and ends with its process."""

from collections.abc import Callable, Iterator
from random import Random

import pytest

from benchmarks.timed_deployment import TimedDeployment
from tests.simulation.concurrency import SimulatedBackground
from tests.simulation.history import Invocation
from tests.simulation.simulation import Running, Simulation
from tests.simulation.tasks import KilledError


@pytest.fixture
def simulation() -> Iterator[Simulation]:
    made = Simulation(Random(1), switching=1)
    yield made
    made.close()


def begin(simulation: Simulation, work: Callable[[], None]) -> Running:
    return simulation.begin(work, Invocation(0, "dispatcher", 0, ()))


def step_all(simulation: Simulation) -> None:
    while simulation.running:
        simulation.step(simulation.running[-1])


def test_background_work_runs_in_its_order_while_the_invocation_goes_on(simulation: Simulation) -> None:
    background, order = SimulatedBackground(simulation), list[str]()

    def settle(name: str) -> str:
        order.append(f"begin {name}")
        simulation.clock.spent += 2
        simulation.pause()
        order.append(f"end {name}")
        return name.upper()

    def work() -> None:
        waves = [background.submit(settle, name) for name in "ab"]
        simulation.pause()
        order.append("sent")
        order.extend(wave.result() for wave in waves)
        order.append(f"{simulation.clock.spent} s")

    begin(simulation, work)
    simulation.step(simulation.running[0])
    simulation.step(simulation.running[1])
    simulation.step(simulation.running[0])
    step_all(simulation)

    assert order == ["begin a", "sent", "end a", "begin b", "end b", "A", "B", "4.0 s"]


def test_an_error_of_background_work_is_raised_by_its_result(simulation: Simulation) -> None:
    def settle(_: int) -> None:
        raise KeyError("a fault of ours")

    running = begin(simulation, lambda: SimulatedBackground(simulation).submit(settle, 1).result())
    step_all(simulation)

    assert isinstance(running.failure, KeyError)


@pytest.mark.parametrize("is_killed_beside", [True, False])
def test_a_kill_ends_the_whole_process(simulation: Simulation, is_killed_beside: bool) -> None:
    def settle(_: int) -> None:
        simulation.pause()
        if is_killed_beside:
            raise KilledError
        simulation.pause()

    def work() -> None:
        done = SimulatedBackground(simulation).submit(settle, 1)
        simulation.pause()
        if not is_killed_beside:
            raise KilledError
        done.result()

    running = begin(simulation, work)
    step_all(simulation)

    assert running.is_over
    assert isinstance(running.failure, KilledError)


def test_background_work_takes_its_time_on_the_clock_of_benchmarks() -> None:
    deployment, times = TimedDeployment(Random(1)), list[float]()
    background = SimulatedBackground(deployment)

    def settle(seconds: float) -> None:
        deployment.catch_up(seconds)

    def work() -> None:
        began = deployment.clock()
        waves = [background.submit(settle, seconds) for seconds in (2.0, 3.0)]
        deployment.catch_up(1)
        times.append(deployment.clock() - began)
        for wave in waves:
            wave.result()
        times.append(deployment.clock() - began)

    deployment.clock.start(work)
    deployment.clock.run()

    assert times == [1, 5]
