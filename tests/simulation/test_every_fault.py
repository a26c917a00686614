"""Every fault at every call that fan-out and dispatcher make of a port, in scenarios that make all of them."""

from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from typing import Any

import pytest

from tests.simulation.faults import CALLS, FaultsAt, Kind, NoFaults, Plan
from tests.simulation.invariants import Invariants
from tests.simulation.simulation import Simulation
from tests.simulation.tenants import OTHER, Tenants
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.webhook import AuthType, Credential
from webhooks.services.dispatch.pipeline import SUSPECT_RECEIVES

BEARER: dict[str, Any] = {"auth_type": AuthType.BEARER, "credential": Credential(token="t")}
OAUTH2: dict[str, Any] = {
    "auth_type": AuthType.OAUTH2,
    "credential": Credential(client_id="i", client_secret="s"),
}


def one_delivery(tenants: Tenants) -> None:
    tenants.register(behaviour="down", retry_count=1)
    tenants.heal_after(OUTAGE)
    tenants.publish("e1")


def every_kind(tenants: Tenants) -> None:
    tenants.register(**BEARER)
    tenants.register(**OAUTH2)
    tenants.register(behaviour="down", retry_count=2)
    tenants.register(behaviour="gone")
    tenants.register(behaviour="slow")
    tenants.register(rate_limit=1)
    tenants.register(OTHER)
    tenants.register(query=({"kind": "b"},))
    tenants.heal_after(OUTAGE)
    for number in range(3):
        tenants.publish(f"e{number}")
    tenants.publish("e9", OTHER)
    tenants.publish_text("no json")
    tenants.simulation.events.put("[1]")  # test_event_arrays.py has more of arrays
    tenants.simulation.fast.put("no pack")
    for number in range(3):
        suspect = tenants.simulation.fast.put(f"no pack {number}")
        suspect.receives = SUSPECT_RECEIVES - 1


def the_broken(tenants: Tenants) -> None:
    tenants.lose_secret(tenants.register(**BEARER))
    tenants.corrupt(tenants.register())
    tenants.register()
    deleted, disabled = tenants.register(), tenants.register()
    tenants.publish("e1")
    tenants.publish("e2")
    tenants.simulation.run([lambda: tenants.delete(deleted), lambda: tenants.patch(disabled, disabled=True)])


def publish(tenants: Tenants, *numbers: int) -> None:
    for number in numbers:
        tenants.publish(f"e{number}", occurredAt=f"2026-01-01T00:00:{number:02}Z")


def an_outage(tenants: Tenants) -> None:
    """The breaker opens, a probe fails, another succeeds, and what was held is sent."""
    tenants.register(behaviour="down", retry_count=0)
    tenants.register(event_names=("webhook.failing", "webhook.recovered"))
    publish(tenants, *range(6))
    tenants.after(BREAKER_SECONDS + 10, partial(publish, tenants, *range(6, 12)))
    tenants.after(BREAKER_SECONDS + 40, partial(publish, tenants, *range(12, 15)))
    tenants.heal_after(OUTAGE)
    tenants.simulation.recovery.put("no task")


def a_pause(tenants: Tenants) -> None:
    webhook_id = tenants.register()
    tenants.patch(webhook_id, paused=True)
    publish(tenants, *range(3))
    tenants.after(100, partial(publish, tenants, *range(3, 6)))
    tenants.after(OUTAGE, partial(tenants.patch, webhook_id, paused=False))


def a_change(tenants: Tenants) -> None:
    """A community changes whose listeners are known."""
    webhook_id = tenants.register()
    for number in range(3):
        tenants.after(1 + number, partial(publish, tenants, number))
    tenants.after(5, partial(tenants.patch, webhook_id, event_names=("E_A", "E_B")))
    tenants.after(6, partial(publish, tenants, 3))


def packs(tenants: Tenants) -> None:
    """Events share windows of marks, and their producer repeats some of them."""
    tenants.register()
    for number in (0, 1, 2, 3, 4, 1, 2):
        tenants.publish(f"e{number}", occurredAt=1_790_000_000_000 + 30 * number)


def one_held(tenants: Tenants) -> None:
    """Only the mark of its webhook leads to what is held."""
    webhook_id = tenants.register()
    tenants.patch(webhook_id, paused=True)
    publish(tenants, 0)
    tenants.after(OUTAGE, partial(tenants.patch, webhook_id, paused=False))


