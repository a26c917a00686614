"""An event that is accepted after the API answered a change is fanned out by it, whatever ends in between."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import pytest

from tests.simulation.faults import CALLS, Kind, NoFaults, Plan
from tests.simulation.invariants import Invariants
from tests.simulation.simulation import Simulation
from tests.simulation.tenants import ONE, OTHER, Tenants

NEXT = "subscriptions.next_epoch"


class CountFaults:
    """Faults between the commit of a change and its count, and at this count."""

    def __init__(self, random: Random, *, share: float = 0.5) -> None:
        self._random = random
        self.share = share
        self.kinds: Counter[Kind] = Counter()

    def choose(self, call: str) -> Kind | None:
        if call != NEXT or self._random.random() >= self.share:
            return None
        kind = self._random.choice(CALLS[NEXT])
        self.kinds[kind] += 1
        return kind


def run(seed: int, faults: Plan) -> Simulation:
    random = Random(seed)
    simulation = Simulation(random, faults=faults, switching=random.choice((0.1, 0.5)), recovers=False)
    tenants = Tenants(simulation)
    webhooks = [tenants.register(scope, query=({"kind": "a"},)) for scope in (ONE, ONE, OTHER)]
    steps: list[Callable[[], object]] = []
    for number in range(12):
        steps.append(
            partial(tenants.publish, f"e{number}", random.choice((ONE, OTHER)), kind=random.choice("ab"))
        )
        change: dict[str, Any] = random.choice(
            (
                {"query": ({"kind": "b"},)},
                {"query": ({"kind": "a"},)},
                {"disabled": True},
                {"disabled": False},
            )
        )
        steps.append(partial(tenants.patch, random.choice(webhooks), **change))
    steps.append(partial(tenants.after, 100, partial(tenants.publish, "late", ONE, kind="a")))
    try:
        simulation.run(steps)
    finally:
        simulation.close()
    return simulation


@pytest.mark.parametrize("seed", range(60))
def test_no_event_is_fanned_out_by_a_webhook_of_before_an_answer(seed: int) -> None:
    simulation = run(seed, NoFaults())
    violations = Invariants(simulation, is_clean=True).violations()
    assert not violations, "\n".join((*violations, *simulation.trace))


@pytest.mark.parametrize("seed", range(60))
def test_a_change_that_ended_before_its_count_is_seen_by_its_repeat_or_after_a_minute(seed: int) -> None:
    faults = CountFaults(Random(seed))
    simulation = run(seed, faults)
    violations = Invariants(simulation, is_clean=False).violations()
    assert not violations, "\n".join((*violations, *simulation.trace))
    assert faults.kinds
