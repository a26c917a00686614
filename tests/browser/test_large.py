"""10,000 webhooks and 100,000 deliveries: the first view stays quick and small, and asks little."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import large
from tests.browser.conftest import Recorded, open_context, record
from tests.browser.listing import open_list, row, rows, search, strips
from tests.browser.service import Service

SCRIPT_SECONDS = 1.0
ELEMENTS = 3000
# The link with keys leads to the list: the page is sent elsewhere before it draws anything.
ELSEWHERE = """
let isSent = false;
addEventListener('hashchange', () => {
  if (isSent || location.hash !== '#/webhooks') return;
  isSent = true;
  history.replaceState(null, '', HASH);
});
"""


@pytest.fixture(scope="module")
def crowd() -> Iterator[tuple[Service, list[str]]]:
    """The large community, and the ids of its webhooks, the newest first. No test changes it."""
    service = Service()
    ids = large.fill(service)
    yield service, ids
    service.close()


# The most requests that a view makes until the page is at rest, besides the page, the service's key, and the one
# that asks for the license's level. The console opens with the first view.
VIEWS = {"#/webhooks": 3, "#/webhooks/{id}": 5, "#/deliveries": 5, "#/deliveries?webhook={id}": 4}


@pytest.mark.parametrize(("view", "most"), VIEWS.items())
def test_a_first_view_is_quick_and_small(
    crowd: tuple[Service, list[str]], browser: Browser, view: str, most: int
) -> None:
    service, ids = crowd
    address = view.format(id=ids[0])
    context = open_context(browser)
    page, recorded = context.new_page(), Recorded()
    record(page, recorded)
    page.add_init_script(ELSEWHERE.replace("HASH", repr(address)))
    metrics = context.new_cdp_session(page)
    # The time of the thread: other programs of a busy machine do not count.
    metrics.send("Performance.enable", {"timeDomain": "threadTicks"})

    page.goto(service.ready())
    expect(page.get_by_role("main").get_by_role("row").nth(1)).to_be_visible()
    page.wait_for_load_state("networkidle")

    assert page.evaluate("location.hash") == address
    values = {each["name"]: each["value"] for each in metrics.send("Performance.getMetrics")["metrics"]}
    assert 0 < values["ScriptDuration"] < SCRIPT_SECONDS
    asked = [each.url for each in recorded.requests if "/tenant/" in each.url]
    assert 0 < len(asked) <= most, asked
    assert elements(page) < ELEMENTS
    context.close()
    assert recorded.complaints == []


def elements(page: Page) -> int:
    count: int = page.evaluate("document.querySelectorAll('*').length")
    return count


def test_pages_of_a_hundred_up_to_the_last_one(crowd: tuple[Service, list[str]], page: Page) -> None:
    service, _ = crowd
    open_list(page, service, count=25)
    pager = page.get_by_role("navigation", name="Pages")
    expect(pager).to_contain_text("of 10,000")
    expect(page.get_by_role("link", name="Failing 399")).to_be_visible()

    page.get_by_label("Rows").select_option("100")
    expect(rows(page)).to_have_count(100)
    expect(strips(page)).to_have_count(100)
    assert elements(page) < ELEMENTS

    for _ in range(3):  # faster than the pages come
        pager.get_by_role("button", name="Next page").click()
    expect(rows(page).first).to_contain_text("Partner feed 09699")
    assert page.evaluate("scrollY") == 0
    page.get_by_label("Page number").fill("100")
    page.get_by_label("Page number").press("Enter")
    expect(rows(page).last).to_contain_text("W" * 20)  # the oldest
    expect(pager.get_by_role("button", name="Next page")).to_be_disabled()
    page.mouse.wheel(0, 100_000)
    expect(rows(page).last).to_be_in_viewport()
    assert elements(page) < ELEMENTS


def test_filters_of_a_large_community(crowd: tuple[Service, list[str]], page: Page) -> None:
    service, _ = crowd
    open_list(page, service)

    search(page).fill("Partner feed 0999")

    expect(rows(page)).to_have_count(10)
    # The API looks at the newest 2,000 for a name, and says that the community has more.
    expect(page.get_by_role("status").filter(has_text="At least 10 found")).to_be_visible()
    search(page).fill("")
    page.get_by_role("link", name="Failing 399").click()
    expect(page.get_by_role("status").filter(has_text="399 found")).to_be_visible()
    expect(row(page, "Partner feed 09975 ".ljust(128, "x"))).to_contain_text("held")