def replays(tenants: Tenants) -> None:
    """Dead deliveries are replayed: by a filter in two pages, and one by its id."""
    webhook_id = tenants.register(behaviour="down", retry_count=0, recover=False)
    publish(tenants, *range(13))
    tenants.heal_after(OUTAGE)
    tenants.after(OUTAGE, partial(publish, tenants, 13))
    one = tenants.simulation.history.publications[0].delivery_to(webhook_id)

    def replay() -> None:
        webhook = tenants.simulation.subscriptions.now(webhook_id)
        if webhook is not None and webhook.holds:  # a replay is refused while the breaker is open
            tenants.after(OUTAGE, replay)
            return
        tenants.replay(webhook_id, rate=1)
        tenants.replay(webhook_id, one)

    tenants.after(2 * OUTAGE, replay)


def no_hope(tenants: Tenants) -> None:
    """An endpoint is down for days: its webhook is disabled, and what is held ends."""
    tenants.register(behaviour="down", retry_count=0)
    tenants.register(event_names=("webhook.disabled",))
    publish(tenants, *range(6))
    tenants.after(BREAKER_SECONDS + 10, partial(publish, tenants, *range(6, 12)))
    tenants.after(BREAKER_SECONDS + 40, partial(publish, tenants, *range(12, 15)))
    tenants.after(OUTAGE, tenants.simulation.lose_hope)


SCENARIOS = (
    one_delivery,
    packs,
    a_change,
    every_kind,
    the_broken,
    an_outage,
    a_pause,
    one_held,
    replays,
    no_hope,
)
ALL_DELIVERED = (
    one_delivery,
    packs,
    a_change,
    an_outage,
    a_pause,
    one_held,
    replays,
)  # in the end, whatever happens
OUTAGE = 240  # seconds: attempts are exhausted, and a probe fails
BREAKER_SECONDS = 60
KEYS = ("master.read", "service.read", "signing.read")  # alike: their faults are tested one at a time
type Scenario = Callable[[Tenants], None]


def problems_of(scenario: Scenario, plan: Plan, *, is_clean: bool = False) -> tuple[list[str], Simulation]:
    simulation = Simulation(Random(1), faults=plan, switching=0)
    scenario(Tenants(simulation))
    try:
        simulation.run()
    finally:
        simulation.close()
    return Invariants(simulation, is_clean=is_clean).violations(), simulation


def undelivered(simulation: Simulation, *allowed: Outcome) -> list[str]:
    """Return the deliveries without a success, but for those that are dead-lettered and of an `allowed` outcome."""
    called = {call.delivery_id for call in simulation.history.calls if call.is_success}
    dead = {each.id for message in simulation.dead.messages for each in decode_pack(message.text).deliveries}
    return [
        f"{each.delivery.id} is {each.outcome}"
        for each in simulation.log.entries()
        if each.delivery.id not in called
        if each.outcome not in allowed or each.delivery.id not in dead
    ]


def check(scenario: Scenario, kinds: Mapping[int, Kind], calls: list[str]) -> None:
    violations, simulation = problems_of(scenario, FaultsAt(kinds))
    if scenario in ALL_DELIVERED:
        # Where the log did not take the end of a delivery, a further attempt could be one too many. A second
        # fault can make its one recovery come while its endpoint is still down.
        several = (Outcome.DEAD,) if len(kinds) > 1 else ()
        violations += undelivered(simulation, Outcome.RETRYING, *several)
    where = {f"{position} {calls[position]}": str(kind) for position, kind in kinds.items()}
    assert not violations, "\n".join((f"{scenario.__name__} {where}", *violations, "", *simulation.trace))


def calls_of(scenario: Scenario) -> list[str]:
    plan = NoFaults()
    violations, simulation = problems_of(scenario, plan, is_clean=scenario is not packs)
    assert not violations, "\n".join((*violations, *simulation.trace))
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
    exhausted = calls.index("recovery.send")  # the rest is of its recovery, which one fault at a time tests
    pairs = [
        {first: kind, second: other}
        for first, call in enumerate(calls[:exhausted])
        if kind in CALLS[call] and call not in KEYS
        for second in range(first + 1, exhausted + 4)
        for other in Kind
    ]
    for kinds in pairs:
        check(one_delivery, kinds, calls)
    record_property("fault two at a time", 2 * len(pairs))


def test_the_scenarios_make_every_call() -> None:
    assert {call for scenario in SCENARIOS for call in calls_of(scenario)} == set(CALLS)
