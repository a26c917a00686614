"""The list of webhooks in tests: webhooks of every state with their deliveries, and the page that shows them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.service import MINUTE, Service, attempt
from tests.factories import SCOPE
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.health import Health

FETCH, HEALTH, COUNTS = "**/webhooks/fetch", "**/webhooks/health", "**/community/*/health"
GONE = "endpoint gone (HTTP 410)"
PLAIN = 24
OUTCOMES = {
    "d": Outcome.DELIVERED,
    "r": Outcome.RETRYING,
    "x": Outcome.DEAD,
    "h": Outcome.HELD,
    "s": Outcome.SKIPPED,
}


def fill(service: Service) -> None:
    """Create 30 webhooks; the last six, which the list shows first, have a state each."""
    now = service.now
    for number in range(PLAIN):
        service.webhook(f"Partner feed {number:02}", tags=["partner"])
    log(service, service.webhook("Invoice archive", eventNames=["invoice.issued"]), "d" * 100)
    service.webhook("Staging mirror", paused=True, tags=["ops"])
    refunds = service.webhook("Refund checker", disabled=True, eventNames=["order.refunded"])
    stored = service.app.subscriptions.get(SCOPE, refunds)
    assert stored is not None
    service.app.subscriptions.put(replace(stored, disabled_reason=GONE))
    slow = Health(slow_since=now - MINUTE)
    log(service, service.webhook("Fraud scoring", tags=["finance"], health=slow), "d" * 20, latency_ms=1800)
    held = Health(held_since=now - 9 * MINUTE, backlog_since=now - 9 * MINUTE)
    log(service, service.webhook("Pick list", tags=["erp"], health=held), "dddxhh")
    failing = Health(failing_since=now - 109 * MINUTE, backlog_since=now - 9 * MINUTE)
    erp = service.webhook(
        "Order sync to ERP",
        tags=["erp", "finance"],
        health=failing,
        eventNames=["order.paid", "order.refunded", "order.sent"],
        api={"url": "https://erp.acme.example:8443/in?x=1"},
    )
    log(service, erp, "d" * 40 + "x" * 10 + "h" * 3)


def log(service: Service, webhook_id: str, outcomes: str, *, latency_ms: int = 143) -> None:
    """Put deliveries into the log, the oldest first, each by its letter in OUTCOMES."""
    for place, letter in enumerate(outcomes):
        ago = (len(outcomes) - place) * 5000
        tried = attempt(service.now - ago, 200 if letter == "d" else 503, latency_ms=latency_ms)
        service.delivery(
            webhook_id, outcome=OUTCOMES[letter], ago=ago, attempts=[] if letter in "hs" else [tried]
        )


def rows(page: Page) -> Locator:
    """Return the rows of webhooks."""
    return page.get_by_role("table", name="Webhooks").locator("tbody").get_by_role("row")


def row(page: Page, name: str) -> Locator:
    return rows(page).filter(has=page.get_by_role("link", name=name, exact=True))


def strips(page: Page) -> Locator:
    """Return the pictures of the last deliveries that are drawn."""
    return page.get_by_role("img", name="Last ")


def search(page: Page) -> Locator:
    return page.get_by_label("Name begins with")


def open_list(page: Page, service: Service, query: str = "", *, count: int | None = None) -> None:
    """Open the console at the list and wait for its first rows, `count` of them."""
    page.goto(service.ready())
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()
    if query:
        show(page, query)
    if count is None:
        expect(rows(page).first).to_be_visible()
    else:
        expect(rows(page)).to_have_count(count)


def show(page: Page, query: str) -> None:
    """Go to an address of the list in the open console."""
    page.evaluate("hash => { location.hash = hash }", f"#/webhooks{query}")


def query_of(page: Page) -> str:
    """Return the address behind the page's name, without the hash sign."""
    return str(page.evaluate("decodeURIComponent(location.hash.slice(1))"))


def refuse(
    status: int, message: str, *, retry_after: int | None = None, request_id: str = "7f31c0de"
) -> Callable[[Route], None]:
    """Return a route that responds with an error as the API does; status 0: no network."""

    def respond(route: Route) -> None:
        if status == 0:
            route.abort()
            return
        headers = {"x-request-id": request_id} | ({"retry-after": str(retry_after)} if retry_after else {})
        body = {"statusCode": status, "error": "Error", "message": message}
        route.fulfill(status=status, headers=headers, json=body)

    return respond


def changed(**changes: Any) -> Callable[[Route], None]:
    """Return a route that changes parts of the API's response."""

    def respond(route: Route) -> None:
        response = route.fetch()
        content = response.json()
        for name, value in changes.items():
            content[name] = {**content[name], **value} if isinstance(value, dict) else value
        route.fulfill(response=response, json=content)

    return respond


def hold(page: Page, pattern: str) -> list[Route]:
    """Let requests wait; returns those that do."""
    waiting: list[Route] = []

    def keep(route: Route) -> None:
        waiting.append(route)

    page.route(pattern, keep)
    return waiting
