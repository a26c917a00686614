"""Looks for deliveries that the log bounds: each goes on where it ended, and none is lost or sent twice."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import ClassVar

import pytest

from tests.clocks import NOW
from tests.simulation.faults import Kind, Plan, RandomFaults
from tests.simulation.invariants import Invariants
from tests.simulation.queues import MAX_BATCH
from tests.simulation.schedules import run_schedule
from tests.simulation.simulation import Simulation
from tests.simulation.tenants import ONE, OTHER, Tenants
from webhooks.services.dispatch import loading

SCHEDULES = 200
AT = int(NOW) * 1000 + 1
DENSE = 40  # events of the webhook whose log is dense, before those that are repeated


class NarrowSimulation(Simulation):
    """A look reads one shared item. `ended`: looks that had to go on later, by their webhook."""

    ended: ClassVar[Counter[str]] = Counter()

    def call(self, name: str, real: Callable[..., object], /, *args: object, **named: object) -> object:
        self.log.items_of_unit = 1
        result = super().call(name, real, *args, **named)
        if name == "batch.look":
            NarrowSimulation.ended.update({each.webhook_id for each in result.looked_to})
        return result


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "LOOK_UNITS_OF_WEBHOOK", 1)
    NarrowSimulation.ended.clear()


@pytest.mark.parametrize("block", range(4))
def test_looks_that_go_on_later_break_no_promise(
    block: int, record_property: Callable[[str, object], None]
) -> None:
    for seed in range(600_000 + block, 600_000 + SCHEDULES, 4):
        report = run_schedule(seed, make=NarrowSimulation)
        assert not report.violations, str(report)
    assert NarrowSimulation.ended
    record_property("looks that ended early", NarrowSimulation.ended.total())


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("share", [0, 0.03])
def test_a_webhook_with_a_dense_log_beside_a_healthy_one(share: float, seed: int) -> None:
    """All events of the one have times within some ms; then all are repeated, with new ones among them."""
    faults: Plan | None = RandomFaults(Random(seed), share, frozenset(Kind)) if share else None
    simulation = NarrowSimulation(Random(seed), faults=faults, switching=0.1)
    tenants = Tenants(simulation)
    try:
        dense, healthy = tenants.register(ONE), tenants.register(OTHER)
        events = [f"d{number}" for number in range(DENSE)]
        for _ in range(2):
            for number, event_id in enumerate(events):
                tenants.publish(event_id, ONE, occurredAt=AT + number % 7)
            for number in range(4):
                tenants.publish(f"h{len(events)} {number}", OTHER)
            simulation.run(settle=lambda: None)
            events += [f"late {number}" for number in range(4)]
    finally:
        simulation.close()
    assert Invariants(simulation, is_clean=False).violations() == []
    delivered = {call.delivery_id for call in simulation.history.calls if call.is_success}
    assert len(delivered) == DENSE + 4 + 8
    if share:
        return
    assert NarrowSimulation.ended[dense] > DENSE / MAX_BATCH
    assert not NarrowSimulation.ended[healthy]
    assert len(simulation.history.calls) == len(delivered)
    assert not simulation.dead.messages
