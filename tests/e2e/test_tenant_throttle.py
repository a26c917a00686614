"""A storm of one tenant's requests: it is refused, and another tenant's requests all succeed."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.stack import Stack
from tests.e2e import permissions
from tests.e2e.conftest import issue
from tests.e2e.platform_client import ApiResponse, PlatformClient

RATE, BURST = 2, 6
REQUESTS, AT_ONCE = 60, 2  # each that comes at once has a process of the emulator's
OTHERS = 6  # within burst and rate


@pytest.fixture(scope="module")
def limited(stack: Stack) -> Iterator[Stack]:
    """The stack with a low limit, and as it was again after the tests."""
    few = {"TenantRate": str(RATE), "TenantBurst": str(BURST)}
    permissions.deploy(Stack(stack.folder, port=stack.port, parameters=few))
    yield stack
    permissions.deploy(stack)


def fetch(client: PlatformClient) -> ApiResponse:
    return client.call("POST", "webhooks/fetch", {})


def publish(client: PlatformClient) -> ApiResponse:
    return client.call("PUT", "event/e2e.unheard", {"data": {}})


def test_a_tenants_storm_does_not_reach_another(limited: Stack) -> None:
    stormy = PlatformClient(limited.api_url, issue(limited, "service", tenant="stormy", community="main"))
    calm = PlatformClient(limited.api_url, issue(limited, "service", tenant="calm", community="main"))
    stormy.tenant, calm.tenant = "stormy", "calm"
    assert fetch(stormy).status == fetch(calm).status == 200  # the functions have started

    with ThreadPoolExecutor(AT_ONCE) as threads:
        storm = [threads.submit(fetch, stormy) for _ in range(REQUESTS)]
        others = [fetch(calm).status for _ in range(OTHERS)]
        answers = [each.result() for each in storm]
    assert others == [200] * OTHERS
    refused = [each for each in answers if each.status == 429]

    assert {each.status for each in answers} == {200, 429}
    assert len(refused) > REQUESTS // 4
    assert {each.headers["Retry-After"] for each in refused} == {"1"}
    assert json.loads(refused[0].body) == {
        "statusCode": 429,
        "error": "Too Many Requests",
        "message": "this tenant sends more than 2 requests a second; send this one again later",
    }


def test_events_of_the_same_storm_are_refused_too(limited: Stack) -> None:
    """The functions count together: what one let in is none of the other's any more."""
    stormy = PlatformClient(limited.api_url, issue(limited, "service", tenant="both", community="main"))
    stormy.tenant = "both"

    statuses = {each.status for _ in range(REQUESTS // 4) for each in (publish(stormy), fetch(stormy))}

    assert statuses == {200, 202, 429}
