"""How many webhooks a community may have, as the API says it."""

from typing import Any

import pytest

from tests.factories import BASE, SYSTEM, ApiResponse, InMemoryApp, basic_api, webhook_body

LIMIT = 2


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp(limit=LIMIT)


def put(app: InMemoryApp, *, path: str = f"{BASE}/webhook", **changes: Any) -> ApiResponse:
    uuid = changes.pop("uuid", None)
    more = {"uuid": uuid} if uuid else {}
    return app.call("PUT", path, webhook_body(**changes), **more)


@pytest.mark.parametrize("api", [webhook_body()["api"], basic_api()])
def test_one_webhook_too_many_is_a_409_with_advice(app: InMemoryApp, api: dict[str, Any]) -> None:
    for _ in range(LIMIT):
        app.create()

    refused = put(app, api=api)

    assert refused.status == 409
    assert refused.message == (
        "this community has 2 webhooks, and this deployment allows 2; delete some, or ask the operator to "
        "raise WebhooksPerCommunity"
    )
    assert app.fetch()["page"]["total"] == LIMIT
    assert list(app.credentials.listed()) == []


def test_each_community_has_a_limit_of_its_own(app: InMemoryApp) -> None:
    for _ in range(LIMIT):
        app.create()
    assert put(app, path="/tenant/acme/community/other/webhook").status == 200


def test_a_deleted_webhook_makes_room(app: InMemoryApp) -> None:
    ids = [app.create()["_id"] for _ in range(LIMIT)]
    assert put(app).status == 409
    app.call("DELETE", f"{BASE}/webhook/{ids[0]}")
    assert put(app).status == 200
    assert put(app).status == 409


def test_a_full_community_can_be_changed(app: InMemoryApp) -> None:
    ids = [app.create()["_id"] for _ in range(LIMIT)]
    changed = app.call("PATCH", f"{BASE}/webhook/{ids[0]}", {"name": "n", "tags": ["t"], "api": basic_api()})
    assert changed.status == 200


def test_the_repeat_of_an_accepted_request_is_answered_at_the_limit(app: InMemoryApp) -> None:
    app.create()
    first = put(app, uuid="the same", api=basic_api())
    assert put(app).status == 409
    again = put(app, uuid="the same", api=basic_api())
    assert (again.status, again.text) == (200, first.text)
    assert SYSTEM.open(app.public_key, again.json["api"]["credential"]["username"]) == "planted-user"


def test_a_refused_request_succeeds_once_there_is_room(app: InMemoryApp) -> None:
    ids = [app.create()["_id"] for _ in range(LIMIT)]
    assert put(app, uuid="the same").status == 409
    app.call("DELETE", f"{BASE}/webhook/{ids[0]}")
    assert put(app, uuid="the same").status == 200


def test_a_community_above_a_lowered_limit_keeps_its_webhooks(app: InMemoryApp) -> None:
    for _ in range(LIMIT):
        app.create()
    lowered = InMemoryApp(limit=1, subscriptions=app.subscriptions)
    assert put(lowered).message.startswith("this community has 2 webhooks, and this deployment allows 1;")
    assert lowered.fetch()["page"]["total"] == LIMIT


def test_the_environment_shows_the_limit(app: InMemoryApp) -> None:
    assert app.call("GET", "/environment", by=None).json["limits"]["webhooksPerCommunity"] == LIMIT
