"""The form of a webhook, as a person fills it in."""

import json
import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, Request, Route, expect

from tests.browser.service import Service
from tests.factories import BASE, SCOPE, SYSTEM, Client
from webhooks.domain.webhook import Credential, Webhook

URL = "https://hooks.example.com/in"


def open_form(service: Service, page: Page, webhook_id: str | None = None, *, by: Client = SYSTEM) -> None:
    """Open the form of a new webhook, or of one that exists."""
    page.goto(service.ready(by=by))
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()
    go(page, f"#/webhooks/{webhook_id}/edit" if webhook_id else "#/webhooks/new")
    expect(field(page, "Name", "name")).to_be_visible()


def go(page: Page, address: str) -> None:
    page.evaluate("address => { location.hash = address }", address)


def field(page: Page, label: str, member: str) -> Locator:
    """Find a control by its label, which ends with the field's name in the API."""
    return page.get_by_label(re.compile(rf"^{re.escape(label)}\s*{re.escape(member)}$"))


def add(page: Page, label: str, member: str, *texts: str) -> None:
    """Type texts into a field of tokens."""
    for text in texts:
        field(page, label, member).fill(text)
        field(page, label, member).press("Enter")


def fill(page: Page, *, name: str = "logins", url: str = URL, event_name: str = "E_LOGIN") -> None:
    """Fill in what every webhook needs."""
    field(page, "Name", "name").fill(name)
    add(page, "Event names", "eventNames", event_name)
    field(page, "URL", "api.type, api.url").fill(url)


def authenticate(page: Page, kind: str) -> None:
    page.get_by_role("group", name="Authentication").get_by_role("button", name=kind, exact=True).click()


def condition(page: Page, name: str, value: str, *, group: int = 1, row: int = 1) -> None:
    """Fill in a condition that is there."""
    page.get_by_label(f"Field of data, group {group}, condition {row}", exact=True).fill(name)
    page.get_by_label(f"Value, as JSON, group {group}, condition {row}", exact=True).fill(value)


def save(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^(Create webhook|Save changes)$")).click()


def created_id(page: Page) -> str:
    """Wait until the webhook is created; return its id."""
    page.wait_for_url(re.compile(r"#/webhooks/[0-9a-f]{24}\?dialog=created$"))
    return page.url.split("/")[-1].split("?")[0]


def saved(page: Page, webhook_id: str) -> None:
    """Wait until the change is made."""
    page.wait_for_url(re.compile(rf"#/webhooks/{webhook_id}$"))


def stored(service: Service, webhook_id: str) -> Webhook:
    found = service.app.subscriptions.get(SCOPE, webhook_id)
    assert found is not None
    return found


def credential(service: Service, webhook_id: str) -> Credential:
    ref = stored(service, webhook_id).credential
    assert ref is not None
    return service.app.credentials.read(ref)


def shown(service: Service, webhook_id: str) -> str:
    """Return the response about a webhook, as it is."""
    return service.app.call("GET", f"{BASE}/webhook/{webhook_id}").text


def change_meanwhile(service: Service, webhook_id: str, **fields: Any) -> None:
    response = service.app.call("PATCH", f"{BASE}/webhook/{webhook_id}", fields)
    assert response.status == 200, response.text


def sent(requests: list[Request], method: str) -> list[str]:
    """Return the bodies of the requests that change a webhook."""
    return [each.post_data or "" for each in requests if each.method == method and "/webhook" in each.url]


def answer(
    page: Page, method: str, status: int, message: str, *, headers: dict[str, str] | None = None
) -> Callable[[], None]:
    """Let the service answer requests to change a webhook so; returns what ends that."""

    def fulfill(route: Route) -> None:
        if route.request.method != method:
            route.fallback()
            return
        body = json.dumps({"statusCode": status, "error": "Error", "message": message})
        route.fulfill(status=status, content_type="application/json", body=body, headers=headers)

    page.route("**/webhook**", fulfill)
    return lambda: page.unroute("**/webhook**", fulfill)


def panel(page: Page) -> str:
    """Return the JSON of the Request panel, without its space."""
    text = page.get_by_role("complementary", name="Request").locator("pre").inner_text()
    return compact(text)


def compact(text: str) -> str:
    return re.sub(r'("(?:[^"\\]|\\.)*")|\s+', lambda found: found[1] or "", text)
