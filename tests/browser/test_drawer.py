"""One delivery: its story, its attempts, its texts, and that it can be sent again."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.axe import findings
from tests.browser.logged import (
    LOOKS,
    MINUTE,
    SECOND,
    connected_tab,
    dead,
    entry_of,
    held,
    look,
    retrying,
    unanswered,
    visit,
)
from tests.browser.service import Service, attempt
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.http import PhaseTimes


class Log(Service):
    """A webhook with a delivery in each state."""

    def __init__(self) -> None:
        super().__init__()
        self.orders = self.webhook("Order sync", eventNames=["order.paid"])
        self.dead = dead(self, self.orders, ago=10 * MINUTE, event_name="order.paid", event_id="event-dead")
        self.held = held(self, self.orders, ago=9 * MINUTE)
        self.retrying = retrying(self, self.orders, due=30 * MINUTE, ago=8 * MINUTE)
        at = self.now - 7 * MINUTE
        reused = PhaseTimes(lookup=0, connect=0, tls=0, first_byte=99, total=100)
        self.delivered = self.delivery(
            self.orders,
            ago=7 * MINUTE,
            attempts=[
                attempt(at, 503, excerpt="busy"),
                attempt(at + 31 * SECOND, latency_ms=100, times=reused),
            ],
        )

    def made(self, outcome: Outcome, *attempts: Any, **changes: Any) -> str:
        return self.delivery(self.orders, outcome=outcome, attempts=attempts, ago=6 * MINUTE, **changes)


@pytest.fixture(scope="module")
def log() -> Iterator[Log]:
    log = Log()
    yield log
    log.close()


@pytest.fixture(scope="module")
def tab(log: Log, browser: Any) -> Iterator[Page]:
    with connected_tab(browser, log, permissions=["clipboard-read", "clipboard-write"]) as page:
        yield page


def drawer(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Delivery")


def opened(page: Page, delivery_id: str) -> Locator:
    visit(page, f"#/deliveries?open={delivery_id}")
    expect(drawer(page).get_by_role("button", name="Copy as cURL")).to_be_enabled()
    return drawer(page)


def row_of(page: Page, delivery_id: str) -> Locator:
    return page.get_by_role("row").locator(f'a[href$="open={delivery_id}"]')


def copied(page: Page) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


# ---- the sentence


def test_a_dead_one_says_what_came_and_that_no_retry_follows(log: Log, tab: Page) -> None:
    shown = opened(tab, log.dead)

    expect(shown).to_contain_text("The endpoint answered 503 at the last of 3 attempts. No retry follows.")
    expect(shown.get_by_role("link", name="Order sync")).to_have_attribute("href", f"#/webhooks/{log.orders}")
    expect(shown.get_by_role("link", name="Explain event")).to_have_attribute(
        "href", re.compile("#/explain.event=event-dead&name=order.paid&at=20")
    )
    expect(shown.get_by_role("button", name="Resend")).to_be_enabled()


def test_a_held_one_says_when_it_is_sent(log: Log, tab: Page) -> None:
    shown = opened(tab, log.held)

    expect(shown).to_contain_text("The webhook's endpoint is down, so no attempt was made.")
    expect(shown).to_contain_text("It is sent, the oldest first, when a probe succeeds.")
    shown.get_by_role("tab", name="Response").click()
    expect(shown).to_contain_text("No attempt yet, so there is no response.")


def test_a_retried_one_counts_down_and_cannot_be_sent_again(log: Log, tab: Page) -> None:
    shown = opened(tab, log.retrying)

    expect(shown).to_contain_text(re.compile(r"The endpoint answered 429\. Attempt 2 follows in \d+ min"))
    expect(shown.get_by_role("button", name="Resend")).to_be_disabled()
    expect(shown).to_contain_text("Resend is possible when no retry is left.")
    expect(shown).to_contain_text(re.compile(r"attempt 2 in \d+ min"))


def test_a_delivered_one_opens_on_its_payload_which_is_not_kept(log: Log, tab: Page) -> None:
    shown = opened(tab, log.delivered)

    expect(shown).to_contain_text("Delivered at attempt 2: the endpoint answered 200 in 100 ms.")
    expect(shown.get_by_role("tab", name="Payload")).to_have_attribute("aria-selected", "true")
    expect(shown).to_contain_text("The payload is not kept. This service keeps payloads of dead and held")
    expect(shown.get_by_role("button", name="Resend")).to_be_disabled()
    expect(shown).to_contain_text("The payload is not kept, so it cannot be sent again.")
    expect(shown.get_by_role("button", name=re.compile("^2. 200"))).to_contain_text("reused")


@pytest.mark.parametrize(
    ("outcome", "reason", "said"),
    [
        (Outcome.SKIPPED, "webhook deleted", "The webhook was deleted before the delivery was sent."),
        (Outcome.SKIPPED, "webhook disabled", "The webhook was disabled before the delivery was sent."),
        (
            Outcome.SKIPPED,
            "endpoint gone (HTTP 410)",
            "The webhook was disabled (endpoint gone (HTTP 410)) before the delivery was sent.",
        ),
        (
            Outcome.HELD,
            "the webhook is paused",
            "The webhook is paused, so no attempt was made. It is sent when",
        ),
        (Outcome.DEAD, "no success for 5 days", "No success for 5 days. No retry follows."),
    ],
)
def test_a_delivery_without_attempts_says_why(
    log: Log, tab: Page, outcome: Outcome, reason: str, said: str
) -> None:
    expect(opened(tab, log.made(outcome, reason=reason))).to_contain_text(said)


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        (404, "HTTP 404, not a retry code", "answered 404, which is no success code and not in retryCodes."),
        (410, "endpoint gone (HTTP 410)", "The endpoint answered 410 (gone), so its webhook was disabled."),
        (500, "HTTP 500 at the last of 1 attempts", "The endpoint answered 500 at its only attempt."),
        (503, "HTTP 503 to a probe", "The endpoint answered 503 to a probe."),
        (None, "no answer: deadline at the last of 1 attempts", "No answer in 5.0 s at its only attempt."),
    ],
)
def test_a_dead_one_names_its_last_answer(
    log: Log, tab: Page, status: int | None, reason: str, said: str
) -> None:
    tried = unanswered(log.now) if status is None else attempt(log.now, status, excerpt="no")

    expect(opened(tab, log.made(Outcome.DEAD, tried, reason=reason))).to_contain_text(said)


def test_a_recoverable_one_is_sent_once_more(log: Log, tab: Page) -> None:
    made = dead(log, log.orders, ago=5 * MINUTE, is_recoverable=True)

    expect(opened(tab, made)).to_contain_text("It is sent once more when the endpoint responds again.")


# ---- attempts


def test_attempts_share_a_scale_with_the_waits_between_them(log: Log, tab: Page) -> None:
    shown = opened(tab, log.dead)

    expect(shown.get_by_text("waited 31 s")).to_be_visible()
    expect(shown.get_by_text("waited 4 min 24 s")).to_be_visible()
    widths = shown.get_by_role("button", name=re.compile("^[123]. ")).evaluate_all(
        "all => all.map(each => [...each.querySelectorAll('rect')]"
        ".reduce((sum, bar) => sum + bar.width.baseVal.value, 0))"
    )
    # Of 212 ms (its phases are of 143), 5,000 ms and 800 ms (143).
    assert widths[1] == pytest.approx(1000, abs=10)
    assert widths[0] == pytest.approx(28.6, abs=8)


def test_an_attempt_that_is_chosen_shows_its_response_and_headers(log: Log, tab: Page) -> None:
    shown = opened(tab, log.dead)
    expect(shown.get_by_role("tabpanel")).to_contain_text("still down")

    shown.get_by_role("button", name=re.compile("^1. 503")).click()
    expect(shown.get_by_role("tabpanel")).to_contain_text("upstream connect error")
    expect(shown.get_by_role("tabpanel")).to_contain_text("503 Service Unavailable")
    expect(shown.get_by_role("tabpanel")).to_contain_text("attempt 1, address 203.0.113.24")
    shown.get_by_role("button", name=re.compile("^2. No answer")).click()
    expect(shown.get_by_role("tabpanel")).to_contain_text("No answer in 5.0 s.")
    expect(shown.get_by_role("tabpanel")).to_contain_text("TLS was ready after 64 ms")
    shown.get_by_role("tab", name="Request headers").click()

    expect(shown.get_by_role("tabpanel")).to_contain_text("POST https://hooks.example.com/in")
    expect(shown.get_by_role("tabpanel")).to_contain_text("webhook-attempt: 2")
    expect(shown.get_by_role("tabpanel")).to_contain_text("webhook-signature: [left out]")


def test_attempts_that_the_log_left_out_are_counted(log: Log, tab: Page) -> None:
    made = log.made(Outcome.DEAD, attempt(log.now, 503), reason="HTTP 503 at the last of 4 attempts")
    entry = entry_of(log, made)

    log.app.deliveries.record([replace(entry, delivery=replace(entry.delivery, earlier=3))])

    shown = opened(tab, made)
    expect(shown).to_contain_text("3 earlier attempts are counted only")
    expect(shown.get_by_role("button", name=re.compile("^4. 503"))).to_be_visible()


def test_a_redirect_says_where_it_leads(log: Log, tab: Page) -> None:

    tried = replace(attempt(log.now, 302, excerpt=None), location="https://elsewhere.example/in")
    made = log.made(Outcome.DEAD, tried, reason="HTTP 302 to https://elsewhere.example/in, not a retry code")

    expect(opened(tab, made)).to_contain_text("It leads to https://elsewhere.example/in.")


# ---- texts


def test_the_payload_is_shown_and_copied_to_the_digit(log: Log, tab: Page) -> None:
    data = {"id": 12345678901234567890, "rate": 1.0, "text": ',"payload":', "payload": {"a": "Grüße"}}
    made = dead(log, log.orders, ago=4 * MINUTE, data=data)
    exact = log.app.deliveries.bodies()[made]
    shown = opened(tab, made)

    shown.get_by_role("tab", name="Payload").click()
    panel = shown.get_by_role("tabpanel")
    expect(panel).to_contain_text('"id": 12345678901234567890')
    expect(panel).to_contain_text('"rate": 1.0')
    expect(panel).to_contain_text(f"{len(exact.encode())} bytes")
    shown.get_by_role("button", name="Raw").click()
    expect(panel.locator("pre")).to_have_text(exact)
    shown.get_by_role("button", name="Copy payload").click()
    expect(tab.get_by_text("Copied the payload")).to_be_visible()

    assert copied(tab) == exact


def test_curl_has_the_request_without_its_secrets_and_a_shell_reads_it(log: Log, tab: Page) -> None:
    made = dead(log, log.orders, ago=3 * MINUTE, data={"name": "O'Brien $HOME `id`"})
    shown = opened(tab, made)

    shown.get_by_role("button", name="Copy as cURL").click()
    expect(tab.get_by_text("Copied the cURL command")).to_be_visible()

    command = copied(tab)
    assert command.startswith("# Signatures and credentials are left out")
    words = [each for each in shlex.split(command, comments=True) if each != "\n"]
    assert words[:5] == ["curl", "--globoff", "--request", "POST", "https://hooks.example.com/in"]
    assert f"webhook-id: {made}" in words
    assert "[left out]" not in command
    assert words[words.index("--data-raw") + 1] == log.app.deliveries.bodies()[made]


def test_tabs_are_reached_by_arrow_keys(log: Log, tab: Page) -> None:
    shown = opened(tab, log.dead)

    shown.get_by_role("tab", name="Response").focus()
    tab.keyboard.press("ArrowRight")
    expect(shown.get_by_role("tab", name="Payload")).to_be_focused()
    expect(shown.get_by_role("tabpanel", name="Payload")).to_contain_text("A-1001")
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("ArrowLeft")

    expect(shown.get_by_role("tab", name="Request headers")).to_be_focused()


# ---- ways in and out


def test_keys_go_to_the_next_and_the_previous_and_close(log: Log, tab: Page) -> None:
    shown = opened(tab, log.held)
    expect(shown).to_be_focused()

    tab.keyboard.press("j")
    expect(shown).to_contain_text(log.dead)
    tab.keyboard.press("k")
    expect(shown).to_contain_text(log.held)
    tab.keyboard.press("Escape")

    expect(shown).to_have_count(0)
    expect(row_of(tab, log.held)).to_be_focused()


def test_back_closes_it_also_after_others_were_looked_at(log: Log, tab: Page) -> None:
    visit(tab, "#/deliveries")
    row_of(tab, log.held).click()
    expect(drawer(tab)).to_be_visible()
    drawer(tab).get_by_role("button", name="Next delivery (j)").click()
    expect(drawer(tab)).to_contain_text(log.dead)

    tab.go_back()

    expect(drawer(tab)).to_have_count(0)


def test_a_delivery_that_does_not_exist_is_said_to_be_missing(log: Log, tab: Page) -> None:
    visit(tab, "#/deliveries?open=none-such")

    expect(drawer(tab).get_by_role("heading", name="Delivery not found")).to_be_visible()
    assert findings(tab) == []
    drawer(tab).get_by_role("button", name="Close", exact=True).click()
    expect(drawer(tab)).to_have_count(0)


def test_a_service_that_is_not_ready_is_asked_again(log: Log, tab: Page) -> None:
    def refuse(route: Route) -> None:
        body = json.dumps({"statusCode": 503, "error": "no", "message": "a service did not answer"})
        route.fulfill(status=503, content_type="application/json", headers={"retry-after": "20"}, body=body)

    tab.route("**/delivery/*", refuse)
    made = dead(log, log.orders, ago=1000 * MINUTE)
    visit(tab, f"#/deliveries?outcome=held&open={made}")

    expect(drawer(tab)).to_contain_text("a service did not answer")
    tab.unroute("**/delivery/*")
    drawer(tab).get_by_role("button", name="Try again now").click()
    expect(drawer(tab)).to_contain_text("503 at the last of 3 attempts")


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_axe_finds_nothing_in_each_tab(
    log: Log, tab: Page, width: int, scheme: Literal["light", "dark"]
) -> None:
    with look(tab, width, scheme):
        shown = opened(tab, log.dead)
        for name in ("Response", "Payload", "Request headers"):
            shown.get_by_role("tab", name=name).click()
            expect(shown.get_by_role("tabpanel", name=name)).to_be_visible()
            assert findings(tab) == [], name
        assert tab.evaluate("document.documentElement.scrollWidth") == width
        box = shown.bounding_box()
        assert box is not None
        assert box["width"] == min(640, width)
