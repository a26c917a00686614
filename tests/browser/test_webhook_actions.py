"""The actions of one webhook's view, and its behaviour when a request fails."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.axe import findings
from tests.browser.conftest import Recorded
from tests.browser.service import MINUTE, Service
from tests.browser.webhook_pages import (
    anew,
    connected,
    disable,
    error,
    go,
    open_webhook,
    path,
    secret,
    stored,
)
from tests.factories import BASE
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.health import Health

GONE = "endpoint gone (HTTP 410)"


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
    webhook_id = service.webhook("Invoice archive")
    for number in range(13):
        service.delivery(webhook_id, ago=number * MINUTE)
    return webhook_id


@pytest.fixture(scope="module")
def held(service: Service) -> str:
    since = service.now - 109 * MINUTE
    webhook_id = service.webhook("Order sync", health=Health(held_since=since, backlog_since=since))
    for number in range(3):
        service.delivery(webhook_id, ago=number * MINUTE, outcome=Outcome.HELD)
    return webhook_id


def health_note(page: Page) -> Locator:
    return page.get_by_role("region", name="Health")


def test_pausing_is_done_at_once_and_undone(service: Service, shared: Page) -> None:
    webhook_id = service.webhook("Pausable")
    page = anew(shared, webhook_id)

    page.get_by_role("button", name="Pause").click()

    expect(page.get_by_role("status").get_by_text("Paused. New deliveries are held")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pausable Paused")
    expect(health_note(page)).to_contain_text("New deliveries are held, and sent when it is resumed.")
    assert stored(service, webhook_id)["paused"] is True

    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pausable Healthy")
    assert "paused" not in stored(service, webhook_id)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


def test_the_button_keeps_the_focus(service: Service, shared: Page) -> None:
    page = anew(shared, service.webhook("By keyboard"))
    page.get_by_role("button", name="Pause").focus()

    page.keyboard.press("Enter")

    expect(page.get_by_role("button", name="Resume")).to_be_focused()


def test_a_disabled_webhook_says_why_and_is_enabled(service: Service, shared: Page) -> None:
    webhook_id = service.webhook("Refunds")
    disable(service, webhook_id, GONE)
    page = anew(shared, webhook_id)
    expect(health_note(page)).to_contain_text("Disabled for 6 h. Endpoint gone (HTTP 410). Events skip it.")
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)
    assert findings(page) == []

    page.get_by_role("button", name="Enable the webhook").click()

    expect(page.get_by_role("status").get_by_text("Enabled.")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Refunds Healthy")
    assert stored(service, webhook_id)["disabled"] is False


def test_an_action_that_fails_says_why(service: Service, shared: Page) -> None:
    webhook_id = service.webhook("Contested")
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


def test_the_signing_secret_is_shown_copied_and_hidden(service: Service, shared: Page) -> None:
    webhook_id = service.webhook("Signed")
    shared.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = anew(shared, webhook_id)
    settings = page.get_by_role("complementary", name="Settings")
    whsec = secret(service, webhook_id)
    assert whsec.startswith("whsec_")

    page.get_by_role("button", name="Copy signing secret").click()
    expect(page.get_by_role("status").get_by_text("Copied the signing secret")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == whsec
    assert whsec not in page.content()
    show = settings.get_by_role("button", name="Show signing secret")
    show.click()
    expect(settings.get_by_text(whsec)).to_be_visible()
    settings.get_by_role("button", name="Hide signing secret").click()
    expect(settings.get_by_text(whsec)).to_have_count(0)

    page.route(path(webhook_id, "/secret"), lambda route: route.fulfill(**error(403, "not for you")))
    show.click()
    expect(settings.get_by_role("alert")).to_have_text("not for you")


def test_a_rotated_secret_is_shown_once(service: Service, shared: Page) -> None:
    webhook_id = service.webhook("Rotated")
    page = anew(shared, webhook_id)
    before = secret(service, webhook_id)

    page.get_by_role("link", name="Rotate secret").click()
    dialog = page.get_by_role("dialog", name="Rotate signing secret")
    expect(dialog).to_contain_text("For 24 hours every callback carries both signatures")
    assert findings(page) == []
    dialog.get_by_role("button", name="Rotate secret").click()

    done = page.get_by_role("dialog", name="Signing secret rotated")
    expect(done).to_be_visible()
    expect(done.get_by_label("New signing secret", exact=True)).to_have_value(secret(service, webhook_id))
    assert secret(service, webhook_id) != before
    assert findings(page) == []
    done.get_by_role("button", name="Done").click()
    expect(done).to_have_count(0)
    assert "dialog" not in page.url


def test_a_rotation_that_fails_says_why(service: Service, shared: Page) -> None:
    webhook_id = service.webhook("Not rotated")
    page = anew(shared, webhook_id, "?dialog=rotate")
    page.route(path(webhook_id, "/secret/rotate"), lambda route: route.fulfill(**error(503, "not now")))

    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Rotate secret").click()

    expect(dialog.get_by_role("alert")).to_contain_text("The secret was not rotated. Not now.")
    dialog.get_by_role("button", name="Cancel").click()


def test_a_webhook_is_deleted_after_its_name_was_typed(service: Service, shared: Page) -> None:
    webhook_id = service.webhook("Old  one ")  # the browser shows one space
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
    assert service.app.call("GET", f"{BASE}/webhook/{webhook_id}").status == 404


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


def test_it_keeps_up_while_it_is_seen(service: Service, page: Page, recorded: Recorded) -> None:
    webhook_id = service.webhook("Busy")
    page.clock.install(time=service.now / 1000)
    open_webhook(service, page, webhook_id)
    expect(page.get_by_role("heading", name="No deliveries yet")).to_be_visible()
    service.delivery(webhook_id, event_name="order.paid")

    page.clock.fast_forward(15_000)

    expect(page.get_by_role("link", name="order.paid")).to_be_visible()
    page.evaluate("Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})")
    page.wait_for_load_state("networkidle")
    before = len(recorded.requests)
    page.clock.fast_forward(40_000)
    service.delivery(webhook_id, event_name="order.refunded")
    assert len(recorded.requests) == before
    page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("link", name="order.refunded")).to_be_visible()


def test_a_webhook_that_does_not_exist(shared: Page) -> None:
    go(shared, f"#/webhooks/{'0' * 24}")

    alert = shared.get_by_role("alert")
    expect(alert).to_contain_text("This webhook does not exist")
    assert findings(shared) == []
    alert.get_by_role("link", name="All webhooks").click()
    expect(shared.get_by_role("heading", name="Webhooks", exact=True)).to_be_visible()


def test_a_webhook_that_is_deleted_meanwhile(service: Service, page: Page) -> None:
    webhook_id = service.webhook("Short-lived")
    page.clock.install(time=service.now / 1000)
    open_webhook(service, page, webhook_id)
    assert service.app.call("DELETE", f"{BASE}/webhook/{webhook_id}").status == 204

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
    service: Service, page: Page, healthy: str, failure: str
) -> None:
    page.clock.install(time=service.now / 1000)
    open_webhook(service, page, healthy)
    expect(page.get_by_role("img", name="Last 13 deliveries")).to_be_visible()
    if failure == "offline":
        page.route("**/tenant/**", lambda route: route.abort())
    else:
        page.route("**/tenant/**", lambda route: route.fulfill(**error(503, "not now")))

    page.clock.fast_forward(15_000)

    said = "The service cannot be reached" if failure == "offline" else "Not now."
    alert = page.get_by_role("alert")
    expect(alert).to_have_count(1)
    expect(alert).to_contain_text(f"The page shows an earlier state. {said}")
    expect(alert).to_contain_text("Next try in")
    expect(page.get_by_role("img", name="Last 13 deliveries")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Invoice archive")


def test_a_refusal_of_a_later_load_keeps_what_is_shown(service: Service, page: Page, healthy: str) -> None:
    page.clock.install(time=service.now / 1000)
    open_webhook(service, page, healthy)
    page.route(path(healthy), lambda route: route.fulfill(**error(403, "the reason")), times=1)

    page.clock.fast_forward(15_000)

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The page shows an earlier state. The reason.")
    alert.get_by_role("button", name="Try again now").click()
    expect(alert).to_have_count(0)
