"""The health of webhooks as the API shows it on the deployed template, and the rotation of a secret."""

import uuid
from typing import Any

import pytest

from local.stack import Stack
from tests.e2e.platform_client import PlatformClient
from tests.e2e.targets import open_receiver
from tests.e2e.test_api import created
from tests.e2e.test_delivery import publish
from tests.e2e.test_permissions import SECONDS, eventually


@pytest.fixture
def client(system: PlatformClient) -> PlatformClient:
    """A client of a community of its own."""
    return PlatformClient(system.api_url, system.license_key, community=f"health-{uuid.uuid4().hex[:8]}")


def shown(client: PlatformClient, path: str) -> Any:
    response = client.call("GET", path)
    assert response.status == 200, response.body
    return response.json


def fetched(client: PlatformClient, **asked: str) -> list[str]:
    return [each["_id"] for each in client.call("POST", "webhooks/fetch", asked).json["data"]]


def test_a_paused_webhook_is_found_by_its_state_until_it_is_resumed(client: PlatformClient) -> None:
    webhook_id, other = (created(client, name=name)["_id"] for name in ("orders", "others"))
    path = f"webhook/{webhook_id}"
    assert client.call("PATCH", path, {"paused": True}).json["paused"]

    assert eventually(lambda: fetched(client, state="paused", name="ord") == [webhook_id])
    assert fetched(client, name="o") == [other, webhook_id]
    health = shown(client, path)["health"]
    assert (health["state"], health["held"], health["deliveries"]) == ("paused", 0, {"count": 0})
    assert [each["reason"] for each in health["changes"]] == ["paused by its tenant"]
    listed = client.call("POST", "webhooks/health", {"webhookIds": [other, webhook_id]}).json["data"]
    assert [each["state"] for each in listed] == ["healthy", "paused"]
    community = shown(client, "health")
    assert (community["webhooks"]["total"], community["webhooks"]["paused"]) == (2, 1)
    assert shown(client, f"{path}/series")["buckets"] == []

    assert "paused" not in client.call("PATCH", path, {"paused": False}).json
    assert eventually(lambda: fetched(client, state="paused") == [])


def test_events_of_a_paused_webhook_are_held_and_sent_once_it_is_resumed(
    stack: Stack, client: PlatformClient
) -> None:
    name = f"e2e.{uuid.uuid4().hex[:8]}"
    with open_receiver() as receiver:
        api = {"url": receiver.url, "authType": "none"}
        webhook_id = created(client, api=api, eventNames=[name], paused=True)["_id"]
        path = f"webhook/{webhook_id}"
        for _ in range(3):
            publish(stack, name, communityId=client.community)
        assert eventually(lambda: shown(client, path)["health"]["held"] == 3)
        assert shown(client, "health")["undelivered"]["held"] == 3
        assert receiver.requests == []

        assert client.call("PATCH", path, {"paused": False}).status == 200
        receiver.wait_for(3, seconds=SECONDS)
    assert eventually(lambda: shown(client, path)["health"]["held"] == 0)
    health = shown(client, path)["health"]
    assert (health["state"], health["successRate"], health["deliveries"]["count"]) == ("healthy", 100, 3)


def test_an_operator_finds_every_community_and_a_tenant_none(
    client: PlatformClient, service: PlatformClient
) -> None:
    created(client)

    def found() -> bool:
        cursor, wanted = "", {"tenantId": client.tenant, "communityId": client.community}
        while True:
            page = shown(client, f"/communities?size=2{cursor}")
            if wanted in page["data"]:
                return True
            if "cursor" not in page:
                return False
            cursor = f"&cursor={page['cursor']}"

    assert eventually(found)
    assert service.call("GET", "/communities").status == 403


def test_a_rotated_secret_is_another_one(client: PlatformClient) -> None:
    path = f"webhook/{created(client)['_id']}/secret"
    before = client.unseal(shown(client, path)["signingSecret"])
    rotated = client.call("POST", f"{path}/rotate")
    assert rotated.status == 200, rotated.body
    after = client.unseal(rotated.json["signingSecret"])
    assert after != before
    assert client.unseal(shown(client, path)["signingSecret"]) == after
