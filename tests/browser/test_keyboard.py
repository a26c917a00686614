"""The console with the keyboard alone: the focus is always seen, and never lost."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import open_context
from tests.browser.listing import fill, open_list, query_of, row, rows, search
from tests.browser.service import Service

STEPS = 60
# The focused element: its name, and whether a person sees that it has the focus.
FOCUSED = """() => {
  const element = document.activeElement;
  const box = element.getBoundingClientRect();
  const style = getComputedStyle(element);
  const isOutlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  const isInside = box.width > 0 && box.height > 0 && box.bottom > 0 && box.right > 0
    && box.top < innerHeight && box.left < innerWidth;
  return {
    name: element.labels?.[0]?.innerText || element.ariaLabel || element.innerText || '',
    tag: element.tagName,
    isSeen: isOutlined && isInside,
    isInDialog: Boolean(element.closest('dialog')),
  };
}"""


@pytest.fixture(scope="module")
def filled() -> Iterator[Service]:
    """A service whose webhooks no test changes."""
    service = Service()
    fill(service)
    yield service
    service.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = open_context(browser, viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def tab(page: Page, *, back: bool = False) -> str:
    """Press Tab; returns the name of the element that has the focus then, and asserts that it is seen."""
    page.keyboard.press("Shift+Tab" if back else "Tab")
    focused = page.evaluate(FOCUSED)
    if focused["tag"] == "BODY":  # the browser's own controls come next
        return ""
    assert focused["isSeen"], focused
    return str(focused["name"]).strip().partition("\n")[0]


def tab_to(page: Page, name: str, *, back: bool = False) -> list[str]:
    """Press Tab until something has the focus; returns the names on the way."""
    names: list[str] = []
    while name not in names:
        assert len(names) < STEPS, names
        names.append(tab(page, back=back))
    return names


def test_tab_reaches_everything_of_the_list_in_its_order(filled: Service, page: Page) -> None:
    open_list(page, filled, "?f=failing", count=1)
    expect(page.get_by_role("link", name="System")).to_be_visible()
    tab_to(page, "Skip to content", back=True)

    names = tab_to(page, "Create webhook")
    assert names == [
        "acme / default",
        "Webhooks",
        "Deliveries",
        "Explain",
        "Event catalogue",
        "System",
        "Forget keys",
        "Keyboard shortcuts (?)",
        "Auto",
        "Light",
        "Dark",
        "Create webhook",
    ]
    names = [tab(page) for _ in range(11)]
    assert names == [
        "All",
        "Failing",
        "Held",
        "Slow",
        "Paused",
        "Disabled",
        "Name begins with",
        "Tag",
        "Order sync to ERP",
        "Rows",
        "Page",
    ]


def test_the_skip_link_leads_past_the_navigation(filled: Service, page: Page) -> None:
    open_list(page, filled)
    tab_to(page, "Skip to content", back=True)

    page.keyboard.press("Enter")

    expect(page.get_by_role("main")).to_be_focused()
    assert tab(page) == "Create webhook"
    assert query_of(page) == "/webhooks"


def test_navigation(filled: Service, page: Page) -> None:
    open_list(page, filled)
    tab_to(page, "Deliveries", back=True)

    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Deliveries", level=1)).to_be_focused()
    for keys, title in (("gw", "Webhooks"), ("ge", "Explain"), ("gd", "Deliveries")):
        page.keyboard.type(keys)
        expect(page.get_by_role("heading", name=title, level=1)).to_be_focused()
    page.keyboard.press("c")
    expect(page).to_have_url(f"{filled.url}/console#/webhooks/new")


def test_search_and_rows(filled: Service, page: Page) -> None:
    open_list(page, filled, count=25)

    page.keyboard.press("j")
    expect(row(page, "Order sync to ERP").get_by_role("link")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(row(page, "Pick list").get_by_role("link")).to_be_focused()
    assert page.evaluate(FOCUSED)["isSeen"]
    for _ in range(3):
        page.keyboard.press("k")
    expect(rows(page).first.get_by_role("link")).to_be_focused()

    page.keyboard.press("/")
    expect(search(page)).to_be_focused()
    expect(search(page)).to_have_value("")
    assert page.evaluate(FOCUSED)["isSeen"]
    page.keyboard.type("cjkg?/")  # typed, and nothing else
    expect(page.get_by_role("heading", name="No webhook matches")).to_be_visible()
    expect(search(page)).to_have_value("cjkg?/")
    tab_to(page, "Clear filters")
    page.keyboard.press("Enter")
    expect(search(page)).to_be_focused()

    page.keyboard.type("Pick")
    expect(rows(page)).to_have_count(1)
    tab_to(page, "Pick list")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Pick list", level=1)).to_be_focused()
    page.go_back()
    expect(search(page)).to_have_value("Pick")
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_focused()


def test_states_pages_and_rows_by_their_controls(filled: Service, page: Page) -> None:
    open_list(page, filled, count=25)

    tab_to(page, "Next page", back=False)
    page.keyboard.press("Space")
    expect(rows(page)).to_have_count(5)
    expect(page.get_by_label("Page number")).to_be_focused()
    assert page.evaluate(FOCUSED)["isSeen"]
    page.keyboard.press("Control+a")
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(25)

    tab_to(page, "Rows", back=True)
    page.keyboard.press("ArrowDown")
    expect(rows(page)).to_have_count(30)
    expect(page.get_by_label("Rows")).to_be_focused()

    page.evaluate("scrollTo(0, 0)")
    page.get_by_role("link", name="Held 1").focus()
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_role("link", name="Held 1")).to_be_focused()


def test_the_help_gives_the_focus_back(filled: Service, page: Page) -> None:
    open_list(page, filled, count=25)
    page.keyboard.press("j")
    page.keyboard.press("j")

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_role("button", name="Close").last).to_be_focused()
    for _ in range(4):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        assert focused["isInDialog"] or focused["tag"] == "BODY", focused  # the browser's own controls
    page.keyboard.press("j")  # it is the dialog's now
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(row(page, "Pick list").get_by_role("link")).to_be_focused()

    tab_to(page, "Keyboard shortcuts (?)", back=True)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Enter")  # Close
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Keyboard shortcuts (?)")).to_be_focused()
    page.go_back()  # to the open dialog
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()


def test_the_theme(filled: Service, page: Page) -> None:
    open_list(page, filled)
    tab_to(page, "Dark", back=True)
    page.keyboard.press("Space")

    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Dark")).to_be_focused()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate(FOCUSED)["isSeen"]
    assert tab(page, back=True) == "Light"
    assert tab(page, back=True) == "Auto"
    page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.dataset.theme") is None


def test_the_menu_of_a_phone(filled: Service, phone: Page) -> None:
    page = phone
    open_list(page, filled)
    menu = page.get_by_role("button", name="Menu")
    navigation = page.get_by_role("navigation", name="Main")
    expect(navigation).to_be_hidden()
    tab_to(page, "Menu", back=True)

    page.keyboard.press("Enter")
    expect(menu).to_have_attribute("aria-expanded", "true")
    expect(navigation).to_be_visible()
    tab_to(page, "Explain")
    page.keyboard.press("Escape")
    expect(navigation).to_be_hidden()
    expect(menu).to_be_focused()

    page.keyboard.press("Enter")
    expect(navigation).to_be_visible()
    page.keyboard.press("Escape")  # from the button itself
    expect(navigation).to_be_hidden()
    expect(menu).to_be_focused()

    # The view that is shown already: nothing new takes the focus.
    page.keyboard.press("Enter")
    tab_to(page, "Webhooks")
    page.keyboard.press("Enter")
    expect(navigation).to_be_hidden()
    expect(menu).to_be_focused()

    page.keyboard.press("Enter")
    tab_to(page, "Explain")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Explain", level=1)).to_be_focused()
    expect(navigation).to_be_hidden()


def test_the_rows_of_a_phone(filled: Service, phone: Page) -> None:
    open_list(phone, filled)

    phone.keyboard.press("j")

    assert phone.evaluate(FOCUSED)["isSeen"]
    expect(row(phone, "Order sync to ERP").get_by_role("link")).to_be_focused()
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("heading", name="Order sync to ERP", level=1)).to_be_focused()
