"""axe finds nothing in the reference page: light, dark, the box open, a response shown, on a phone."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import Recorded, open_context, record
from tests.browser.reference import Reference
from tests.browser.service import Service

WIDTHS = {"wide": {"width": 1440, "height": 960}, "phone": {"width": 390, "height": 844}}

# Of the sections, which are written alike, each kind: the whole page takes axe ten times as long.
PARTS = [
    "header",
    "nav.side",
    "main > .text",
    *(
        f"[aria-labelledby={each}]"
        for each in ("createWebhook", "updateWebhook", "deleteWebhook", "getSeries")
    ),
    "[aria-labelledby=callback]",
    "[aria-labelledby=errors]",
]


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing(
    browser: Browser, service: Service, recorded: Recorded, scheme: Any, width: str
) -> None:
    context = open_context(browser, viewport=WIDTHS[width], color_scheme=scheme)
    page = context.new_page()
    record(page, recorded)
    reference = Reference(page, service)
    reference.open_box()
    reference.fill_box(keyId="%%%", keySecret="x", license="x")
    reference.accept()
    expect(reference.field("keyId")).to_have_attribute("aria-invalid", "true")
    assert findings(page, "dialog") == []
    page.keyboard.press("Escape")

    reference.authorize()
    reference.send("createWebhook").get_by_text("Headers of the response").click()
    reference.send("updateWebhook", Body='{"name": ""}')
    form = reference.form("deleteWebhook")
    form.get_by_label("webhookId").fill("")
    form.get_by_role("button", name="Send", exact=True).click()
    for language in ("Node.js", "Python"):
        region = page.get_by_role("region", name="Create a webhook", exact=True)
        region.get_by_text(language, exact=True).click()
    page.get_by_role("searchbox").fill("secret")
    assert findings(page, *PARTS) == []
    assert [each for each in recorded.complaints if "Failed to load resource" not in each] == []
    context.close()


def test_axe_finds_nothing_in_the_whole_page(service: Service, page: Page) -> None:
    Reference(page, service)

    assert findings(page) == []
