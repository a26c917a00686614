"""An endpoint is down while events keep coming: they are held, and each one is delivered once it is up again.

Another webhook of the community gets everything meanwhile, and a third one hears of the outage and its end.
"""

import json
import time
import uuid
from collections import Counter
from threading import Lock
from typing import Any

import pytest

from local.stack import Stack
from tests.e2e.platform_client import PlatformClient
from tests.e2e.test_api import created
from tests.e2e.test_delivery import publish
from tests.e2e.test_health import shown
from tests.e2e.test_permissions import eventually
from tests.receiver import Connection, Received, Receiver, reply

pytestmark = pytest.mark.local_only("its endpoints count and fail by a program, on loopback")

EVENTS = 40
INTERVAL = 0.5  # seconds between two events: the outage takes 20
ON_TIME = 10.0  # seconds from an event to its callback at an endpoint that is up, on a busy machine
PATIENCE = 60.0  # seconds until the last held event is delivered: a probe comes 20 seconds after a failed one
SETTLED = 3.0  # seconds in which a second callback of an event would come
DOWN, UP = 503, 200
TOLD = [("webhook.failing", "failing"), ("webhook.failing", "held"), ("webhook.recovered", "healthy")]


class Endpoint:
    """Responds with `status`; remembers the event, the status and the time of each response."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.answered: list[tuple[str, int, float]] = []
        self._lock = Lock()

    def __call__(self, connection: Connection, received: Received) -> bool:
        with self._lock:
            status = self.status
            self.answered.append((json.loads(received.body)["id"], status, time.monotonic()))
        return reply(status)(connection, received)

    def events(self, status: int) -> Counter[str]:
        """Count the responses with a status by their events."""
        with self._lock:
            return Counter(event for event, answered, _ in self.answered if answered == status)

    def times(self) -> dict[str, float]:
        with self._lock:
            return {event: at for event, _, at in self.answered}


def held(client: PlatformClient, webhook_id: str) -> dict[str, int]:
    """Return the attempts of each held event."""
    asked = {"outcome": "held", "size": 100}
    page = client.call("POST", f"webhook/{webhook_id}/deliveries/fetch", asked)
    assert page.status == 200, page.body
    return {each["eventId"]: each["attemptCount"] for each in page.json["data"]}


def told(receiver: Receiver) -> list[tuple[str, Any]]:
    """Return the names and states of the events about webhooks, in their order of time."""
    events = sorted((json.loads(each.body) for each in receiver.requests), key=lambda one: one["timestamp"])
    return [(one["type"], one["data"]["state"]) for one in events]


def test_each_event_of_an_outage_is_delivered_once_when_it_ends(stack: Stack, system: PlatformClient) -> None:
    client = PlatformClient(system.api_url, system.license_key, community=f"down-{uuid.uuid4().hex[:8]}")
    name = f"e2e.{uuid.uuid4().hex[:8]}"
    failing, steady = Endpoint(DOWN), Endpoint(UP)
    with Receiver() as down, Receiver() as up, Receiver() as listener:
        down.script(failing)
        up.script(steady)
        webhook_id = created(client, api={"url": down.url}, eventNames=[name], name="down")["_id"]
        created(client, api={"url": up.url}, eventNames=[name], name="up")
        created(
            client, api={"url": listener.url}, eventNames=["webhook.failing", "webhook.recovered"], name="all"
        )
        published: dict[str, float] = {}
        for _ in range(EVENTS):
            event = publish(stack, name, communityId=client.community)
            published[event["eventId"]] = time.monotonic()
            time.sleep(INTERVAL)
        assert eventually(lambda: set(failing.events(DOWN)) | set(held(client, webhook_id)) == set(published))
        waiting = held(client, webhook_id)
        assert shown(client, f"webhook/{webhook_id}")["health"]["state"] == "held"

        failing.status = UP

        down.wait_for(sum(failing.events(DOWN).values()) + EVENTS, seconds=PATIENCE)
        listener.wait_for(len(TOLD), seconds=ON_TIME)
        time.sleep(SETTLED)

    once = dict.fromkeys(published, 1)
    assert failing.events(UP) == once
    failed = failing.events(DOWN)
    # Attempts before the end of the outage: one of each that came before the breaker opened, and the probes.
    assert len(failed) + len(waiting) - len(failed.keys() & waiting.keys()) == EVENTS
    assert len(failed.keys() & waiting.keys()) <= 1
    assert {event for event, attempts in waiting.items() if attempts} == failed.keys() & waiting.keys()
    assert sum(failed.values()) - len(failed) <= 2
    assert len(waiting) >= EVENTS // 3

    assert steady.events(UP) == once
    arrived = steady.times()
    assert max(arrived[event] - at for event, at in published.items()) < ON_TIME

    assert told(listener) == TOLD
    assert {json.loads(each.body)["data"]["webhookId"] for each in listener.requests} == {webhook_id}

    health = shown(client, f"webhook/{webhook_id}")["health"]
    assert (health["state"], health["held"], health["recoverable"]) == ("healthy", 0, 0)
    assert [each["state"] for each in health["changes"]] == ["healthy", "held", "failing"]
    assert health["deliveries"]["count"] == EVENTS
