"""The reference page as a reader uses it."""

import base64
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.service import Service
from tests.factories import SYSTEM, Client


def secret_of(client: Client) -> str:
    """Return a client's private key as a person types it."""
    return base64.b64encode(client.scalar.to_bytes(32)).decode()


class Reference:
    """A page that shows the reference of a service."""

    def __init__(self, page: Page, service: Service, place: str = "") -> None:
        self.page = page
        self.service = service
        page.goto(f"{service.url}/docs{place}")

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("dialog", name="Authorize")

    def field(self, label: str) -> Locator:
        """Return a field of the Authorize box."""
        return self.box.get_by_role("textbox", name=label)

    def open_box(self) -> None:
        self.page.get_by_role("banner").get_by_role("button", name="Authorize").click()
        expect(self.box).to_be_visible()

    def fill_box(self, **values: str) -> None:
        for label, value in values.items():
            self.field(label).fill(value)

    def accept(self) -> None:
        self.box.get_by_role("button", name="Authorize").click()

    def authorize(self, client: Client = SYSTEM, *, is_open: bool = False, **values: str) -> None:
        if not is_open:
            self.open_box()
        given = {"keyId": client.pair.public, "keySecret": secret_of(client), "license": client.license_key}
        self.fill_box(**(given | values))
        self.accept()
        expect(self.box).to_be_hidden()

    def form(self, operation: str) -> Locator:
        return self.page.get_by_role("form", name=f"Send {operation}", exact=True)

    def send(self, operation: str, **parameters: str) -> Locator:
        """Fill the form and send it; returns the form, once the response is there."""
        form = self.form(operation)
        for name, value in parameters.items():
            form.get_by_label(name).fill(value)
        form.get_by_role("button", name="Send", exact=True).click()
        expect(form.get_by_text("Headers of the response")).to_be_visible()
        return form

    def body(self, operation: str) -> Locator:
        return self.form(operation).get_by_role("textbox", name="Body")


def sections(page: Page) -> list[str]:
    """Return the ids of the operations that the page shows, callbacks included."""
    found: Any = page.locator("section.op").evaluate_all(
        "all => all.map(e => e.getAttribute('aria-labelledby'))"
    )
    return [str(each) for each in found]
