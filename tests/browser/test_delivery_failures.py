"""The sentences of the list of deliveries: where it is empty, and when a request fails."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import findings
from tests.browser.delivery_rows import Log, filled, refuse
from tests.browser.logged import (
    connected_tab,
    open_console,
    visit,
)
from tests.browser.service import Service


@pytest.fixture(scope="module")
def log() -> Iterator[Log]:
    log = Log()
    yield log
    log.close()


@pytest.fixture(scope="module")
def tab(log: Log, browser: Browser) -> Iterator[Page]:
    """A page of the log for tests that change nothing in it."""
    with connected_tab(browser, log) as page:
        yield page


def test_an_empty_log_says_what_to_do(service: Service, page: Page) -> None:
    service.webhook("Order sync")
    open_console(page, service, "#/deliveries")

    expect(page.get_by_role("heading", name="No undelivered deliveries")).to_be_visible()
    expect(page.get_by_text("Every delivery was answered with a success code.")).to_be_visible()
    assert findings(page) == []


def test_filters_that_find_nothing_can_be_cleared(tab: Page) -> None:
    visit(tab, "#/deliveries?outcome=dead&event=never&time=1h")

    expect(tab.get_by_role("heading", name="No dead deliveries of never in the last hour")).to_be_visible()
    tab.get_by_role("link", name="Clear filters").click()

    filled(tab, 3)


def test_an_unknown_webhook_is_said_to_be_missing(tab: Page) -> None:
    visit(tab, f"#/deliveries?webhook={'0' * 24}")

    expect(tab.get_by_role("heading", name="Webhook not found")).to_be_visible()
    expect(tab.get_by_text("webhookId: no such webhook")).to_be_visible()
    assert findings(tab) == []
    tab.get_by_role("link", name="Clear filters").click()
    filled(tab, 3)


def test_the_apis_sentence_about_a_wrong_filter_is_shown(tab: Page) -> None:
    visit(tab, "#/deliveries?since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z")

    expect(tab.get_by_text("since: must not be later than until")).to_be_visible()


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (403, "Your license does not reach this"),
        (429, "Too many requests"),
        (503, "The service is not ready"),
    ],
)
def test_a_refused_request_says_why_in_place_and_is_tried_again(tab: Page, status: int, title: str) -> None:
    refused = "**/community/default/deliveries/fetch"
    tab.route(refused, lambda route: refuse(route, status, "the sentence", after=30))
    visit(tab, "#/deliveries")

    expect(tab.get_by_role("heading", name=title)).to_be_visible()
    expect(tab.get_by_text("the sentence").first).to_be_visible()
    tab.unroute(refused)
    tab.get_by_role("button", name="Try again now").first.click()

    filled(tab, 3)


def test_a_lost_network_says_so_and_the_list_comes_when_it_is_back(log: Log, page: Page) -> None:
    page.route("**/deliveries/fetch", lambda route: route.abort())
    open_console(page, log, "#/deliveries")
    expect(page.get_by_text("The service cannot be reached").first).to_be_visible()

    page.unroute("**/deliveries/fetch")
    page.evaluate("dispatchEvent(new Event('online'))")

    filled(page, 3)
