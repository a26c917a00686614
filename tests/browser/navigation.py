"""The navigation at the left; its links may have a number behind the name."""

from playwright.sync_api import Locator, Page


def place(page: Page, name: str) -> Locator:
    return page.get_by_role("navigation", name="Main").get_by_role("link", name=name)
