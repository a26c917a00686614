"""A storm of one tenant's requests: it is refused, and another tenant's requests all succeed."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.stack import Stack
from tests.e2e import permissions
from tests.e2e.conftest import issue
from tests.e2e.platform_client import ApiResponse, PlatformClient

RATE, BURST = 1, 4
REQUESTS, AT_ONCE = 30, 2  # each that comes at once has a process of the emulator's
# A heavy request takes a whole bucket, so a storm of them gets one in five seconds, however slow the machine is.
SECONDS_EACH = (BURST + RATE) / RATE


@pytest.fixture(scope="module")
def limited(stack: Stack) -> Iterator[Stack]:
    """The stack with a low limit, and as it was again after the tests."""
    few = {"TenantRate": str(RATE), "TenantBurst": str(BURST)}
    permissions.deploy(Stack(stack.folder, port=stack.port, parameters=few))
    yield stack
    permissions.deploy(stack)


def tenant(stack: Stack, name: str) -> PlatformClient:
    license_key = issue(stack, "service", tenant=name, community="main")
    return PlatformClient(stack.api_url, license_key, tenant=name)


def heavy(client: PlatformClient) -> ApiResponse:
    return client.call("GET", "health")


def test_a_tenants_storm_does_not_reach_another(limited: Stack) -> None:
    stormy, calm = tenant(limited, "stormy"), tenant(limited, "calm")
    began = time.monotonic()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        storm = [threads.submit(heavy, stormy) for _ in range(REQUESTS)]
        others = [heavy(calm).status, calm.call("POST", "webhooks/fetch", {}).status]
        answers = [each.result() for each in storm]
        others.append(calm.call("GET", "replays").status)
    refused = [each for each in answers if each.status == 429]

    assert others == [200] * 3
    assert {each.status for each in answers} == {200, 429}
    assert len(refused) >= REQUESTS - 1 - (time.monotonic() - began) / SECONDS_EACH
    assert {each.headers["Retry-After"] for each in refused} == {"1"}
    assert json.loads(refused[0].body) == {
        "statusCode": 429,
        "error": "Too Many Requests",
        "message": "this tenant sends more than 1 requests a second; send this one again later",
    }


def test_functions_refuse_together(limited: Stack) -> None:
    """What one lets in is none of the others' any more."""
    client = tenant(limited, "both")

    def changed_after_a_heavy_one() -> int:
        heavy(client)
        return client.call("PUT", "webhook", {}).status

    assert 429 in (
        changed_after_a_heavy_one() for _ in range(10)
    )  # a cold start can take as long as a bucket
    published = {client.call("PUT", "event/e2e.unheard", {"data": {}}).status for _ in range(REQUESTS)}
    assert published <= {202, 429}
