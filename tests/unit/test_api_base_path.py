"""Behind a custom domain: API Gateway puts the mapping's base path before ours in every path it gives."""

import pytest

from tests.factories import BASE, World, api_event, read_answer

CREATE = "/tenant/{tenantId}/community/{communityId}/webhook"
BASE_PATHS = ["", "/hooks", "/platform/hooks"]


@pytest.fixture
def world():
    return World()


@pytest.mark.parametrize("base", BASE_PATHS)
@pytest.mark.parametrize(
    ("name", "method", "path", "resource", "status"),
    [
        ("discovery", "GET", "/publickeys", "/publickeys", 200),
        ("discovery", "GET", "/publickeys/", "/publickeys", 200),
        ("discovery", "GET", "/.well-known/jwks.json", "/.well-known/jwks.json", 200),
        ("discovery", "POST", "/publickeys", "/publickeys", 405),
        ("discovery", "GET", "/nothing/here", "/{proxy+}", 404),
        ("webhooks", "PUT", f"{BASE}/webhook", CREATE, 401),
        ("webhooks", "GET", f"{BASE}/webhook/{'a' * 24}/secret", f"{CREATE}/{{webhookId}}/secret", 401),
        ("service_keys", "DELETE", "/servicekey/a//b/c=", "/servicekey/{keyId+}", 401),
        ("ecdsa_helper", "POST", "/ecdsa_helper/encrypt", "/ecdsa_helper/{method}", 400),
    ],
)
def test_every_path_is_found(world, base, name, method, path, resource, status):
    full = base + path
    event = api_event(method, full, resource=resource, body="{}", context={"path": full})
    assert read_answer(world.apis[name].handle(event, None)).status == status


@pytest.mark.parametrize("base", BASE_PATHS)
def test_the_service_directory_says_the_base_path(world, base):
    event = api_event("GET", f"{base}/sd", resource="/sd", context={"path": f"{base}/sd"})
    answer = read_answer(world.apis["discovery"].handle(event, None))
    assert answer.json["webhooks"] == f"https://api.example.com{base}"


def test_nothing_is_taken_off_a_path_where_a_stage_says_that_there_is_no_base_path(world):
    event = api_event("GET", "/hooks/publickeys", resource="/publickeys")
    assert read_answer(world.apis["discovery"].handle(event, None)).status == 404
