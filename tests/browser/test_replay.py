"""The dialog of a replay: counted first, refused where a field is wrong."""

import json
import re
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.axe import findings
from tests.browser.conftest import open_context
from tests.browser.logged import (
    HOUR,
    LOOKS,
    MINUTE,
    connected_tab,
    dead,
    held,
    look,
    lose_payload,
    open_console,
    visit,
)
from tests.browser.service import Service
from tests.factories import BASE, COMMUNITY, TENANT
from webhooks.domain.replay import MAX_RUNNING


class Log(Service):
    """Two webhooks: one with dead deliveries, of which some are old."""

    def __init__(self) -> None:
        super().__init__()
        self.orders = self.webhook("Order sync", eventNames=["order.paid"])
        self.quiet = self.webhook("Quiet")
        for number in range(30):
            dead(self, self.orders, ago=number * MINUTE)
        for number in range(5):
            dead(self, self.orders, ago=(number + 8) * HOUR, event_name="order.paid")
        held(self, self.orders)


@pytest.fixture(scope="module")
def log() -> Iterator[Log]:
    log = Log()
    yield log
    log.close()


@pytest.fixture(scope="module")
def tab(log: Log, browser: Browser) -> Iterator[Page]:
    with connected_tab(browser, log) as page:
        yield page


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Replay deliveries")


def opened(page: Page, webhook_id: str = "", **query: str) -> Locator:
    more = "".join(f"&{name}={value}" for name, value in query.items())
    visit(page, f"#/deliveries?dialog=replay&webhook={webhook_id}{more}")
    expect(dialog(page)).to_be_visible()
    return dialog(page)


# ---- counted first


def test_the_button_names_the_number_that_was_counted(log: Log, tab: Page) -> None:
    shown = opened(tab, log.orders)

    expect(shown).to_contain_text(
        "30 deliveries (counted without sending). All have a payload and take about 3 s"
    )
    expect(shown.get_by_role("button", name="Replay 30 deliveries")).to_be_enabled()


def test_a_field_that_changes_is_counted_again(log: Log, tab: Page) -> None:
    shown = opened(tab, log.orders)
    expect(shown.get_by_role("button", name="Replay 30 deliveries")).to_be_enabled()

    shown.get_by_label("Since").fill("2020-01-01T00:00")
    expect(shown.get_by_role("button", name="Replay 35 deliveries")).to_be_enabled()
    shown.get_by_label("Event name (empty: any)").fill("order.paid")
    expect(shown.get_by_role("button", name="Replay 5 deliveries")).to_be_enabled()
    shown.get_by_label("Rate, per second").fill("1")
    expect(shown).to_contain_text("take about 5 s at 1 per second")
    shown.get_by_label("Outcome").select_option("Held")
    expect(shown).to_contain_text("No delivery fits.")
    expect(shown.get_by_role("button", name="Replay", exact=True)).to_be_disabled()
    shown.get_by_label("Event name (empty: any)").fill("")

    expect(shown.get_by_role("button", name="Replay 1 delivery")).to_be_enabled()


def test_those_without_a_payload_are_named(service: Service, page: Page) -> None:
    webhook = service.webhook("Order sync")
    made = [dead(service, webhook, ago=number * MINUTE) for number in range(5)]
    for each in made[:2]:
        lose_payload(service, each)
    open_console(page, service, f"#/deliveries?dialog=replay&webhook={webhook}")

    expect(dialog(page)).to_contain_text(
        "5 deliveries (counted without sending). 3 have a payload and take about 1 s at 10 per second. "
        "2 have none and cannot be sent."
    )
    expect(dialog(page).get_by_role("button", name="Replay 3 deliveries")).to_be_enabled()
    for each in made[2:]:
        lose_payload(service, each)
    dialog(page).get_by_role("button", name="Count again").click()

    expect(dialog(page)).to_contain_text("None has a payload, so nothing can be sent.")
    expect(dialog(page).get_by_role("button", name="Replay", exact=True)).to_be_disabled()
    assert findings(page) == []


