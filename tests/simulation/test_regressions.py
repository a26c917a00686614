"""Each bug that a random schedule found, as a test of its own; and repeats, which need no random schedule."""

from collections.abc import Callable, Iterator
from random import Random

import pytest

from tests.simulation.faults import FaultsAt, Kind, NoFaults, Plan
from tests.simulation.invariants import Invariants
from tests.simulation.queues import MAX_RECEIVES
from tests.simulation.simulation import Simulation
from tests.simulation.tenants import Tenants
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.webhook import AuthType, Credential


def tenants_of(plan: Plan | None = None) -> Tenants:
    return Tenants(Simulation(Random(1), faults=plan, switching=0, recovers=False))


@pytest.fixture
def tenants() -> Iterator[Tenants]:
    made = tenants_of()
    yield made
    made.simulation.close()


def holds(tenants: Tenants, *, is_clean: bool = False) -> None:
    violations = Invariants(tenants.simulation, is_clean=is_clean).violations()
    assert not violations, "\n".join((*violations, *tenants.simulation.trace))


def publish_to_two(tenants: Tenants) -> tuple[str, str]:
    intact, down = tenants.register(), tenants.register(behaviour="down", retry_count=1)
    tenants.publish("e1")
    return intact, down


def calls(tenants: Tenants, webhook_id: str) -> int:
    return sum(call.delivery_id.startswith(f"{webhook_id}-") for call in tenants.simulation.history.calls)


@pytest.mark.parametrize("kind", [Kind.ERROR, Kind.LOST_RESPONSE])
@pytest.mark.parametrize("call", ["queue.send_slow", "queue.send_to_dlq", "log.record"])
def test_an_unavailable_queue_or_log_repeats_only_its_own_deliveries(call: str, kind: Kind) -> None:
    plan = NoFaults()
    rehearsal = tenants_of(plan)
    publish_to_two(rehearsal)
    rehearsal.simulation.run()
    tenants = tenants_of(FaultsAt({plan.calls.index(call): kind}))

    intact, _ = publish_to_two(tenants)
    tenants.simulation.run()

    assert calls(tenants, intact) == 1
    holds(tenants)


def test_packs_refused_by_the_fast_lane_dead_letter_no_event_twice() -> None:
    plan = NoFaults()
    rehearsal = tenants_of(plan)
    rehearsal.register()
    rehearsal.publish("e1")
    rehearsal.publish_text("no json")
    rehearsal.simulation.run()
    tenants = tenants_of(FaultsAt({plan.calls.index("lane.send"): Kind.ERROR}))

    tenants.register()
    tenants.publish("e1")
    tenants.publish_text("no json")
    tenants.simulation.run()

    assert len(tenants.simulation.events_dead.messages) == 1
    holds(tenants)


def test_a_webhook_deleted_in_flight_dead_letters_nothing(
    tenants: Tenants,
) -> None:
    webhook_id = tenants.register(auth_type=AuthType.BEARER, credential=Credential(token="t"))
    tenants.publish("e1")
    _between_reading_and_sending(tenants, lambda: tenants.delete(webhook_id))

    assert [entry.outcome for entry in tenants.simulation.log.entries()] == [Outcome.SKIPPED]
    assert tenants.simulation.dead.messages == []


def test_a_webhook_without_its_former_credential_dead_letters_nothing(
    tenants: Tenants,
) -> None:
    webhook_id = tenants.register(auth_type=AuthType.BEARER, credential=Credential(token="t"))
    tenants.publish("e1")
    _between_reading_and_sending(
        tenants, lambda: tenants.patch(webhook_id, endpoint={"auth_type": AuthType.NONE})
    )

    assert [call.authorization for call in tenants.simulation.history.calls] == [None]
    assert tenants.simulation.dead.messages == []


def _between_reading_and_sending(tenants: Tenants, change: Callable[[], None]) -> None:
    simulation = tenants.simulation
    simulation.invoke_to_end(simulation.events)
    simulation.switching = 1
    dispatcher = simulation.invoke(simulation.fast)
    assert dispatcher is not None
    assert dispatcher.invocation is not None
    while not dispatcher.invocation.seen:
        simulation.step(dispatcher)
    change()
    request = simulation.running[-1]
    while not request.is_over:
        simulation.step(request)
    simulation.run()
    holds(tenants, is_clean=True)


