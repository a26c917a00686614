"""The limit of a tenant's requests over the table that all functions share."""

from collections.abc import Iterator

import pytest

from tests.aws_stub.faulty_clients import Replacement, fail, time_out
from tests.contract.backends import backend_named
from tests.factories import BASE, OTHER_TENANT, SERVICE_CALLER, Client
from tests.integration.test_api_functions import Account, Deployed
from webhooks.services.tenant_throttle import UNSHARED
from webhooks_cli.license import License
from webhooks_cli.register import LicenseRegister

THEIRS = "/tenant/other/community/theirs"
RATE, BURST = 5, 10
SHARE = 1
SECONDS = 10  # that a hundred calls may take on a busy machine


@pytest.fixture
def deployed() -> Iterator[Deployed]:
    with backend_named("moto") as backend:
        deployed = Deployed(backend, TENANT_RATE=str(RATE), TENANT_BURST=str(BURST))
        register = LicenseRegister(Account(backend.clients.dynamodb, deployed.environment["ACCESS_TABLE"]))
        register.issue(OTHER_TENANT.license_key, License("service", "other", "theirs"), now=1)
        yield deployed


def fetch(deployed: Deployed, by: Client = SERVICE_CALLER, base: str = BASE) -> int:
    return deployed.call("POST", f"{base}/webhooks/fetch", {}, by=by).status


def counted(deployed: Deployed) -> set[str]:
    found = deployed.apps["webhooks"].aws.dynamodb.scan(TableName=deployed.environment["ACCESS_TABLE"])
    return {item["pk"]["S"] for item in found["Items"] if item["pk"]["S"].startswith("rate#")}


def test_a_tenants_storm_is_refused_and_the_others_requests_succeed(deployed: Deployed) -> None:
    storm = [fetch(deployed) for _ in range(100)]
    others = [fetch(deployed, OTHER_TENANT, THEIRS) for _ in range(BURST)]

    assert storm.count(200) >= BURST + RATE
    assert storm.count(429) == 100 - storm.count(200) >= 100 - (BURST + RATE + (RATE + SHARE) * SECONDS)
    assert others == [200] * BURST


def test_functions_share_the_limit(deployed: Deployed) -> None:
    while fetch(deployed) == 200:
        pass

    refused = deployed.call("GET", f"{BASE}/health", by=SERVICE_CALLER)

    assert (refused.status, refused.headers["retry-after"]) == (429, "1")
    assert counted(deployed) == {"rate#acme"}


def test_a_quiet_tenant_is_not_counted(deployed: Deployed) -> None:
    assert fetch(deployed) == 200
    assert counted(deployed) == set()


@pytest.mark.parametrize("fault", [fail("ThrottlingException"), time_out])
def test_an_event_is_published_while_the_table_takes_no_writes(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, fault: Replacement
) -> None:
    """As it is where the table's throughput is capped: the environment goes on alone."""
    monkeypatch.setattr(
        deployed.apps["events"].aws.dynamodb, "update_item", lambda **request: fault(dict, request)
    )

    def publish() -> int:
        return deployed.call("PUT", f"{BASE}/event/order", {"data": {}}, by=SERVICE_CALLER).status

    alone = [publish() for _ in range(100)]

    assert alone.count(202) >= RATE * UNSHARED
    assert set(alone) == {202, 429}
