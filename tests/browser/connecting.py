"""The connect page, filled in as a person does."""

import base64

from playwright.sync_api import Page, expect

from tests.browser.service import Service
from tests.factories import COMMUNITY, SYSTEM, TENANT, Client

PASSPHRASE = "correct horse battery"


def secret(by: Client) -> str:
    """Return a private key as clients write it."""
    return base64.b64encode(by.scalar.to_bytes(32)).decode()


def open_page(page: Page, service: Service, address: str = "") -> None:
    page.goto(f"{service.url}/console{address}")
    expect(page.get_by_role("heading", name="Connect", exact=True)).to_be_visible()


def fill(
    page: Page,
    *,
    by: Client = SYSTEM,
    key_id: str | None = None,
    key_secret: str | None = None,
    license_key: str | None = None,
    tenant: str = TENANT,
    community: str = COMMUNITY,
) -> None:
    """Fill in the form; a given text stands for the caller's own."""
    texts = {
        "Public key": key_id if key_id is not None else by.pair.public,
        "Private key": key_secret if key_secret is not None else secret(by),
        "License": license_key if license_key is not None else by.license_key,
        "Tenant": tenant,
        "Community": community,
    }
    for label, text in texts.items():
        page.get_by_label(label, exact=True).fill(text)


def submit(page: Page) -> None:
    page.get_by_role("button", name="Connect", exact=True).click()


def expect_connected(page: Page) -> None:
    expect(page.get_by_role("heading", name="Webhooks", exact=True)).to_be_visible()


def expect_error(page: Page, label: str, sentence: str) -> None:
    """Expect a sentence beside a field, told to assistive programs too, and the focus there."""
    field = page.get_by_label(label, exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(sentence)
    expect(field).to_be_focused()