def test_without_a_webhook_one_is_chosen_first(log: Log, tab: Page) -> None:
    shown = opened(tab)
    expect(shown).to_contain_text("Choose a webhook: its deliveries are counted first.")
    expect(shown.get_by_role("combobox", name="Webhook")).to_be_focused()

    tab.keyboard.press("ArrowDown")
    tab.keyboard.insert_text("Order")
    options = shown.get_by_role("listbox", name="Webhooks").get_by_role("option")
    expect(options).to_have_count(1)
    tab.keyboard.press("Escape")
    expect(shown).to_be_visible()
    shown.get_by_role("combobox", name="Webhook").click()
    options.filter(has_text="Order sync").click()

    expect(shown.get_by_role("button", name="Replay 30 deliveries")).to_be_enabled()


def test_the_filters_of_the_list_are_taken_over(log: Log, tab: Page) -> None:
    shown = opened(tab, log.orders, outcome="held", event="E_LOGIN", since="2020-01-01T00:00:00Z")

    expect(shown.get_by_label("Outcome")).to_have_value("held")
    expect(shown.get_by_label("Event name (empty: any)")).to_have_value("E_LOGIN")
    expect(shown.get_by_role("button", name="Replay 1 delivery")).to_be_enabled()


def test_times_are_asked_for_in_utc_and_typed_in_the_zone_of_the_viewer(log: Log, browser: Browser) -> None:
    context = open_context(browser, timezone_id="America/New_York")
    page = context.new_page()
    open_console(page, log, f"#/deliveries?dialog=replay&webhook={log.orders}")
    expect(dialog(page).get_by_role("button", name="Replay 30 deliveries")).to_be_enabled()

    def asked(request: Any) -> bool:
        return request.url.endswith("deliveries/replay") and "until" in (request.post_data or "")

    dialog(page).get_by_label("Since").fill("2026-01-15T09:30")
    with page.expect_request(asked) as sent:
        dialog(page).get_by_label("Until (empty: now)").fill("2026-07-15T09:30")

    body = json.loads(sent.value.post_data or "")
    # Five hours behind in winter, four in summer; the last minute is whole.
    assert body["since"] == "2026-01-15T14:30:00.000Z"
    assert body["until"] == "2026-07-15T13:30:59.999Z"
    assert body["dryRun"] is True
    context.close()


# ---- refused


def test_wrong_fields_have_the_apis_sentences_beside_them(log: Log, tab: Page) -> None:
    shown = opened(tab, log.orders)

    shown.get_by_label("Rate, per second").fill("2000")
    rate = shown.get_by_label("Rate, per second")
    expect(rate).to_have_attribute("aria-invalid", "true")
    expect(rate).to_have_accessible_description(re.compile("must be a whole number from 1 to 1000"))
    expect(shown.get_by_role("button", name="Replay", exact=True)).to_be_disabled()
    rate.fill("ten")
    expect(rate).to_have_accessible_description(re.compile("must be a whole number from 1 to 1000"))
    assert findings(tab) == []
    rate.fill("10")
    expect(shown.get_by_role("button", name="Replay 30 deliveries")).to_be_enabled()
    shown.get_by_label("Until (empty: now)").fill("2020-01-01T00:00")

    expect(shown.get_by_label("Since")).to_have_accessible_description(
        re.compile("must not be later than until")
    )
    expect(rate).to_have_value("10")


def test_a_paused_webhook_is_refused_in_the_dialog_which_keeps_its_fields(
    service: Service, page: Page
) -> None:
    webhook = service.webhook("Order sync")
    dead(service, webhook)
    service.app.call("PATCH", f"{BASE}/webhook/{webhook}", {"paused": True})
    open_console(page, service, f"#/deliveries?dialog=replay&webhook={webhook}")

    dialog(page).get_by_label("Rate, per second").fill("7")
    dialog(page).get_by_role("button", name="Replay 1 delivery").click()

    expect(dialog(page).get_by_role("alert")).to_contain_text("is paused; resume it first")
    expect(dialog(page).get_by_label("Rate, per second")).to_have_value("7")
    assert findings(page) == []


