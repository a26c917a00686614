"""The view of one webhook: health, history, settings, deliveries, and their looks."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.axe import findings
from tests.browser.conftest import Recorded, open_context
from tests.browser.service import MINUTE, Service, attempt
from tests.browser.webhook_pages import (
    anew,
    connected,
    go,
    open_webhook,
    path,
)
from tests.factories import BASE
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.health import Health, State, StateChange

HOUR = 60 * MINUTE
GONE = "endpoint gone (HTTP 410)"
DOWN = "10 attempts in a row failed, the last: HTTP 503"


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


@pytest.fixture(scope="module")
def shared(browser: Browser, service: Service) -> Iterator[Page]:
    """A connected page for the tests that leave nothing behind."""
    yield from connected(browser, service)


@pytest.fixture(scope="module")
def healthy(service: Service) -> str:
    now = service.now
    changes = (
        StateChange(now - 15 * HOUR, State.FAILING, "no response: connection refused"),
        StateChange(now - 14 * HOUR, State.HEALTHY, "an attempt succeeded"),
    )
    webhook_id = service.webhook("Invoice archive", health=Health(changes=changes), tags=["finance"])
    for number in range(12):
        service.delivery(webhook_id, ago=number * MINUTE)
    failed = [attempt(now - 20 * MINUTE, 404, excerpt="no such page")]
    service.delivery(webhook_id, ago=20 * MINUTE, outcome=Outcome.DEAD, attempts=failed, reason="HTTP 404")
    return webhook_id


@pytest.fixture(scope="module")
def held(service: Service) -> str:
    """Of a webhook with eight changes, down for an hour and 49 minutes."""
    since = service.now - 109 * MINUTE
    before = [
        StateChange(
            since - (9 - number) * HOUR, State.SLOW if number % 2 else State.HEALTHY, f"change {number}"
        )
        for number in range(6)
    ]
    changes = (*before, StateChange(since, State.FAILING, "HTTP 503"), StateChange(since, State.HELD, DOWN))
    health = Health(failing_since=since, held_since=since, backlog_since=since, changes=changes)
    webhook_id = service.webhook("Order sync", health=health)
    for number in range(3):
        service.delivery(webhook_id, ago=number * MINUTE, outcome=Outcome.HELD)
    service.delivery(
        webhook_id,
        ago=109 * MINUTE,
        outcome=Outcome.DEAD,
        is_recoverable=True,
        attempts=[attempt(since, 503)],
        reason="HTTP 503",
    )
    return webhook_id


def setting(page: Page, name: str) -> Locator:
    """Return the description of a term in the page's lists."""
    term = page.get_by_role("term").filter(has_text=name)
    return term.locator("xpath=following-sibling::dd[1]")


def health_note(page: Page) -> Locator:
    return page.get_by_role("region", name="Health")


def test_the_first_view_takes_three_requests(
    service: Service, page: Page, recorded: Recorded, healthy: str
) -> None:
    page.goto(service.ready())
    expect(page.get_by_role("heading", name="Webhooks", exact=True)).to_be_visible()
    expect(page.get_by_role("img", name="Last 13 deliveries")).to_be_visible()  # the list is whole
    recorded.requests.clear()

    go(page, f"#/webhooks/{healthy}")
    expect(page.get_by_role("region", name="Health").get_by_role("img", name="Last 13")).to_be_visible()

    paths = [each.url.partition("/default/")[2].partition("?")[0] for each in recorded.requests]
    # Not of this view: running replays, which each looks for later, and the level of the license.
    asked = [each for each in paths if each not in {"", "replays"}]
    first = {f"webhook/{healthy}", f"webhook/{healthy}/series", f"webhook/{healthy}/deliveries/fetch"}
    assert set(asked[:3]) == first
    assert set(asked[3:]) == {"webhooks/health"}


def test_a_healthy_webhook(shared: Page, healthy: str) -> None:
    page = anew(shared, healthy)

    expect(page.get_by_role("heading", level=1)).to_have_text("Invoice archive Healthy")
    expect(page).to_have_title("Invoice archive Healthy · Webhooks")
    expect(health_note(page)).to_contain_text(
        "Healthy for 14 h. Of its last 13 deliveries, 92 % of the attempted ones were delivered."
    )
    for term, text in (("Success, last 13", "92 %"), ("p50", "143 ms"), ("p99", "143 ms"), ("Held", "0")):
        expect(setting(page, term)).to_have_text(text)
    expect(setting(page, "Last failure")).to_have_text(re.compile("^20 min .* ago, HTTP 404$"))
    expect(page.get_by_role("img", name=re.compile("^Last 13 deliveries:.* 12 delivered"))).to_be_visible()
    history = page.get_by_role("list", name="History").get_by_role("listitem")
    expect(history).to_contain_text(
        [
            "Recovered after 1 h: an attempt succeeded",
            "Failing: no response: connection refused",
            re.compile("^Created by tests ?(just now|.* ago)$"),
        ]
    )
    expect(page.get_by_role("img", name="Last 24 hours")).to_have_accessible_name(
        re.compile(
            "^Last 24 hours: healthy for (9 h|8 h 59 min), failing for 1 h, healthy for the last 14 h.$"
        )
    )


