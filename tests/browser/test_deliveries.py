"""The list of deliveries: its rows, filters, search and look."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import Recorded, open_context
from tests.browser.delivery_rows import Log, filled, outcomes, rows
from tests.browser.logged import (
    LOOKS,
    connected_tab,
    dead,
    look,
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


# ---- rows


def test_all_webhooks_show_their_undelivered_newest_first_and_say_so(tab: Page) -> None:
    visit(tab, "#/deliveries")

    filled(tab, 3)
    assert outcomes(tab) == ["Held", "Dead", "Retrying"]
    expect(tab.get_by_text("Retrying, dead and held deliveries of all webhooks")).to_be_visible()
    expect(tab.get_by_text("Choose a webhook to see its delivered ones too")).to_be_visible()
    expect(rows(tab).nth(1)).to_contain_text(
        re.compile(r"order\.paid\s*Order sync\s*3\s*503\s*800 ms\s*10 min")
    )
    expect(tab.get_by_text("Newest first, 3 shown, all there are")).to_be_visible()
    for name in ("Retrying 1", "Dead 1", "Held 1"):
        expect(tab.get_by_role("button", name=name)).to_be_visible()
    expect(tab.get_by_role("button", name="Delivered")).to_have_count(0)


def test_the_first_view_takes_no_more_than_three_requests(log: Log, page: Page, recorded: Recorded) -> None:
    open_console(page, log, "#/explain")
    page.wait_for_load_state("networkidle")
    before = len(recorded.requests)

    page.evaluate("location.hash = '#/deliveries'")
    filled(page, 3)
    first = asked(log, recorded, before)
    expect(page.get_by_text("Order sync").first).to_be_visible()
    page.wait_for_load_state("networkidle")

    assert {"deliveries/fetch", "health"} <= set(first)
    assert len(first) <= 3
    # Afterwards: the running replays, and the names of two webhooks.
    assert len(asked(log, recorded, before)) <= 5


def asked(log: Log, recorded: Recorded, since: int) -> list[str]:
    """Return the paths within the community that were asked for."""
    scope = f"{log.url}/tenant/acme/community/default/"
    urls = [each.url for each in recorded.requests[since:]]
    return [each.removeprefix(scope) for each in urls if each.startswith(scope)]


def test_a_webhook_is_found_by_the_beginning_of_its_name_and_shows_all_outcomes(log: Log, tab: Page) -> None:
    visit(tab, "#/deliveries")

    picker = tab.get_by_role("combobox", name="Webhook")
    picker.click()
    options = tab.get_by_role("listbox", name="Webhooks").get_by_role("option")
    expect(options).to_have_count(2)
    picker.press_sequentially("Ord")
    expect(options).to_have_count(1)
    picker.press("Enter")

    filled(tab, 4)
    assert outcomes(tab) == ["Held", "Skipped", "Delivered", "Dead"]
    expect(tab.get_by_text("All deliveries of Order sync")).to_be_visible()
    assert f"webhook={log.orders}" in tab.url
    tab.go_back()
    filled(tab, 3)


def test_the_picker_says_where_no_name_fits_and_escape_leaves_it(tab: Page) -> None:
    visit(tab, "#/deliveries")

    picker = tab.get_by_role("combobox", name="Webhook")
    picker.click()
    picker.press_sequentially("Zzz")
    expect(tab.get_by_text("No name begins with “Zzz”")).to_be_visible()
    picker.press("Escape")

    expect(picker).to_have_value("")
    expect(picker).to_have_attribute("aria-expanded", "false")


def test_without_its_webhook_an_outcome_of_delivered_ones_goes_too(log: Log, tab: Page) -> None:
    visit(tab, f"#/deliveries?webhook={log.orders}&outcome=delivered")
    filled(tab, 1)

    tab.get_by_role("button", name="Any webhook").click()

    filled(tab, 3)
    assert "outcome" not in tab.url


# ---- filters


def test_an_outcome_is_chosen_and_left_by_its_chip(tab: Page) -> None:
    visit(tab, "#/deliveries")

    chip = tab.get_by_role("button", name="Dead 1")
    chip.click()
    filled(tab, 1)
    assert outcomes(tab) == ["Dead"]
    expect(chip).to_have_attribute("aria-pressed", "true")
    chip.click()

    filled(tab, 3)


def test_an_event_name_filters_when_it_is_whole(tab: Page) -> None:
    visit(tab, "#/deliveries")
    filled(tab, 3)

    tab.get_by_label("Event name").fill("E_LOGIN")
    tab.get_by_label("Event name").press("Enter")

    filled(tab, 1)
    assert "event=E_LOGIN" in tab.url
    expect(tab.get_by_label("Event name")).to_have_value("E_LOGIN")


def test_the_last_hour_leaves_out_what_is_older(tab: Page) -> None:
    visit(tab, "#/deliveries")

    tab.get_by_label("Time", exact=True).select_option("Last hour")
    filled(tab, 2)
    tab.get_by_label("Time", exact=True).select_option("Last 24 hours")

    filled(tab, 3)


def test_a_time_range_is_in_the_zone_of_the_viewer(log: Log, browser: Browser) -> None:
    context = open_context(browser, timezone_id="Asia/Kolkata")
    page = context.new_page()
    open_console(page, log, "#/deliveries?since=2026-01-15T09:30:00.000Z")
    expect(page.get_by_label("From", exact=True)).to_have_value("2026-01-15T15:00")

    page.get_by_label("From", exact=True).fill("2026-07-15T15:00")
    page.wait_for_url(re.compile(r"since=2026-07-15T09%3A30%3A00\.000Z"))
    page.get_by_label("To", exact=True).fill("2026-07-15T15:05")

    page.wait_for_url(re.compile(r"until=2026-07-15T09%3A35%3A59\.999Z"))
    expect(page.get_by_role("heading", name="No undelivered deliveries in this time")).to_be_visible()
    context.close()


def test_the_histogram_reads_bars_and_chooses_a_range_by_keys(tab: Page) -> None:
    visit(tab, "#/deliveries")
    filled(tab, 3)
    bars = tab.get_by_role("img", name=re.compile("^3 deliveries by outcome, per 2 min"))

    bars.focus()
    bars.press("ArrowLeft")
    expect(tab.get_by_text(re.compile(r"to .*: 1 held"))).to_be_visible()
    bars.press("Enter")

    filled(tab, 1)
    assert outcomes(tab) == ["Held"]
    query = tab.evaluate("Object.fromEntries(new URLSearchParams(location.hash.split('?')[1]))")
    since, until = (datetime.fromisoformat(query[each]).timestamp() for each in ("since", "until"))
    assert round(until - since) == 120


def test_a_drag_over_the_histogram_chooses_a_range(tab: Page) -> None:
    visit(tab, "#/deliveries")
    filled(tab, 3)
    box = tab.get_by_role("img", name=re.compile("deliveries by outcome")).bounding_box()
    assert box is not None

    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + 10)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] - 1, box["y"] + 10, steps=3)
    tab.mouse.up()

    filled(tab, 2)
    assert outcomes(tab) == ["Held", "Dead"]


# ---- search


def test_a_delivery_id_opens_it(log: Log, tab: Page) -> None:
    visit(tab, "#/deliveries")
    filled(tab, 3)

    tab.keyboard.press("/")
    tab.keyboard.insert_text(log.delivered)
    expect(tab.get_by_text("Enter opens this delivery")).to_be_visible()
    tab.keyboard.press("Enter")

    expect(tab.get_by_role("dialog", name="Delivery")).to_contain_text("Delivered at attempt 1")


def test_an_event_id_is_explained_with_the_name_and_time_of_its_row(tab: Page) -> None:
    visit(tab, "#/deliveries")
    filled(tab, 3)

    search = tab.get_by_role("textbox", name="Search by delivery id or event id")
    search.fill("event-dead")
    search.press("Enter")

    tab.wait_for_url(re.compile(r"#/explain\?event=event-dead&name=order\.paid&at=20"))


# ---- look


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_nothing_and_the_page_does_not_scroll_sideways(
    log: Log, tab: Page, width: int, scheme: Literal["light", "dark"]
) -> None:
    with look(tab, width, scheme):
        visit(tab, f"#/deliveries?webhook={log.orders}&since=2020-01-01T00:00:00Z")

        filled(tab, 4)
        assert findings(tab) == []
        assert tab.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("width", [390, 1440])
def test_long_names_fit(service: Service, browser: Browser, width: int) -> None:
    webhook = service.webhook("W" * 128, eventNames=["e" * 128])
    dead(service, webhook, event_name="e" * 128)
    context = open_context(browser, viewport={"width": width, "height": 900})
    page = context.new_page()
    open_console(page, service, "#/deliveries")

    filled(page, 1)
    expect(rows(page)).to_contain_text("WWW")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    box = page.get_by_role("cell", name=re.compile("ago$")).bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= width
    context.close()


def test_a_row_opens_by_enter_and_by_a_click_anywhere_in_it(tab: Page) -> None:
    visit(tab, "#/deliveries")
    filled(tab, 3)

    tab.keyboard.press("j")
    tab.keyboard.press("j")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("dialog", name="Delivery")).to_contain_text("503 at the last of 3 attempts")
    tab.keyboard.press("Escape")
    rows(tab).first.get_by_text("Held").click()

    expect(tab.get_by_role("dialog", name="Delivery")).to_contain_text("endpoint is down")


def test_times_are_exact_in_utc_on_focus_and_hover(log: Log, tab: Page) -> None:
    visit(tab, "#/deliveries")
    filled(tab, 3)

    rows(tab).first.locator("time").hover()

    at = datetime.fromtimestamp(int(log.held.split("-")[1], 16) / 1000, UTC)
    expect(tab.get_by_role("tooltip")).to_have_text(f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03} UTC")
