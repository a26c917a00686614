"""What is good survives hours in which nothing works; what is poison ends, with a reason, and harms no other."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random

import pytest

from tests.fakes.subscriptions import FakeSubscriptions
from tests.simulation.faults import Kind, NoFaults
from tests.simulation.invariants import Judge
from tests.simulation.ports import Endpoints
from tests.simulation.queues import Message
from tests.simulation.strands import KilledError
from tests.simulation.tenants import OTHER, Tenants
from tests.simulation.world import NOW, World
from webhooks.domain.delivery import decode_pack
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

    def __init__(self, world: World, ports: tuple[str, ...], until: float) -> None:
        super().__init__()
        self._world, self._ports, self._until = world, ports, until

    def choose(self, call: str) -> Kind | None:
        super().choose(call)
        return Kind.ERROR if call in self._ports and self._world.now < self._until else None


class Worst(Endpoints):
    """Endpoints of which some make our own code fail, or end its process."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
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
    world = World(Random(1), switching=0)
    world.endpoints = Worst(world)
    world.subscriptions = Unreadable(clock=world.clock, random_bytes=world.random.randbytes)
    yield Tenants(world)
    world.close()


def fail(tenants: Tenants, webhook_id: str, error: BaseException) -> None:
    url = tenants.world.history.revisions[webhook_id][0].webhook.definition.api.url
    tenants.world.endpoints.failing[url] = error
    tenants.world.history.broken.add((webhook_id, "not processed"))


def called(tenants: Tenants, webhook_id: str) -> list[str]:
    calls = tenants.world.history.calls
    return sorted(call.body["id"] for call in calls if call.delivery_id.startswith(f"{webhook_id}-"))


def holds(tenants: Tenants) -> None:
    problems = Judge(tenants.world, is_clean=False).problems()
    assert not problems, "\n".join((*problems, *tenants.world.trace))


@pytest.mark.parametrize("ports", [TABLES, SECRETS, QUEUES, TABLES[:2], TABLES[2:3]])
def test_after_hours_without_a_service_every_event_is_delivered_and_none_is_dead(tenants: Tenants, ports):
    world = tenants.world
    webhooks = [tenants.register(**BEARER), tenants.register()]
    for number in range(EVENTS):
        tenants.publish(f"e{number}")
    world.faults = Away(world, ports, NOW + HOURS)

    world.run()

    assert world.now > NOW + HOURS
    assert (world.dead.messages, world.events_dead.messages) == ([], [])
    for webhook_id in webhooks:
        assert called(tenants, webhook_id) == sorted(f"e{number}" for number in range(EVENTS))
    holds(tenants)


def test_what_our_own_code_fails_on_ends_with_a_reason_and_costs_no_other(tenants: Tenants):
    poison, well = tenants.register(), tenants.register(OTHER)
    fail(tenants, poison, KeyError("what"))
    tenants.publish("e1")
    tenants.publish("e2", OTHER)

    tenants.world.run()

    [dead] = tenants.world.dead.messages
    assert dead.reason == f"not processed: KeyError after {POISON_RECEIVES} receives"
    assert [each.event_id for each in decode_pack(dead.text).deliveries] == ["e1"]
    assert called(tenants, well) == ["e2"]
    holds(tenants)


def test_what_our_own_code_fails_on_before_an_attempt_ends_with_a_reason_too(tenants: Tenants):
    world = tenants.world
    poison, well = tenants.register(), tenants.register(OTHER)
    world.subscriptions.webhook_id = poison
    world.history.broken.add((poison, "not processed"))
    tenants.publish("e1")
    tenants.publish("e2", OTHER)
    world.step(world.invoke(world.events, list(world.events.messages)))
    both = list(world.fast.messages)
    assert len(both) == 2

    for receives in range(1, POISON_RECEIVES + 1):  # they came together, so they come again together
        for message in both:
            message.receives = receives
        world.step(world.invoke(world.fast, [each for each in both if each in world.fast.messages]))

    [dead] = world.dead.messages
    assert dead.reason == f"not processed: KeyError after {POISON_RECEIVES} receives"
    assert [each.event_id for each in decode_pack(dead.text).deliveries] == ["e1"]
    assert called(tenants, well) == ["e2"]
    assert list(world.fast.messages) == []
    holds(tenants)


def test_what_ends_its_readers_is_worked_on_last_and_alone(tenants: Tenants):
    world = tenants.world
    fail(tenants, tenants.register(), KilledError())
    tenants.register(OTHER)
    tenants.publish("e1")
    tenants.publish("e2", OTHER)
    world.step(world.invoke(world.events, list(world.events.messages)))
    batch: list[Message] = list(world.fast.messages)
    assert len(batch) == 2

    for receives in range(1, 11):  # they came together, so they come again together
        for message in batch:
            message.receives = receives
        world.step(world.invoke(world.fast, [each for each in batch if each in world.fast.messages]))
        if receives < 3:
            assert world.log.entries() == []

    assert [entry.delivery.event_id for entry in world.log.entries()] == ["e2"]
    # The other was deleted before the suspect ended the process: nothing brings it again.
    assert [decode_pack(each.text).deliveries[0].event_id for each in world.fast.messages] == ["e1"]