def test_the_reason_of_trouble_comes_first(shared: Page, held: str) -> None:
    page = anew(shared, held)

    expect(page.get_by_role("heading", level=1)).to_have_text("Order sync 3 held Failing")
    expect(health_note(page)).to_contain_text(
        f"Held for 1 h 49 min. {DOWN}. New deliveries are held, so no attempt is used up. Probes go on, and "
        "the first one that succeeds sends the held deliveries. 1 dead delivery is sent once more then."
    )
    expect(setting(page, "Held")).to_have_text("3")
    expect(setting(page, "Recoverable")).to_have_text("1 dead, sent once more after the outage")
    expect(setting(page, "Last success")).to_have_text("none among the last 4")


def test_the_history_is_short_at_first(shared: Page, held: str) -> None:
    page = anew(shared, held)
    rows = page.get_by_role("list", name="History").get_by_role("listitem")
    expect(rows).to_have_count(5)

    page.get_by_role("button", name="Show all 8 changes").click()

    expect(rows).to_have_count(9)
    expect(rows.last).to_have_text(re.compile("^Created by tests ?(just now|.* ago)$"))


def test_what_is_before_twenty_changes_is_not_known(service: Service, shared: Page) -> None:
    changes = tuple(
        StateChange(service.now - (40 - number) * MINUTE, State.SLOW if number % 2 else State.HEALTHY, "x")
        for number in range(20)
    )
    page = anew(shared, service.webhook("Restless", health=Health(changes=changes)))

    band = page.get_by_role("img", name="Last 24 hours")
    expect(band).to_have_accessible_name(
        re.compile("^Last 24 hours: not known for 23 h (19|20) min, healthy")
    )
    page.get_by_role("button", name="Show all 20 changes").click()
    expect(page.get_by_text("Created by tests")).to_have_count(0)


def test_every_setting_is_shown(service: Service, shared: Page) -> None:
    webhook_id = service.webhook(
        "All of it",
        eventNames=["order.paid", "order.refunded"],
        tags=["erp", "eu"],
        successCodes=[200, 202],
        retryCodes=[0, 503],
        retryCount=2,
        ttl=4,
        rateLimit=50,
        recover=False,
        criteria="ALL",
        createdBy="portal",
        api={
            "url": "https://hooks.example.com/in",
            "type": "PUT",
            "authType": "oauth2",
            "oAuthGrantType": "client_credentials",
            "oAuthTokenUrl": "https://login.example.com/token",
            "oAuthScopes": ["read", "write"],
            "credential": {"oauth2": {"clientId": "planted-id", "clientSecret": "planted-secret"}},
        },
    )
    page = anew(shared, webhook_id)

    for term, text in (
        ("Events", "order.paidorder.refunded"),
        ("Filter", "none: every event of these names"),
        ("Authentication", "OAuth 2, ••••••"),
        ("Token from", "login.example.com"),
        ("Scopes", "read, write"),
        ("Success", "200, 202"),
        ("Retry on", "no answer, 503"),
        ("Retries", "2"),
        ("Time to answer", "4 s"),
        ("Rate limit", "50 per second"),
        ("Recovery", "off"),
        ("Tags", "erpeu"),
        ("Created", re.compile("^(just now|.* ago) by portal$")),
    ):
        expect(
            page.get_by_role("complementary", name="Settings").locator(f"dt:text-is('{term}') + dd")
        ).to_have_text(text)
    expect(page.get_by_role("main")).to_contain_text("PUT https://hooks.example.com/in")
    assert "planted" not in page.content()


