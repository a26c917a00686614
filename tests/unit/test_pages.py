"""The console and the reference page as their function serves them."""

import gzip
import hashlib
import re
from base64 import b64encode

import pytest

from tests.factories import ApiResponse, InMemoryApp

PAGES = ["/console", "/docs"]
MOST = 300_000  # bytes, compressed


@pytest.fixture(scope="module")
def app() -> InMemoryApp:
    return InMemoryApp()


def get(app: InMemoryApp, path: str, **headers: str) -> ApiResponse:
    return app.call("GET", path, by=None, headers=headers)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_one_file_that_loads_nothing(app: InMemoryApp, path: str) -> None:
    response = get(app, path)
    markup = re.sub(r"<(script|style)\b[^>]*>.*?</\1>", "", response.text, flags=re.DOTALL)
    loaded = re.findall(r"<(?:script|img|iframe)\b[^>]*|<link\b[^>]*", markup)

    assert response.headers["content-type"] == "text/html"
    assert [each for each in loaded if 'href="data:,"' not in each] == []
    assert len(gzip.compress(response.text.encode())) < MOST


@pytest.mark.parametrize("path", PAGES)
def test_the_policy_allows_its_own_script_and_style_and_this_api(app: InMemoryApp, path: str) -> None:
    response = get(app, path)
    policy = dict(each.split(" ", 1) for each in response.headers["content-security-policy"].split("; "))
    hashes = {
        name: [
            f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
            for text in re.findall(rf"<{name}>(.*?)</{name}>", response.text, re.DOTALL)
        ]
        for name in ("script", "style")
    }

    assert policy == {
        "default-src": "'none'",
        "script-src": " ".join(hashes["script"]),
        "style-src": " ".join(hashes["style"]),
        "img-src": "data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert [len(each) for each in hashes.values()] == [1, 1]


@pytest.mark.parametrize("path", PAGES)
def test_no_element_has_a_style_or_a_handler_that_the_policy_would_refuse(
    app: InMemoryApp, path: str
) -> None:
    markup = re.sub(r"<(script|style)\b[^>]*>.*?</\1>", "", get(app, path).text, flags=re.DOTALL)

    assert re.findall(r"<[^>]*\s(?:style|on\w+)=", markup) == []


@pytest.mark.parametrize("path", PAGES)
def test_a_browser_that_has_the_page_gets_no_body(app: InMemoryApp, path: str) -> None:
    first = get(app, path)
    again = get(app, path, **{"If-None-Match": first.headers["etag"]})
    other = get(app, path, **{"If-None-Match": '"another"'})

    assert first.headers["cache-control"] == "no-cache"
    assert (again.status, again.text) == (304, "")
    assert again.headers["etag"] == first.headers["etag"]
    assert (other.status, other.text) == (200, first.text)
