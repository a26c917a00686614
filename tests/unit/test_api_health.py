"""The health of endpoints, series, communities and filtered pages, as the API shows them."""

from dataclasses import replace
from typing import Any

import pytest

from tests.clocks import NOW
from tests.factories import (
    BASE,
    EXTERNAL,
    LEVELS,
    OTHER_TENANT,
    SCOPE,
    SERVICE_CALLER,
    SYSTEM,
    Client,
    InMemoryApp,
    basic_api,
)
from webhooks.domain.delivery import Attempt, Delivery, delivery_id
from webhooks.domain.delivery_log import LogEntry, LogKey, Mark, Outcome
from webhooks.domain.event import iso_time
from webhooks.domain.health import Health, State, StateChange
from webhooks.domain.http import PhaseTimes
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook
from webhooks.services.endpoint_health import COUNTED, LAST, SERIES
from webhooks.services.webhook_pages import EXAMINED

AT = int(NOW * 1000)
UNKNOWN = "0" * 24


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


def one(webhook_id: str, rest: str = "") -> str:
    return f"{BASE}/webhook/{webhook_id}{rest}"


def log(
    app: InMemoryApp,
    webhook_id: str,
    outcome: Outcome,
    *,
    at: int = AT,
    number: int = 0,
    latency: int | None = 10,
    scope: Scope = SCOPE,
    **more: Any,
) -> LogEntry:
    """Record a delivery whose one attempt took so many ms, None for no attempt."""
    made = delivery_id(f"{number}", webhook_id, log_time=at)
    status = 200 if outcome is Outcome.DELIVERED else 503
    attempt = Attempt(at, latency or 0, status, times=PhaseTimes(1, 2, 3, 8, 9))
    attempts = () if latency is None else (attempt,)
    delivery = Delivery(made, f"{number}", "E_LOGIN", at, "{}", attempts)
    entry = LogEntry(LogKey(webhook_id, at, made), delivery, scope, outcome, settled_at=at, **more)
    app.deliveries.record([entry])
    return entry


def stored(app: InMemoryApp, webhook_id: str) -> Webhook:
    found = app.subscriptions.get(SCOPE, webhook_id)
    assert found is not None
    return found


def save(app: InMemoryApp, webhook_id: str, health: Health) -> None:
    app.subscriptions.save(stored(app, webhook_id), health)


def get(app: InMemoryApp, path: str, *, by: Client = SYSTEM, **query: str) -> Any:
    response = app.call("GET", path, by=by, query=query)
    assert response.status == 200, response.text
    return response.json


def test_a_webhook_is_shown_as_a_page_shows_it_with_its_health(app: InMemoryApp) -> None:
    webhook_id = app.create(api=basic_api(), paused=True)["_id"]
    for by in LEVELS.values():
        [listed], shown = app.fetch(by=by)["data"], get(app, one(webhook_id), by=by)
        health = shown.pop("health")
        assert ("credential" in shown["api"]) is (by is SYSTEM)
        shown["api"].pop("credential", None)
        listed["api"].pop("credential", None)
        assert shown == listed
        assert health == {
            "state": "paused",
            "states": ["paused"],
            "held": 0,
            "recoverable": 0,
            "deliveries": {"count": 0},
            "changes": [],
        }


