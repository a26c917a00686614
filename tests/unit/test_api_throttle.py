"""The limit of a tenant's requests, as its callers see it."""

import json

import pytest

from tests.factories import (
    BASE,
    COMMUNITY,
    EXTERNAL,
    OTHER_TENANT,
    SERVICE_CALLER,
    SYSTEM,
    TENANT,
    TENANT_BURST,
    ApiResponse,
    Client,
    InMemoryApp,
)
from webhooks.domain.caller import AuthLevel, License, TenantlessLicense
from webhooks.services.tenant_throttle import COSTLY, HEAVY

RATE = 10
MOST = TENANT_BURST + RATE + 1  # in the bucket, and the share that an environment lets through alone
THEIRS = "/tenant/other/community/theirs"


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp(tenant_rate=RATE)


def fetch(app: InMemoryApp, *, by: Client = SERVICE_CALLER, base: str = BASE) -> ApiResponse:
    return app.call("POST", f"{base}/webhooks/fetch", {}, by=by)


def webhook_of(app: InMemoryApp) -> str:
    """Make a webhook; its creation counts for the operator, who has time."""
    app.clock.now += 60
    webhook_id: str = app.create()["_id"]
    return webhook_id


def storm(app: InMemoryApp, *, by: Client = SERVICE_CALLER, base: str = BASE) -> list[int]:
    return [fetch(app, by=by, base=base).status for _ in range(MOST + 10)]


def test_a_storm_is_answered_with_429_and_the_body_of_every_error(app: InMemoryApp) -> None:
    assert storm(app) == [200] * MOST + [429] * 10

    refused = fetch(app)

    assert refused.headers["retry-after"] == "1"
    assert refused.json == {
        "statusCode": 429,
        "error": "Too Many Requests",
        "message": "this tenant sends more than 10 requests a second; send this one again later",
    }
    app.clock.now += 1
    assert fetch(app).status == 200


def test_all_licenses_of_a_tenant_share_its_rate(app: InMemoryApp) -> None:
    storm(app)
    assert fetch(app, by=EXTERNAL).status == 429


def test_other_tenants_are_unaffected(app: InMemoryApp) -> None:
    storm(app)
    assert fetch(app, by=OTHER_TENANT, base=THEIRS).status == 200


def test_a_storm_at_anothers_path_is_the_senders_own(app: InMemoryApp) -> None:
    assert storm(app, by=OTHER_TENANT, base=BASE) == [403] * MOST + [429] * 10
    assert fetch(app).status == 200


def test_requests_that_are_not_authenticated_take_nothing_from_a_tenant(app: InMemoryApp) -> None:
    unknown = Client("unknown license")
    old = app.clock.now - 3600

    refused = {fetch(app, by=unknown).status for _ in range(MOST)}
    refused |= {
        app.call("POST", f"{BASE}/webhooks/fetch", {}, by=SERVICE_CALLER, ts=old).status for _ in range(MOST)
    }

    assert refused == {401}
    assert storm(app) == [200] * MOST + [429] * 10


def test_an_operator_takes_nothing_from_a_tenant_nor_a_tenant_from_an_operator(app: InMemoryApp) -> None:
    assert storm(app, by=SYSTEM) == [200] * MOST + [429] * 10
    assert fetch(app).status == 200
    assert fetch(app, by=SYSTEM, base=THEIRS).status == 200
    storm(app)
    app.clock.now += 1
    assert fetch(app, by=SYSTEM).status == 200


def test_an_operators_own_requests_are_not_limited(app: InMemoryApp) -> None:
    statuses = {app.call("GET", "/servicekeys", by=SYSTEM).status for _ in range(MOST + 1)}
    statuses |= {app.call("GET", "/communities", by=SYSTEM).status for _ in range(MOST + 1)}
    assert statuses == {200}


