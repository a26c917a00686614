"""Chromium, and pages of it that record their requests and their complaints."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tests.browser.service import Service
from tools.pages import chromium

# Chromium itself asks no other host either, and draws alike on every machine.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
]
SECONDS = 20.0  # a machine may be busy
expect.set_options(timeout=SECONDS * 1000)
VIOLATIONS = (
    "document.addEventListener('securitypolicyviolation', e => console.error('CSP: ' + e.violatedDirective))"
)


@dataclass
class Recorded:
    """The requests of a page, and its complaints."""

    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def texts(self) -> list[str]:
        """Return each request as one text: method, URL, headers and body."""
        return [
            "\n".join((each.method, each.url, repr(each.all_headers()), each.post_data or ""))
            for each in self.requests
        ]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium.require()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


def open_context(browser: Browser, **settings: Any) -> BrowserContext:
    """Open a window of a person in London in summer: times differ from UTC."""
    chosen = {
        "viewport": {"width": 1440, "height": 960},
        "locale": "en-GB",
        "timezone_id": "Europe/London",
        "reduced_motion": "reduce",
        "color_scheme": "light",
        **settings,
    }
    context = browser.new_context(**chosen)
    context.set_default_timeout(SECONDS * 1000)
    return context


def record(page: Page, recorded: Recorded) -> None:
    """Record a page's requests and complaints from now on."""
    page.add_init_script(VIOLATIONS)
    page.on("request", lambda request: recorded.requests.append(request))  # noqa: PLW0108 - it wants a function
    page.on("pageerror", lambda error: recorded.complaints.append(str(error)))
    page.on("console", lambda message: _complain(message, recorded))


def _complain(message: ConsoleMessage, recorded: Recorded) -> None:
    if message.type == "error":
        recorded.complaints.append(message.text)


@pytest.fixture
def page(browser: Browser, recorded: Recorded) -> Iterator[Page]:
    """A page of 1,440 by 960. Errors of its scripts and violations of its policy fail the test."""
    context = open_context(browser)
    page = context.new_page()
    record(page, recorded)
    yield page
    context.close()
    # A response that is an error is logged by Chromium itself.
    assert [each for each in recorded.complaints if "Failed to load resource" not in each] == []