def test_an_eleventh_replay_is_refused(service: Service, page: Page) -> None:
    webhook = service.webhook("Order sync")
    made = [dead(service, webhook, ago=number * MINUTE) for number in range(MAX_RUNNING + 1)]
    for each in made[:MAX_RUNNING]:
        response = service.app.call("POST", f"{BASE}/deliveries/replay", {"deliveryIds": [each]})
        assert response.status == 202
    open_console(page, service, f"#/deliveries?dialog=replay&webhook={webhook}")

    dialog(page).get_by_role("button", name="Replay 11 deliveries").click()

    expect(dialog(page).get_by_role("alert")).to_contain_text("10")
    expect(dialog(page).get_by_role("button", name="Replay 11 deliveries")).to_be_enabled()


def test_a_count_that_fails_can_be_made_again(log: Log, tab: Page) -> None:
    def refuse(route: Route) -> None:
        body = json.dumps({"statusCode": 503, "error": "no", "message": "a service did not answer"})
        route.fulfill(status=503, content_type="application/json", body=body)

    tab.route("**/deliveries/replay", refuse)
    shown = opened(tab, log.orders)
    expect(shown.get_by_role("alert")).to_contain_text("a service did not answer")
    tab.unroute("**/deliveries/replay")
    shown.get_by_role("button", name="Count again").click()

    expect(shown.get_by_role("button", name="Replay 30 deliveries")).to_be_enabled()


def test_a_count_that_comes_too_soon_waits_and_goes_on_by_itself(service: Service, page: Page) -> None:
    webhook = service.webhook("Order sync")
    dead(service, webhook)
    service.app.limiter.unlimited = ()
    now = service.now + 1000  # the page takes a while
    assert service.app.limiter.take(f"C-{TENANT}#{COMMUNITY}", count=10, burst=10, rate=0.5, now=now)
    open_console(page, service, f"#/deliveries?dialog=replay&webhook={webhook}")

    expect(dialog(page)).to_contain_text(
        "Not counted yet. A community's deliveries are counted once in 2 seconds; send this one again later. "
        "It is counted by itself in"
    )
    expect(dialog(page).get_by_role("timer")).to_have_text(re.compile("[12] s"))
    expect(dialog(page).get_by_role("button", name="Replay", exact=True)).to_be_disabled()
    assert findings(page) == []

    expect(dialog(page).get_by_role("button", name="Replay 1 delivery")).to_be_enabled()


# ---- look, and the webhook's view
def test_a_replay_that_does_not_exist_is_said_to_be_missing(log: Log, tab: Page) -> None:
    visit(tab, f"#/deliveries?dialog=replay&replay={'0' * 24}")

    expect(dialog(tab).get_by_role("heading", name="Replay not found")).to_be_visible()
    assert findings(tab) == []


def test_the_view_of_a_webhook_counts_its_own(log: Log, tab: Page) -> None:
    visit(tab, f"#/webhooks/{log.orders}?dialog=replay")

    expect(dialog(tab).get_by_role("button", name="Replay 30 deliveries")).to_be_enabled()
    expect(dialog(tab).get_by_role("combobox", name="Webhook")).to_have_count(0)


def test_it_is_opened_and_left_by_keys(log: Log, tab: Page) -> None:
    visit(tab, f"#/deliveries?webhook={log.orders}")
    tab.get_by_role("link", name="Replay…").focus()
    tab.keyboard.press("Enter")
    expect(dialog(tab).get_by_role("button", name="Replay 30 deliveries")).to_be_enabled()

    tab.keyboard.press("Escape")

    expect(dialog(tab)).to_have_count(0)
    expect(tab.get_by_role("link", name="Replay…")).to_be_focused()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_nothing_and_it_fits(
    log: Log, tab: Page, width: int, scheme: Literal["light", "dark"]
) -> None:
    with look(tab, width, scheme):
        shown = opened(tab, log.orders)
        expect(shown.get_by_role("button", name="Replay 30 deliveries")).to_be_enabled()
        assert findings(tab) == []
        assert tab.evaluate("document.documentElement.scrollWidth") == width
        box = shown.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
