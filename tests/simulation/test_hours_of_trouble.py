"""What is good survives hours in which nothing works; what is poison ends, with a reason, and harms no other."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random

import pytest

from tests.fakes.subscriptions import FakeSubscriptions
from tests.simulation.faults import Kind, NoFaults
from tests.simulation.invariants import Judge
from tests.simulation.ports import Endpoints
from tests.simulation.queues import Message
from tests.simulation.simulation import NOW, Simulation
from tests.simulation.strands import KilledError
from tests.simulation.tenants import OTHER, Tenants
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.http import HttpOutcome, HttpRequest
from webhooks.domain.poison import POISON_RECEIVES
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import AuthType, Credential, Webhook
from webhooks.ports import CorruptError

HOURS = 3 * 3600
EVENTS = 20
TABLES = ("index.versions", "index.listeners", "batch.read", "log.record", "pace.mark")
SECRETS = ("service.read", "content.read", "master.read", "credentials.read")
QUEUES = ("lane.send", "queue.send_slow", "queue.send_to_dlq", "events.send_to_dlq", "queue.send_text_to_dlq")
BEARER = {"auth_type": AuthType.BEARER, "credential": Credential(token="t")}


class Away(NoFaults):
    """Some ports do not answer until a moment."""

    def __init__(self, simulation: Simulation, ports: tuple[str, ...], until: float) -> None:
        super().__init__()
        self._simulation, self._ports, self._until = simulation, ports, until

    def choose(self, call: str) -> Kind | None:
        super().choose(call)
        return Kind.ERROR if call in self._ports and self._simulation.now < self._until else None


class Worst(Endpoints):
    """Endpoints of which some make our own code fail, or end its process."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__(simulation)
        self.failing: dict[str, BaseException] = {}

    def exchange(self, request: HttpRequest, *, seconds: float) -> HttpOutcome:
        if request.url in self.failing:
            raise self.failing[request.url]
        return super().exchange(request, seconds=seconds)


class Unreadable(FakeSubscriptions):
    """Webhooks of which one makes our own code fail where it is read."""

    webhook_id = ""

    def get_many(
        self, keys: Sequence[tuple[Scope, str]]
    ) -> Mapping[tuple[Scope, str], Webhook | CorruptError]:
        if self.webhook_id in {webhook_id for _, webhook_id in keys}:
            raise KeyError(self.webhook_id)
        return super().get_many(keys)


@pytest.fixture
def tenants() -> Iterator[Tenants]:
    simulation = Simulation(Random(1), switching=0)
    simulation.endpoints = Worst(simulation)
    simulation.subscriptions = Unreadable(clock=simulation.clock, random_bytes=simulation.random.randbytes)
    yield Tenants(simulation)
    simulation.close()


def fail(tenants: Tenants, webhook_id: str, error: BaseException) -> None:
    url = tenants.simulation.history.revisions[webhook_id][0].webhook.definition.endpoint.url
    tenants.simulation.endpoints.failing[url] = error
    tenants.simulation.history.broken.add((webhook_id, "not processed"))


def called(tenants: Tenants, webhook_id: str) -> list[str]:
    calls = tenants.simulation.history.calls
    return sorted(call.body["id"] for call in calls if call.delivery_id.startswith(f"{webhook_id}-"))


def holds(tenants: Tenants) -> None:
    problems = Judge(tenants.simulation, is_clean=False).problems()
    assert not problems, "\n".join((*problems, *tenants.simulation.trace))


@pytest.mark.parametrize("ports", [TABLES, SECRETS, QUEUES, TABLES[:2], TABLES[2:3]])
def test_every_event_is_delivered_after_hours_without_a_service(
    tenants: Tenants, ports: tuple[str, ...]
) -> None:
    simulation = tenants.simulation
    webhooks = [tenants.register(**BEARER), tenants.register()]
    for number in range(EVENTS):
        tenants.publish(f"e{number}")
    simulation.faults = Away(simulation, ports, NOW + HOURS)

    simulation.run()

    assert simulation.now > NOW + HOURS
    assert (simulation.dead.messages, simulation.events_dead.messages) == ([], [])
    for webhook_id in webhooks:
        assert called(tenants, webhook_id) == sorted(f"e{number}" for number in range(EVENTS))
    holds(tenants)


def test_a_message_that_fails_in_our_code_has_a_reason_and_costs_no_other(tenants: Tenants) -> None:
    poison, well = tenants.register(), tenants.register(OTHER)
    fail(tenants, poison, KeyError("what"))
    tenants.publish("e1")
    tenants.publish("e2", OTHER)

    tenants.simulation.run()

    [dead] = tenants.simulation.dead.messages
    assert dead.reason == f"not processed: KeyError after {POISON_RECEIVES} receives"
    assert [each.event_id for each in decode_pack(dead.text).deliveries] == ["e1"]
    assert called(tenants, well) == ["e2"]
    holds(tenants)


def test_a_delivery_that_fails_in_our_code_before_its_attempt_has_a_reason(tenants: Tenants) -> None:
    simulation = tenants.simulation
    poison, well = tenants.register(), tenants.register(OTHER)
    simulation.subscriptions.webhook_id = poison
    simulation.history.broken.add((poison, "not processed"))
    tenants.publish("e1")
    tenants.publish("e2", OTHER)
    simulation.step(simulation.invoke(simulation.events, list(simulation.events.messages)))
    both = list(simulation.fast.messages)
    assert len(both) == 2

    for receives in range(1, POISON_RECEIVES + 1):  # they came together, so they come again together
        for message in both:
            message.receives = receives
        simulation.step(
            simulation.invoke(simulation.fast, [each for each in both if each in simulation.fast.messages])
        )

    [dead] = simulation.dead.messages
    assert dead.reason == f"not processed: KeyError after {POISON_RECEIVES} receives"
    assert [each.event_id for each in decode_pack(dead.text).deliveries] == ["e1"]
    assert called(tenants, well) == ["e2"]
    assert list(simulation.fast.messages) == []
    holds(tenants)


def test_a_message_that_ends_its_readers_is_handled_last_and_alone(tenants: Tenants) -> None:
    simulation = tenants.simulation
    fail(tenants, tenants.register(), KilledError())
    tenants.register(OTHER)
    tenants.publish("e1")
    tenants.publish("e2", OTHER)
    simulation.step(simulation.invoke(simulation.events, list(simulation.events.messages)))
    batch: list[Message] = list(simulation.fast.messages)
    assert len(batch) == 2

    for receives in range(1, 11):  # they came together, so they come again together
        for message in batch:
            message.receives = receives
        simulation.step(
            simulation.invoke(simulation.fast, [each for each in batch if each in simulation.fast.messages])
        )
        if receives < 3:
            assert simulation.log.entries() == []

    assert [entry.delivery.event_id for entry in simulation.log.entries()] == ["e2"]
    # The other was deleted before the suspect ended the process: nothing brings it again.
    assert [decode_pack(each.text).deliveries[0].event_id for each in simulation.fast.messages] == ["e1"]
