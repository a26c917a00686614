"""Accessibility by axe-core: WCAG 2.2 A and AA, and its best practices."""

from functools import cache
from typing import Any

from playwright.sync_api import Page

from tools.pages import node

RUN = "([within, tags]) => axe.run(within.length ? {include: within} : document, {runOnly: tags})"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@cache
def source() -> str:
    node.install()
    return (node.WEB / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


def findings(page: Page, *within: str) -> list[str]:
    """Return what axe finds in the page as it is: rule, impact and the elements.

    `within`: selectors of the parts to look at; the whole page otherwise.
    """
    page.evaluate(source())
    found: dict[str, Any] = page.evaluate(RUN, [list(within), TAGS])
    return [
        f"{each['id']} ({each['impact']}): " + "; ".join(str(node["target"]) for node in each["nodes"])
        for each in found["violations"]
    ]
