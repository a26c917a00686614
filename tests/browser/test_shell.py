"""The console opens, connected, and shows its first view."""

import re

from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.service import Service
from webhooks.domain.delivery_log import Outcome


def test_the_ready_link_opens_the_list_and_leaves_the_address(service: Service, page: Page) -> None:
    service.webhook("Order sync")

    page.goto(service.ready())

    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()
    expect(page.get_by_text("Order sync")).to_be_visible()
    assert page.url == f"{service.url}/console#/webhooks"


def test_axe_finds_nothing_in_the_help(service: Service, page: Page) -> None:
    page.goto(service.ready())
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()

    page.keyboard.press("?")

    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    assert findings(page) == []


def test_the_navigation_counts_webhooks_and_dead_deliveries(service: Service, page: Page) -> None:
    erp = service.webhook("Order sync")
    service.delivery(erp, outcome=Outcome.DEAD)
    page.goto(service.ready())
    navigation = page.get_by_role("navigation", name="Main")

    expect(navigation.get_by_role("link", name=re.compile("^Webhooks"))).to_have_text("Webhooks1")
    expect(navigation.get_by_role("link", name=re.compile("^Deliveries"))).to_have_text("Deliveries1 dead")

    navigation.get_by_role("link", name="Explain").click()
    expect(navigation.get_by_role("link", name=re.compile("^Deliveries"))).to_have_text("Deliveries1 dead")


def test_a_community_without_webhooks_is_told_so_where_deliveries_are(service: Service, page: Page) -> None:
    page.goto(service.ready())
    expect(page.get_by_role("heading", name=re.compile("^No webhooks"))).to_be_visible()

    page.get_by_role("link", name="Deliveries").click()

    expect(page.get_by_role("heading", name="No deliveries yet")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Create webhook").click()
    expect(page.get_by_role("heading", name="Create webhook", level=1)).to_be_visible()
