"""Behind a custom domain: API Gateway puts the mapping's base path before ours in every path it gives."""

import pytest

from tests.factories import BASE, InMemoryApp, api_event, read_response

BASE_TEMPLATE = "/tenant/{tenantId}/community/{communityId}"
CREATE = f"{BASE_TEMPLATE}/webhook"
BASE_PATHS = ["", "/hooks", "/platform/hooks"]


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


@pytest.mark.parametrize("base", BASE_PATHS)
@pytest.mark.parametrize(
    ("request_line", "resource", "expected"),
    [
        ("GET /publickeys", "/publickeys", ("discovery", 200)),
        ("GET /publickeys/", "/publickeys", ("discovery", 200)),
        ("GET /.well-known/jwks.json", "/.well-known/jwks.json", ("discovery", 200)),
        ("POST /publickeys", "/publickeys", ("discovery", 405)),
        ("GET /nothing/here", "/{proxy+}", ("discovery", 404)),
        (f"PUT {BASE}/webhook", CREATE, ("webhooks", 401)),
        (f"GET {BASE}/webhook/{'a' * 24}/secret", f"{CREATE}/{{webhookId}}/secret", ("webhooks", 401)),
        (f"PUT {BASE}/event/a//b", f"{BASE_TEMPLATE}/event/{{eventName+}}", ("events", 401)),
        ("DELETE /servicekey/a//b/c=", "/servicekey/{keyId+}", ("service_keys", 401)),
        ("POST /ecdsa_helper/encrypt", "/ecdsa_helper/{method}", ("ecdsa_helper", 400)),
    ],
)
def test_every_path_is_found(
    app: InMemoryApp, base: str, request_line: str, resource: str, expected: tuple[str, int]
) -> None:
    method, path = request_line.split()
    full, (name, status) = base + path, expected
    event = api_event(method, full, resource=resource, body="{}", context={"path": full})
    assert read_response(app.apis[name].handle(event, None)).status == status


@pytest.mark.parametrize("base", BASE_PATHS)
def test_the_service_directory_has_the_base_path(app: InMemoryApp, base: str) -> None:
    event = api_event("GET", f"{base}/sd", resource="/sd", context={"path": f"{base}/sd"})
    response = read_response(app.apis["discovery"].handle(event, None))
    assert response.json["webhooks"] == f"https://api.example.com{base}"


def test_a_path_stays_whole_if_the_stage_has_no_base_path(app: InMemoryApp) -> None:
    event = api_event("GET", "/hooks/publickeys", resource="/publickeys")
    assert read_response(app.apis["discovery"].handle(event, None)).status == 404
