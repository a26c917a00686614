"""The API as the platform's clients see it, on the deployed template."""

import json
import time
import uuid
from typing import Any

import pytest

from tests import plain_protocol as protocol
from tests.e2e.platform_client import PlatformClient
from tests.e2e.targets import UNCALLED_URL


def webhook_body(**changes: Any) -> dict[str, Any]:
    return {
        "eventNames": ["order.paid"],
        "name": "e2e",
        "api": {"type": "POST", "url": UNCALLED_URL, "authType": "none"},
        "successCodes": [200],
        **changes,
    }


def created(client: PlatformClient, **changes: Any) -> dict[str, Any]:
    response = client.call("PUT", "webhook", webhook_body(**changes))
    assert response.status == 200, response.body
    webhook: dict[str, Any] = response.json
    return webhook


@pytest.mark.parametrize("path", ["/environment", "/healthz", "/publickeys", "/sd", "/.well-known"])
def test_discovery_needs_no_license(system: PlatformClient, path: str) -> None:
    response = system.plain("GET", path)

    assert response.status == 200
    assert response.headers["x-request-id"]


def test_discovery_describes_the_deployment(system: PlatformClient) -> None:
    health = system.plain("GET", "/healthz").json
    assert health["status"] == "all services operational"
    assert health["code"] == "200"
    assert len(health["version"].split(".")) >= 2
    assert health["publicKey"] == system.plain("GET", "/publickeys").json["publicKey"]
    assert system.plain("GET", "/.well-known").json["public_key"] == health["publicKey"]
    assert system.plain("GET", "/environment").json["EC_CURVE_NAME"] == "secp256k1"
    assert system.plain("GET", "/sd").json["webhooks"] == system.api_url
    assert len(system.plain("GET", "/.well-known/jwks.json").json["keys"]) == 2
    assert system.plain("GET", "/openapi.json").json["openapi"].startswith("3.1")
    assert b"<html" in system.plain("GET", "/docs").body


def test_a_webhook_is_created_fetched_changed_and_deleted(
    system: PlatformClient, service: PlatformClient
) -> None:
    tag = uuid.uuid4().hex
    credential = {"username": "ann", "password": "s3cret"}
    api = {"type": "PUT", "url": UNCALLED_URL, "authType": "basic", "credential": credential}

    webhook = created(system, api=api, tags=[tag], query=[{"a.b": 1}], ttl=3)

    assert len(webhook["_id"]) == 24
    assert system.unseal(webhook["api"]["credential"]["password"]) == "s3cret"
    assert system.unseal(webhook["signingSecret"]).startswith("whsec_")
    page = system.call("POST", "webhooks/fetch", {"tags": [tag]}).json
    assert page["page"] == {"index": 0, "total": 1, "size": 25}
    assert page["publicKey"] == system.service_key
    assert system.unseal(page["data"][0]["api"]["credential"]["username"]) == "ann"
    assert "credential" not in service.call("POST", "webhooks/fetch", {"tags": [tag]}).json["data"][0]["api"]

    patched = system.call("PATCH", f"webhook/{webhook['_id']}", {"name": "changed", "disabled": True})
    assert patched.status == 200, patched.body
    assert (patched.json["name"], patched.json["disabled"], patched.json["ttl"]) == ("changed", True, 3)
    assert system.unseal(patched.json["api"]["credential"]["password"]) == "s3cret"

    secret = system.call("GET", f"webhook/{webhook['_id']}/secret").json
    assert system.unseal(secret["signingSecret"]) == system.unseal(webhook["signingSecret"])
    deleted = system.call("DELETE", f"webhook/{webhook['_id']}")
    assert (deleted.status, deleted.body) == (204, b"")
    assert system.call("DELETE", f"webhook/{webhook['_id']}").status == 404
    assert system.call("PATCH", f"webhook/{webhook['_id']}", {"name": "x"}).status == 404


def test_a_changed_credential_is_the_one_that_is_shown(system: PlatformClient) -> None:
    bearer = {"url": UNCALLED_URL, "authType": "bearer", "credential": {"token": "first"}}
    webhook = created(system, api=bearer)

    changed = system.call("PATCH", f"webhook/{webhook['_id']}", {"api": {"credential": {"token": "second"}}})

    assert changed.status == 200, changed.body
    assert system.unseal(changed.json["api"]["credential"]["token"]) == "second"
    tagged = system.call("POST", "webhooks/fetch", {"pSize": 100}).json["data"]
    [stored] = [each for each in tagged if each["_id"] == webhook["_id"]]
    assert system.unseal(stored["api"]["credential"]["token"]) == "second"


