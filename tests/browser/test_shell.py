"""The console opens, connected, and shows its first view."""

from playwright.sync_api import Page, expect

from tests.browser.world import World


def test_the_ready_link_opens_the_list_and_leaves_the_address(world: World, page: Page) -> None:
    world.webhook("Order sync")

    page.goto(world.ready())

    expect(page.get_by_role("heading", name="Webhooks")).to_be_visible()
    expect(page.get_by_text("Order sync")).to_be_visible()
    assert page.url == f"{world.url}/console#/webhooks"
