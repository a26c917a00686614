"""The list of webhooks while it loads, without webhooks, with errors, and as time goes on."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import Recorded, open_context, record
from tests.browser.listing import (
    COUNTS,
    FETCH,
    HEALTH,
    fill,
    hold,
    log,
    open_list,
    refuse,
    row,
    rows,
    search,
    show,
    strips,
)
from tests.browser.service import Service

LIMIT = "The limit of 50 requests per second for this license is reached."
LATER_MS = 30_100


def later(page: Page) -> None:
    """Let the time of a refresh pass; no request may be under way, as it would end by its deadline."""
    page.wait_for_load_state("networkidle")
    page.clock.fast_forward(LATER_MS)


@pytest.fixture(scope="module")
def filled() -> Iterator[Service]:
    """A service whose webhooks no test changes."""
    service = Service()
    fill(service)
    yield service
    service.close()


def test_a_skeleton_until_the_first_rows_are_there(filled: Service, page: Page) -> None:
    waiting = hold(page, FETCH)

    page.goto(filled.ready())

    expect(page.get_by_role("status").filter(has_text="Loading webhooks")).to_be_attached()
    expect(page.locator("table[aria-hidden] tbody tr")).to_have_count(9)  # it is not for screen readers
    expect(search(page)).to_be_visible()
    assert findings(page) == []
    waiting[0].continue_()
    expect(rows(page)).to_have_count(25)
    expect(page.locator("table[aria-hidden]")).to_have_count(0)


def test_without_webhooks_the_three_steps(service: Service, page: Page, recorded: Recorded) -> None:
    page.goto(service.ready())

    expect(page.get_by_role("heading", name="No webhooks in acme / default yet")).to_be_visible()
    expect(page.get_by_role("listitem")).to_have_count(3)
    expect(page.get_by_role("link", name="Event catalogue").last).to_have_attribute("href", "#/events")
    expect(search(page)).to_have_count(0)
    assert findings(page) == []
    asked = [each.url.rpartition("/default/")[2] for each in recorded.requests if "/tenant/" in each.url]
    assert asked == ["webhooks/fetch"]
    page.get_by_role("main").get_by_role("link", name="Create webhook").last.click()
    expect(page).to_have_url(f"{service.url}/console#/webhooks/new")


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (401, "The service did not accept your keys"),
        (403, "Your license does not reach this"),
        (404, "It does not exist"),
    ],
)
def test_an_error_in_place_of_the_list(filled: Service, page: Page, status: int, title: str) -> None:
    open_list(page, filled)
    page.route(FETCH, refuse(status, "communityId: no such community"))

    show(page, "?f=held")

    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.get_by_text("communityId: no such community")).to_be_visible()
    expect(page.get_by_text("7f31c0de")).to_be_visible()
    expect(rows(page)).to_have_count(0)  # those were of another filter
    assert findings(page) == []


def test_a_first_load_that_fails_is_tried_again(filled: Service, page: Page) -> None:
    page.clock.install()
    page.route(FETCH, refuse(429, LIMIT, retry_after=23))

    page.goto(filled.ready())

    expect(page.get_by_role("heading", name="Too many requests")).to_be_visible()
    expect(page.get_by_text(LIMIT)).to_be_visible()
    expect(page.get_by_text("The page tries again by itself in")).to_contain_text(re.compile("2[0-3] s"))
    expect(search(page)).to_have_count(0)
    assert findings(page) == []
    page.unroute(FETCH)
    page.clock.fast_forward(23_000)
    expect(rows(page)).to_have_count(25)
    # The button that had the focus is gone.
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_focused()


@pytest.mark.parametrize("status", [0, 503])
def test_a_person_may_try_again_at_once(filled: Service, page: Page, status: int) -> None:
    open_list(page, filled)
    page.route(FETCH, refuse(status, "The table is being restored."))
    show(page, "?f=held")
    again = page.get_by_role("alert").get_by_role("button", name="Try again now")
    expect(again).to_be_visible()

    page.unroute(FETCH)
    again.press("Enter")

    expect(row(page, "Pick list")).to_be_visible()
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_focused()


@pytest.mark.parametrize("kind", ["name", "tag"])
def test_a_refused_filter_is_told_beside_its_field(filled: Service, page: Page, kind: str) -> None:
    open_list(page, filled)
    field = search(page) if kind == "name" else page.get_by_label("Tag")
    long = "x" * 300

    field.fill(long)
    field.press("Enter")

    sentence = "name: must be a string of 1 to 256" if kind == "name" else "must be a string of 1 to 64"
    expect(page.get_by_text(sentence)).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("must be a string of 1 to"))
    expect(field).to_have_value(long)
    expect(field).to_be_focused()
    expect(rows(page)).to_have_count(0)
    assert findings(page) == []
    field.fill("")
    field.press("Enter")
    expect(rows(page)).to_have_count(25)
    expect(page.get_by_text("must be a string")).to_have_count(0)


@pytest.mark.parametrize("status", [403, 503])
def test_without_health_the_rows_stay_and_say_so(filled: Service, page: Page, status: int) -> None:
    page.route(HEALTH, refuse(status, "The log cannot be read."))

    open_list(page, filled, count=25)

    note = page.get_by_role("alert")
    expect(note).to_contain_text("The health of these webhooks could not be loaded. The log cannot be read.")
    expect(row(page, "Order sync to ERP")).to_contain_text("Not loaded")
    expect(row(page, "Staging mirror")).to_contain_text("Paused")
    assert findings(page) == []
    page.unroute(HEALTH)
    if status == 403:
        note.get_by_role("button", name="Try again now").click()
    expect(strips(page)).to_have_count(4)  # the other is tried again by itself
    expect(note).to_have_count(0)


def test_without_counts_the_tabs_still_lead_somewhere(filled: Service, page: Page) -> None:
    page.route(COUNTS, refuse(500, "The service failed."))
    open_list(page, filled, count=25)

    page.get_by_role("link", name="Failing", exact=True).click()

    expect(rows(page)).to_have_count(1)


def test_keys_that_are_refused_later_leave_the_rows(filled: Service, page: Page) -> None:
    page.clock.install()
    open_list(page, filled)
    page.route(FETCH, refuse(401, "licensekey: no such license"))

    later(page)

    note = page.get_by_role("alert")
    expect(note).to_contain_text("The list could not be loaded. licensekey: no such license")
    expect(rows(page)).to_have_count(25)
    assert findings(page) == []
    note.get_by_role("button", name="Connect again").click()
    expect(page.get_by_role("heading", name="Connect", level=1)).to_be_visible()


def test_a_refresh_that_fails_leaves_the_rows_and_goes_on(filled: Service, page: Page) -> None:
    page.clock.install()
    open_list(page, filled)
    page.route("**/tenant/**", refuse(503, "The table is being restored."))

    later(page)

    note = page.get_by_role("alert").filter(has_text="The list could not be loaded.")
    expect(note).to_contain_text("The table is being restored. The page tries again by itself in")
    expect(rows(page)).to_have_count(25)
    page.unroute("**/tenant/**")
    later(page)
    expect(note).to_have_count(0)
    expect(strips(page)).to_have_count(4)


def test_a_refresh_keeps_focus_selection_and_scroll(service: Service, page: Page) -> None:
    for number in range(25):
        service.webhook(f"Feed {number}")
    page.clock.install()
    open_list(page, service, count=25)
    row(page, "Feed 9").get_by_role("link").focus()
    page.evaluate("getSelection().selectAllChildren(document.activeElement)")
    page.evaluate("scrollTo(0, 300)")
    service.webhook("Newest")
    log(service, service.webhook("With a delivery"), "d")

    later(page)

    expect(row(page, "Newest")).to_be_attached()
    expect(strips(page)).to_have_count(1)
    expect(page.get_by_role("link", name="All 27")).to_be_attached()
    expect(row(page, "Feed 9").get_by_role("link")).to_be_focused()
    assert page.evaluate("getSelection().toString()") == "Feed 9"
    assert page.evaluate("scrollY") >= 300  # more rows above: Chromium keeps the ones that are seen


def test_a_page_that_is_not_seen_does_not_load(filled: Service, page: Page, recorded: Recorded) -> None:
    page.clock.install()
    page.add_init_script("Object.defineProperty(document, 'hidden', {get: () => window.isHidden ?? false})")
    open_list(page, filled)
    expect(strips(page)).to_have_count(4)
    page.wait_for_load_state("networkidle")
    recorded.requests.clear()

    page.evaluate("isHidden = true; document.dispatchEvent(new Event('visibilitychange'))")
    page.clock.fast_forward(100_000)
    page.wait_for_load_state("networkidle")
    assert [each.url for each in recorded.requests if "/tenant/" in each.url] == []

    with page.expect_request(FETCH):
        page.evaluate("isHidden = false; document.dispatchEvent(new Event('visibilitychange'))")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_and_nothing_sticks_out(
    filled: Service, browser: Browser, scheme: str, width: int
) -> None:
    context = open_context(browser, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, recorded = context.new_page(), Recorded()
    record(page, recorded)
    open_list(page, filled)
    expect(strips(page)).to_have_count(4)

    for query in ("", "?f=failing", "?text=none", "?page=9"):
        show(page, query)
        expect(page.get_by_role("main")).to_contain_text(
            {"?text=none": "No webhook matches", "?page=9": "There is no page 9"}.get(
                query, "Order sync to ERP"
            )
        )
        assert findings(page) == [], query
        assert page.evaluate("document.documentElement.scrollWidth") == width, query
    context.close()
    assert recorded.complaints == []


@pytest.mark.parametrize("width", [1440, 390])
def test_long_names_addresses_and_events_are_cut(service: Service, browser: Browser, width: int) -> None:
    name = "W" * 256
    url = "https://" + ".".join(["sub"] * 40) + ".example.com/" + "p" * 1800
    names = [f"E_{number:02}_" + "LONG" * 30 for number in range(50)]
    service.webhook(name, api={"url": url}, eventNames=names, tags=["t" * 64])
    context = open_context(browser, viewport={"width": width, "height": 900})
    page = context.new_page()
    open_list(page, service)

    assert page.evaluate("document.documentElement.scrollWidth") == width
    box = rows(page).first.bounding_box()
    assert box is not None
    assert box["height"] < 120
    if width == 1440:
        page.get_by_text("and 49 more").hover()
        tip = page.get_by_role("tooltip")
        expect(tip).to_contain_text("and 37 more")
        shown = tip.bounding_box()
        assert shown is not None
        assert shown["y"] >= 0
        assert shown["y"] + shown["height"] <= 900
    show(page, f"?text={'W' * 200}&tag={'u' * 60}")
    expect(page.get_by_role("heading", name="No webhook matches")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()