def test_pages_hold_every_webhook_once_newest_first(system: PlatformClient) -> None:
    client = PlatformClient(system.api_url, system.license_key, community=f"pages-{uuid.uuid4().hex[:8]}")
    made = [created(client, name=f"n{number}")["_id"] for number in range(7)]

    pages = [client.call("POST", "webhooks/fetch", {"pIndex": index, "pSize": 3}).json for index in range(4)]

    assert [each["_id"] for page in pages for each in page["data"]] == made[::-1]
    assert [page["page"] for page in pages] == [{"index": i, "total": 7, "size": 3} for i in range(4)]


def test_an_exact_repeat_gets_the_first_response_and_changes_nothing(system: PlatformClient) -> None:
    client = PlatformClient(system.api_url, system.license_key, community=f"rep-{uuid.uuid4().hex[:8]}")
    headers, body = client.headers(), json.dumps(webhook_body()).encode()

    first, second = (client.call("PUT", "webhook", body, headers=headers) for _ in range(2))

    assert first.status == second.status == 200
    assert first.json == second.json
    assert client.call("POST", "webhooks/fetch", {}).json["page"]["total"] == 1
    deletion = client.headers()
    responses = [client.call("DELETE", f"webhook/{first.json['_id']}", headers=deletion) for _ in range(2)]
    assert [each.status for each in responses] == [204, 204]


def test_a_caller_without_permission_gets_the_reason(system: PlatformClient, service: PlatformClient) -> None:
    elsewhere = PlatformClient(service.api_url, service.license_key, community="other")
    assert elsewhere.call("POST", "webhooks/fetch", {}).status == 403
    assert service.call("GET", "/servicekeys").status == 403
    stranger = PlatformClient(service.api_url, str(uuid.uuid4()))
    assert stranger.call("POST", "webhooks/fetch", {}).status == 401
    assert service.plain("POST", "/tenant/acme/community/main/webhooks/fetch", {}).status == 401
    late = service.headers(ts=time.time() - 3600)
    assert service.call("POST", "webhooks/fetch", {}, headers=late).status == 401
    raw = {"keyId": service.keys.public, "keySecret": service.keys.private, "license": service.license_key}
    refused = service.call("POST", "webhooks/fetch", {}, headers=raw)
    assert refused.status == 401
    assert "licensekey" in refused.json["message"]


def test_every_error_has_the_envelope(system: PlatformClient) -> None:
    wrong = system.call("PUT", "webhook", {"name": 7, "successCodes": [], "extra": 1})
    assert wrong.status == 400
    for named in ("eventNames", "name", "api", "successCodes", "extra"):
        assert named in wrong.json["message"]
    responses = [
        (400, wrong),
        (404, system.plain("GET", "/nowhere")),
        (404, system.plain("PUT", "/tenant/acme/nowhere", {})),
        (405, system.call("GET", "webhook")),
        (405, system.plain("POST", "/publickeys", {})),
        (
            415,
            system.call("PUT", "webhook", b"<x/>", headers=system.headers() | {"Content-Type": "text/xml"}),
        ),
    ]
    for status, response in responses:
        assert response.status == status
        assert response.json["statusCode"] == status
        assert set(response.json) == {"statusCode", "error", "message"}
        assert response.headers["x-request-id"]
    assert responses[3][1].headers["Allow"] == "PUT"
    assert responses[4][1].headers["Allow"] == "GET"


def test_ecdsa_helper_works_both_ways(system: PlatformClient) -> None:
    other = protocol.new_key_pair()
    body = {"data": "héllo ✓", "publicKey": other.public, "privateKey": system.keys.private}

    sealed = system.plain("POST", "/ecdsa_helper", body).json

    assert sealed["publicKey"] == system.keys.public
    back = {"dataStr": sealed["data"], "publicKey": system.keys.public, "privateKey": other.private}
    assert system.plain("POST", "/ecdsa_helper/decrypt", back).json["data"] == "héllo ✓"
    assert system.plain("POST", "/ecdsa_helper/shred", body).status == 400