@pytest.mark.parametrize(
    ("method", "path", "body", "cost"),
    [
        ("GET", "/webhook/{}/series", None, COSTLY),
        ("POST", "/deliveries/fetch", {}, COSTLY),
        ("POST", "/webhook/{}/deliveries/fetch", {}, COSTLY),
        ("POST", "/events/explain", {}, COSTLY),
        ("PUT", "/webhook", {}, COSTLY),
        ("PATCH", "/webhook/{}", {}, COSTLY),
        ("POST", "/webhook/{}/secret/rotate", None, COSTLY),
        ("DELETE", "/webhook/{}", None, COSTLY),
        ("GET", "/webhook/{}", None, COSTLY),
        ("GET", "/health", None, HEAVY),
        ("POST", "/deliveries/replay", {}, HEAVY),
        ("POST", "/webhooks/health", {}, HEAVY),
    ],
)
def test_costly_requests_count_as_several(
    app: InMemoryApp, method: str, path: str, body: dict[str, str] | None, cost: int
) -> None:
    webhook = webhook_of(app)
    requests = (TENANT_BURST + RATE) // cost

    statuses = [
        app.call(method, BASE + path.format(webhook), body, by=SERVICE_CALLER).status
        for _ in range(requests + 1)
    ]

    assert 429 not in statuses[:-1]
    assert statuses[-1] == 429


@pytest.mark.parametrize("wanted", [{"state": "held"}, {"name": "Order"}])
def test_a_page_that_looks_at_many_webhooks_counts_as_several(
    app: InMemoryApp, wanted: dict[str, str]
) -> None:
    requests = (TENANT_BURST + RATE) // HEAVY
    statuses = [
        app.call("POST", f"{BASE}/webhooks/fetch", wanted, by=SERVICE_CALLER).status
        for _ in range(requests + 1)
    ]
    assert statuses == [200] * requests + [429]
    assert fetch(app, by=OTHER_TENANT, base=THEIRS).status == 200


def test_tests_of_many_webhooks_are_limited_together(app: InMemoryApp) -> None:
    """One webhook's are limited to one a second, by a limit of their own."""
    webhooks = [webhook_of(app) for _ in range((TENANT_BURST + RATE) // COSTLY + 1)]
    tests = [app.call("POST", f"{BASE}/webhook/{each}/test", {}, by=SERVICE_CALLER) for each in webhooks]
    assert [each.status for each in tests] == [200] * (len(webhooks) - 1) + [429]
    assert tests[-1].message.startswith("this tenant sends more than")


def test_a_license_for_one_community_counts_for_its_tenant(app: InMemoryApp) -> None:
    neighbour = Client("neighbour")
    app.licenses.issue(neighbour.license_key, License(AuthLevel.SERVICE, "acme", "other"))
    storm(app)
    assert fetch(app, by=neighbour, base="/tenant/acme/community/other").status == 429


def test_a_license_for_a_community_of_any_tenant_has_one_rate_whatever_the_path_says(
    app: InMemoryApp,
) -> None:
    caller = Client("community alone")
    app.licenses.issue(caller.license_key, License(AuthLevel.SERVICE, "*", "default"))
    statuses = [fetch(app, by=caller, base=f"/tenant/t{n}/community/default").status for n in range(MOST + 1)]
    assert statuses == [200] * MOST + [429]
    assert fetch(app).status == 200


def test_the_path_of_a_verdict_without_a_tenant_takes_nothing_from_that_tenant(app: InMemoryApp) -> None:
    caller = Client("of the license service")
    verdict = TenantlessLicense(AuthLevel.SERVICE, TENANT, COMMUNITY)
    app.licenses.issue(caller.license_key, verdict)
    assert storm(app, by=caller)[-1] == 429
    assert fetch(app).status == 200


def test_a_refusal_is_logged_with_its_tenant(app: InMemoryApp) -> None:
    storm(app)
    last = json.loads(app.log.getvalue().splitlines()[-1])
    assert (last["status"], last["throttled"]) == (429, "acme")
