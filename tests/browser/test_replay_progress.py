"""A replay under way: followed, cancelled, stopped; the line that stays on the page."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import findings
from tests.browser.logged import (
    MINUTE,
    dead,
    move_replay,
    only_replay,
    open_console,
)
from tests.browser.service import Service
from webhooks.domain.replay import ReplayState


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Replay deliveries")


@pytest.fixture
def begun(service: Service, page: Page) -> str:
    """A replay of 40 deliveries that was begun in the dialog; the webhook's id."""
    webhook = service.webhook("Order sync")
    for number in range(40):
        dead(service, webhook, ago=number * MINUTE)
    open_console(page, service, f"#/deliveries?dialog=replay&webhook={webhook}")
    dialog(page).get_by_role("button", name="Replay 40 deliveries").click()
    expect(dialog(page)).to_contain_text("0 of 40 sent")
    return webhook


def test_a_replay_is_followed_to_its_end(service: Service, page: Page, begun: str) -> None:
    replay = only_replay(service)
    assert replay.query is not None
    assert (replay.query.webhook_id, replay.rate) == (begun, 10)

    move_replay(service, sent=10, without_payload=2)
    expect(dialog(page)).to_contain_text("10 of 40 sent")
    expect(dialog(page)).to_contain_text("about 3 s left")
    expect(dialog(page).get_by_role("progressbar", name="Replay progress")).to_have_attribute("value", "12")
    assert findings(page) == []
    move_replay(service, sent=36, without_payload=2, state=ReplayState.DONE)

    expect(dialog(page)).to_contain_text("Finished.")
    expect(dialog(page)).to_contain_text("36 of 40 sent")
    expect(dialog(page)).to_contain_text(re.compile("Passed over\\s*2\\s*changed meanwhile"))
    expect(dialog(page).get_by_role("button", name="Cancel replay")).to_have_count(0)


def test_a_replay_is_cancelled(service: Service, page: Page, begun: str) -> None:
    move_replay(service, sent=10)
    expect(dialog(page)).to_contain_text("10 of 40 sent")

    dialog(page).get_by_role("button", name="Cancel replay").click()

    expect(dialog(page)).to_contain_text("Cancelled. Deliveries that were sent stay sent.")
    assert only_replay(service).state is ReplayState.CANCELLED


def test_a_replay_that_stopped_says_why(service: Service, page: Page, begun: str) -> None:
    move_replay(service, sent=5, state=ReplayState.STOPPED, reason="its endpoint failed again")

    expect(dialog(page)).to_contain_text("Stopped: its endpoint failed again.")
    assert findings(page) == []


def test_closing_leaves_a_line_on_the_page_that_opens_it_again(
    service: Service, page: Page, begun: str
) -> None:
    dialog(page).get_by_role("button", name="Close").last.click()

    expect(page.get_by_text("Replay running.")).to_be_visible()
    assert "replay=" not in page.url
    move_replay(service, sent=20)
    expect(page.get_by_text("20 of 40 sent, Order sync, about 2 s left")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("link", name="Open").click()
    expect(dialog(page)).to_contain_text("20 of 40 sent")
    page.go_back()
    expect(dialog(page)).to_have_count(0)
    move_replay(service, sent=40, state=ReplayState.DONE)

    expect(page.get_by_text("Replay finished: 40 sent")).to_be_visible()
    expect(page.get_by_text("Replay running.")).to_have_count(0)


def test_a_link_to_a_replay_shows_its_progress(service: Service, page: Page, begun: str) -> None:
    address = page.evaluate("location.hash")
    page.goto("about:blank")

    open_console(page, service, address)

    expect(dialog(page)).to_contain_text("0 of 40 sent")