def test_the_health_of_an_endpoint_that_is_down_says_since_when_and_why(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    down = Health(failing_since=AT - 5000, held_since=AT - 1000, backlog_since=AT - 5000)
    down = down.changed(AT - 5000, State.FAILING, "HTTP 503").changed(AT - 1000, State.HELD, "HTTP 503")
    save(app, webhook_id, down)
    log(app, webhook_id, Outcome.DELIVERED, at=AT - 60_000, latency=30)
    log(app, webhook_id, Outcome.DEAD, at=AT - 5000, latency=40, is_recoverable=True)
    log(app, webhook_id, Outcome.DEAD, at=AT - 4000, latency=50)
    for number in range(3):
        log(app, webhook_id, Outcome.HELD, number=number, latency=None)
    assert get(app, one(webhook_id))["health"] == {
        "state": "held",
        "states": ["held", "failing"],
        "since": "2026-09-21T14:13:19.000Z",
        "held": 3,
        "recoverable": 1,
        "lastSuccessAt": "2026-09-21T14:12:20.000Z",
        "lastFailure": {"at": "2026-09-21T14:13:16.000Z", "reason": "HTTP 503"},
        "successRate": 33,
        "p50Ms": 40,
        "p99Ms": 50,
        "deliveries": {"count": 6, "since": "2026-09-21T14:12:20.000Z", "until": "2026-09-21T14:13:20.000Z"},
        "changes": [
            {"at": "2026-09-21T14:13:19.000Z", "state": "held", "reason": "HTTP 503"},
            {"at": "2026-09-21T14:13:15.000Z", "state": "failing", "reason": "HTTP 503"},
        ],
    }


@pytest.mark.parametrize(
    ("health", "since"),
    [
        (Health(slow_since=AT), "2026-09-21T14:13:20.000Z"),
        (Health(failing_since=AT + 1, slow_since=AT), "2026-09-21T14:13:20.001Z"),
        (Health(), None),
        (
            Health(changes=(StateChange(AT, State.FAILING, "x"), StateChange(AT + 7, State.HEALTHY, "y"))),
            "2026-09-21T14:13:20.007Z",
        ),
    ],
)
def test_a_state_has_the_time_when_it_began(app: InMemoryApp, health: Health, since: str | None) -> None:
    webhook_id = app.create()["_id"]
    save(app, webhook_id, health)
    assert get(app, one(webhook_id))["health"].get("since") == since


def test_a_paused_webhooks_state_began_when_it_was_paused(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    app.call("PATCH", one(webhook_id), {"paused": True})
    app.clock.now += 60
    app.call("PATCH", one(webhook_id), {"name": "new"})
    assert get(app, one(webhook_id))["health"]["since"] == "2026-09-21T14:13:20.000Z"


def test_figures_are_of_the_last_hundred_deliveries_but_tests(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    for number in range(LAST):
        log(app, webhook_id, Outcome.DELIVERED, at=AT + number, latency=100)
        log(app, webhook_id, Outcome.DEAD, at=AT + number, number=1, latency=9999, mark=Mark.TEST)
        log(app, webhook_id, Outcome.DEAD, at=AT - 1 - number, latency=5)
    health = get(app, one(webhook_id))["health"]
    assert (health["successRate"], health["p50Ms"], health["p99Ms"]) == (100, 100, 100)
    assert health["deliveries"]["count"] == LAST
    assert "lastFailure" not in health


def test_a_list_gets_the_health_of_its_webhooks_in_one_request(app: InMemoryApp) -> None:
    first, second = (app.create()["_id"] for _ in range(2))
    save(app, second, Health(held_since=AT, backlog_since=AT))
    log(app, first, Outcome.DELIVERED, latency=20)
    log(app, first, Outcome.RETRYING, at=AT + 1, latency=30)
    log(app, second, Outcome.HELD, latency=None)
    asked = {"webhookIds": [second, UNKNOWN, first, second]}
    response = app.call("POST", f"{BASE}/webhooks/health", asked, by=SERVICE_CALLER)
    assert response.json == {
        "data": [
            {
                "webhookId": second,
                "state": "held",
                "since": iso_time(AT),
                "held": 1,
                "deliveries": [["held", None]],
            },
            {
                "webhookId": first,
                "state": "healthy",
                "held": 0,
                "successRate": 50,
                "p50Ms": 20,
                "p99Ms": 30,
                "deliveries": [["retrying", 30], ["delivered", 20]],
            },
        ]
    }


def test_a_corrupt_webhook_is_left_out_of_the_list(app: InMemoryApp) -> None:
    bad, good = (app.create()["_id"] for _ in range(2))
    app.subscriptions.corrupt(SCOPE, bad)
    response = app.call("POST", f"{BASE}/webhooks/health", {"webhookIds": [bad, good]})
    assert [each["webhookId"] for each in response.json["data"]] == [good]


@pytest.mark.parametrize(
    ("ids", "named"),
    [
        ([], "webhookIds: must be an array of 1 to 25"),
        ([UNKNOWN] * 26, "webhookIds: must be an array of 1 to 25"),
        (None, "webhookIds: must be an array"),
        (["x"], "webhookIds[0]: must be a webhook's id: 24 hexadecimal digits"),
        ([7], "webhookIds[0]: must be"),
        (["A" * 24], "webhookIds[0]: must be"),
    ],
)
def test_a_wrong_list_of_webhooks_is_a_400(app: InMemoryApp, ids: Any, named: str) -> None:
    response = app.call("POST", f"{BASE}/webhooks/health", {"webhookIds": ids})
    assert response.status == 400
    assert response.message.startswith(named)
    assert app.call("POST", f"{BASE}/webhooks/health", {}).message == "webhookIds: is required"


def test_a_community_has_its_webhooks_by_state_and_its_undelivered_by_outcome(app: InMemoryApp) -> None:
    ids = [app.create()["_id"] for _ in range(4)]
    app.create(paused=True)
    app.create(disabled=True)
    save(app, ids[0], Health(failing_since=AT, slow_since=AT, backlog_since=AT))
    save(app, ids[1], Health(held_since=AT, failing_since=AT, backlog_since=AT))
    save(app, ids[2], Health(backlog_since=AT))  # its deliveries are being sent: it is healthy
    log(app, ids[0], Outcome.DEAD, at=AT - 9000)
    log(app, ids[0], Outcome.RETRYING, at=AT - 9, number=1)
    log(app, ids[1], Outcome.HELD, latency=None)
    log(app, ids[1], Outcome.DELIVERED, at=AT - 99_000, number=2)
    log(app, ids[1], Outcome.DEAD, at=AT - 98_000, number=3, mark=Mark.TEST)
    theirs = app.call("PUT", "/tenant/other/community/theirs/webhook", webhook()).json["_id"]
    log(app, theirs, Outcome.DEAD, at=AT - 99_000, scope=Scope("other", "theirs"))
    assert get(app, f"{BASE}/health", by=EXTERNAL) == {
        "webhooks": {
            "total": 6,
            "healthy": 2,
            "failing": 1,
            "held": 1,
            "slow": 0,
            "paused": 1,
            "disabled": 1,
        },
        "undelivered": {"retrying": 1, "dead": 1, "held": 1},
        "isExact": True,
        "oldestAt": "2026-09-21T14:13:11.000Z",
    }


def webhook(**changes: Any) -> dict[str, Any]:
    return {
        "eventNames": ["E_LOGIN"],
        "name": "logins",
        "api": {"url": "https://hooks.example.com/in"},
        "successCodes": [200],
        **changes,
    }


def test_a_community_without_webhooks_is_healthy(app: InMemoryApp) -> None:
    shown = get(app, f"{BASE}/health")
    assert set(shown["webhooks"].values()) == {0}
    assert shown["undelivered"] == {"retrying": 0, "dead": 0, "held": 0}
    assert shown["isExact"]
    assert "oldestAt" not in shown


def test_a_count_of_more_than_are_counted_says_so(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    entry = log(app, webhook_id, Outcome.DEAD)
    more = (delivery_id(f"e{number}", webhook_id, log_time=AT) for number in range(COUNTED))
    app.deliveries.record(
        [
            replace(entry, key=LogKey(webhook_id, AT, made), delivery=replace(entry.delivery, id=made))
            for made in more
        ]
    )
    shown = get(app, f"{BASE}/health")
    assert (shown["undelivered"]["dead"], shown["isExact"]) == (COUNTED, False)


def test_a_series_covers_the_time_that_is_asked_for(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    for minute in range(10):
        log(app, webhook_id, Outcome.DELIVERED if minute else Outcome.DEAD, at=AT - 60_000 * minute)
    log(app, webhook_id, Outcome.DEAD, at=AT - 60_000, number=1, mark=Mark.TEST)
    whole = get(app, one(webhook_id, "/series"))
    assert whole["deliveries"] == 10
    assert (whole["since"], whole["until"]) == ("2026-09-21T14:04:20.000Z", "2026-09-21T14:13:20.000Z")
    assert whole["bucketSeconds"] == 15
    assert [bucket["delivered"] for bucket in whole["buckets"]] == [1] * 9 + [0]
    assert whole["buckets"][-1] == {
        "at": "2026-09-21T14:13:15.000Z",
        "delivered": 0,
        "retrying": 0,
        "dead": 1,
        "held": 0,
        "skipped": 0,
        "lookupMs": 1,
        "connectMs": 2,
        "tlsMs": 3,
        "firstByteMs": 8,
        "totalMs": 9,
    }
    app.clock.now += 3600
    part = get(app, one(webhook_id, "/series"), since="2026-09-21T14:11:20Z", until=str(int(NOW)))
    assert part["deliveries"] == 3
    assert part["until"] == "2026-09-21T14:13:20.000Z"


def test_a_series_of_more_deliveries_covers_the_newest_and_says_so(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    for number in range(SERIES + 5):
        log(app, webhook_id, Outcome.DELIVERED, at=AT - 1000 * number)
    shown = get(app, one(webhook_id, "/series"), since="2026-01-01T00:00:00Z")
    assert shown["deliveries"] == SERIES
    assert shown["since"] == "2026-09-21T13:56:41.000Z"


def test_a_series_without_deliveries_has_no_buckets(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    shown = get(app, one(webhook_id, "/series"))
    assert (shown["since"], shown["buckets"]) == (shown["until"], [])
    ahead = get(app, one(webhook_id, "/series"), since="2030-01-01T00:00:00Z")
    assert (ahead["since"], ahead["buckets"]) == (ahead["until"], [])


@pytest.mark.parametrize(
    ("query", "named"),
    [
        (
            {"since": "2026-09-21T14:13:20Z", "until": "2026-09-21T14:13:19Z"},
            "since: must not be later than until",
        ),
        ({"since": "yesterday"}, "since: must be a time"),
        ({"until": ""}, "until: must be a time"),
        ({"from": "1"}, "from: is not a field here"),
    ],
)
def test_wrong_times_of_a_series_are_a_400(app: InMemoryApp, query: dict[str, str], named: str) -> None:
    webhook_id = app.create()["_id"]
    response = app.call("GET", one(webhook_id, "/series"), query=query)
    assert response.status == 400
    assert response.message.startswith(named)


@pytest.mark.parametrize("rest", ["", "/series"])
@pytest.mark.parametrize("webhook_id", [UNKNOWN, "x", "A" * 24])
def test_an_unknown_webhook_has_no_health(app: InMemoryApp, rest: str, webhook_id: str) -> None:
    response = app.call("GET", one(webhook_id, rest))
    assert (response.status, response.message) == (404, "webhookId: no such webhook")


@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("GET", "/webhook/{}", None),
        ("GET", "/webhook/{}/series", None),
        ("GET", "/health", None),
        ("POST", "/webhooks/health", {"webhookIds": ["{}"]}),
        ("POST", "/webhooks/fetch", {"state": "paused"}),
    ],
)
def test_another_communitys_license_sees_nothing(
    app: InMemoryApp, method: str, rest: str, body: dict[str, Any] | None
) -> None:
    webhook_id = app.create(paused=True)["_id"]
    log(app, webhook_id, Outcome.DEAD)
    asked = {"webhookIds": [webhook_id]} if body and "webhookIds" in body else body
    assert app.call(method, BASE + rest.format(webhook_id), asked, by=OTHER_TENANT).status == 403
    theirs = app.call(
        method, f"/tenant/other/community/theirs{rest.format(webhook_id)}", asked, by=OTHER_TENANT
    )
    assert theirs.status in (200, 404)
    assert webhook_id not in theirs.text
    assert '"dead":1' not in theirs.text


def test_states_and_names_filter_pages_whose_totals_are_of_the_found(app: InMemoryApp) -> None:
    for number in range(7):
        app.create(
            name=f"{'orders' if number % 2 else 'Orders'} {number}",
            paused=number > 2,
            tags=[f"t{number % 3}"],
        )
    slow = app.create(name="orders slow", disabled=True)["_id"]
    save(app, slow, Health(slow_since=AT))

    def names(**asked: Any) -> list[str]:
        page = app.fetch(**asked)
        assert "isExact" not in page["page"]
        assert page["page"]["total"] >= len(page["data"])
        return [each["name"] for each in page["data"]]

    assert names(state="paused") == ["Orders 6", "orders 5", "Orders 4", "orders 3"]
    assert names(state="paused", pSize=2, pIndex=1) == ["Orders 4", "orders 3"]
    assert app.fetch(state="paused", pSize=2, pIndex=5)["page"] == {"index": 5, "total": 4, "size": 2}
    assert names(state="paused", name="orders ") == ["orders 5", "orders 3"]
    assert names(state="paused", tags=["t0"]) == ["Orders 6", "orders 3"]
    assert names(state="slow") == names(state="disabled") == ["orders slow"]
    assert names(state="held") == []
    assert names(name="orders") == ["orders slow", "orders 5", "orders 3", "orders 1"]
    assert names(name="orders", tags=["t1", "t2"]) == ["orders 5", "orders 1"]
    assert names(name="orders", pSize=3, pIndex=1) == ["orders 1"]
    assert len(names(name=None, state=None)) == 8
    assert names(name="x") == []


def test_a_filter_of_a_larger_community_looks_at_the_newest_and_says_so() -> None:
    app = InMemoryApp(limit=EXAMINED + 2)
    first = stored(app, app.create(name="first", paused=True)["_id"])
    for _ in range(EXAMINED):
        webhook_id = app.subscriptions.next_id(SCOPE, now=NOW)
        app.subscriptions.put(replace(first, id=webhook_id))
    exact = app.fetch(pSize=1)["page"]
    assert exact == {"index": 0, "total": EXAMINED + 1, "size": 1}
    filters: list[dict[str, Any]] = [{"name": "first"}, {"state": "paused"}]
    for asked in filters:
        page = app.fetch(pSize=1, **asked)["page"]
        assert page == {"index": 0, "total": EXAMINED, "size": 1, "isExact": False}


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"state": "healthy"}, 'state: must be "failing", "held", "slow", "paused" or "disabled"'),
        ({"state": 1}, "state: must be"),
        ({"name": ""}, "name: must be a string of 1 to 256"),
        ({"name": "x" * 257}, "name: must be a string of 1 to 256"),
        ({"name": "a\nb"}, "name: must be"),
    ],
)
def test_a_wrong_filter_is_a_400(app: InMemoryApp, asked: dict[str, Any], named: str) -> None:
    response = app.call("POST", f"{BASE}/webhooks/fetch", asked)
    assert response.status == 400
    assert response.message.startswith(named)


def test_communities_are_listed_page_by_page_for_an_unscoped_system_license(app: InMemoryApp) -> None:
    for number in range(5):
        app.call("PUT", f"/tenant/t{number}/community/c/webhook", webhook())
    found: list[dict[str, str]] = []
    query: dict[str, Any] = {"size": "2"}
    while True:
        page = get(app, "/communities", **query)
        found += page["data"]
        if "cursor" not in page:
            break
        query["cursor"] = page["cursor"]
    assert found == [{"tenantId": f"t{number}", "communityId": "c"} for number in range(5)]


@pytest.mark.parametrize("by", [SERVICE_CALLER, EXTERNAL, OTHER_TENANT])
def test_no_tenants_license_lists_communities(app: InMemoryApp, by: Client) -> None:
    assert app.call("GET", "/communities", by=by).status == 403


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"cursor": "made up"}, "cursor: belongs to another query, or is none"),
        ({"cursor": ""}, "cursor: belongs to another query, or is none"),
        ({"size": "0"}, "size: must be a whole number from 1 to 100"),
        ({"size": "101"}, "size: must be a whole number from 1 to 100"),
        ({"size": "many"}, "size: must be a whole number from 1 to 100"),
    ],
)
def test_a_wrong_page_of_communities_is_a_400(app: InMemoryApp, query: dict[str, str], named: str) -> None:
    response = app.call("GET", "/communities", query=query)
    assert response.status == 400
    assert response.message.startswith(named)


def test_a_cursor_of_deliveries_is_none_of_communities(app: InMemoryApp) -> None:
    webhook_id = app.create()["_id"]
    for number in range(3):
        log(app, webhook_id, Outcome.DELIVERED, number=number)
    page = app.call("POST", one(webhook_id, "/deliveries/fetch"), {"size": 1}).json
    assert app.call("GET", "/communities", query={"cursor": page["cursor"]}).status == 400
