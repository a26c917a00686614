"""Every fault at every call of a port that fan-out and dispatcher make, in scenarios that make each of those calls."""

from collections.abc import Callable, Mapping
from random import Random

import pytest

from tests.simulation.faults import CALLS, FaultsAt, Kind, NoFaults, Plan
from tests.simulation.invariants import Judge
from tests.simulation.simulation import Simulation
from tests.simulation.tenants import OTHER, Tenants
from webhooks.domain.webhook import AuthType, Credential
from webhooks.services.dispatch.pipeline import SUSPECT_RECEIVES

BEARER = {"auth_type": AuthType.BEARER, "credential": Credential(token="t")}
OAUTH2 = {"auth_type": AuthType.OAUTH2, "credential": Credential(client_id="i", client_secret="s")}


def one_delivery(tenants: Tenants) -> None:
    tenants.register(behaviour="down", retry_count=1)
    tenants.publish("e1")


def everybody(tenants: Tenants) -> None:
    tenants.register(**BEARER)
    tenants.register(**OAUTH2)
    tenants.register(behaviour="down", retry_count=2)
    tenants.register(behaviour="gone")
    tenants.register(behaviour="slow")
    tenants.register(OTHER)
    tenants.register(query=({"kind": "b"},))
    for number in range(3):
        tenants.publish(f"e{number}")
    tenants.publish("e9", OTHER)
    tenants.publish_text("no json")
    tenants.simulation.fast.put("no pack", now=tenants.simulation.now)
    for number in range(3):
        suspect = tenants.simulation.fast.put(f"no pack {number}", now=tenants.simulation.now)
        suspect.receives = SUSPECT_RECEIVES - 1


def the_broken(tenants: Tenants) -> None:
    tenants.lose_secret(tenants.register(**BEARER))
    tenants.corrupt(tenants.register())
    tenants.register()
    deleted, disabled = tenants.register(), tenants.register()
    tenants.publish("e1")
    tenants.publish("e2")
    tenants.simulation.run([lambda: tenants.delete(deleted), lambda: tenants.patch(disabled, disabled=True)])


SCENARIOS = (one_delivery, everybody, the_broken)
KEYS = ("master.read", "service.read", "content.read")  # their faults are alike: one at a time will do
type Scenario = Callable[[Tenants], None]


def problems_of(scenario: Scenario, plan: Plan, *, is_clean: bool = False) -> tuple[list[str], Simulation]:
    simulation = Simulation(Random(1), faults=plan, switching=0)
    scenario(Tenants(simulation))
    try:
        simulation.run()
    finally:
        simulation.close()
    return Judge(simulation, is_clean=is_clean).problems(), simulation


def check(scenario: Scenario, kinds: Mapping[int, Kind], calls: list[str]) -> None:
    problems, simulation = problems_of(scenario, FaultsAt(kinds))
    where = {f"{position} {calls[position]}": str(kind) for position, kind in kinds.items()}
    assert not problems, "\n".join((f"{scenario.__name__} {where}", *problems, "", *simulation.trace))


def calls_of(scenario: Scenario) -> list[str]:
    plan = NoFaults()
    problems, simulation = problems_of(scenario, plan, is_clean=True)
    assert not problems, "\n".join((*problems, *simulation.trace))
    return plan.calls


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_any_fault_at_any_call_breaks_no_promise(
    scenario: Scenario, record_property: Callable[[str, object], None]
) -> None:
    calls = calls_of(scenario)
    faults = [(position, kind) for position, call in enumerate(calls) for kind in CALLS[call]]
    for position, kind in faults:
        check(scenario, {position: kind}, calls)
    record_property("fault one at a time", len(faults))


@pytest.mark.parametrize("kind", Kind)
def test_any_two_faults_of_one_delivery_break_no_promise(
    kind: Kind, record_property: Callable[[str, object], None]
) -> None:
    calls = calls_of(one_delivery)
    pairs = [
        {first: kind, second: other}
        for first, call in enumerate(calls)
        if kind in CALLS[call] and call not in KEYS
        for second in range(first + 1, len(calls) + 4)
        for other in Kind
    ]
    for kinds in pairs:
        check(one_delivery, kinds, [*calls, *["later"] * 4])
    record_property("fault two at a time", 2 * len(pairs))


def test_the_scenarios_make_every_call() -> None:
    assert {call for scenario in SCENARIOS for call in calls_of(scenario)} == set(CALLS)
