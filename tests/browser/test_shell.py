"""The console opens, connected, and shows its first view."""

from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.world import World


def test_the_ready_link_opens_the_list_and_leaves_the_address(world: World, page: Page) -> None:
    world.webhook("Order sync")

    page.goto(world.ready())

    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()
    expect(page.get_by_text("Order sync")).to_be_visible()
    assert page.url == f"{world.url}/console#/webhooks"


def test_axe_finds_nothing_in_the_help(world: World, page: Page) -> None:
    page.goto(world.ready())
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()

    page.keyboard.press("?")

    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    assert findings(page) == []
