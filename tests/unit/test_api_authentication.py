"""Authentication: the three headers, their ways to be wrong, raw credentials, and the reset of the service's key."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests import plain_protocol
from tests.clocks import NOW
from tests.factories import (
    BASE,
    EXTERNAL,
    GRACE,
    SERVICE_CALLER,
    SPAN,
    SYSTEM,
    ApiResponse,
    Client,
    InMemoryApp,
    api_event,
    webhook_body,
)
from webhooks.domain.caller import AuthLevel, License
from webhooks.domain.keyring import AHEAD, MOST, NOTICE

KEYS = "/servicekeys"
SIGNED = [
    ("POST", f"{BASE}/webhooks/fetch", {}),
    ("PUT", f"{BASE}/webhook", webhook_body()),
    ("PATCH", f"{BASE}/webhook/{'0' * 24}", {"name": "n"}),
    ("DELETE", f"{BASE}/webhook/{'0' * 24}", None),
    ("GET", f"{BASE}/webhook/{'0' * 24}/secret", None),
    ("GET", KEYS, None),
    ("DELETE", "/servicekey/AAAA", None),
]


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


def shifted(text: str, by: int = 1) -> str:
    """Another base64 text of the same length."""
    raw = bytearray(base64.b64decode(text))
    raw[-1] ^= by
    return base64.b64encode(bytes(raw)).decode()


@pytest.mark.parametrize(("method", "path", "body"), SIGNED)
def test_a_request_without_headers_is_refused_on_every_path(
    app: InMemoryApp, method: str, path: str, body: dict[str, Any] | None
) -> None:
    response = app.call(method, path, body, by=None)
    assert response.status == 401
    assert response.json["error"] == "Unauthorized"
    assert "licensekey, requestid, publickey" in response.message


@pytest.mark.parametrize("missing", ["licensekey", "requestid", "publickey"])
def test_a_missing_header_is_named(app: InMemoryApp, missing: str) -> None:
    headers = SYSTEM.headers(app.public_key)
    del headers[missing]
    response = app.call("GET", KEYS, by=None, headers=headers)
    assert response.status == 401
    assert response.message.startswith(f"missing header: {missing};")


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("publickey", "no base64!"),
        ("publickey", base64.b64encode(b"short").decode()),
        ("publickey", base64.b64encode(b"\x00" * 64).decode()),
        ("publickey", base64.b64encode(b"\xff" * 64).decode()),
        ("publickey", "ü"),
        ("requestid", "no base64!"),
        ("requestid", base64.b64encode(b"\x01" * 31).decode()),
        ("requestid", base64.b64encode(b"\x01" * 80).decode()),
        ("licensekey", "no base64!"),
        ("licensekey", base64.b64encode(b"\x01" * 80).decode()),
    ],
)
def test_a_malformed_header_is_named(app: InMemoryApp, header: str, value: str) -> None:
    headers = {**SYSTEM.headers(app.public_key), header: value}
    response = app.call("GET", KEYS, by=None, headers=headers)
    assert response.status == 401
    assert response.message.startswith(f"{header}: must be ")
    assert value not in response.message


@pytest.mark.parametrize(
    "request_id",
    [
        "",
        "null",
        "[]",
        "{",
        "[" * 100_000,
        '{"ts": NaN, "appid": "a", "uuid": "u"}',
        '{"ts": "1790000000", "appid": "a", "uuid": "u"}',
        '{"ts": true, "appid": "a", "uuid": "u"}',
        '{"ts": 1e999, "appid": "a", "uuid": "u"}',
        f'{{"ts": {"9" * 400}, "appid": "a", "uuid": "u"}}',
        '{"ts": 1790000000, "uuid": "u"}',
        '{"ts": 1790000000, "appid": 7, "uuid": "u"}',
        '{"ts": 1790000000, "appid": "a"}',
        '{"ts": 1790000000, "appid": "a", "uuid": null}',
    ],
)
def test_a_request_id_with_other_content_is_refused(app: InMemoryApp, request_id: str) -> None:
    response = app.call("GET", KEYS, by=None, headers=SYSTEM.sealed(app.public_key, request_id))
    assert response.status == 401
    assert response.message.startswith("requestid: ")


def test_request_ids_of_different_clients_are_read(app: InMemoryApp) -> None:
    written = json.dumps({"ts": NOW + 0.5, "appId": "sdk", "uuid": "not a uuid", "more": [1]})
    assert app.call("GET", KEYS, by=None, headers=SYSTEM.sealed(app.public_key, written)).status == 200


@pytest.mark.parametrize(
    ("off", "status"),
    [(0, 200), (SPAN, 200), (-SPAN, 200), (SPAN + 0.5, 200), (SPAN + 1, 401), (-SPAN - 1, 401)],
)
def test_a_timestamp_may_be_off_by_the_span(app: InMemoryApp, off: float, status: int) -> None:
    assert app.call("GET", KEYS, ts=NOW + off).status == status


def test_header_names_are_read_in_any_case_and_several_values_do_no_harm(app: InMemoryApp) -> None:
    headers = {name.upper(): value for name, value in SYSTEM.headers(app.public_key).items()}

    event = api_event("GET", KEYS, headers=headers)
    event["multiValueHeaders"]["Accept"] = ["a", "b"]
    assert app.send(event).status == 200
    event["headers"] = None
    assert app.send(event).status == 200


@pytest.mark.parametrize(
    "license_",
    [
        License(AuthLevel.SYSTEM, disabled=True),
        License(AuthLevel.SYSTEM, expires_at=int(NOW)),
        None,
    ],
)
def test_an_invalid_license_admits_no_caller(app: InMemoryApp, license_: License | None) -> None:
    caller = replace(SYSTEM, license_key="another")
    if license_:
        app.licenses.issue(caller.license_key, license_)
    response = app.call("GET", KEYS, by=caller)
    assert (response.status, response.message) == (
        401,
        "licensekey: this license is unknown, expired or disabled",
    )


def test_a_license_sealed_with_another_key_is_refused(app: InMemoryApp) -> None:
    headers = SYSTEM.headers(app.public_key)
    headers["licensekey"] = SERVICE_CALLER.headers(app.public_key)["licensekey"]
    response = app.call("GET", KEYS, by=None, headers=headers)
    assert (response.status, response.message.split(":")[0]) == (401, "licensekey")


NEEDED = "a license of auth level system that is for every tenant and community is required"


@pytest.mark.parametrize("caller", [SERVICE_CALLER, EXTERNAL])
@pytest.mark.parametrize(("method", "path"), [("GET", KEYS), ("DELETE", "/servicekey/not-even-a-key")])
def test_service_keys_are_for_system_licenses_only(
    app: InMemoryApp, caller: Client, method: str, path: str
) -> None:
    response = app.call(method, path, by=caller)
    assert (response.status, response.message.split("; ")[0]) == (403, NEEDED)


@pytest.mark.parametrize(
    "scope",
    [
        {"tenant_id": "acme", "community_id": "default"},
        {"tenant_id": "acme"},
        {"community_id": "default"},
    ],
)
def test_a_scoped_system_license_reaches_its_webhooks_and_no_service_key(
    app: InMemoryApp, scope: dict[str, Any]
) -> None:
    caller = replace(SYSTEM, license_key="scoped")
    app.licenses.issue(caller.license_key, License(AuthLevel.SYSTEM, **scope))
    key = app.public_key
    assert app.call("POST", f"{BASE}/webhooks/fetch", {}, by=caller).status == 200
    for method, path in (("GET", KEYS), ("DELETE", f"/servicekey/{encoded(key)}")):
        response = app.call(method, path, by=caller)
        assert (response.status, response.message.split("; ")[0]) == (403, NEEDED)
        assert "keySecret" not in response.text
    assert app.public_key == key


@pytest.mark.parametrize("level", [AuthLevel.SERVICE, AuthLevel.SERVICE_EXT])
def test_an_unscoped_license_below_system_reaches_no_service_key(app: InMemoryApp, level: AuthLevel) -> None:
    caller = replace(SYSTEM, license_key="unscoped")
    app.licenses.issue(caller.license_key, License(level))
    assert app.call("GET", KEYS, by=caller).status == 403


def test_authentication_comes_before_validation(app: InMemoryApp) -> None:
    wrong = "{"
    path = "/tenant/a b/community/c/webhook"
    assert app.call("PUT", path, wrong, by=None).status == 401
    assert app.call("GET", path, by=None).status == 405
    assert app.call("PUT", "/tenant/x/community/y/webhook", wrong, by=SERVICE_CALLER).status == 403
    assert app.call("PUT", f"{BASE}/webhook", wrong, by=SERVICE_CALLER).status == 400


# Raw credentials, as the specification's curl samples send them.


def raw(client: Client = SYSTEM, **changes: str) -> dict[str, str]:
    return {
        "keyId": client.pair.public,
        "keySecret": client.pair.private,
        "license": client.license_key,
        **changes,
    }


def test_raw_credentials_are_refused_with_the_alternative() -> None:
    response = InMemoryApp().call("GET", KEYS, by=None, headers=raw())
    assert response.status == 401
    assert "send licensekey, requestid and publickey" in response.message


def test_raw_credentials_are_accepted_if_the_deployment_allows_them() -> None:
    app = InMemoryApp(raw_headers=True)
    assert app.call("GET", KEYS, by=None, headers=raw()).status == 200
    created = app.call("PUT", f"{BASE}/webhook", webhook_body(), by=None, headers=raw()).json
    assert SYSTEM.open(app.public_key, created["signingSecret"]).startswith("whsec_")
    app.call("PUT", f"{BASE}/webhook", webhook_body(), by=None, headers=raw())
    assert app.fetch()["page"]["total"] == 2, "without a uuid, no request is another's repeat"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"keySecret": SERVICE_CALLER.pair.private}, "keySecret: "),
        ({"keySecret": "AAAA"}, "keySecret: "),
        ({"keyId": "AAAA"}, "keyId: "),
        ({"keySecret": ""}, "missing header: keysecret"),
        ({"license": "unknown"}, "licensekey: "),
    ],
)
def test_raw_credentials_must_be_valid(changes: dict[str, Any], named: str) -> None:
    response = InMemoryApp(raw_headers=True).call("GET", KEYS, by=None, headers=raw(**changes))
    assert response.status == 401
    assert response.message.startswith(named)


def test_encrypted_headers_count_if_both_are_sent() -> None:
    app = InMemoryApp(raw_headers=True)
    headers = raw(license="unknown")
    assert app.call("GET", KEYS, by=SYSTEM, headers=headers).status == 200


# The reset of a key.


def reset(app: InMemoryApp, key_id: str, **more: Any) -> ApiResponse:
    return app.call("DELETE", f"/servicekey/{key_id}", **more)


def encoded(key_id: str) -> str:
    return key_id.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")


@pytest.mark.parametrize("start", ["//", "/AA//AA/", "AA////"])
@pytest.mark.parametrize("written", [encoded, str])
def test_a_key_id_may_have_slashes_anywhere(
    app: InMemoryApp, start: str, written: Callable[[str], str]
) -> None:
    unknown = base64.b64encode(bytes(64)).decode()
    response = reset(app, written(start + unknown[len(start) :]))
    assert (response.status, response.message[:6]) == (404, "keyId:")


def test_both_pairs_are_listed_with_private_keys_sealed_for_the_caller(app: InMemoryApp) -> None:
    response = app.call("GET", KEYS)
    service, signing = response.json
    assert response.status == 200
    assert list(service) == ["tag", "keyId", "keySecret", "type"]
    assert (service["tag"], service["type"], service["keyId"]) == ("service", "ecdsa", app.public_key)
    private = SYSTEM.open(app.public_key, service["keySecret"])
    assert private == app.keys.read_now().current.to_base64()
    assert signing["tag"] == "signing"
    jwks = app.call("GET", "/.well-known/jwks.json", by=None).json["keys"]
    point = base64.b64decode(signing["keyId"])
    assert base64.urlsafe_b64decode(jwks[0]["x"] + "=") == point[:32]


@pytest.mark.parametrize(
    "written",
    [
        encoded,
        str,
        lambda key_id: key_id.replace("+", "-").replace("/", "_"),
        lambda key_id: key_id.replace("+", "-").replace("/", "_").rstrip("="),
        lambda key_id: key_id.replace("+", " "),
        lambda key_id: f"{key_id}/",
    ],
)
def test_a_key_id_is_read_in_every_spelling(app: InMemoryApp, written: Callable[[str], str]) -> None:
    old = app.public_key
    response = reset(app, written(old))
    assert response.status == 200
    [fresh] = response.json
    assert fresh["keyId"] == app.public_key != old
    # The response is sealed under the key that the caller used.
    assert SYSTEM.open(old, fresh["keySecret"]) == app.keys.read_now().current.to_base64()


@pytest.mark.parametrize("key_id", ["x", "AAAA", "%00", "a/b/c", "é", "A" * 5000, "%", "=", ".."])
def test_a_malformed_public_key_is_a_400(app: InMemoryApp, key_id: str) -> None:
    response = reset(app, key_id)
    assert response.status == 400
    assert response.message.startswith("keyId: must be ")


def test_a_key_that_is_not_in_use_is_a_404(app: InMemoryApp) -> None:
    assert reset(app, encoded(SYSTEM.pair.public)).status == 404


def test_envelopes_for_the_key_before_are_read_for_its_grace(app: InMemoryApp) -> None:
    old = app.public_key
    assert reset(app, encoded(old)).status == 200
    app.clock.now += NOTICE + GRACE - 1
    response = fetch_with(app, old)
    assert response.status == 200
    assert response.json["publicKey"] == old, "values for a caller are encrypted under the key they know"
    assert fetch_with(app, app.public_key).json["publicKey"] == app.public_key
    app.clock.now += 1
    assert fetch_with(app, old).status == 401
    assert fetch_with(app, app.public_key).status == 200


def fetch_with(app: InMemoryApp, service_public: str) -> ApiResponse:
    headers = SYSTEM.headers(service_public, ts=app.clock.now)
    return app.call("POST", f"{BASE}/webhooks/fetch", {}, by=None, headers=headers)


def test_the_repeat_of_a_reset_changes_nothing_more(app: InMemoryApp) -> None:
    old = app.public_key
    headers = SYSTEM.headers(old, uuid="reset")
    first = reset(app, encoded(old), by=None, headers=headers).json
    again = reset(app, encoded(old), by=None, headers=headers).json
    assert first[0]["keyId"] == again[0]["keyId"] == app.public_key
    assert reset(app, encoded(old)).status == 404, "another request for a key that is gone"


def test_the_repeat_of_a_reset_gets_its_own_key_after_another_reset(app: InMemoryApp) -> None:
    old = app.public_key
    headers = SYSTEM.headers(old, uuid="reset")
    first = reset(app, encoded(old), by=None, headers=headers).json[0]["keyId"]
    second = reset(app, encoded(first)).json[0]["keyId"]
    assert reset(app, encoded(old), by=None, headers=headers).json[0]["keyId"] == first != second
    assert app.call("GET", KEYS).json[0]["keyId"] == second


def test_a_second_reset_within_the_grace_locks_no_client_out(app: InMemoryApp) -> None:
    keys = [app.public_key]
    for _ in range(3):
        app.clock.now += 90
        keys.append(reset(app, encoded(keys[-1])).json[0]["keyId"])
    assert [fetch_with(app, key).status for key in keys] == [200] * 4
    app.clock.now += NOTICE + GRACE - 180
    assert [fetch_with(app, key).status for key in keys] == [401, 200, 200, 200]
    app.clock.now += 180
    assert [fetch_with(app, key).status for key in keys] == [401, 401, 401, 200]


def test_a_reset_key_is_returned_at_once_and_published_a_minute_later(app: InMemoryApp) -> None:
    old = app.public_key
    fresh = reset(app, encoded(old)).json[0]["keyId"]
    assert app.call("GET", KEYS).json[0]["keyId"] == fresh
    for second in (0, NOTICE - AHEAD, NOTICE - 1, NOTICE, NOTICE + GRACE):
        app.clock.now = NOW + second
        shown = fresh if second >= NOTICE else old
        assert app.call("GET", "/publickeys", by=None).json == {"publicKey": shown}
        assert app.call("GET", "/.well-known", by=None).json == {"public_key": shown}
        assert app.call("GET", "/healthz", by=None).json["publicKey"] == shown
        assert fetch_with(app, fresh).status == 200, "a client may use it as soon as the reset answers it"


def test_raw_credentials_are_answered_under_the_shown_key() -> None:
    app = InMemoryApp(raw_headers=True)
    old = app.public_key
    fresh = reset(app, encoded(old)).json[0]["keyId"]
    for second, shown in ((NOTICE - 1, old), (NOTICE, fresh)):
        app.clock.now = NOW + second
        response = app.call("POST", f"{BASE}/webhooks/fetch", {}, by=None, headers=raw())
        assert response.json["publicKey"] == shown


def test_a_loop_of_resets_ends_in_a_409_with_the_time_to_try_again(app: InMemoryApp) -> None:
    keys = [app.public_key]
    for _ in range(MOST - 1):
        keys.append(reset(app, encoded(keys[-1])).json[0]["keyId"])
    response = reset(app, encoded(keys[-1]))
    assert (response.status, response.json["error"]) == (409, "Conflict")
    assert f"ends in {NOTICE + GRACE} seconds, reset again then" in response.message
    assert [fetch_with(app, key).status for key in keys] == [200] * MOST


def test_a_reset_of_the_signing_pair_uses_the_next_key_and_keeps_the_last(app: InMemoryApp) -> None:
    jwks = [app.call("GET", "/.well-known/jwks.json", by=None).json["keys"]]
    signing = app.call("GET", KEYS).json[1]["keyId"]
    assert reset(app, encoded(signing)).json[0]["tag"] == "signing"
    jwks.append(app.call("GET", "/.well-known/jwks.json", by=None).json["keys"])
    app.clock.now += NOTICE + GRACE
    jwks.append(app.call("GET", "/.well-known/jwks.json", by=None).json["keys"])
    ids = [[key["kid"] for key in keys] for keys in jwks]
    assert [len(each) for each in ids] == [2, 3, 2]
    assert ids[1][0] == ids[0][1]
    assert ids[1][2] == ids[0][0]
    assert ids[2] == ids[1][:2]


def negated(public_key: str) -> str:
    raw = base64.b64decode(public_key)
    x, y = raw[:32], int.from_bytes(raw[32:])
    return base64.b64encode(x + (plain_protocol.SECP256K1.p - y).to_bytes(32)).decode()


def test_a_replay_under_the_negated_public_key_repeats_the_same_caller(app: InMemoryApp) -> None:
    headers = SYSTEM.headers(app.public_key, uuid="one and the same")
    replayed = headers | {"publickey": negated(headers["publickey"])}
    assert replayed != headers
    created, again, negative = (
        app.call("PUT", f"{BASE}/webhook", webhook_body(), by=None, headers=each)
        for each in (headers, headers, replayed)
    )
    assert (created.status, again.status, negative.status) == (200, 200, 200)
    assert created.json["_id"] == again.json["_id"] == negative.json["_id"]
    assert app.fetch()["page"]["total"] == 1


def test_a_caller_with_a_short_or_long_private_key_is_the_same_caller(app: InMemoryApp) -> None:
    small = Client(SYSTEM.license_key, scalar=5)
    assert app.call("GET", KEYS, by=small).status == 200
