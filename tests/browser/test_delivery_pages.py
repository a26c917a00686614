"""Pages of the list of deliveries, and its live tail."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import Recorded
from tests.browser.delivery_rows import filled, refuse, rows
from tests.browser.logged import (
    MINUTE,
    SECOND,
    held,
    open_console,
)
from tests.browser.service import Service
from tests.fakes import delivery_log

TAIL = 2_000  # ms between two looks of the live tail


# ---- pages


def test_older_deliveries_come_below(service: Service, page: Page) -> None:
    webhook = service.webhook("Busy")
    for number in range(120):
        held(service, webhook, ago=number * SECOND)
    open_console(page, service, "#/deliveries")

    filled(page, 50)
    page.get_by_role("button", name="Older").click()
    filled(page, 100)
    page.get_by_role("button", name="Older").click()

    filled(page, 120)
    expect(page.get_by_text("Newest first, 120 shown, all there are")).to_be_visible()
    expect(page.get_by_role("button", name="Older")).to_have_count(0)
    times = page.get_by_role("row").locator("time").evaluate_all("all => all.map(each => each.dateTime)")
    assert times == sorted(times, reverse=True)


def test_a_page_without_rows_is_not_the_end(
    service: Service, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_log, "MAX_EXAMINED", 2)
    webhook = service.webhook("Busy")
    for number in range(3):
        service.delivery(webhook, ago=number * SECOND)
    service.delivery(webhook, ago=MINUTE, event_name="order.paid")
    open_console(page, service, f"#/deliveries?webhook={webhook}&event=order.paid")

    expect(page.get_by_role("heading", name="Nothing found so far")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("button", name="Search on").click()

    filled(page, 1)


def test_older_ones_that_cannot_be_loaded_leave_the_rows(service: Service, page: Page) -> None:
    webhook = service.webhook("Busy")
    for number in range(60):
        held(service, webhook, ago=number * SECOND)
    open_console(page, service, "#/deliveries")
    filled(page, 50)
    page.route("**/deliveries/fetch", lambda route: refuse(route, 503, "a service did not answer"))

    page.get_by_role("button", name="Older").click()
    expect(page.get_by_role("alert")).to_contain_text("a service did not answer")
    filled(page, 50)
    page.unroute("**/deliveries/fetch")
    page.get_by_role("button", name="Older").click()

    filled(page, 60)
    expect(page.get_by_role("alert")).to_have_count(0)


# ---- live tail


def test_the_live_tail_puts_new_rows_on_top_and_announces_the_tenth(service: Service, page: Page) -> None:
    webhook = service.webhook("Busy")
    held(service, webhook, ago=MINUTE)
    page.clock.install()
    open_console(page, service, "#/deliveries")
    filled(page, 1)

    page.get_by_role("switch", name="Live tail").check()
    for number in range(9):
        held(service, webhook, ago=number * SECOND, event_name="order.paid")
    page.clock.run_for(TAIL)
    filled(page, 10)
    expect(rows(page).first).to_contain_text("order.paid")
    expect(page.get_by_text("10 new deliveries")).to_have_count(0)
    held(service, webhook, event_name="order.last")
    page.clock.run_for(TAIL)

    filled(page, 11)
    expect(rows(page).first).to_contain_text("order.last")
    expect(page.get_by_text("10 new deliveries")).to_have_count(1)
    assert "tail=1" in page.url


def test_the_live_tail_keeps_sixty_rows(service: Service, page: Page) -> None:
    webhook = service.webhook("Busy")
    for number in range(70):
        held(service, webhook, ago=number * SECOND)
    page.clock.install()
    open_console(page, service, "#/deliveries?tail=1")
    filled(page, 50)

    page.clock.run_for(TAIL)

    filled(page, 60)
    page.get_by_role("switch", name="Live tail").uncheck()
    page.get_by_role("button", name="Older").click()
    filled(page, 70)


def test_the_live_tail_waits_while_a_delivery_is_open(
    service: Service, page: Page, recorded: Recorded
) -> None:
    webhook = service.webhook("Busy")
    opened = held(service, webhook, ago=MINUTE)
    page.clock.install()
    open_console(page, service, f"#/deliveries?tail=1&open={opened}")
    expect(page.get_by_role("dialog", name="Delivery")).to_contain_text("It is sent, the oldest first")
    asked = [each for each in recorded.requests if each.url.endswith("deliveries/fetch")]

    held(service, webhook)
    page.clock.run_for(3 * TAIL)
    assert [each for each in recorded.requests if each.url.endswith("deliveries/fetch")] == asked
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Delivery")).to_have_count(0)
    page.clock.run_for(TAIL)

    filled(page, 2)


def test_the_live_tail_says_that_it_fails_and_goes_on(service: Service, page: Page) -> None:
    webhook = service.webhook("Busy")
    held(service, webhook, ago=MINUTE)
    page.clock.install()
    open_console(page, service, "#/deliveries")
    filled(page, 1)
    page.route("**/deliveries/fetch", lambda route: refuse(route, 429, "too many requests", after=3))

    page.get_by_role("switch", name="Live tail").check()
    page.clock.run_for(TAIL)
    expect(page.get_by_text("The live tail tries again by itself")).to_be_visible()
    page.unroute("**/deliveries/fetch")
    held(service, webhook)
    page.clock.run_for(3000)

    filled(page, 2)
    expect(page.get_by_text("The live tail tries again by itself")).to_have_count(0)