def test_a_filter_is_in_words_with_its_numbers_as_they_are(service: Service, shared: Page) -> None:
    body = (
        '{"eventNames": ["E_LOGIN"], "name": "Exact", "api": {"url": "https://hooks.example.com/in"}, '
        '"successCodes": [200], "query": [{"id": 9007199254740993, "user.city": "Bern"}, {"price": 19.90}]}'
    )
    webhook_id = service.app.call("PUT", f"{BASE}/webhook", body).json["_id"]
    page = anew(shared, webhook_id)

    expect(setting(page, "Filter")).to_contain_text("one of these holds:")
    conditions = setting(page, "Filter").get_by_role("listitem")
    expect(conditions.first).to_have_text('id is 9007199254740993 and user.city is "Bern"')
    expect(conditions.last).to_contain_text("price is 19.9")


def test_the_newest_deliveries_are_shown_and_open(shared: Page, healthy: str) -> None:
    page = anew(shared, healthy)
    rows = page.get_by_role("region", name="Deliveries", exact=True).get_by_role("row")
    expect(rows).to_have_count(1 + 8)

    rows.nth(1).get_by_role("link").click()

    expect(page.get_by_role("dialog", name="Delivery")).to_be_visible()
    assert f"open={healthy}" in page.url
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Delivery")).to_have_count(0)
    see_all = page.get_by_role("link", name="See all deliveries")
    expect(see_all).to_have_attribute("href", f"#/deliveries?webhook={healthy}")


def test_replays_are_asked_for_with_the_webhook_chosen(shared: Page, healthy: str) -> None:
    page = anew(shared, healthy)
    page.get_by_role("link", name="Replay failed…").click()
    expect(page.get_by_role("dialog", name="Replay deliveries")).to_be_visible()
    assert page.url.endswith("?dialog=replay")


def test_a_first_load_that_takes_long_shows_its_place(shared: Page, healthy: str) -> None:
    held_back: list[Route] = []
    go(shared, "#/explain")
    shared.route(path(healthy), lambda route: held_back.append(route))  # noqa: PLW0108 - it wants a function
    go(shared, f"#/webhooks/{healthy}")

    expect(shared.get_by_role("status", name="Loading the webhook")).to_be_visible()
    assert findings(shared) == []
    held_back[0].continue_()
    expect(shared.get_by_role("heading", name="Health", exact=True)).to_be_visible()
    expect(shared.get_by_role("status", name="Loading the webhook")).to_have_count(0)


def test_a_new_webhook_says_what_comes_next(service: Service, shared: Page) -> None:
    page = anew(shared, service.webhook("New"))

    expect(health_note(page)).to_contain_text("Healthy. It has no deliveries yet.")
    expect(page.get_by_role("heading", name="No deliveries yet")).to_be_visible()
    expect(setting(page, "Last success")).to_have_text("none")


LONG: dict[str, Any] = {
    "eventNames": [f"a.very.long.name.of.an.event.{number}" for number in range(50)],
    "api": {"url": "https://hooks.example.com/" + "p" * 1_970},
    "tags": ["t" * 60, "other"],
    "query": [{"name": "y" * 200}, {"price": 1}],
}


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_every_state_is_accessible_and_fits(
    service: Service, browser: Browser, request: pytest.FixtureRequest, width: int, scheme: Any
) -> None:
    healthy, held = (request.getfixturevalue(each) for each in ("healthy", "held"))
    long = service.webhook(scheme.ljust(128, "x"), **LONG)
    context = open_context(browser, viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    open_webhook(service, page, healthy)
    for webhook_id in (healthy, held, long):
        go(page, f"#/webhooks/{webhook_id}")
        expect(page.get_by_role("complementary", name="Settings")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        assert findings(page) == [], webhook_id
        assert page.evaluate("document.documentElement.scrollWidth") == width, webhook_id
    for dialog in ("test", "rotate", "delete"):
        go(page, f"#/webhooks/{long}?dialog={dialog}")
        expect(page.get_by_role("dialog")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == width, dialog
    context.close()


def test_fifty_events_are_shown_when_they_are_wanted(service: Service, shared: Page) -> None:
    page = anew(shared, service.webhook("Many events", **LONG))
    last = page.get_by_text("a.very.long.name.of.an.event.49", exact=True)
    expect(last).to_have_count(0)
    page.get_by_role("button", name="Show all 50").click()
    expect(last).to_be_visible()
    page.get_by_role("complementary").get_by_role("button", name="Show less").click()
    expect(last).to_have_count(0)


def test_the_exact_times_of_the_band_are_a_tooltip(shared: Page, healthy: str) -> None:
    page = anew(shared, healthy)
    box = page.get_by_role("img", name="Last 24 hours").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 9.5 / 24, box["y"] + 12)
    expect(page.get_by_role("tooltip")).to_contain_text("Failing, ")
    expect(page.get_by_role("tooltip")).to_contain_text("No response: connection refused")
