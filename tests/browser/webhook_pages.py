"""The view of one webhook, as tests open it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Recorded, open_context, record
from tests.browser.service import MINUTE, Service
from tests.factories import BASE, SCOPE, SYSTEM
from webhooks.domain.health import State
from webhooks.domain.webhook import Webhook


def open_webhook(service: Service, page: Page, webhook_id: str, query: str = "") -> None:
    """Open the console connected, and one webhook in it."""
    page.goto(service.ready())
    expect(page.get_by_role("heading", name="Webhooks", exact=True)).to_be_visible()
    go(page, f"#/webhooks/{webhook_id}{query}")
    expect(page.get_by_role("heading", name="Health", exact=True)).to_be_visible()


def go(page: Page, address: str) -> None:
    """Go to an address of the console."""
    page.evaluate("address => { location.hash = address }", address)


def path(webhook_id: str, more: str = "") -> str:
    """Return the pattern of a webhook's requests, for Page.route."""
    return f"**/webhook/{webhook_id}{more}"


def error(status: int, message: str) -> dict[str, Any]:
    """Return the service's response to a request that fails, for Route.fulfill."""
    names = {
        401: "Unauthorized",
        403: "Forbidden",
        404: "Not Found",
        409: "Conflict",
        429: "Too Many Requests",
    }
    return {
        "status": status,
        "json": {"statusCode": status, "error": names.get(status, "Service Unavailable"), "message": message},
    }


def stored(service: Service, webhook_id: str) -> dict[str, Any]:
    """Return a webhook as the API shows it."""
    content: dict[str, Any] = service.app.call("GET", f"{BASE}/webhook/{webhook_id}").json
    return content


def secret(service: Service, webhook_id: str) -> str:
    """Return a webhook's present signing secret."""
    sealed = service.app.call("GET", f"{BASE}/webhook/{webhook_id}/secret").json["signingSecret"]
    return SYSTEM.open(service.app.public_key, sealed)


def connected(browser: Browser, service: Service, *, now: float | None = None) -> Iterator[Page]:
    """Yield a page that is connected, for the tests of a module; nothing may go wrong in it.

    `now`: its clock stands there, in epoch seconds.
    """
    context = open_context(browser)
    recorded = Recorded()
    page = context.new_page()
    record(page, recorded)
    if now is not None:
        page.clock.set_fixed_time(now)
    page.goto(service.ready())
    expect(page.get_by_role("heading", name="Webhooks", exact=True)).to_be_visible()
    yield page
    context.close()
    assert [each for each in recorded.complaints if "Failed to load resource" not in each] == []


def anew(page: Page, webhook_id: str, query: str = "") -> Page:
    """Show a webhook in a connected page, without anything that was done in it before."""
    page.unroute_all()
    page.set_viewport_size({"width": 1440, "height": 960})
    go(page, "#/explain")
    expect(page.get_by_role("heading", name="Health", exact=True)).to_have_count(0)
    go(page, f"#/webhooks/{webhook_id}{query}")
    expect(page.get_by_role("heading", name="Health", exact=True)).to_be_visible()
    return page


def disable(service: Service, webhook_id: str, reason: str) -> None:
    """Disable a webhook as the service does, six hours ago."""
    before = service.app.subscriptions.get(SCOPE, webhook_id)
    assert isinstance(before, Webhook)
    after = replace(
        before,
        revision=before.revision + 1,
        definition=replace(before.definition, disabled=True),
        disabled_reason=reason,
        health=before.health.changed(
            service.now - 6 * 60 * MINUTE, State.DISABLED, reason or "disabled by its tenant"
        ),
    )
    service.app.subscriptions.change(before, after, record=None)
