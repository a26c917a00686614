"""With the stage in the path and by a domain of one's own, the API is the same."""

import re
import subprocess

import pytest

from tests.factories import InMemoryApp, api_event, read_response
from tests.readme_verifiers import NODE
from tests.template.template import ROOT

DOMAIN = "hooks.example.com"
GATEWAY = "abc123.execute-api.eu-west-1.amazonaws.com"
PATHS = ["/publickeys", "/.well-known/jwks.json", "/openapi.json", "/environment", "/nothing/here"]


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


def by_stage(path: str) -> dict[str, object]:
    context = {"domainName": GATEWAY, "path": f"/prod{path}"}
    return api_event("GET", path, resource=path, headers={"Host": GATEWAY}, context=context)


def by_domain(path: str) -> dict[str, object]:
    context = {"domainName": DOMAIN, "path": path}
    return api_event("GET", path, resource=path, headers={"Host": DOMAIN}, context=context)


@pytest.mark.parametrize("path", PATHS)
def test_a_response_depends_on_neither_stage_nor_domain(app: InMemoryApp, path: str) -> None:
    first, second = (
        read_response(app.apis["discovery"].handle(made(path), None)) for made in (by_stage, by_domain)
    )
    assert (first.status, first.text) == (second.status, second.text)


def test_the_service_directory_has_the_address_of_the_request(app: InMemoryApp) -> None:
    found = [
        read_response(app.apis["discovery"].handle(made("/sd"), None)).json["webhooks"]
        for made in (by_stage, by_domain)
    ]
    assert found == [f"https://{GATEWAY}/prod", f"https://{DOMAIN}"]


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("/console", "/"),
        ("/console/", "/"),
        ("/docs", "/"),
        ("/prod/console", "/prod/"),
        ("/platform/hooks/docs", "/platform/hooks/"),
    ],
)
def test_the_pages_find_the_api_beside_them(path: str, base: str) -> None:
    source = (ROOT / "web/src/shared/client.ts").read_text("utf-8")
    found = re.search(r"export const BASE = (new URL\(.*\));", source)
    assert found
    script = f"const location = new URL('https://{DOMAIN}{path}'); process.stdout.write(String({found[1]}))"
    shown = subprocess.run([NODE, "-e", script], capture_output=True, text=True, check=True).stdout
    assert shown == f"https://{DOMAIN}{base}"
