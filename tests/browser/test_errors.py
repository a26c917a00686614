"""The console when a request fails: the service's sentence, another try, and nothing lost."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from signing import Curve
from tests.browser.axe import findings
from tests.browser.conftest import Recorded, open_context
from tests.browser.connecting import fill, submit
from tests.browser.failing import SENTENCES, Switch, error
from tests.browser.navigation import place
from tests.browser.service import Service
from tests.factories import SERVICE_CALLER, TENANT
from webhooks.domain.keyring import service_keys

SEARCH = "Name begins with"
LIST = re.compile("/webhooks/fetch$")
ALL = re.compile("/prod/(?!console)")
TITLES = {
    401: "The service did not accept your keys",
    403: "Your license does not reach this",
    429: "Too many requests",
    500: "The service failed",
    503: "The service is not ready",
}
STACK = re.compile(r"TypeError|Error:|\bat https?:|\{\"|<html|undefined|\[object")


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    service.webhook("Order sync")
    yield service
    service.close()


def expect_list(page: Page) -> None:
    expect(page.get_by_role("link", name="Order sync")).to_be_visible()


def expect_no_raw_text(page: Page) -> None:
    assert not STACK.search(page.inner_text("body"))


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_view_that_cannot_be_loaded_says_why(service: Service, page: Page, status: int) -> None:
    page.route(LIST, error(status, retry_after="9" if status == 429 else None))

    page.goto(service.ready())

    alert = page.get_by_role("alert")
    expect(alert.get_by_role("heading", name=TITLES[status])).to_be_visible()
    expect(alert).to_contain_text(SENTENCES[status])
    expect(alert).to_contain_text("Request 7f31c0de-2f1b")
    expect(alert.get_by_role("button", name="Connect again")).to_have_count(int(status == 401))
    expect(alert.get_by_role("button", name="Try again now")).to_have_count(int(status != 401))
    expect(alert.get_by_text("tries again by itself")).to_have_count(int(status in (429, 500, 503)))
    expect_no_raw_text(page)
    if status in (401, 429):  # the two looks
        assert findings(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_message_fits_a_phone(service: Service, browser: Browser, scheme: str) -> None:
    context = open_context(browser, viewport={"width": 390, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    page.route(LIST, error(503))

    page.goto(service.ready())

    expect(page.get_by_role("alert")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert findings(page) == []
    context.close()


def test_a_limit_counts_down_by_retry_after_and_the_page_goes_on_by_itself(
    service: Service, page: Page
) -> None:
    limited = Switch(error(429, retry_after="40"))
    page.clock.install(time=service.app.clock())
    page.route(LIST, limited)
    page.goto(service.ready())
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("by itself in 40 s")

    page.clock.run_for(10_000)

    expect(alert).to_contain_text("by itself in 30 s")
    assert limited.count == 1
    limited.is_on = False
    page.clock.run_for(31_000)
    expect_list(page)
    expect(alert).to_have_count(0)


def test_try_again_now_does_not_wait(service: Service, page: Page) -> None:
    limited = Switch(error(429, retry_after="600"))
    page.route(LIST, limited)
    page.goto(service.ready())
    expect(page.get_by_role("alert")).to_contain_text("by itself in")
    limited.is_on = False

    page.get_by_role("button", name="Try again now").click()

    expect_list(page)


def test_failures_are_tried_again_after_delays_that_grow_to_half_a_minute(
    service: Service, page: Page
) -> None:
    failing = Switch(error(500))
    page.clock.install(time=service.app.clock())
    page.route(LIST, failing)
    page.goto(service.ready())
    alert = page.get_by_role("alert")

    for count, seconds in enumerate((1, 2, 4, 8, 16, 30, 30), start=1):
        expect(alert).to_contain_text(f"by itself in {seconds} s")
        assert failing.count == count
        page.clock.run_for(seconds * 1000)


def test_a_refusal_is_not_tried_again(service: Service, page: Page) -> None:
    refused = Switch(error(403))
    page.clock.install(time=service.app.clock())
    page.route(LIST, refused)
    page.goto(service.ready())
    expect(page.get_by_role("alert")).to_be_visible()

    page.clock.run_for(120_000)

    assert refused.count == 1


def test_a_hidden_tab_does_not_try_again_until_it_is_seen(service: Service, page: Page) -> None:
    failing = Switch(error(503))
    page.clock.install(time=service.app.clock())
    page.route(LIST, failing)
    page.goto(service.ready())
    expect(page.get_by_role("alert")).to_be_visible()
    _set_hidden(page, is_hidden=True)

    page.clock.run_for(120_000)

    assert failing.count == 1
    failing.is_on = False
    _set_hidden(page, is_hidden=False)
    expect_list(page)
    assert failing.count == 2


def _set_hidden(page: Page, *, is_hidden: bool) -> None:
    page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        is_hidden,
    )


def test_many_failed_loads_are_not_a_storm(service: Service, page: Page) -> None:
    down = Switch(lambda route: route.abort())
    page.clock.install(time=service.app.clock())
    page.goto(service.ready())
    expect_list(page)
    page.route(ALL, down)
    place(page, "Deliveries").click()
    place(page, "Webhooks").click()

    page.clock.run_for(60_000)

    # A minute has 7 tries of a load at most (1, 2, 4, 8, 16, 30 s); a view has few loads.
    assert down.count <= 7 * 5


def test_going_offline_shows_a_banner_and_coming_back_goes_on(service: Service, page: Page) -> None:
    page.clock.install(time=service.app.clock())
    page.goto(service.ready())
    expect_list(page)

    page.context.set_offline(True)

    banner = page.get_by_role("status").filter(has_text="You are offline")
    expect(banner).to_contain_text("goes on when the network is back")
    page.clock.run_for(20_000)
    expect(banner).to_contain_text(re.compile(r"shows what it had (19|2\d) s ago"))
    expect_list(page)
    assert findings(page) == []
    banner.get_by_role("button", name="Try now").click()
    expect(page.get_by_text("Still offline")).to_be_visible()
    page.context.set_offline(False)
    expect(banner).to_have_count(0)


def test_a_view_opened_offline_loads_at_once_when_the_network_is_back(service: Service, page: Page) -> None:
    page.clock.install(time=service.app.clock())
    page.goto(service.ready())
    expect_list(page)
    page.goto(f"{service.url}/console#/explain")
    page.context.set_offline(True)
    page.goto(f"{service.url}/console#/webhooks")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The service cannot be reached. Check the network connection.")
    page.clock.run_for(90_000)

    page.context.set_offline(False)

    expect(alert).to_have_count(0)
    expect_list(page)


def test_a_page_of_a_proxy_is_not_shown(service: Service, page: Page) -> None:
    html = "<html><body><h1>502 Bad Gateway</h1>nginx</body></html>"
    page.route(LIST, lambda route: route.fulfill(status=502, body=html, content_type="text/html"))

    page.goto(service.ready())

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The response (status 502) is not the service's: it is no JSON.")
    expect(page.get_by_text("nginx")).to_have_count(0)
    expect_no_raw_text(page)


def test_a_sign_in_page_of_a_network_is_not_taken_for_an_answer(service: Service, page: Page) -> None:
    html = "<html><body>Sign in to the hotel's network</body></html>"
    page.route(LIST, lambda route: route.fulfill(status=200, body=html, content_type="text/html"))

    page.goto(service.ready())

    alert = page.get_by_role("alert")
    expect(alert.get_by_role("heading")).to_have_text("Not a response of the service")
    expect(page.get_by_text("hotel")).to_have_count(0)


def test_a_request_that_hangs_ends_after_half_a_minute(service: Service, page: Page) -> None:
    page.clock.install(time=service.app.clock())
    page.route(LIST, lambda _: None)
    with page.expect_request(LIST):
        page.goto(service.ready())

    page.clock.run_for(31_000)

    expect(page.get_by_role("alert")).to_contain_text("The service did not answer within 30 s.")


def test_a_license_that_ends_in_a_session_keeps_the_form_and_what_is_known(page: Page) -> None:
    service = Service()
    service.webhook("Order sync")
    page.goto(service.ready(by=SERVICE_CALLER))
    expect_list(page)
    ended = service.app.licenses._licenses.pop(SERVICE_CALLER.license_key)  # noqa: SLF001 - no way to end one
    page.get_by_label(SEARCH).fill("Ord")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(SENTENCES[401])

    alert.get_by_role("button", name="Connect again").click()

    expect(page.get_by_role("heading", name="Connect again")).to_be_focused()
    expect(page.get_by_label("Public key", exact=True)).to_have_value(SERVICE_CALLER.pair.public)
    expect(page.get_by_label("Tenant")).to_have_value(TENANT)
    expect(page.get_by_label("Private key", exact=True)).to_have_value("")
    expect(page.get_by_label("License")).to_have_value("")
    assert findings(page) == []
    page.keyboard.press("Shift+Tab")  # out of any field
    page.keyboard.press("c")  # no key of the view behind works
    assert "new" not in page.url
    service.app.licenses.issue("another-license", ended)
    fill(page, by=SERVICE_CALLER, license_key="another-license")
    submit(page)
    expect_list(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_label(SEARCH)).to_have_value("Ord")
    service.close()


def test_a_reset_service_key_is_taken_up_without_a_word(page: Page, recorded: Recorded) -> None:
    service = Service()
    service.webhook("Order sync")
    page.clock.install(time=service.app.clock())
    page.goto(service.ready())
    expect_list(page)
    page.get_by_role("link", name="Explain").click()
    expect(page.get_by_role("heading", name="Explain")).to_be_visible()
    others = service_keys({"seed": "n" * 64}, Curve.SECP256K1)
    service.app.keys.replace(service.app.keys.read_now(), others)  # without a grace for the old key
    page.clock.run_for(2000)

    with page.expect_response(lambda each: bool(LIST.search(each.url)) and each.status == 200):
        place(page, "Webhooks").click()

    expect_list(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    # Several requests were refused at once; the key is asked for once more.
    assert sum(each.url.endswith("/publickeys") for each in recorded.requests) == 2
    service.close()


def test_a_view_that_cannot_be_drawn_shows_a_page_message(service: Service, browser: Browser) -> None:
    context = open_context(browser)
    page = context.new_page()
    broken = Switch(
        lambda route: route.fulfill(
            body='{"page":{"index":0,"total":1,"size":25},"data":[{"_id":"a","name":"b","eventNames":null}]}',
            content_type="application/json",
        )
    )
    page.route(LIST, broken)

    page.goto(service.ready())

    expect(page.get_by_role("heading", name="This view failed")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    expect_no_raw_text(page)
    assert findings(page) == []
    broken.is_on = False
    page.get_by_role("button", name="Show it again").click()
    expect_list(page)
    context.close()


def test_an_error_that_no_code_expected_is_said(service: Service, browser: Browser) -> None:
    context = open_context(browser)
    page = context.new_page()
    page.goto(service.ready())
    expect_list(page)

    page.evaluate("setTimeout(() => { throw new TypeError('planted') })")

    banner = page.get_by_role("alert")
    expect(banner).to_contain_text("Something in this page failed.")
    expect(page.get_by_text("planted")).to_have_count(0)
    assert findings(page) == []
    banner.get_by_role("button", name="Show the view again").click()
    expect(banner).to_have_count(0)
    expect_list(page)
    page.evaluate("Promise.reject(new Error('planted')) && undefined")
    banner.get_by_role("button", name="Dismiss").click()
    expect(banner).to_have_count(0)
    context.close()
