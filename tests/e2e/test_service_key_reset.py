"""Resets of the service's key. Runs last: callbacks take up the new keys within a minute only."""

import time
from typing import Any
from urllib.parse import quote

from local.stack import Stack
from tests import plain_protocol as protocol
from tests.e2e.conftest import issue
from tests.e2e.platform_client import ApiResponse, PlatformClient
from tests.e2e.targets import open_receiver
from tests.e2e.test_delivery import SECONDS, publish, register
from tests.readme_verifiers import VERIFIERS, Case

SECOND_RESET = 10  # seconds after the first
WATCHED = 85  # seconds: each reset key is shown a minute after its reset
UNDER_WAY = 5  # seconds that a callback takes at most


def reset(client: PlatformClient, key_id: str) -> ApiResponse:
    return client.call("DELETE", f"/servicekey/{quote(key_id, safe='')}")


def shown(client: PlatformClient) -> str:
    key: str = client.plain("GET", "/publickeys").json["publicKey"]
    return key


def test_a_system_license_of_one_community_reaches_no_service_key(
    stack: Stack, system: PlatformClient
) -> None:
    scoped = PlatformClient(stack.api_url, issue(stack, "system", tenant="acme", community="main"))
    assert scoped.call("POST", "webhooks/fetch", {}).status == 200
    for response in (scoped.call("GET", "/servicekeys"), reset(scoped, shown(system))):
        assert response.status == 403
        assert "for every tenant and community" in response.json["message"]


def test_two_resets_lock_no_client_out_and_the_readme_code_verifies(
    stack: Stack, system: PlatformClient
) -> None:
    before = shown(system)
    cached = PlatformClient(system.api_url, system.license_key)
    assert cached.service_key == before
    tags = {each["tag"]: each for each in cached.call("GET", "/servicekeys").json}
    assert set(tags) == {"service", "signing"}
    old = protocol.read_key_pair(cached.unseal(tags["service"]["keySecret"]))
    assert old.public == before

    known, resets = [(0.0, before)], list[dict[str, Any]]()
    with open_receiver() as receiver:
        _, name = register(system, receiver)
        began = time.time()
        for second in range(WATCHED):
            if second in (0, SECOND_RESET):
                [fresh] = reset(cached, resets[-1]["keyId"] if resets else before).json
                resets.append(fresh)
            publish(stack, name)
            known.append((time.time(), shown(system)))
            time.sleep(max(0.0, began + second + 1 - time.time()))
        callbacks = receiver.wait_for(WATCHED, seconds=SECONDS)

    first, second = (each["keyId"] for each in resets)
    assert list(dict.fromkeys(key for _, key in known)) == [before, first, second]
    cases = [
        Case(key, headers, callback.body)
        for callback in callbacks
        for headers in [{name.lower(): value for name, value in callback.headers}]
        for key in {key for at, key in known if at <= int(headers["webhook-timestamp"]) + UNDER_WAY}
    ]
    assert len({case.public_key for case in cases}) == 3
    for language, verify in VERIFIERS.items():
        assert verify(cases) == [True] * len(cases), language

    assert protocol.read_key_pair(cached.unseal(resets[0]["keySecret"])).public == first
    assert reset(cached, before).status == 404
    for key in (before, first, second):
        client = PlatformClient(system.api_url, system.license_key)
        client.service_key = key
        assert client.call("POST", "webhooks/fetch", {}).status == 200
