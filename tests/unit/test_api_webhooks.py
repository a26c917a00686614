"""The webhooks' endpoints, from the event that API Gateway makes to the response that it gets."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.clocks import Clock
from tests.factories import (
    BASE,
    COMMUNITY,
    EXTERNAL,
    LEVELS,
    OTHER_TENANT,
    SCOPE,
    SERVICE_CALLER,
    SYSTEM,
    TENANT,
    Client,
    InMemoryApp,
    basic_api,
    webhook_body,
)
from tests.fakes.subscriptions import FakeSubscriptions
from tests.random_bytes import DistinctBytes
from webhooks.domain.errors import StaleError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook

FULL: dict[str, Any] = {
    "eventNames": ["E_LOGIN", "E_LOGOUT", "E_LOGIN"],
    "name": "logins",
    "disabled": True,
    "createdBy": "operations",
    "tags": ["log_stream"],
    "query": [{"user.kind": "person"}],
    "criteria": "ALL",
    "api": {
        "type": "PATCH",
        "url": "https://hooks.example.com/in?a=1",
        "authType": "oauth2",
        "oAuthGrantType": "client_credentials",
        "oAuthTokenUrl": "https://login.example.com/token",
        "oAuthScopes": ["hooks"],
        "credential": {"oauth2": {"clientId": "planted-id", "clientSecret": "planted-secret"}},
    },
    "successCodes": [200, 204.0],
    "retryCodes": [0, 503],
    "retryCount": 2,
    "ttl": 5,
}
BEYOND: dict[str, Any] = {"paused": True, "rateLimit": 20, "recover": False}
FIELDS = [
    *("_id", "tenantId", "communityId", "eventNames", "name", "disabled", "createdBy", "tags", "query"),
    *("criteria", "api", "successCodes", "retryCodes", "retryCount", "ttl"),
]


@pytest.fixture(params=["secrets", "sealed"])
def app(request: pytest.FixtureRequest) -> InMemoryApp:
    """Whatever the form of credentials is, the API is the same."""
    app = InMemoryApp()
    app.credentials.seals = request.param == "sealed"
    return app


class LostRaces(FakeSubscriptions):
    """Another request changes, or deletes, each webhook before a change of it takes effect."""

    def __init__(self, *, is_deleted: bool) -> None:
        super().__init__(clock=Clock(), random_bytes=DistinctBytes(), fault=self._lose)
        self._is_deleted, self._is_lost = is_deleted, False

    def get(self, scope: Scope, webhook_id: str) -> Webhook | None:
        return None if self._is_lost and self._is_deleted else super().get(scope, webhook_id)

    def _lose(self, point: str) -> None:
        if point == "before subscriptions.change":
            self._is_lost = True
            raise StaleError


def one(webhook_id: str) -> str:
    return f"{BASE}/webhook/{webhook_id}"


def test_a_created_webhook_has_every_field_of_the_specification_in_order(app: InMemoryApp) -> None:
    response = app.call("PUT", f"{BASE}/webhook", FULL, by=SERVICE_CALLER)
    created = response.json
    assert response.status == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"].startswith("request-")
    assert list(created) == [*FIELDS, "signingSecret"]
    assert len(created["_id"]) == 24
    shown = {name: created[name] for name in FIELDS if name not in {"_id", "tenantId", "communityId"}}
    assert (created["tenantId"], created["communityId"]) == (TENANT, COMMUNITY)
    expected_api = {name: value for name, value in FULL["api"].items() if name != "credential"}
    assert shown == {
        **FULL,
        "eventNames": ["E_LOGIN", "E_LOGOUT"],
        "api": expected_api,
        "successCodes": [200, 204],
    }


def test_an_absent_field_has_its_default_at_creation(app: InMemoryApp) -> None:
    created = app.create()
    del created["_id"], created["signingSecret"]
    assert created == {
        **webhook_body(),
        "tenantId": TENANT,
        "communityId": COMMUNITY,
        "disabled": False,
        "createdBy": "tests",
        "tags": [],
        "query": [],
        "criteria": "ANY",
        "api": {"type": "POST", "url": "https://hooks.example.com/in", "authType": "none"},
        "retryCodes": [],
        "retryCount": 0,
        "ttl": 0,
    }


def test_fields_beyond_the_specification_follow_the_others_where_they_are_set(app: InMemoryApp) -> None:
    created = app.call("PUT", f"{BASE}/webhook", FULL | BEYOND).json
    assert list(created) == [*FIELDS, *BEYOND, "signingSecret"]
    assert {name: created[name] for name in BEYOND} == BEYOND
    assert {name: app.fetch()["data"][0][name] for name in BEYOND} == BEYOND


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"paused": False}, {"rateLimit": 20, "recover": False}),
        ({"paused": None, "rateLimit": None, "recover": None}, {}),
        ({"rateLimit": 1, "recover": True}, {"paused": True, "rateLimit": 1, "recover": True}),
    ],
)
def test_a_change_shows_those_fields_only_where_they_are_set(
    app: InMemoryApp, change: dict[str, Any], shown: dict[str, Any]
) -> None:
    created = app.create(**BEYOND)
    patched = app.call("PATCH", one(created["_id"]), change).json
    assert {name: patched[name] for name in BEYOND if name in patched} == shown


def test_null_for_an_optional_field_is_as_absent_at_creation(app: InMemoryApp) -> None:
    names = ("disabled", "createdBy", "tags", "query", "criteria", "retryCodes", "retryCount", "ttl", *BEYOND)
    api = {"url": "https://hooks.example.com/in", "type": None, "authType": None, "credential": None}
    absent: dict[str, Any] = dict.fromkeys(names)
    created = app.create(**absent, api=api)
    assert created | {"_id": "", "signingSecret": ""} == app.create() | {"_id": "", "signingSecret": ""}


@pytest.mark.parametrize("names", ["E_LOGIN", ["E_LOGIN"]])
def test_event_name_is_read_as_event_names(app: InMemoryApp, names: list[str] | str) -> None:
    body = webhook_body(eventName=names)
    del body["eventNames"]
    assert app.call("PUT", f"{BASE}/webhook", body).json["eventNames"] == ["E_LOGIN"]


def test_an_app_id_other_than_a_name_needs_a_created_by(app: InMemoryApp) -> None:
    refused = app.call("PUT", f"{BASE}/webhook", webhook_body(), appid="a\nb")
    assert refused.status == 400
    assert refused.message.startswith("createdBy: ")


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_gets_the_signing_secret_for_itself_alone(app: InMemoryApp, level: str) -> None:
    caller = LEVELS[level]
    created = app.create(by=caller)
    secret = caller.open(app.public_key, created["signingSecret"])
    assert secret.startswith("whsec_")
    shown = app.call("GET", f"{one(created['_id'])}/secret", by=caller)
    assert shown.status == 200
    assert list(shown.json) == ["signingSecret", "publicKey"]
    assert caller.open(shown.json["publicKey"], shown.json["signingSecret"]) == secret
    assert shown.json["signingSecret"] != created["signingSecret"], "each envelope has an IV of its own"


@pytest.mark.parametrize(
    ("auth_type", "credential", "more"),
    [
        ("basic", {"username": "u", "password": "p:ä"}, {}),
        ("basic", {"username": "", "password": "genie-key"}, {}),
        ("basic", {"username": "sk_live_abc", "password": ""}, {}),
        ("basic", {"username": "", "password": ""}, {}),
        ("bearer", {"token": "t"}, {}),
        ("api_key", {"keyName": "X-Api-Key", "keyValue": "v"}, {}),
        (
            "oauth2",
            {"oauth2": {"clientId": "i", "clientSecret": "s"}},
            {"oAuthGrantType": "client_credentials", "oAuthTokenUrl": "https://login.example.com/"},
        ),
    ],
)
def test_only_system_callers_see_credentials_and_each_value_is_sealed(
    app: InMemoryApp, auth_type: str, credential: dict[str, Any], more: dict[str, str]
) -> None:
    api = {
        "url": "https://hooks.example.com/in",
        "authType": auth_type,
        "credential": credential,
        **more,
    }
    created = app.create(api=api)
    for response in (created, app.fetch()["data"][0]):
        assert opened(app, response["api"]["credential"]) == credential
    patched = app.call("PATCH", one(created["_id"]), {"name": "other"}).json
    assert opened(app, patched["api"]["credential"]) == credential
    for caller in (SERVICE_CALLER, EXTERNAL):
        assert "credential" not in app.fetch(by=caller)["data"][0]["api"]
        assert "credential" not in app.create(by=caller, api=api)["api"]
        changed = app.call("PATCH", one(created["_id"]), {"name": "n"}, by=caller).json
        assert "credential" not in changed["api"]


@pytest.mark.parametrize(
    ("by", "url", "status"),
    [
        (EXTERNAL, "https://elsewhere.example.com/in", 400),
        (SERVICE_CALLER, "http://hooks.example.com/in", 400),
        (SERVICE_CALLER, "https://hooks.example.com:8443/in", 400),
        (SERVICE_CALLER, "https://hooks.example.com/another/path", 200),
        (SYSTEM, "https://elsewhere.example.com/in", 200),
    ],
)
def test_a_caller_who_sees_no_credential_cannot_redirect_it(
    app: InMemoryApp, by: Client, url: str, status: int
) -> None:
    bearer = {"authType": "bearer", "credential": {"token": "planted"}}
    created = app.create(api={"url": "https://hooks.example.com/in", **bearer})
    response = app.call("PATCH", one(created["_id"]), {"api": {"url": url}}, by=by)
    assert response.status == status, response
    if status == 400:
        assert "api.credential: required again" in response.message
        given = {"api": {"url": url, "credential": {"token": "own"}}}
        assert app.call("PATCH", one(created["_id"]), given, by=by).status == 200


def test_an_empty_credential_replaces_and_an_absent_one_stays(app: InMemoryApp) -> None:
    created = app.create(api=basic_api(credential={"username": "u", "password": "p"}))

    def change(api: dict[str, Any]) -> Any:
        response = app.call("PATCH", one(created["_id"]), {"api": api})
        return opened(app, response.json["api"]["credential"]) if response.status == 200 else response.message

    assert change({"type": "PUT"}) == {"username": "u", "password": "p"}
    assert change({"credential": {"username": "u", "password": ""}}) == {"username": "u", "password": ""}
    assert change({"type": "POST"}) == {"username": "u", "password": ""}
    assert change({"credential": {"username": ""}}) == "api.credential.password: required for authType basic"
    assert change({"credential": {"username": "", "password": "k", "token": ""}}) == {
        "username": "",
        "password": "k",
    }
    message = "api.credential.token: must not be empty for authType bearer"
    assert change({"authType": "bearer", "credential": {"token": "", "username": ""}}) == message
    assert change({"authType": "bearer", "credential": {"token": "t", "username": ""}}) == {"token": "t"}


def test_empty_fields_of_other_auth_types_make_no_credential(app: InMemoryApp) -> None:
    empty = {"username": "", "password": "", "token": "", "oauth2": {"clientId": "", "clientSecret": ""}}
    created = app.create(api={"url": "https://hooks.example.com/in", "credential": empty})

    assert "credential" not in created["api"]
    assert list(app.credentials.listed()) == []
    assert app.call("PATCH", one(created["_id"]), {"api": {"credential": empty}}).status == 200
    assert list(app.credentials.listed()) == []


def opened(app: InMemoryApp, credential: dict[str, Any]) -> dict[str, Any]:
    return {
        name: opened(app, value) if isinstance(value, dict) else SYSTEM.open(app.public_key, value)
        for name, value in credential.items()
    }


def test_pages_are_newest_first_with_exact_totals(app: InMemoryApp) -> None:
    ids = [app.create(name=f"n{number}")["_id"] for number in range(5)]
    first, second = app.fetch(pIndex=0, pSize=3), app.fetch(pIndex=1, pSize=3)
    assert list(first) == ["page", "data", "publicKey"]
    assert first["page"] == {"index": 0, "total": 5, "size": 3}
    assert [webhook["_id"] for webhook in first["data"] + second["data"]] == ids[::-1]
    assert first["publicKey"] == app.public_key
    past = app.fetch(pIndex=1_000_000)
    assert (past["page"], past["data"]) == ({"index": 1_000_000, "total": 5, "size": 25}, [])


def test_a_fetch_without_a_body_gets_the_first_page(app: InMemoryApp) -> None:
    app.create()
    for body in (None, "", {}, {"pIndex": None, "pSize": None, "tags": None}):
        response = app.call("POST", f"{BASE}/webhooks/fetch", body)
        assert response.json["page"] == {"index": 0, "total": 1, "size": 25}


def test_tags_fetch_the_webhooks_that_have_any_of_them(app: InMemoryApp) -> None:
    for tags in (["a"], ["b", "c"], [], ["c"]):
        app.create(tags=tags)
    found = app.fetch(tags=["a", "c"])
    assert [webhook["tags"] for webhook in found["data"]] == [["c"], ["b", "c"], ["a"]]
    assert found["page"]["total"] == 3


def test_a_patch_changes_only_its_own_fields(app: InMemoryApp) -> None:
    created = app.create(**FULL)
    del created["signingSecret"]
    changed = app.call("PATCH", one(created["_id"]), {"disabled": False, "api": {"type": "PUT"}}).json
    assert changed["api"].pop("credential")
    created["api"].pop("credential")
    assert changed == {**created, "disabled": False, "api": {**created["api"], "type": "PUT"}}


def test_null_in_a_patch_restores_the_default(app: InMemoryApp) -> None:
    created = app.create(**FULL)
    names = ("tags", "query", "criteria", "retryCodes", "retryCount", "ttl", "disabled")
    api = dict.fromkeys(("type", "authType", "oAuthGrantType", "oAuthTokenUrl", "oAuthScopes", "credential"))
    changed = app.call("PATCH", one(created["_id"]), {**dict.fromkeys(names), "api": api}).json
    fresh = app.create(
        createdBy="operations",
        eventNames=FULL["eventNames"],
        api={"url": FULL["api"]["url"]},
        successCodes=[200, 204],
    )
    del fresh["signingSecret"]
    assert changed == {**fresh, "_id": created["_id"]}


@pytest.mark.parametrize("name", ["name", "eventNames", "api", "successCodes", "createdBy"])
def test_null_for_a_required_field_is_refused_in_a_patch(app: InMemoryApp, name: str) -> None:
    created = app.create()
    response = app.call("PATCH", one(created["_id"]), {name: None})
    assert response.status == 400
    assert response.message.startswith(f"{name}: must be ")


def test_a_patch_is_validated_with_the_stored_fields(app: InMemoryApp) -> None:
    created = app.create(api=basic_api())
    response = app.call("PATCH", one(created["_id"]), {"api": {"authType": "bearer"}})
    assert response.status == 400
    assert "api.credential.token: required for authType bearer" in response.message
    assert app.fetch()["data"][0]["api"]["authType"] == "basic"


def test_a_change_that_is_refused_leaves_no_credential(app: InMemoryApp) -> None:
    created = app.create(eventNames=[f"old{number}" for number in range(50)])
    change = {"eventNames": [f"new{number}" for number in range(50)], "api": basic_api()}
    response = app.call("PATCH", one(created["_id"]), change)
    assert response.status == 400
    assert "send two changes" in response.message
    assert list(app.credentials.listed()) == []


@pytest.mark.parametrize(("is_deleted", "status"), [(True, 404), (False, 409)])
def test_a_change_that_lost_its_race_leaves_no_credential(is_deleted: bool, status: int) -> None:
    app = InMemoryApp(subscriptions=LostRaces(is_deleted=is_deleted))
    created = app.create()
    assert app.call("PATCH", one(created["_id"]), {"api": basic_api()}).status == status
    assert list(app.credentials.listed()) == []


def test_a_deleted_webhook_is_gone(app: InMemoryApp) -> None:
    created = app.create(api=basic_api())
    response = app.call("DELETE", one(created["_id"]))
    assert (response.status, response.text) == (204, "")
    assert "content-type" not in response.headers
    assert app.call("DELETE", one(created["_id"])).status == 404
    assert app.fetch()["page"]["total"] == 0
    assert list(app.credentials.listed()) == []


@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [("PATCH", "", {"name": "n"}), ("DELETE", "", None), ("GET", "/secret", None)],
)
@pytest.mark.parametrize("webhook_id", ["0" * 24, "x", "A" * 24, "1" * 3000, "..", "a'b"])
def test_an_unknown_webhook_is_a_404(
    app: InMemoryApp, method: str, suffix: str, body: dict[str, str] | None, webhook_id: str
) -> None:
    response = app.call(method, f"{one(webhook_id)}{suffix}", body)
    assert response.status == 404
    assert response.json["error"] == "Not Found"


@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [("PATCH", "", {"name": "n"}), ("DELETE", "", None), ("GET", "/secret", None)],
)
def test_another_communitys_webhook_is_the_same_404(
    app: InMemoryApp, method: str, suffix: str, body: dict[str, str] | None
) -> None:
    created = app.create()
    path = f"/tenant/other/community/theirs/webhook/{created['_id']}{suffix}"
    response = app.call(method, path, body, by=OTHER_TENANT)
    unknown = app.call(method, path.replace(created["_id"], "0" * 24), body, by=OTHER_TENANT)
    assert (response.status, response.text) == (404, unknown.text)


def test_the_exact_repeat_of_a_change_gets_the_first_response(app: InMemoryApp) -> None:
    headers = SYSTEM.headers(app.public_key, uuid="the same")
    body = webhook_body(api=basic_api())
    first = app.call("PUT", f"{BASE}/webhook", body, by=None, headers=headers)
    again = app.call("PUT", f"{BASE}/webhook", body, uuid="the same")
    assert first.text == again.text
    assert app.fetch()["page"]["total"] == 1
    assert len(app.credentials.listed()) == int(not app.credentials.seals)
    path = one(first.json["_id"])
    patches = [app.call("PATCH", path, {"name": "n2"}, uuid="patch").text for _ in range(2)]
    assert patches[0] == patches[1]
    assert [app.call("DELETE", path, uuid="delete").status for _ in range(2)] == [204, 204]


@pytest.mark.parametrize(
    "other",
    [
        {"uuid": "another"},
        {"by": SERVICE_CALLER},
        {"body": webhook_body(name="another")},
        {"body": f" {json.dumps(webhook_body())}"},
    ],
)
def test_a_request_with_any_difference_makes_no_repeat(app: InMemoryApp, other: dict[str, Any]) -> None:
    call = {"body": webhook_body(), "uuid": "the same", "by": SYSTEM}
    ids = {
        app.call("PUT", f"{BASE}/webhook", made.pop("body"), **made).json["_id"]
        for made in (dict(call), {**call, **other})
    }
    assert len(ids) == 2


def test_a_webhook_disabled_by_the_service_has_the_reason(app: InMemoryApp) -> None:
    created = app.create()
    before = app.subscriptions.get(SCOPE, created["_id"])
    assert before is not None
    gone = replace(
        before,
        definition=replace(before.definition, disabled=True),
        disabled_reason="endpoint gone (HTTP 410)",
        revision=2,
    )
    app.subscriptions.change(before, gone, record=None)
    shown = app.fetch()["data"][0]
    assert (shown["disabled"], shown["disabledReason"]) == (True, "endpoint gone (HTTP 410)")
    enabled = app.call("PATCH", one(created["_id"]), {"disabled": False}).json
    assert "disabledReason" not in enabled


def test_an_endpoint_that_the_guard_refuses_is_a_400_with_the_reason(app: InMemoryApp) -> None:
    app.guard.refused["https://hooks.example.com/in"] = (
        "the host resolves to an address that is refused (private)"
    )
    response = app.call("PUT", f"{BASE}/webhook", webhook_body())
    assert response.status == 400
    assert response.message == "api.url: the host resolves to an address that is refused (private)"


@pytest.mark.parametrize("level", ["service", "service_ext"])
@pytest.mark.parametrize(
    ("tenant", "community"), [("other", COMMUNITY), (TENANT, "other"), ("other", "theirs")]
)
def test_a_license_reaches_its_own_community_only(
    app: InMemoryApp, level: str, tenant: str, community: str
) -> None:
    for method, rest, body in (
        ("POST", "/webhooks/fetch", {}),
        ("PUT", "/webhook", webhook_body()),
        ("PATCH", f"/webhook/{'0' * 24}", {"name": "n"}),
        ("DELETE", f"/webhook/{'0' * 24}", None),
        ("GET", f"/webhook/{'0' * 24}/secret", None),
    ):
        path = f"/tenant/{tenant}/community/{community}{rest}"
        response = app.call(method, path, body, by=LEVELS[level])
        assert response.status == 403
        assert response.json["error"] == "Forbidden"


def test_a_system_license_reaches_every_community(app: InMemoryApp) -> None:
    response = app.call("PUT", "/tenant/x/community/y/webhook", webhook_body())
    assert (response.status, response.json["tenantId"], response.json["communityId"]) == (200, "x", "y")
