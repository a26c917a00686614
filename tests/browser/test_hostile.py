"""Responses that are hostile, damaged or of a newer service: the page stays whole, and asks no more than it should."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import open_context
from tests.browser.connecting import expect_connected
from tests.browser.failing import error
from tests.browser.logged import connected_tab, dead, retrying, visit
from tests.browser.reference import Reference
from tests.browser.service import Service
from tests.factories import COMMUNITY, TENANT

DELIVERY = re.compile("/delivery/")
LIST = re.compile("/webhooks/fetch$")
API = re.compile("/prod/(?!console)")
STRANGE = ["postponed", "constructor", "__proto__", "toString"]


class Log(Service):
    def __init__(self) -> None:
        super().__init__()
        self.orders = self.webhook("Order sync", eventNames=["order.paid"])
        self.dead = dead(self, self.orders, event_name="order.paid")
        self.retrying = retrying(self, self.orders, event_name="order.paid")


@pytest.fixture(scope="module")
def log() -> Iterator[Log]:
    log = Log()
    yield log
    log.close()


@pytest.fixture(scope="module")
def tab(browser: Browser, log: Log) -> Iterator[Page]:
    with connected_tab(browser, log) as page:
        yield page


@pytest.fixture
def console(tab: Page) -> Iterator[Page]:
    """The connected tab; what a test routes ends with it."""
    yield tab
    tab.unroute_all(behavior="ignoreErrors")


def changed(change: Callable[[Any], Any]) -> Callable[[Route], None]:
    """Return a handler that answers with the service's JSON, changed."""

    def answer(route: Route) -> None:
        text = change(route.fetch().json())
        body = text if isinstance(text, str) else json.dumps(text)
        route.fulfill(body=body, content_type="application/json")

    return answer


def with_fields(**fields: Any) -> Callable[[Route], None]:
    return changed(lambda content: {**content, **fields})


def open_delivery(page: Page, delivery_id: str) -> Any:
    visit(page, f"#/deliveries?open={delivery_id}")
    drawer = page.get_by_role("dialog", name="Delivery")
    expect(drawer).to_be_visible()
    return drawer


def expect_whole(page: Page) -> None:
    expect(page.get_by_role("heading", name="This view failed")).to_have_count(0)
    assert not re.search(r"NaN|undefined|Invalid Date|\[object|native code", page.inner_text("body"))


@pytest.mark.parametrize("outcome", STRANGE)
def test_an_outcome_of_a_newer_service_is_named(log: Log, console: Page, outcome: str) -> None:
    def change(content: Any) -> Any:
        for each in content.get("data", [content]):
            each["outcome"] = outcome
        return content

    console.route(re.compile("/deliver(y|ies)/"), changed(change))

    drawer = open_delivery(console, log.dead)

    expect(drawer.get_by_role("button", name="Copy as cURL")).to_be_enabled()
    expect(drawer).to_contain_text(f"{outcome[0].upper()}{outcome[1:]}")
    expect_whole(console)


@pytest.mark.parametrize("state", STRANGE)
def test_a_state_of_a_newer_service_is_named(log: Log, console: Page, state: str) -> None:
    def change(content: Any) -> Any:
        for each in content["data"]:
            each |= {"state": state, "deliveries": [[state, 10], ["dead", None]]}
        return content

    def change_one(content: Any) -> Any:
        at = "2026-01-15T09:30:00Z"
        content["health"] |= {
            "state": state,
            "states": [state],
            "changes": [{"at": at, "state": state, "reason": "x"}],
        }
        return content

    console.route(re.compile("/webhooks/health$"), changed(change))
    console.route(re.compile(f"/webhook/{log.orders}$"), changed(change_one))
    visit(console, "#/webhooks")
    shown = f"{state[0].upper()}{state[1:]}"
    expect(console.get_by_role("row").filter(has_text="Order sync")).to_contain_text(shown)

    visit(console, f"#/webhooks/{log.orders}")

    expect(console.get_by_role("heading", name="Order sync")).to_be_visible()
    expect(console.get_by_text(shown).first).to_be_visible()
    expect_whole(console)


def test_times_that_are_none_are_not_shown_as_such(log: Log, console: Page) -> None:
    def change(content: Any) -> Any:
        for each in content.get("data", [content]):
            each |= {"occurredAt": "soon", "settledAt": "", "nextAttemptAt": "never"}
            for attempt in each["attempts"]:
                attempt["at"] = "then"
        return content

    console.route(re.compile("/deliver(y|ies)/"), changed(change))

    drawer = open_delivery(console, log.retrying)

    expect(drawer.get_by_role("button", name="Copy as cURL")).to_be_enabled()
    expect_whole(console)


