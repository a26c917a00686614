"""Deliveries survive outages of hours; a message that our own code fails on ends, with a reason, and alone."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

import pytest

from tests.clocks import NOW
from tests.fakes.subscriptions import FakeSubscriptions
from tests.simulation.faults import Kind, NoFaults
from tests.simulation.invariants import Invariants
from tests.simulation.queue_orders import Message
from tests.simulation.simulation import Simulation
from tests.simulation.tasks import KilledError
from tests.simulation.tenants import OTHER, Tenants
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.errors import CorruptError
from webhooks.domain.poison import POISON_RECEIVES
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import AuthType, Credential, Webhook

HOURS = 3 * 3600
EVENTS = 20
TABLES = ("fanout_reader.read", "index.listeners", "batch.read", "log.record", "health.save")
SECRETS = ("service.read", "signing.read", "master.read", "credentials.read")
QUEUES = (
    "lane.send",
    "queue.send_slow",
    "queue.send_to_dlq",
    "events_dlq.send_to_dlq",
    "queue.send_text_to_dlq",
)
BEARER: dict[str, Any] = {"auth_type": AuthType.BEARER, "credential": Credential(token="t")}


class Outage(NoFaults):
    """Some ports are unavailable until a time."""

    def __init__(self, simulation: Simulation, ports: tuple[str, ...], until: float) -> None:
        super().__init__()
        self._simulation, self._ports, self._until = simulation, ports, until

    def choose(self, call: str) -> Kind | None:
        super().choose(call)
        return Kind.ERROR if call in self._ports and self._simulation.clock.now < self._until else None


class FailingSubscriptions(FakeSubscriptions):
    """Webhooks of which one makes our own code fail where it is read."""

    failing_id = ""

    def get_many(
        self, keys: Sequence[tuple[Scope, str]]
    ) -> Mapping[tuple[Scope, str], Webhook | CorruptError]:
        if self.failing_id in {webhook_id for _, webhook_id in keys}:
            raise KeyError(self.failing_id)
        return super().get_many(keys)


@pytest.fixture
def tenants() -> Iterator[Tenants]:
    simulation = Simulation(Random(1), switching=0)
    yield Tenants(simulation)
    simulation.close()


def fail(tenants: Tenants, webhook_id: str, error: BaseException) -> None:
    webhook = tenants.simulation.history.revisions[webhook_id][0].webhook
    assert webhook is not None
    tenants.simulation.endpoints.errors[webhook.definition.endpoint.url] = error
    tenants.simulation.history.broken.add((webhook_id, "not processed"))


def called(tenants: Tenants, webhook_id: str) -> list[str]:
    calls = tenants.simulation.history.calls
    return sorted(call.body["id"] for call in calls if call.delivery_id.startswith(f"{webhook_id}-"))


def holds(tenants: Tenants) -> None:
    violations = Invariants(tenants.simulation, is_clean=False).violations()
    assert not violations, "\n".join((*violations, *tenants.simulation.trace))


@pytest.mark.parametrize("ports", [TABLES, SECRETS, QUEUES, TABLES[:2], TABLES[2:3]])
def test_every_event_is_delivered_after_hours_without_a_service(
    tenants: Tenants, ports: tuple[str, ...]
) -> None:
    simulation = tenants.simulation
    webhooks = [tenants.register(**BEARER), tenants.register()]
    for number in range(EVENTS):
        tenants.publish(f"e{number}")
    simulation.faults = Outage(simulation, ports, NOW + HOURS)

    simulation.run()

    assert simulation.clock.now > NOW + HOURS
    assert (simulation.dead.messages, simulation.events_dead.messages) == ([], [])
    for webhook_id in webhooks:
        assert called(tenants, webhook_id) == sorted(f"e{number}" for number in range(EVENTS))
    holds(tenants)


def test_sealed_credentials_survive_hours_without_kms_as_secrets_do(tenants: Tenants) -> None:
    simulation = tenants.simulation
    simulation.credentials.seals = True
    webhook_id = tenants.register(**BEARER)
    for number in range(EVENTS):
        tenants.publish(f"e{number}")
    simulation.faults = Outage(simulation, ("credentials.read",), NOW + HOURS)

    simulation.run()

    assert list(simulation.credentials.listed()) == []
    assert simulation.dead.messages == []
    assert called(tenants, webhook_id) == sorted(f"e{number}" for number in range(EVENTS))
    holds(tenants)


def test_a_message_that_fails_in_our_code_has_a_reason_and_costs_no_other(tenants: Tenants) -> None:
    poison, intact = tenants.register(), tenants.register(OTHER)
    fail(tenants, poison, KeyError("a fault of ours"))
    tenants.publish("e1")
    tenants.publish("e2", OTHER)

    tenants.simulation.run()

    [dead] = tenants.simulation.dead.messages
    assert dead.reason == f"not processed: KeyError after {POISON_RECEIVES} receives"
    assert [each.event_id for each in decode_pack(dead.text).deliveries] == ["e1"]
    assert called(tenants, intact) == ["e2"]
    holds(tenants)


def test_a_delivery_that_fails_in_our_code_before_its_attempt_has_a_reason() -> None:
    simulation = Simulation(Random(1), switching=0)
    subscriptions = FailingSubscriptions(
        clock=simulation.clock,
        random_bytes=simulation.random.randbytes,
        fault=simulation.on_store_effect,
    )
    simulation.subscriptions = simulation.index = subscriptions
    tenants = Tenants(simulation)
    poison, intact = tenants.register(), tenants.register(OTHER)
    subscriptions.failing_id = poison
    simulation.history.broken.add((poison, "not processed"))
    tenants.publish("e1")
    tenants.publish("e2", OTHER)
    simulation.invoke_to_end(simulation.events, list(simulation.events.messages))
    both = list(simulation.fast.messages)
    assert len(both) == 2

    for receives in range(1, POISON_RECEIVES + 1):  # both came in one batch, so they come again in one
        for message in both:
            message.receives = receives
        simulation.invoke_to_end(simulation.fast, [each for each in both if each in simulation.fast.messages])

    [dead] = simulation.dead.messages
    assert dead.reason == f"not processed: KeyError after {POISON_RECEIVES} receives"
    assert [each.event_id for each in decode_pack(dead.text).deliveries] == ["e1"]
    assert called(tenants, intact) == ["e2"]
    assert list(simulation.fast.messages) == []
    holds(tenants)


def test_a_message_that_ends_its_readers_is_handled_last_and_alone(tenants: Tenants) -> None:
    simulation = tenants.simulation
    fail(tenants, tenants.register(), KilledError())
    tenants.register(OTHER)
    tenants.publish("e1")
    tenants.publish("e2", OTHER)
    simulation.invoke_to_end(simulation.events, list(simulation.events.messages))
    batch: list[Message] = list(simulation.fast.messages)
    assert len(batch) == 2

    for receives in range(1, 11):  # both came in one batch, so they come again in one
        for message in batch:
            message.receives = receives
        simulation.invoke_to_end(
            simulation.fast, [each for each in batch if each in simulation.fast.messages]
        )
        if receives < 3:
            assert simulation.log.entries() == []

    assert [entry.delivery.event_id for entry in simulation.log.entries()] == ["e2"]
    # The other was deleted before the suspect ended the process, so it does not come again.
    assert [decode_pack(each.text).deliveries[0].event_id for each in simulation.fast.messages] == ["e1"]
