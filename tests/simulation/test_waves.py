"""A dispatcher that is killed while it settles a batch repeats one wave, and the deliveries in flight."""

from collections import Counter
from random import Random

import pytest

from tests.simulation.faults import Kind, NoFaults
from tests.simulation.invariants import Invariants
from tests.simulation.simulation import Simulation
from tests.simulation.tenants import Tenants

PACKS, OF_A_PACK = 10, 10
DELIVERIES = PACKS * OF_A_PACK


class KilledAtRecord(NoFaults):
    """The process ends at its `number`th write to the log, counted from 0."""

    def __init__(self, number: int, kind: Kind) -> None:
        super().__init__()
        self._left, self._kind = number, kind

    def choose(self, call: str) -> Kind | None:
        if call != "log.record":
            return None
        self._left -= 1
        return self._kind if self._left == -1 else None


@pytest.mark.parametrize("kind", [Kind.KILLED_BEFORE, Kind.KILLED_AFTER])
@pytest.mark.parametrize("number", range(4))
def test_a_dispatcher_killed_at_a_wave_repeats_what_was_not_recorded(number: int, kind: Kind) -> None:
    simulation = Simulation(Random(1), switching=0, slice_size=DELIVERIES)
    tenants = Tenants(simulation)
    for _ in range(PACKS):
        tenants.register()
    for event in range(OF_A_PACK):
        tenants.publish(f"e{event}")
    simulation.invoke_to_end(simulation.events, simulation.events.messages)
    batch = list(simulation.fast.messages)
    assert len(batch) == PACKS
    for message in batch:
        message.receives = 1
    simulation.faults = KilledAtRecord(number, kind)
    simulation.invoke_to_end(simulation.fast, batch)
    assert simulation.history.invocations[-1].is_killed
    sent, recorded = len(simulation.history.calls), len(simulation.log.entries())
    assert sent == DELIVERIES
    assert recorded >= 10 * (number + (kind is Kind.KILLED_AFTER))

    simulation.run()

    calls = Counter(call.delivery_id for call in simulation.history.calls)
    assert len(calls) == DELIVERIES
    assert calls.total() - sent == DELIVERIES - recorded
    violations = Invariants(simulation, is_clean=False).violations()
    assert not violations, "\n".join((*violations, *simulation.trace))
    simulation.close()
