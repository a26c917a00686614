"""The document describes the functions: every path and method, and responses that keep to their schemas."""

import json
import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from local import openapi
from tests.contract.logged import FAILED, REFUSED, entry
from tests.factories import BASE, COMMUNITY, SCOPE, SYSTEM, TENANT, InMemoryApp, basic_api, webhook_body
from tests.fakes.keys import FakeMaster
from tools.openapi.document import make_document
from webhooks.domain.delivery import delivery_of
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.event import parse_event
from webhooks.domain.retry import DEFAULT_RETRY_CODES
from webhooks.services.dispatch.callback_request import CallbackSigner

ROOT = Path(__file__).parents[2]
DOCUMENT = json.loads(openapi.text())
HEADERS = {"licensekey", "requestid", "publickey"}


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    ]


def resolve(value: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in value:
        found = DOCUMENT
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        value = found
    return value


def check(content: Any, schema: dict[str, Any]) -> None:
    jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(content)


def test_the_committed_document_is_up_to_date() -> None:
    assert openapi.FILE.read_text() == openapi.text()
    assert openapi.main(["--check"]) == 0


def test_the_document_in_docs_is_the_same_file() -> None:
    assert (ROOT / "docs" / "openapi.json").resolve() == openapi.FILE.resolve()
    assert not Path((ROOT / "docs" / "openapi.json").readlink()).is_absolute()


def test_the_document_has_exactly_the_routes_of_the_functions(app: InMemoryApp) -> None:
    def template(rule: str) -> str:
        rule = rule.replace("\\", "").replace("[^?]+", "{keyId}").replace("[^\n]+", "{eventName}")
        return re.sub(r"<(\w)(\w*?)(?:_(\w)(\w+))?>", _camel, rule)

    routed = {
        (method.lower(), template(rule))
        for api in app.apis.values()
        for rule, methods in api.paths.items()
        for method in methods
    }
    assert routed == {(method, path) for method, path, _ in operations()}


def _camel(match: re.Match[str]) -> str:
    first, rest, second, tail = match.groups()
    return f"{{{first}{rest}{second.upper() + tail if second else ''}}}"


def test_every_operation_is_described_in_full() -> None:
    for method, path, operation in operations():
        assert operation["summary"].endswith(".")
        assert {"404", "405", "429", "500", "503"} <= set(operation["responses"])
        given = [resolve(parameter) for parameter in operation.get("parameters", [])]
        names = {parameter["name"] for parameter in given if parameter["in"] != "query"}
        assert set(re.findall(r"{(\w+)}", path)) == names
        signed = path.startswith(("/tenant", "/servicekey", "/communities"))
        assert operation.get("security") == ([{name: [] for name in HEADERS}] if signed else None)
        assert ({"400", "401", "403"} <= set(operation["responses"])) == signed
        has_body = method in {"post", "put", "patch"} and not path.endswith("/rotate")
        assert ("requestBody" in operation) == has_body
    assert len({operation["operationId"] for _, _, operation in operations()}) == len(operations())


def test_every_response_has_the_request_id_and_every_error_its_body() -> None:
    for _, _, operation in operations():
        for status, response in operation["responses"].items():
            described = resolve(response)
            assert "x-request-id" in described["headers"]
            if status >= "400":
                content = described["content"]["application/json"]
                check({"statusCode": int(status), "error": "x", "message": "y"}, content["schema"])


def test_every_reference_resolves() -> None:
    for reference in re.findall(r'"\$ref": "([^"]+)"', json.dumps(DOCUMENT)):
        assert resolve({"$ref": reference})


def test_the_schemas_are_valid() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def test_every_accepted_field_is_described() -> None:
    taken = {
        name: schema["properties"]
        for name, schema in DOCUMENT["components"]["schemas"].items()
        if name.endswith(("In", "Patch"))
    }
    assert len(taken) >= 8
    for name, fields in taken.items():
        for field, schema in fields.items():
            assert schema.get("description", "").strip().endswith("."), f"{name}.{field}"
            assert len(schema["description"]) > 15, f"{name}.{field}"


def test_every_field_of_a_response_is_described() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            text = described.get("description") or resolve(described).get("description", "")
            assert text.strip().endswith("."), f"{name}.{field}"


def test_every_tag_is_described_and_used() -> None:
    used = {tag for _, _, operation in operations() for tag in operation["tags"]} | {"Callback"}
    assert {tag["name"] for tag in DOCUMENT["tags"]} == used
    assert all(tag["description"].endswith(".") for tag in DOCUMENT["tags"])


def test_the_three_headers_are_security_schemes_and_no_parameters() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert schemes.keys() == HEADERS
    for name, scheme in schemes.items():
        assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", name)
        assert scheme["description"].endswith(".")
    assert not HEADERS & set(DOCUMENT["components"]["parameters"])


def test_a_field_that_may_be_null_has_one_schema() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            for choice in described.get("anyOf", []):
                assert choice == {"type": "null"} or "$ref" in choice, f"{name}.{field}"


def test_the_callback_is_described_as_sent() -> None:
    [operation] = DOCUMENT["webhooks"]["event"].values()
    event = parse_event(
        json.dumps(
            {
                "eventName": "Build Finished",
                "tenantId": TENANT,
                "communityId": COMMUNITY,
                "data": {"a": [1.5]},
            }
        ),
        message_id="m",
        sent_at=1_790_000_000_123,
    )
    delivery = delivery_of(event, "6923a9e2000000000000001f")
    app = InMemoryApp()
    app.create(api={"url": "https://hooks.example.com/in"})
    [webhook] = app.subscriptions.page(SCOPE, index=0, size=1, tags=()).webhooks
    signer = CallbackSigner(service=app.keys, signing=app.signing_keys, master=FakeMaster(b"m" * 64))
    request = signer.request(webhook, delivery, now=1_790_000_000)

    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    check(json.loads(request.body), schema)
    assert set(resolve(schema)["properties"]) == set(json.loads(request.body))
    described = {parameter["name"] for parameter in operation["parameters"]}
    assert described | {"Accept", "Content-Type", "User-Agent"} == set(request.headers)
    for example in operation["requestBody"]["content"]["application/json"]["examples"].values():
        check(example["value"], schema)
    codes = "408, 425, 429 and every 5xx but 501 and 505"
    assert codes in " ".join(operation["description"].split())
    assert codes in DOCUMENT["components"]["schemas"]["WebhookIn"]["properties"]["retryCodes"]["description"]
    assert {0, 408, 425, 429, *range(500, 600)} - {501, 505} == DEFAULT_RETRY_CODES


def test_every_example_conforms_to_its_schema() -> None:
    for _, _, operation in operations():
        for media in operation.get("requestBody", {}).get("content", {}).values():
            for example in media["examples"].values():
                check(example["value"], media["schema"])
        for response in operation["responses"].values():
            for media in resolve(response).get("content", {}).values():
                if "example" in media:
                    check(media["example"], media["schema"])


def test_the_examples_of_requests_are_accepted(app: InMemoryApp) -> None:
    for path in ("/webhook", "/webhooks/fetch", "/webhooks/health"):
        [operation] = DOCUMENT["paths"][f"/tenant/{{tenantId}}/community/{{communityId}}{path}"].items()
        for example in operation[1]["requestBody"]["content"]["application/json"]["examples"].values():
            response = app.call(operation[0].upper(), f"{BASE}{path}", example["value"])
            assert response.status == 200, response.text


def test_responses_conform_to_their_schemas(app: InMemoryApp) -> None:
    created = app.create(api=basic_api(), tags=["a"], query=[{"a": {"b": 1}}])
    one = f"{BASE}/webhook/{created['_id']}"
    app.deliveries.record(
        [
            entry(number, outcome, webhook_id=created["_id"], scope=SCOPE, attempts=attempts)
            for number, (outcome, attempts) in enumerate(product(Outcome, [(), (FAILED,), (REFUSED,)]))
        ]
    )
    key_id = app.public_key.replace("/", "%2F")
    published: dict[str, Any] = {"data": {}}
    requests: list[tuple[str, str, Any]] = [
        ("PUT", f"{BASE}/webhook", webhook_body()),
        ("POST", f"{BASE}/webhooks/fetch", {}),
        ("PATCH", one, {"name": "n", "rateLimit": 5, "recover": False}),
        ("PATCH", one, {"paused": True}),
        ("POST", f"{BASE}/webhooks/fetch", {"state": "paused", "name": "n"}),
        ("GET", one, None),
        ("GET", f"{one}/series", None),
        ("GET", f"{BASE}/health", None),
        ("POST", f"{BASE}/webhooks/health", {"webhookIds": [created["_id"]]}),
        ("POST", f"{BASE}/webhooks/health", {"webhookIds": []}),
        ("PATCH", one, {"paused": False}),
        ("GET", f"{one}/secret", None),
        ("PUT", f"{BASE}/event/order.paid", published),
        ("PUT", f"{BASE}/event/order.paid", {"data": 1}),
        ("POST", f"{one}/secret/rotate", None),
        ("POST", f"{one}/test", None),
        ("POST", f"{one}/test", {"data": {}}),  # the second within a second: 429
        ("POST", f"{BASE}/events/explain", {"eventId": "e", "eventName": "E_LOGIN"}),
        ("POST", f"{BASE}/events/explain", {"eventId": "e", "eventName": "none"}),
        ("POST", f"{BASE}/events/explain", {}),
        ("DELETE", one, None),
        ("DELETE", one, None),
        ("PUT", f"{BASE}/webhook", {}),
        ("GET", "/servicekeys", None),
        ("DELETE", f"/servicekey/{key_id}", None),
        ("POST", "/ecdsa_helper", {"publicKey": SYSTEM.pair.public, "privateKey": SYSTEM.pair.private}),
        *(
            ("GET", path, None)
            for path in DOCUMENT["paths"]
            if "get" in DOCUMENT["paths"][path] and "{" not in path
        ),
    ]
    for method, path, body in requests:
        response = app.call(method, path, body)
        template = path.replace(f"/{TENANT}/", "/{tenantId}/").replace(f"/{COMMUNITY}/", "/{communityId}/")
        template = template.replace(created["_id"], "{webhookId}").replace(key_id, "{keyId}")
        template = template.replace("order.paid", "{eventName}")
        described = resolve(DOCUMENT["paths"][template][method.lower()]["responses"][str(response.status)])
        content = described.get("content")
        if content is None:
            assert response.text == ""
        elif "application/json" in content:
            assert response.headers["content-type"] == "application/json"
            check(response.json, content["application/json"]["schema"])


def test_the_example_of_the_environment_has_every_limit(app: InMemoryApp) -> None:
    [content] = DOCUMENT["paths"]["/environment"]["get"]["responses"]["200"]["content"].values()
    assert content["example"]["limits"].keys() == app.call("GET", "/environment").json["limits"].keys()


def test_the_document_is_the_same_in_every_build() -> None:
    assert make_document() == make_document()
    script = (
        "import hashlib; from local.openapi import text; print(hashlib.sha256(text().encode()).hexdigest())"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1
