"""The view of one webhook: health, settings, actions, and what happens when something fails."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.axe import findings
from tests.browser.conftest import Recorded, open_context
from tests.browser.webhook_pages import anew, connected, error, go, open_webhook, path, secret, stored
from tests.browser.world import MINUTE, World, attempt
from tests.factories import BASE, SCOPE
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.health import Health, State, StateChange
from webhooks.domain.webhook import Webhook

HOUR = 60 * MINUTE
GONE = "endpoint gone (HTTP 410)"
DOWN = "10 attempts in a row failed, the last: HTTP 503"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


@pytest.fixture(scope="module")
def shared(browser: Browser, world: World) -> Iterator[Page]:
    """A connected page for the tests that leave nothing behind."""
    yield from connected(browser, world)


@pytest.fixture(scope="module")
def healthy(world: World) -> str:
    now = world.now
    changes = (
        StateChange(now - 15 * HOUR, State.FAILING, "no response: connection refused"),
        StateChange(now - 14 * HOUR, State.HEALTHY, "an attempt succeeded"),
    )
    webhook_id = world.webhook("Invoice archive", health=Health(changes=changes), tags=["finance"])
    for number in range(12):
        world.delivery(webhook_id, ago=number * MINUTE)
    failed = [attempt(now - 20 * MINUTE, 404, excerpt="no such page")]
    world.delivery(webhook_id, ago=20 * MINUTE, outcome=Outcome.DEAD, attempts=failed, reason="HTTP 404")
    return webhook_id


@pytest.fixture(scope="module")
def held(world: World) -> str:
    """Of a webhook with eight changes, down for an hour and 49 minutes."""
    since = world.now - 109 * MINUTE
    before = [
        StateChange(
            since - (9 - number) * HOUR, State.SLOW if number % 2 else State.HEALTHY, f"change {number}"
        )
        for number in range(6)
    ]
    changes = (*before, StateChange(since, State.FAILING, "HTTP 503"), StateChange(since, State.HELD, DOWN))
    health = Health(failing_since=since, held_since=since, backlog_since=since, changes=changes)
    webhook_id = world.webhook("Order sync", health=health)
    for number in range(3):
        world.delivery(webhook_id, ago=number * MINUTE, outcome=Outcome.HELD)
    world.delivery(
        webhook_id,
        ago=109 * MINUTE,
        outcome=Outcome.DEAD,
        is_recoverable=True,
        attempts=[attempt(since, 503)],
        reason="HTTP 503",
    )
    return webhook_id


def disable(world: World, webhook_id: str, reason: str | None) -> None:
    before = world.app.subscriptions.get(SCOPE, webhook_id)
    assert isinstance(before, Webhook)
    after = replace(
        before,
        revision=before.revision + 1,
        definition=replace(before.definition, disabled=True),
        disabled_reason=reason,
        health=before.health.changed(
            world.now - 6 * HOUR, State.DISABLED, reason or "disabled by its tenant"
        ),
    )
    world.app.subscriptions.change(before, after, record=None)


def setting(page: Page, name: str) -> Locator:
    """Return what a term of the page's lists says."""
    term = page.get_by_role("term").filter(has_text=name)
    return term.locator("xpath=following-sibling::dd[1]")


def health_note(page: Page) -> Locator:
    return page.get_by_role("region", name="Health")


# What it shows


def test_the_first_view_takes_three_requests(
    world: World, page: Page, recorded: Recorded, healthy: str
) -> None:
    page.goto(world.ready())
    expect(page.get_by_role("heading", name="Webhooks", exact=True)).to_be_visible()
    expect(page.get_by_role("img", name="Last 13 deliveries")).to_be_visible()  # the list is whole
    recorded.requests.clear()

    go(page, f"#/webhooks/{healthy}")
    expect(page.get_by_role("region", name="Health").get_by_role("img", name="Last 13")).to_be_visible()

    paths = [each.url.partition("/default/")[2].partition("?")[0] for each in recorded.requests]
    asked = [each for each in paths if each != "replays"]  # looked for later, by each view
    first = {f"webhook/{healthy}", f"webhook/{healthy}/series", f"webhook/{healthy}/deliveries/fetch"}
    assert set(asked[:3]) == first
    assert set(asked[3:]) == {"webhooks/health"}