def test_a_time_of_the_next_attempt_that_is_none_brings_no_storm(log: Log, console: Page) -> None:
    asked: list[str] = []
    console.route(DELIVERY, with_fields(nextAttemptAt="never"))
    console.on("request", lambda each: asked.append(each.url) if DELIVERY.search(each.url) else None)

    drawer = open_delivery(console, log.retrying)

    expect(drawer.get_by_role("button", name="Copy as cURL")).to_be_enabled()
    console.wait_for_timeout(1000)
    assert len(asked) == 1


@pytest.mark.parametrize("wait", ["2147484", "9999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_wait_beyond_the_timers_of_browsers_is_kept(log: Log, page: Page, wait: str) -> None:
    asked: list[str] = []
    page.route(LIST, error(429, retry_after=wait))
    page.on("request", lambda each: asked.append(each.url) if LIST.search(each.url) else None)

    page.goto(log.ready())

    expect(page.get_by_role("alert")).to_contain_text("by itself in")
    page.wait_for_timeout(1000)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("status", "most"), [(503, 7), (429, 7), (401, 2)], ids=["503", "429 without Retry-After", "401"]
)
@pytest.mark.parametrize("view", ["webhooks", "deliveries", "webhook", "system"])
def test_a_minute_of_failures_brings_no_storm(
    log: Log, page: Page, status: int, most: int, view: str
) -> None:
    """Each load: at once, then after 1, 2, 4, 8, 16 and 30 s. Two parts of a view may want the same."""
    asked: list[str] = []
    page.clock.install(time=log.app.clock())
    page.goto(log.ready())
    expect_connected(page)
    page.route(API, error(status))
    page.on("request", lambda each: asked.append(each.url) if "publickeys" not in each.url else None)
    place = f"webhooks/{log.orders}" if view == "webhook" else view
    if view == "webhooks":
        page.evaluate("location.hash = '#/system'")
        page.clock.run_for(1000)

    page.evaluate("place => { location.hash = '#/' + place }", place)
    for _ in range(60):
        page.clock.run_for(1000)

    counts = {url: asked.count(url) for url in asked}
    assert counts
    assert max(counts.values()) <= most, counts


@pytest.mark.parametrize(("status", "body"), [(204, ""), (200, ""), (200, "null"), (200, "1"), (200, '"x"')])
def test_a_response_without_the_objects_that_are_wanted_is_said(
    log: Log, page: Page, status: int, body: str
) -> None:
    page.route(LIST, lambda route: route.fulfill(status=status, body=body))

    page.goto(log.ready())

    expect(page.get_by_role("alert")).to_contain_text("is not the service's")


def test_a_redirect_is_not_followed_with_the_keys(log: Log, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda each: asked.append(each.url))

    def lead_away(route: Route) -> None:
        route.fulfill(status=307, headers={"location": f"{log.url}/elsewhere"})

    page.route(LIST, lead_away)

    page.goto(log.ready())

    expect(page.get_by_role("alert")).to_be_visible()
    assert [each for each in asked if each.endswith("/elsewhere")] == []


def test_cookies_of_the_host_are_neither_sent_nor_taken(log: Log, page: Page) -> None:
    sent: list[str] = []
    page.context.add_cookies([{"name": "of-another", "value": "1", "url": log.url}])

    def answer(route: Route) -> None:
        sent.extend(route.request.all_headers().get("cookie", "").split())
        response = route.fetch()
        route.fulfill(response=response, headers={**response.headers, "set-cookie": "planted=1"})

    page.route(API, answer)

    page.goto(log.ready())

    expect(page.get_by_role("link", name="Order sync")).to_be_visible()
    assert sent == []
    assert [each["name"] for each in page.context.cookies()] == ["of-another"]
    page.unroute_all(behavior="ignoreErrors")


DEEP = 10_000


@pytest.mark.parametrize(
    "payload",
    [
        "[" * DEEP + "]" * DEEP,
        '{"a":' * DEEP + "1" + "}" * DEEP,
        json.dumps({"a": "x" * 1_000_000}),
        json.dumps({"a": ['"', "\\"] * 100_000}),
        '{"__proto__":{"x":1},"constructor":null,"n":1e999,"big":123456789012345678901234567890}',
        json.dumps({"a": "</script><img src=x onerror=alert(1)>\u202e\u2066"}, ensure_ascii=False),
    ],
    ids=["deep arrays", "deep objects", "long text", "many texts", "names and numbers", "markup"],
)
def test_a_hostile_payload_is_shown(log: Log, console: Page, payload: str) -> None:
    def change(content: Any) -> str:
        content.pop("payload", None)
        return json.dumps({**content, "payloadKept": True})[:-1] + f',"payload":{payload}}}'

    console.route(DELIVERY, changed(change))
    drawer = open_delivery(console, log.dead)
    expect(drawer.get_by_role("button", name="Copy as cURL")).to_be_enabled()

    drawer.get_by_role("tab", name="Payload").click()

    expect(drawer.get_by_text(re.compile("bytes"))).to_be_visible()
    shown = drawer.locator("pre").inner_text()
    assert len(shown) < 3_000_000
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", payload)


def test_a_header_that_is_named_as_the_payload_is_not_taken_for_it(log: Log, console: Page) -> None:
    def change(content: Any) -> str:
        content["attempts"][-1]["requestHeaders"] = {"accept": "*/*", "payload": "of a header"}
        return json.dumps(content, separators=(",", ":"))

    console.route(DELIVERY, changed(change))
    drawer = open_delivery(console, log.dead)

    drawer.get_by_role("tab", name="Payload").click()

    expect(drawer.locator("pre")).to_contain_text("orderId")
    expect(drawer.locator("pre")).not_to_contain_text("of a header")


def test_a_thousand_attempts_are_shown(log: Log, console: Page) -> None:
    def change(content: Any) -> Any:
        one = content["attempts"][0]
        content["attempts"] = [{**one, "number": number + 1} for number in range(1000)]
        return {**content, "attemptCount": 1000}

    console.route(DELIVERY, changed(change))

    drawer = open_delivery(console, log.dead)

    expect(drawer.get_by_text("1000. 503")).to_be_attached()
    expect_whole(console)


@pytest.mark.parametrize("address", ["/console/", "/console//", "/docs/"])
def test_a_consolewith_a_slash_at_its_end_asks_the_same_api(log: Log, page: Page, address: str) -> None:
    if address == "/docs/":
        reference = Reference(page, log)
        page.goto(f"{log.url}/docs/")
        reference.authorize(tenantId=TENANT, communityId=COMMUNITY)
        assert (
            page.get_by_role("link", name="Console", exact=True).evaluate("each => each.href")
            == f"{log.url}/console"
        )
        return
    page.goto(log.ready().replace("/console", address))
    expect(page.get_by_role("link", name="Order sync")).to_be_visible()


def test_the_reference_works_where_the_browser_stores_nothing(log: Log, browser: Browser) -> None:
    context = open_context(browser)
    page = context.new_page()
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
    )
    page.goto(f"{log.url}/docs")

    expect(page.get_by_role("button", name="Send", exact=True).first).to_be_attached()
    summary = page.locator("summary", has_text="Python").first
    summary.click()
    expect(page.get_by_text("pip install cryptography").first).to_be_visible()
    context.close()


