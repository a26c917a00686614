"""Publishing over HTTPS as the platform's clients do, and arrays of events, up to the callback."""

import json
import uuid
from typing import Any
from urllib.parse import quote

from local.stack import Stack
from tests import plain_protocol as protocol
from tests.e2e.platform_client import PlatformClient
from tests.e2e.targets import open_receiver
from tests.e2e.test_delivery import SECONDS, dead_letters, register
from tests.e2e.test_permissions import eventually


def publish(client: PlatformClient, name: str, data: dict[str, Any]) -> Any:
    """Publish as the platform's Node client: JSON.stringify(data), encrypted, as `data` of the body."""
    envelope = protocol.seal(client.shared_key, json.dumps(data, separators=(",", ":")))
    response = client.call("PUT", f"event/{quote(name, safe='')}", {"data": envelope})
    assert response.status == 202, response.body
    return response.json


def test_an_event_of_a_platform_client_becomes_a_callback(stack: Stack, service: PlatformClient) -> None:
    with open_receiver() as receiver:
        _, name = register(service, receiver)
        data = {"event_id": str(uuid.uuid4()), "event_ts": 1_768_469_400_250, "user": "jdoe", "note": "ü"}

        published = publish(service, name, data)

        [callback] = receiver.wait_for(1, seconds=SECONDS)
    assert published == {"eventId": data["event_id"]}
    assert json.loads(callback.body) == {
        "id": data["event_id"],
        "type": name,
        "timestamp": "2026-01-15T09:30:00.250Z",
        "tenantId": "acme",
        "communityId": "main",
        "data": data,
    }


def test_an_event_is_explained_by_its_id_and_whole(stack: Stack, service: PlatformClient) -> None:
    with open_receiver() as receiver:
        matched, name = register(service, receiver)
        body = {
            "eventNames": [name],
            "name": "filtered",
            "successCodes": [200],
            "query": [{"user": "other"}],
            "api": {"url": f"{receiver.url}/hook"},
        }
        filtered = service.call("PUT", "webhook", body).json
        disabled = service.call("PUT", "webhook", {**body, "name": "disabled", "disabled": True}).json
        data = {"user": "jdoe"}
        event_id = publish(service, name, {**data, "event_ts": 1_768_469_400_250})["eventId"]
        receiver.wait_for(1, seconds=SECONDS)

    by_id = {"eventId": event_id, "eventName": name, "occurredAt": 1_768_469_400_250}
    event = by_id | {"tenantId": "acme", "communityId": "main", "data": data}
    wanted = [
        (matched["_id"], "matched", "delivered"),
        (filtered["_id"], "filtered", None),
        (disabled["_id"], "disabled", None),
    ]

    def explained(body: dict[str, Any]) -> list[tuple[str, str, str | None]]:
        webhooks = service.call("POST", "events/explain", body).json["webhooks"]
        found = [(one["webhookId"], one["result"], one.get("outcome")) for one in webhooks]
        return [each for each in found if each[0] in {webhook_id for webhook_id, *_ in wanted}]

    assert eventually(lambda: explained({"event": event}) == wanted)  # the log is written after the callback
    assert [result for _, result, _ in explained(by_id)] == ["matched", "unknown", "disabled"]


def test_a_name_with_slashes_spaces_and_unicode_is_published(stack: Stack, service: PlatformClient) -> None:
    with open_receiver() as receiver:
        names = [f"a/b {uuid.uuid4().hex[:8]}", f"ü漢 100% {uuid.uuid4().hex[:8]}"]
        body = {
            "eventNames": names,
            "name": "n",
            "successCodes": [200],
            "api": {"url": f"{receiver.url}/hook"},
        }
        assert service.call("PUT", "webhook", body).status == 200

        for name in names:
            publish(service, name, {"n": 1})

        callbacks = receiver.wait_for(2, seconds=SECONDS)
    assert sorted(json.loads(callback.body)["type"] for callback in callbacks) == sorted(names)


def test_a_large_event_is_published(stack: Stack, service: PlatformClient) -> None:
    with open_receiver() as receiver:
        _, name = register(service, receiver)
        publish(service, name, {"text": "x" * 1_000_000})
        [callback] = receiver.wait_for(1, seconds=SECONDS)
    assert len(callback.body) > 1_000_000


def test_another_communitys_license_publishes_nothing(stack: Stack, service: PlatformClient) -> None:
    response = service.call("PUT", "/tenant/acme/community/other/event/e", {"data": {}})
    assert response.status == 403


def test_of_an_array_of_a_thousand_events_ten_are_dead_lettered(stack: Stack, system: PlatformClient) -> None:
    with open_receiver() as receiver:
        _, name = register(system, receiver)
        mark = uuid.uuid4().hex
        event = {"eventName": name, "tenantId": "acme", "communityId": "main", "data": {"mark": mark}}
        events = [event | {"eventId": f"{mark}-{n}", "occurredAt": 1_768_469_400 + n} for n in range(990)]
        for n in range(10):
            events.insert(n * 97, {"eventName": name, "tenantId": "acme", "mark": mark, "n": n})
        stack.client("sqs").send_message(
            QueueUrl=stack.outputs["EventsQueueUrl"], MessageBody=json.dumps(events), MessageGroupId="acme"
        )

        callbacks = receiver.wait_for(990, seconds=4 * SECONDS)
        for n in range(10):
            body, reason = dead_letters(stack, "EventsDlqUrl", f'"mark": "{mark}", "n": {n}' + "}")
            assert json.loads(body)["mark"] == mark
            assert reason == "data: must be an object"
    ids = [json.loads(callback.body)["id"] for callback in callbacks]
    assert sorted(set(ids)) == sorted(f"{mark}-{n}" for n in range(990))