def test_a_healthy_webhook(shared: Page, healthy: str) -> None:
    page = anew(shared, healthy)

    expect(page.get_by_role("heading", level=1)).to_have_text("Invoice archive Healthy")
    expect(page).to_have_title("Invoice archive Healthy · Webhooks")
    expect(health_note(page)).to_contain_text(
        "Healthy for 14 h. 92 % of the attempted ones of its last 13 deliveries were delivered."
    )
    for term, text in (("Success, last 13", "92 %"), ("p50", "143 ms"), ("p99", "143 ms"), ("Held", "0")):
        expect(setting(page, term)).to_have_text(text)
    expect(setting(page, "Last failure")).to_have_text(re.compile("^20 min .* ago, HTTP 404$"))
    expect(page.get_by_role("img", name="Last 13 deliveries: 1 dead, 12 delivered")).to_be_visible()
    history = page.get_by_role("list", name="History").get_by_role("listitem")
    expect(history).to_contain_text(
        [
            "Recovered after 1 h: an attempt succeeded",
            "Failing: no response: connection refused",
            "Created by tests",
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
    expect(rows.last).to_have_text("Created by tests")


def test_what_is_before_twenty_changes_is_not_known(world: World, shared: Page) -> None:
    changes = tuple(
        StateChange(world.now - (40 - number) * MINUTE, State.SLOW if number % 2 else State.HEALTHY, "x")
        for number in range(20)
    )
    page = anew(shared, world.webhook("Restless", health=Health(changes=changes)))

    band = page.get_by_role("img", name="Last 24 hours")
    expect(band).to_have_accessible_name(
        re.compile("^Last 24 hours: not known for 23 h (19|20) min, healthy")
    )
    page.get_by_role("button", name="Show all 20 changes").click()
    expect(page.get_by_text("Created by tests")).to_have_count(0)


def test_every_setting_is_shown(world: World, shared: Page) -> None:
    webhook_id = world.webhook(
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
        ("Created", "by portal"),
    ):
        expect(
            page.get_by_role("complementary", name="Settings").locator(f"dt:text-is('{term}') + dd")
        ).to_have_text(text)
    expect(page.get_by_role("main")).to_contain_text("PUT https://hooks.example.com/in")
    assert "planted" not in page.content()


def test_a_filter_is_in_words_with_its_numbers_as_they_are(world: World, shared: Page) -> None:
    body = (
        '{"eventNames": ["E_LOGIN"], "name": "Exact", "api": {"url": "https://hooks.example.com/in"}, '
        '"successCodes": [200], "query": [{"id": 9007199254740993, "user.city": "Bern"}, {"price": 19.90}]}'
    )
    webhook_id = world.app.call("PUT", f"{BASE}/webhook", body).json["_id"]
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


def test_a_new_webhook_says_what_comes_next(world: World, shared: Page) -> None:
    page = anew(shared, world.webhook("New"))

    expect(health_note(page)).to_contain_text("Healthy. It has no deliveries yet.")
    expect(page.get_by_role("heading", name="No deliveries yet")).to_be_visible()
    expect(setting(page, "Last success")).to_have_text("none")


def test_it_keeps_up_while_it_is_seen(world: World, page: Page, recorded: Recorded) -> None:
    webhook_id = world.webhook("Busy")
    page.clock.install(time=world.now / 1000)
    open_webhook(world, page, webhook_id)
    expect(page.get_by_role("heading", name="No deliveries yet")).to_be_visible()
    world.delivery(webhook_id, event_name="order.paid")

    page.clock.fast_forward(15_000)

    expect(page.get_by_role("link", name="order.paid")).to_be_visible()
    page.evaluate("Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})")
    page.wait_for_load_state("networkidle")
    before = len(recorded.requests)
    page.clock.fast_forward(40_000)
    world.delivery(webhook_id, event_name="order.refunded")
    assert len(recorded.requests) == before
    page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("link", name="order.refunded")).to_be_visible()


# What it does


def test_pausing_is_done_at_once_and_undone(world: World, shared: Page) -> None:
    webhook_id = world.webhook("Pausable")
    page = anew(shared, webhook_id)

    page.get_by_role("button", name="Pause").click()

    expect(page.get_by_role("status").get_by_text("Paused. New deliveries are held")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pausable Paused")
    expect(health_note(page)).to_contain_text("New deliveries are held, and sent when it is resumed.")
    assert stored(world, webhook_id)["paused"] is True

    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pausable Healthy")
    assert "paused" not in stored(world, webhook_id)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_a_disabled_webhook_says_why_and_is_enabled(world: World, shared: Page) -> None:
    webhook_id = world.webhook("Refunds")
    disable(world, webhook_id, GONE)
    page = anew(shared, webhook_id)
    expect(health_note(page)).to_contain_text("Disabled for 6 h. Endpoint gone (HTTP 410). Events skip it.")
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)
    assert findings(page) == []

    page.get_by_role("button", name="Enable the webhook").click()

    expect(page.get_by_role("status").get_by_text("Enabled.")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Refunds Healthy")
    assert stored(world, webhook_id)["disabled"] is False


def test_an_action_that_fails_says_why(world: World, shared: Page) -> None:
    webhook_id = world.webhook("Contested")
    page = anew(shared, webhook_id)
    message = "the webhook was changed by others meanwhile; send the request again"

    def refuse(route: Route) -> None:
        if route.request.method == "PATCH":
            route.fulfill(**error(409, message))
        else:
            route.continue_()

    page.route(path(webhook_id), refuse)
    page.get_by_role("button", name="Pause").click()

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The webhook was not paused. The webhook was changed by others")
    assert findings(page) == []
    alert.get_by_role("button", name="Dismiss").click()
    expect(alert).to_have_count(0)


def test_the_signing_secret_is_shown_copied_and_hidden(world: World, shared: Page) -> None:
    webhook_id = world.webhook("Signed")
    shared.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = anew(shared, webhook_id)
    settings = page.get_by_role("complementary", name="Settings")
    whsec = secret(world, webhook_id)
    assert whsec.startswith("whsec_")

    page.get_by_role("button", name="Copy signing secret").click()
    expect(page.get_by_role("status").get_by_text("Copied the signing secret")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == whsec
    assert whsec not in page.content()
    toggle = settings.get_by_role("button", name="Signing secret: show or hide")
    toggle.click()
    expect(settings.get_by_text(whsec)).to_be_visible()
    toggle.click()
    expect(settings.get_by_text(whsec)).to_have_count(0)

    page.route(path(webhook_id, "/secret"), lambda route: route.fulfill(**error(403, "not for you")))
    toggle.click()
    expect(settings.get_by_role("alert")).to_have_text("not for you")


def test_a_rotated_secret_is_shown_once(world: World, shared: Page) -> None:
    webhook_id = world.webhook("Rotated")
    page = anew(shared, webhook_id)
    before = secret(world, webhook_id)

    page.get_by_role("link", name="Rotate secret").click()
    dialog = page.get_by_role("dialog", name="Rotate signing secret")
    expect(dialog).to_contain_text("For 24 hours every callback carries both signatures")
    assert findings(page) == []
    dialog.get_by_role("button", name="Rotate secret").click()

    done = page.get_by_role("dialog", name="Signing secret rotated")
    expect(done).to_be_visible()
    expect(done.get_by_label("New signing secret", exact=True)).to_have_value(secret(world, webhook_id))
    assert secret(world, webhook_id) != before
    assert findings(page) == []
    done.get_by_role("button", name="Done").click()
    expect(done).to_have_count(0)
    assert "dialog" not in page.url


def test_a_rotation_that_fails_says_why(world: World, shared: Page) -> None:
    webhook_id = world.webhook("Not rotated")
    page = anew(shared, webhook_id, "?dialog=rotate")
    page.route(path(webhook_id, "/secret/rotate"), lambda route: route.fulfill(**error(503, "not now")))

    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Rotate secret").click()

    expect(dialog.get_by_role("alert")).to_contain_text("The secret was not rotated. Not now.")
    dialog.get_by_role("button", name="Cancel").click()


def test_a_webhook_is_deleted_after_its_name_was_typed(world: World, shared: Page) -> None:
    webhook_id = world.webhook("Old  one ")  # the browser shows one space
    page = anew(shared, webhook_id)
    page.get_by_role("link", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete webhook")
    button = dialog.get_by_role("button", name="Delete webhook")
    typed = dialog.get_by_label("Type Old one to confirm")
    expect(typed).to_be_focused()
    expect(button).to_be_disabled()
    assert findings(page) == []

    typed.fill("Old")
    expect(button).to_be_disabled()
    typed.fill("Old one")
    page.route(path(webhook_id), lambda route: route.fulfill(**error(503, "not now")), times=1)
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("The webhook was not deleted. Not now.")
    expect(typed).to_have_value("Old one")
    button.click()

    expect(page.get_by_role("status").get_by_text("Webhook deleted")).to_be_visible()
    expect(page.get_by_role("heading", name="Webhooks", exact=True)).to_be_visible()
    assert world.app.call("GET", f"{BASE}/webhook/{webhook_id}").status == 404


def test_deleting_tells_of_held_deliveries(shared: Page, held: str) -> None:
    page = anew(shared, held, "?dialog=delete")
    expect(page.get_by_role("dialog")).to_contain_text(
        "Deliveries that wait (3 held) are not sent: they end dead."
    )
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Send test event", "Send test event"),
        ("Rotate secret", "Rotate signing secret"),
        ("Delete", "Delete webhook"),
    ],
)
def test_a_dialog_is_an_address(shared: Page, healthy: str, name: str, title: str) -> None:
    page = anew(shared, healthy)
    opener = page.get_by_role("link", name=name, exact=True)

    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name=title)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.go_forward()
    expect(page.get_by_role("dialog", name=title)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


# What goes wrong


def test_a_webhook_that_does_not_exist(shared: Page) -> None:
    go(shared, f"#/webhooks/{'0' * 24}")

    alert = shared.get_by_role("alert")
    expect(alert).to_contain_text("This webhook does not exist")
    assert findings(shared) == []
    alert.get_by_role("link", name="All webhooks").click()
    expect(shared.get_by_role("heading", name="Webhooks", exact=True)).to_be_visible()


def test_a_webhook_that_is_deleted_meanwhile(world: World, page: Page) -> None:
    webhook_id = world.webhook("Short-lived")
    page.clock.install(time=world.now / 1000)
    open_webhook(world, page, webhook_id)
    assert world.app.call("DELETE", f"{BASE}/webhook/{webhook_id}").status == 204

    page.clock.fast_forward(15_000)

    expect(page.get_by_role("alert")).to_contain_text("It may have been deleted meanwhile.")


@pytest.mark.parametrize(
    ("status", "title"), [(403, "Your license does not reach this"), (401, "did not accept")]
)
def test_a_refusal_takes_the_place_of_the_view(shared: Page, healthy: str, status: int, title: str) -> None:
    go(shared, "#/explain")
    shared.route(path(healthy), lambda route: route.fulfill(**error(status, "the reason")))
    go(shared, f"#/webhooks/{healthy}")

    alert = shared.get_by_role("alert")
    expect(alert).to_contain_text(title)
    expect(alert).to_contain_text("the reason")
    assert findings(shared) == []
    shared.unroute_all()


def test_a_limit_counts_down_and_the_page_goes_on(shared: Page, healthy: str) -> None:
    go(shared, "#/explain")
    response = {**error(429, "too many requests"), "headers": {"Retry-After": "1"}}
    shared.route(path(healthy), lambda route: route.fulfill(**response), times=1)
    go(shared, f"#/webhooks/{healthy}")

    expect(shared.get_by_role("alert")).to_contain_text("tries again by itself in 1 s")
    expect(shared.get_by_role("heading", name="Health", exact=True)).to_be_visible()


@pytest.mark.parametrize("failure", ["offline", "unavailable"])
def test_what_is_shown_stays_when_the_service_is_away(
    world: World, page: Page, healthy: str, failure: str
) -> None:
    page.clock.install(time=world.now / 1000)
    open_webhook(world, page, healthy)
    expect(page.get_by_role("img", name="Last 13 deliveries")).to_be_visible()
    if failure == "offline":
        page.route("**/tenant/**", lambda route: route.abort())
    else:
        page.route("**/tenant/**", lambda route: route.fulfill(**error(503, "not now")))

    page.clock.fast_forward(15_000)

    said = "The service cannot be reached" if failure == "offline" else "The page shows what it had"
    expect(page.get_by_role("status").filter(has_text=said)).to_be_visible()
    expect(page.get_by_role("img", name="Last 13 deliveries")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Invoice archive")


def test_a_refusal_of_a_later_load_keeps_what_is_shown(world: World, page: Page, healthy: str) -> None:
    page.clock.install(time=world.now / 1000)
    open_webhook(world, page, healthy)
    page.route(path(healthy), lambda route: route.fulfill(**error(403, "the reason")), times=1)

    page.clock.fast_forward(15_000)

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The page shows what was loaded before. The reason.")
    alert.get_by_role("button", name="Try again now").click()
    expect(alert).to_have_count(0)


# How it looks


LONG: dict[str, Any] = {
    "eventNames": [f"a.very.long.name.of.an.event.{number}" for number in range(50)],
    "api": {"url": "https://hooks.example.com/" + "p" * 1_970},
    "tags": ["t" * 60, "other"],
    "query": [{"name": "y" * 200}, {"price": 1}],
}


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_every_state_is_accessible_and_fits(
    world: World, browser: Browser, request: pytest.FixtureRequest, width: int, scheme: Any
) -> None:
    healthy, held = (request.getfixturevalue(each) for each in ("healthy", "held"))
    long = world.webhook(scheme.ljust(128, "x"), **LONG)
    disabled = world.webhook("Off")
    disable(world, disabled, GONE)
    context = open_context(browser, viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    open_webhook(world, page, healthy)
    for webhook_id in (healthy, held, long, disabled):
        go(page, f"#/webhooks/{webhook_id}")
        expect(page.get_by_role("complementary", name="Settings")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_be_focused()
        assert findings(page) == [], webhook_id
        assert page.evaluate("document.documentElement.scrollWidth") == width, webhook_id
    for dialog in ("test", "rotate", "delete"):
        go(page, f"#/webhooks/{long}?dialog={dialog}")
        expect(page.get_by_role("dialog")).to_be_visible()
        assert findings(page) == [], dialog
        assert page.evaluate("document.documentElement.scrollWidth") == width, dialog
    context.close()


def test_fifty_events_are_shown_when_they_are_wanted(world: World, shared: Page) -> None:
    page = anew(shared, world.webhook("Many events", **LONG))
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