@pytest.mark.parametrize("in_one_pack", [True, False])
def test_events_with_one_id_and_two_times_are_two_events_in_one_batch(
    tenants: Tenants,
    in_one_pack: bool,
) -> None:
    webhook_id, simulation = tenants.register(), tenants.simulation
    for occurred_at in (1_790_000_000, 1_790_000_001):
        tenants.publish("e1", occurredAt=occurred_at)
        if not in_one_pack:
            simulation.invoke_to_end(simulation.events)
    simulation.run()

    assert calls(tenants, webhook_id) == 2
    assert len(simulation.log.entries()) == 2


@pytest.mark.parametrize("behaviour", ["ok", "down", "refusing", "slow"])
def test_a_repeat_that_the_log_shows_as_settled_is_not_sent(tenants: Tenants, behaviour: str) -> None:
    webhook_id = tenants.register(behaviour=behaviour, retry_count=1)
    tenants.publish("e1")
    tenants.simulation.run()
    before = calls(tenants, webhook_id)

    tenants.behave(webhook_id, "ok")
    for _ in range(3):
        tenants.publish("e1")
        tenants.simulation.run()

    assert calls(tenants, webhook_id) == before
    holds(tenants, is_clean=True)


def test_a_repeat_while_the_first_waits_for_its_retry_is_not_sent(tenants: Tenants) -> None:
    webhook_id = tenants.register(behaviour="down", retry_count=1)
    tenants.publish("e1")
    simulation = tenants.simulation
    simulation.invoke_to_end(simulation.events)
    simulation.invoke_to_end(simulation.fast)
    assert calls(tenants, webhook_id) == 1

    tenants.publish("e1")
    simulation.invoke_to_end(simulation.events)
    simulation.invoke_to_end(simulation.fast)

    assert calls(tenants, webhook_id) == 1
    simulation.run()
    assert calls(tenants, webhook_id) == 2
    holds(tenants, is_clean=True)


def test_an_endpoint_that_fails_in_its_recovery_is_not_probed_for_ever() -> None:
    simulation = Simulation(Random(1), switching=0)
    tenants = Tenants(simulation)
    webhook_id = tenants.register(behaviour="down", retry_count=2, paused=True)
    tenants.publish("e1")
    simulation.run()
    assert [entry.outcome for entry in simulation.log.entries()] == [Outcome.HELD]

    tenants.patch(webhook_id, paused=False)
    simulation.run()

    webhook = simulation.subscriptions.now(webhook_id)
    assert webhook is not None
    assert webhook.disabled_reason == "no success for 1 day"
    [entry] = simulation.log.entries()
    assert (entry.outcome, entry.is_recoverable) == (Outcome.DEAD, False)
    assert simulation.recovery.messages == []
    holds(tenants, is_clean=True)
    simulation.close()


class TokensOnce(NoFaults):
    """Tokens are unavailable, but for the first request."""

    def choose(self, call: str) -> Kind | None:
        is_unavailable = call == "tokens.token" and call in self.calls
        super().choose(call)
        return Kind.ERROR if is_unavailable else None


def test_a_redriven_pack_sends_only_its_unsettled_deliveries(tenants: Tenants) -> None:
    simulation = tenants.simulation
    credential = Credential(client_id="id", client_secret="secret")
    tenants.register(auth_type=AuthType.OAUTH2, credential=credential)
    tenants.publish("e1")
    tenants.publish("e2")
    simulation.invoke_to_end(simulation.events, list(simulation.events.messages))
    [pack] = simulation.fast.messages
    simulation.faults = TokensOnce()
    for _ in range(5):
        pack.receives += 1
        simulation.invoke_to_end(simulation.fast, [pack])
    assert len(simulation.history.calls) == 1
    simulation.faults = NoFaults()
    pack.receives = MAX_RECEIVES
    simulation.run()
    assert simulation.dead.messages == [pack]
    assert len(simulation.history.calls) == 1

    for _ in range(2):
        simulation.fast.put(pack.text)
        simulation.run()

    assert sorted(call.body["id"] for call in simulation.history.calls) == ["e1", "e2"]
