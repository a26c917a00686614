"""Only a broken webhook, pack or event is dead-lettered, with its reason; every other delivery is made."""

import json
from collections.abc import Iterator
from random import Random

import pytest

from tests.simulation.invariants import Invariants
from tests.simulation.simulation import Simulation
from tests.simulation.tenants import OTHER, Tenants
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.webhook import AuthType, Credential

HUGE = "9" * 400


@pytest.fixture
def tenants() -> Iterator[Tenants]:
    simulation = Simulation(Random(1), switching=0, recovers=False)
    yield Tenants(simulation)
    simulation.close()


def drained(tenants: Tenants) -> list[str | None]:
    """Drain the queues without any other fault; returns the reasons in the deliveries' dead-letter queue."""
    tenants.simulation.run()
    violations = Invariants(tenants.simulation, is_clean=True).violations()
    assert not violations, "\n".join((*violations, *tenants.simulation.trace))
    return [message.reason for message in tenants.simulation.dead.messages]


def called(tenants: Tenants, webhook_id: str) -> list[str]:
    return [
        call.body["id"]
        for call in tenants.simulation.history.calls
        if call.delivery_id.startswith(f"{webhook_id}-")
    ]


def test_a_deleted_secret_costs_only_its_own_deliveries(tenants: Tenants) -> None:
    broken = tenants.register(auth_type=AuthType.BEARER, credential=Credential(token="t"))
    intact = tenants.register(auth_type=AuthType.BEARER, credential=Credential(token="u"))
    tenants.lose_secret(broken)
    tenants.publish("e1")

    [reason] = drained(tenants)

    assert "credential is missing" in str(reason)
    assert called(tenants, intact) == ["e1"]


def test_a_corrupt_webhook_costs_only_its_own_deliveries(tenants: Tenants) -> None:
    broken, intact = tenants.register(), tenants.register()
    tenants.corrupt(broken)
    tenants.publish("e1")

    assert drained(tenants) == [f"the stored webhook {broken} cannot be read"]
    assert called(tenants, intact) == ["e1"]


def test_a_corrupt_index_entry_dead_letters_its_own_event_until_repaired(
    tenants: Tenants,
) -> None:
    broken, intact, other = tenants.register(), tenants.register(), tenants.register(OTHER)
    tenants.corrupt_index(broken)
    tenants.publish("e1")
    tenants.publish("e2", OTHER)

    assert drained(tenants) == []
    assert (called(tenants, intact), called(tenants, other)) == (["e1"], ["e2"])
    [dead] = tenants.simulation.events_dead.messages
    assert dead.reason == "an index entry of E_A cannot be read"

    tenants.simulation.subscriptions.repair()
    tenants.simulation.events.put(dead.text)
    tenants.simulation.run()
    assert (called(tenants, broken), called(tenants, intact)) == (["e1"], ["e1"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "no json\n",
        '{"deliveries": [7]}\n{}',
        '{"webhookId": "w", "tenantId": "t", "communityId": "c", "deliveries": []}',
        json.dumps(
            {"webhookId": "w", "tenantId": "t", "communityId": "c", "deliveries": [{"logTime": 1e400}]}
        )
        + "\n{}",
    ],
)
def test_a_malformed_pack_costs_only_itself(tenants: Tenants, text: str) -> None:
    intact = tenants.register()
    tenants.publish("e1")
    tenants.simulation.fast.put(text)

    [reason] = drained(tenants)

    assert "pack" in str(reason)
    assert called(tenants, intact) == ["e1"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("webhookId", "w" * 3000),
        ("webhookId", "\ud800"),
        ("tenantId", "a#b"),
        ("communityId", ""),
        ("id", "d" * 3000),
        ("id", "a.b"),
        ("eventId", "e" * 300),
        ("eventName", "not a name "),
        ("logTime", int(HUGE)),
        ("attempts", [{"at": 1, "latencyMs": 1}] * 101),
    ],
)
def test_a_pack_that_no_table_could_store_costs_only_itself(
    tenants: Tenants, field: str, value: object
) -> None:
    intact = tenants.register()
    tenants.publish("e1")
    one: dict[str, object] = {"id": "d-1", "eventId": "e", "eventName": "E", "logTime": 1, "attempts": []}
    pack: dict[str, object] = {
        "webhookId": "w",
        "tenantId": "t",
        "communityId": "c",
        "deliveries": [one],
    }
    (one if field in one else pack)[field] = value
    tenants.simulation.fast.put(json.dumps(pack) + "\n{}")

    [reason] = drained(tenants)

    assert reason == "a pack with an id, a name or a time that no delivery has"
    assert called(tenants, intact) == ["e1"]


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        '{"eventName": "E_A"}',
        "[" * 100_000,
        f'{{"eventName": "E_A", "tenantId": "t1", "communityId": "c1", "data": {{}}, "occurredAt": {HUGE}}}',
        f'{{"eventName": "E_A", "tenantId": "t1", "communityId": "c1", "data": {{}}, "occurredAt": -{HUGE}}}',
        '{"eventName": "E_A", "tenantId": "t1", "communityId": "c1", "data": {"a": 1e9999999999999999999}}',
    ],
)
def test_an_invalid_event_costs_only_itself(tenants: Tenants, text: str) -> None:
    intact = tenants.register()
    tenants.publish_text(text)
    tenants.publish("e1")

    assert drained(tenants) == []

    assert called(tenants, intact) == ["e1"]
    [dead] = tenants.simulation.events_dead.messages
    assert (dead.text, dead.receives) == (text, 0)
    assert dead.reason


def test_a_full_batch_of_failures_costs_no_other_delivery(tenants: Tenants) -> None:
    down = tenants.register(behaviour="down", retry_count=0)
    intact = tenants.register(OTHER)
    for number in range(10):
        tenants.publish(f"e{number}")
    tenants.publish("e10", OTHER)

    assert drained(tenants) == ["HTTP 500 at the last of 1 attempts"] * 10

    dead = [decode_pack(message.text).deliveries for message in tenants.simulation.dead.messages]
    published = tenants.simulation.history.publications[:10]
    assert {each.id for [each] in dead} == {each.delivery_to(down) for each in published}
    assert called(tenants, intact) == ["e10"]
