"""The list of deliveries: what it shows, its filters, pages, live tail, and what it says when a request fails."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.axe import findings
from tests.browser.conftest import Recorded, open_context
from tests.browser.logged import (
    MINUTE,
    SECOND,
    connected_tab,
    dead,
    held,
    looks,
    open_console,
    retrying,
    visit,
)
from tests.browser.world import World
from tests.fakes import delivery_log
from webhooks.domain.delivery_log import Outcome

TAIL = 2_000  # ms between two looks of the live tail


class Log(World):
    """Two webhooks, and a delivery of each outcome."""

    def __init__(self) -> None:
        super().__init__()
        self.orders = self.webhook("Order sync", eventNames=["order.paid"])
        self.alerts = self.webhook("Login alerts")
        self.dead = dead(self, self.orders, ago=10 * MINUTE, event_name="order.paid", event_id="event-dead")
        self.held = held(self, self.orders, ago=MINUTE, event_name="order.paid")
        self.retrying = retrying(self, self.alerts, ago=90 * MINUTE)
        self.delivered = self.delivery(self.orders, ago=5 * MINUTE, event_name="order.paid")
        self.skipped = self.delivery(
            self.orders, outcome=Outcome.SKIPPED, ago=3 * MINUTE, reason="webhook disabled"
        )


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


def rows(page: Page) -> Any:
    return page.get_by_role("row").filter(has=page.get_by_role("link"))


def outcomes(page: Page) -> list[str]:
    return [each.split()[0] for each in rows(page).all_inner_texts()]


def filled(page: Page, count: int) -> None:
    expect(rows(page)).to_have_count(count)


# ---- what is shown


def test_all_webhooks_show_their_undelivered_newest_first_and_say_so(tab: Page) -> None:
    visit(tab, "#/deliveries")

    filled(tab, 3)
    assert outcomes(tab) == ["Held", "Dead", "Retrying"]
    expect(tab.get_by_text("Undelivered deliveries of all webhooks")).to_be_visible()
    expect(tab.get_by_text("Choose a webhook to see delivered ones")).to_be_visible()
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
    shown = [
        each.url.removeprefix(f"{log.url}/tenant/acme/community/default/")
        for each in recorded.requests[before:]
    ]
    expect(page.get_by_text("Order sync").first).to_be_visible()
    page.wait_for_load_state("networkidle")

    assert sorted(shown)[:2] == ["deliveries/fetch", "health"]
    assert len(shown) <= 3
    # Afterwards: the running replays, and the names of two webhooks.
    assert len(recorded.requests) - before <= 5


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


# ---- pages


def test_older_deliveries_come_below(world: World, page: Page) -> None:
    webhook = world.webhook("Busy")
    for number in range(120):
        held(world, webhook, ago=number * SECOND)
    open_console(page, world, "#/deliveries")

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
    world: World, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_log, "MAX_EXAMINED", 2)
    webhook = world.webhook("Busy")
    for number in range(3):
        world.delivery(webhook, ago=number * SECOND)
    world.delivery(webhook, ago=MINUTE, event_name="order.paid")
    open_console(page, world, f"#/deliveries?webhook={webhook}&event=order.paid")

    expect(page.get_by_role("heading", name="Nothing found so far")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("button", name="Search on").click()

    filled(page, 1)


def test_older_ones_that_cannot_be_loaded_leave_the_rows(world: World, page: Page) -> None:
    webhook = world.webhook("Busy")
    for number in range(60):
        held(world, webhook, ago=number * SECOND)
    open_console(page, world, "#/deliveries")
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


def test_the_live_tail_puts_new_rows_on_top_and_announces_the_tenth(world: World, page: Page) -> None:
    webhook = world.webhook("Busy")
    held(world, webhook, ago=MINUTE)
    page.clock.install()
    open_console(page, world, "#/deliveries")
    filled(page, 1)

    page.get_by_role("switch", name="Live tail").check()
    for number in range(9):
        held(world, webhook, ago=number * SECOND, event_name="order.paid")
    page.clock.run_for(TAIL)
    filled(page, 10)
    expect(rows(page).first).to_contain_text("order.paid")
    expect(page.get_by_text("10 new deliveries")).to_have_count(0)
    held(world, webhook, event_name="order.last")
    page.clock.run_for(TAIL)

    filled(page, 11)
    expect(rows(page).first).to_contain_text("order.last")
    expect(page.get_by_text("10 new deliveries")).to_have_count(1)
    assert "tail=1" in page.url


def test_the_live_tail_keeps_sixty_rows(world: World, page: Page) -> None:
    webhook = world.webhook("Busy")
    for number in range(70):
        held(world, webhook, ago=number * SECOND)
    page.clock.install()
    open_console(page, world, "#/deliveries?tail=1")
    filled(page, 50)

    page.clock.run_for(TAIL)

    filled(page, 60)
    page.get_by_role("switch", name="Live tail").uncheck()
    page.get_by_role("button", name="Older").click()
    filled(page, 70)


def test_the_live_tail_waits_while_a_delivery_is_open(world: World, page: Page, recorded: Recorded) -> None:
    webhook = world.webhook("Busy")
    opened = held(world, webhook, ago=MINUTE)
    page.clock.install()
    open_console(page, world, f"#/deliveries?tail=1&open={opened}")
    expect(page.get_by_role("dialog", name="Delivery")).to_contain_text("It is sent, the oldest first")
    asked = [each for each in recorded.requests if each.url.endswith("deliveries/fetch")]

    held(world, webhook)
    page.clock.run_for(3 * TAIL)
    assert [each for each in recorded.requests if each.url.endswith("deliveries/fetch")] == asked
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Delivery")).to_have_count(0)
    page.clock.run_for(TAIL)

    filled(page, 2)


def test_the_live_tail_says_that_it_fails_and_goes_on(world: World, page: Page) -> None:
    webhook = world.webhook("Busy")
    held(world, webhook, ago=MINUTE)
    page.clock.install()
    open_console(page, world, "#/deliveries")
    filled(page, 1)
    page.route("**/deliveries/fetch", lambda route: refuse(route, 429, "too many requests", after=3))

    page.get_by_role("switch", name="Live tail").check()
    page.clock.run_for(TAIL)
    expect(page.get_by_text("The live tail tries again by itself")).to_be_visible()
    page.unroute("**/deliveries/fetch")
    held(world, webhook)
    page.clock.run_for(3000)

    filled(page, 2)
    expect(page.get_by_text("The live tail tries again by itself")).to_have_count(0)


# ---- nothing to show, and failures


def test_an_empty_community_says_what_to_do(world: World, page: Page) -> None:
    open_console(page, world, "#/deliveries")

    expect(page.get_by_role("heading", name="No undelivered deliveries")).to_be_visible()
    expect(page.get_by_text("Every delivery was answered with a success code.")).to_be_visible()
    assert findings(page) == []


def test_filters_that_find_nothing_can_be_cleared(tab: Page) -> None:
    visit(tab, "#/deliveries?outcome=dead&event=never&time=1h")

    expect(tab.get_by_role("heading", name="No dead deliveries of never in the last hour")).to_be_visible()
    tab.get_by_role("link", name="Clear filters").click()

    filled(tab, 3)


def refuse(route: Route, status: int, message: str, after: int | None = None) -> None:
    headers = {"retry-after": str(after)} if after else {}
    body = json.dumps({"statusCode": status, "error": "no", "message": message})
    route.fulfill(status=status, headers=headers, content_type="application/json", body=body)


def test_a_webhook_that_does_not_exist_is_said_to_be_missing(tab: Page) -> None:
    visit(tab, f"#/deliveries?webhook={'0' * 24}")

    expect(tab.get_by_role("heading", name="Webhook not found")).to_be_visible()
    expect(tab.get_by_text("webhookId: no such webhook")).to_be_visible()
    assert findings(tab) == []
    tab.get_by_role("link", name="Clear filters").click()
    filled(tab, 3)


def test_the_apis_sentence_about_a_wrong_filter_is_shown(tab: Page) -> None:
    visit(tab, "#/deliveries?since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z")

    expect(tab.get_by_text("since: must not be later than until")).to_be_visible()


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (403, "Your license does not reach this"),
        (429, "Too many requests"),
        (503, "The service is not ready"),
    ],
)
def test_a_refused_request_says_why_in_place_and_is_tried_again(tab: Page, status: int, title: str) -> None:
    refused = "**/community/default/deliveries/fetch"
    tab.route(refused, lambda route: refuse(route, status, "the sentence", after=30))
    visit(tab, "#/deliveries")

    expect(tab.get_by_role("heading", name=title)).to_be_visible()
    expect(tab.get_by_text("the sentence").first).to_be_visible()
    tab.unroute(refused)
    tab.get_by_role("button", name="Try again now").first.click()

    filled(tab, 3)


def test_a_lost_network_says_so_and_the_list_comes_when_it_is_back(log: Log, page: Page) -> None:
    page.route("**/deliveries/fetch", lambda route: route.abort())
    open_console(page, log, "#/deliveries")
    expect(page.get_by_text("The service cannot be reached").first).to_be_visible()

    page.unroute("**/deliveries/fetch")
    page.evaluate("dispatchEvent(new Event('online'))")

    filled(page, 3)


# ---- look


@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing_and_the_page_does_not_scroll_sideways(log: Log, tab: Page, width: int) -> None:
    for scheme in looks(tab, width):
        visit(tab, f"#/deliveries?webhook={log.orders}&since=2020-01-01T00:00:00Z")

        filled(tab, 4)
        assert findings(tab) == [], scheme
        assert tab.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("width", [390, 1440])
def test_long_names_fit(world: World, browser: Browser, width: int) -> None:
    webhook = world.webhook("W" * 128, eventNames=["e" * 128])
    dead(world, webhook, event_name="e" * 128)
    context = open_context(browser, viewport={"width": width, "height": 900})
    page = context.new_page()
    open_console(page, world, "#/deliveries")

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