def test_a_value_with_a_quote_stays_inside_the_samples_quotes(log: Log, page: Page) -> None:
    page.goto(f"{log.url}/docs#getWebhook")
    form = page.get_by_role("form", name="Send getWebhook", exact=True)
    form.get_by_label("tenantId").fill("a'b$(id)`\"\\")
    page.locator("#getWebhook").scroll_into_view_if_needed()

    sample = page.locator("[data-op=getWebhook] details[data-language=cURL] pre").inner_text()

    assert "a%27b" in sample


@pytest.mark.parametrize("method", ["POST", "POST; echo ran #", "$(echo ran)"])
def test_the_command_of_a_hostile_webhook_is_one_command(log: Log, console: Page, method: str) -> None:
    url = "https://example.com/{a,b}[1-9]?'; echo ran; '\n`echo ran`"

    def change(content: Any) -> Any:
        return {**content, "api": {**content["api"], "url": url, "type": method}}

    visit(console, "#/explain")
    console.evaluate(
        "navigator.clipboard.writeText = async text => { window.copied = text }"  # no permission is needed
    )
    made = dead(log, log.webhook("Hostile"))
    console.route(re.compile("/webhook/"), changed(change))
    drawer = open_delivery(console, made)

    drawer.get_by_role("button", name="Copy as cURL").click()
    expect(console.get_by_text("Copied the cURL command")).to_be_visible()

    command = console.evaluate("window.copied")
    said = subprocess.run(
        ["/bin/sh", "-c", f'curl() {{ printf \'%s\\n\' "$#" "$@"; }}\n{command}'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.split("\n", 5)[1:4] == ["--globoff", "--request", method]
    assert url in said
    assert "\nran" not in said


def test_a_bidi_override_turns_no_text_beside_it(log: Log, page: Page) -> None:
    page.goto(f"{log.url}/console")
    place = page.get_by_text("Base64 of the number")

    places = place.evaluate("""hint => {
        hint.querySelector("code").textContent = "\u202eabc";
        const range = document.createRange();
        const next = hint.querySelector("code").nextSibling;
        return [1, 2, 3].map(at => {
            range.setStart(next, at);
            range.setEnd(next, at + 1);
            return range.getBoundingClientRect().x;
        });
    }""")

    assert places == sorted(places)
