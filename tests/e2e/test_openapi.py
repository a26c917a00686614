"""The OpenAPI document against the deployed API: every response conforms to it, and none is a 5xx."""

import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.e2e.platform_client import PlatformClient
from tests.e2e.targets import UNCALLED_URL

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
SCHEMA = schemathesis.openapi.from_path(DOCUMENT)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
AUTH = {"licensekey", "requestid", "publickey"}


@pytest.fixture(scope="module")
def fuzzed(system: PlatformClient) -> PlatformClient:
    return PlatformClient(system.api_url, system.license_key, community="fuzz")


@pytest.fixture(scope="module")
def webhook_id(fuzzed: PlatformClient) -> str:
    body = {"eventNames": ["e"], "name": "n", "api": {"url": UNCALLED_URL}, "successCodes": [200]}
    created: str = fuzzed.call("PUT", "webhook", body).json["_id"]
    return created


@SCHEMA.parametrize()
@settings(
    max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
def test_the_document_holds_for_any_input(
    case: schemathesis.Case[Any], fuzzed: PlatformClient, webhook_id: str
) -> None:
    # Random credentials, owners and hosts would all end at the same 401, 403 and 400: those are real ones.
    if AUTH & {name.lower() for name in case.headers or {}}:
        case.headers.update(fuzzed.headers())
    if "tenantId" in case.path:
        case.path_parameters |= {"tenantId": fuzzed.tenant, "communityId": fuzzed.community}
    if "webhookId" in case.path and case.method != "DELETE":
        case.path_parameters |= {"webhookId": webhook_id}
    if isinstance(case.body, dict) and isinstance(api := case.body.get("api"), dict):
        api |= {name: UNCALLED_URL for name in ("url", "oAuthTokenUrl") if name in api}

    case.validate_response(case.call(base_url=fuzzed.api_url), checks=CHECKS)


def test_the_document_is_the_deployed_one(system: PlatformClient) -> None:
    assert system.plain("GET", "/openapi.json").json == json.loads(DOCUMENT.read_text())
