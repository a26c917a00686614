"""The test event: its form, how it went, and why it was not sent."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import open_context
from tests.browser.service import Service
from tests.browser.webhook_pages import anew, connected, error, go, open_webhook, path
from tests.factories import BASE
from tests.fakes.endpoint import http_response
from webhooks.domain.http import NoResponse, NoResponseReason, PhaseTimes

TIMES = PhaseTimes(lookup=9, connect=30, tls=64, first_byte=142, total=143)
EXACT = '{"id": 9007199254740993, "price": 1.0, "half": "\\ud800", "more": [1E2, null]}'


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


@pytest.fixture(scope="module")
def shared(browser: Browser, service: Service) -> Iterator[Page]:
    yield from connected(browser, service)


def endpoint(name: str) -> str:
    return f"https://hooks.example.com/{name}"


def webhook(service: Service, name: str, **changes: Any) -> str:
    return service.webhook(name, **{"api": {"url": endpoint(name)}, **changes})


def form(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Send test event")


def result(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Test event", exact=True)


def opened(shared: Page, webhook_id: str) -> Page:
    page = anew(shared, webhook_id, "?dialog=test")
    expect(form(page)).to_be_visible()
    return page


def send(page: Page) -> None:
    form(page).get_by_role("button", name="Send", exact=True).click()


def test_a_test_that_is_answered_shows_all_of_it(service: Service, shared: Page) -> None:
    webhook_id = webhook(service, "answers", eventNames=["order.paid", "order.refunded"])
    answer = replace(http_response(200, excerpt='{"ok": true}'), times=TIMES)
    service.app.endpoint.script(endpoint("answers"), answer)
    page = opened(shared, webhook_id)
    expect(form(page).get_by_label("Event name")).to_be_focused()
    expect(form(page)).to_contain_text("It does not count for health.")

    form(page).get_by_label("Event name").select_option("order.refunded")
    send(page)

    expect(result(page).get_by_role("status")).to_have_text(
        re.compile(r"^200 in \d+ ms\. 200 is a success code\. The delivery is in the log, marked as test\.$")
    )
    expect(result(page).get_by_role("button", name="Done")).to_be_focused()
    phases = result(page).get_by_role("list").get_by_role("listitem")
    assert [" ".join(each.split()) for each in phases.all_inner_texts()] == [
        "Lookup 9 ms",
        "Connect 21 ms",
        "TLS 34 ms",
        "First byte 78 ms",
    ]
    bar = result(page).get_by_role("img", name="Lookup 9 ms, Connect 21 ms, TLS 34 ms, First byte 78 ms")
    expect(bar).to_be_visible()
    expect(result(page)).to_contain_text('{"ok": true}')
    result(page).get_by_role("button", name="Request headers").click()
    expect(result(page)).to_contain_text(f"POST {endpoint('answers')}")
    expect(result(page)).to_contain_text("webhook-signature:")
    result(page).get_by_role("button", name="Body").click()
    expect(result(page)).to_contain_text('"type": "order.refunded"')
    result(page).get_by_role("button", name="Response").click()
    expect(result(page)).to_contain_text("HTTP 200. The first KiB of the body is kept.")

    result(page).get_by_role("button", name="Done").click()
    expect(result(page)).to_have_count(0)
    row = page.get_by_role("region", name="Deliveries", exact=True).get_by_role("row").nth(1)
    expect(row).to_contain_text("order.refunded")
    expect(row).to_contain_text("test")


def test_a_test_that_is_refused_says_why_and_opens_as_a_delivery(service: Service, shared: Page) -> None:
    webhook_id = webhook(service, "refuses")
    service.app.endpoint.script(endpoint("refuses"), http_response(503, excerpt="<h1>down</h1>"))
    page = opened(shared, webhook_id)

    send(page)

    expect(result(page).get_by_role("status")).to_have_text(
        re.compile(
            r"^503 in \d+ ms\. The endpoint responded with HTTP 503, and the webhook's success codes are 200\."
        )
    )
    expect(result(page)).to_contain_text("<h1>down</h1>")
    assert findings(page) == []
    result(page).get_by_role("link", name="Open delivery").click()
    assert f"#/deliveries?webhook={webhook_id}&open={webhook_id}" in page.url


def test_an_endpoint_that_does_not_answer(service: Service, shared: Page) -> None:
    webhook_id = webhook(service, "silent")
    silent = NoResponse(NoResponseReason.CONNECT, "connection refused", latency_ms=7, address=None)
    service.app.endpoint.script(endpoint("silent"), silent)
    page = opened(shared, webhook_id)

    send(page)

    expect(result(page).get_by_role("status")).to_have_text(
        re.compile(r"^No answer after \d+ ms\. The endpoint took no connection: connection refused\.")
    )
    expect(result(page)).to_contain_text("The endpoint sent no response.")


def test_the_data_is_sent_as_it_was_typed_again_and_again(service: Service, shared: Page) -> None:
    webhook_id = webhook(service, "exact")
    page = opened(shared, webhook_id)
    form(page).get_by_label("Data").fill(EXACT)

    send(page)

    expect(result(page)).to_be_visible()
    [request] = service.app.endpoint.requests(endpoint("exact"))
    assert '"id":9007199254740993,"price":1.0,"half":"\\ud800","more":[1E+2,null]' in request.body.decode()
    result(page).get_by_role("button", name="Body").click()
    for exact in ('"id": 9007199254740993', '"price": 1.0', "1E+2"):
        expect(result(page)).to_contain_text(exact)

    service.app.endpoint.script(endpoint("exact"), http_response(500))
    result(page).get_by_role("button", name="Send again").click()
    expect(result(page).get_by_role("status")).to_contain_text("500 in")
    assert len(service.app.endpoint.requests(endpoint("exact"))) == 2

    result(page).get_by_role("button", name="Change data").click()
    expect(form(page).get_by_label("Data")).to_have_value(EXACT)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ('{\n  "a": 1,\n  "b": tru\n}', "Line 3, column 8: a value is expected here."),
        ('{"a": 1', "Line 1, column 8: the text ends, and a comma or } is expected here."),
        ('{"a" 1}', "Line 1, column 6: a colon is expected here."),
        ("{a: 1}", 'Line 1, column 2: a name in "double quotes" is expected here.'),
        ('{"a": 1} x', "Line 1, column 10: the end is expected here."),
        (
            '{"a": "b\n"}',
            "Line 1, column 7: this text has a line break, or an escape that JSON does not know.",
        ),
        ('{"a": "b}', "Line 1, column 7: this text has no end."),
        ("[1]", "The data must be a JSON object: { … }."),
        ("", "Line 1, column 1: the text ends, and a value is expected here."),
    ],
)
def test_data_that_is_no_json_says_where(service: Service, shared: Page, data: str, message: str) -> None:
    webhook_id = webhook(service, "wrong")
    page = opened(shared, webhook_id)
    field = form(page).get_by_label("Data")
    field.fill(data)

    send(page)

    expect(field).to_have_accessible_description(message)
    expect(field).to_be_focused()
    expect(field).to_have_value(data)
    assert service.app.endpoint.requests(endpoint("wrong")) == []


def test_wrong_data_is_shown_beside_its_field(service: Service, shared: Page) -> None:
    page = opened(shared, webhook(service, "wrong-again"))
    form(page).get_by_label("Data").fill("{")
    send(page)
    expect(form(page).get_by_label("Data")).to_have_attribute("aria-invalid", "true")
    assert findings(page) == []

    form(page).get_by_label("Data").fill("{}")
    send(page)
    expect(result(page)).to_be_visible()


def test_a_webhook_that_is_disabled_meanwhile_says_so(service: Service, shared: Page) -> None:
    webhook_id = webhook(service, "off")
    page = opened(shared, webhook_id)
    service.app.call("PATCH", f"{BASE}/webhook/{webhook_id}", {"disabled": True})

    send(page)

    alert = form(page).get_by_role("alert")
    expect(alert).to_contain_text("Not sent. The webhook is disabled; enable it, then send the test again.")
    expect(form(page).get_by_role("button", name="Send", exact=True)).to_be_enabled()
    assert findings(page) == []


def test_one_that_comes_too_soon_is_sent_by_itself(service: Service, shared: Page) -> None:
    webhook_id = webhook(service, "soon")
    page = opened(shared, webhook_id)
    limit = {**error(429, "a webhook gets one test a second"), "headers": {"Retry-After": "1"}}
    page.route(path(webhook_id, "/test"), lambda route: route.fulfill(**limit), times=1)

    send(page)

    expect(form(page)).to_contain_text(
        "Not sent yet. A webhook gets one test a second. It is sent by itself in 1 s."
    )
    expect(form(page).get_by_role("button", name="Waiting")).to_be_disabled()
    expect(result(page).get_by_role("status")).to_contain_text("200 in")
    assert len(service.app.endpoint.requests(endpoint("soon"))) == 1


def test_one_that_waits_is_not_sent_after_the_dialog_was_closed(service: Service, shared: Page) -> None:
    webhook_id = webhook(service, "given-up")
    page = opened(shared, webhook_id)
    limit = {**error(429, "a webhook gets one test a second"), "headers": {"Retry-After": "1"}}
    page.route(path(webhook_id, "/test"), lambda route: route.fulfill(**limit), times=1)
    send(page)
    expect(form(page)).to_contain_text("Not sent yet.")

    form(page).get_by_role("button", name="Cancel").click()

    expect(form(page)).to_have_count(0)
    page.wait_for_timeout(1_300)
    assert service.app.endpoint.requests(endpoint("given-up")) == []


@pytest.mark.parametrize("failure", ["network", "unavailable", "refused"])
def test_nothing_that_was_typed_is_lost_by_an_error(service: Service, shared: Page, failure: str) -> None:
    webhook_id = webhook(service, failure, eventNames=["a", "b"])
    page = opened(shared, webhook_id)
    form(page).get_by_label("Event name").select_option("b")
    form(page).get_by_label("Data").fill('{"mine": true}')
    answers = {"unavailable": error(503, "not now"), "refused": error(403, "not for you")}
    page.route(
        path(webhook_id, "/test"),
        lambda route: route.fulfill(**answers[failure]) if failure in answers else route.abort(),
        times=1,
    )

    send(page)

    sentence = {
        "network": "The service cannot be reached",
        "unavailable": "Not now.",
        "refused": "Not for you.",
    }
    expect(form(page).get_by_role("alert")).to_contain_text(sentence[failure])
    expect(form(page).get_by_label("Event name")).to_have_value("b")
    expect(form(page).get_by_label("Data")).to_have_value('{"mine": true}')
    send(page)
    expect(result(page)).to_be_visible()
    expect(form(page)).to_have_count(0)


def test_it_works_by_keyboard_alone(service: Service, shared: Page) -> None:
    page = anew(shared, webhook(service, "keys", eventNames=["a", "b"]))
    page.get_by_role("main").get_by_role("link", name="Send test event").first.focus()

    page.keyboard.press("Enter")
    expect(form(page).get_by_label("Event name")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(form(page).get_by_label("Data")).to_be_focused()
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(result(page)).to_be_visible()
    [request] = service.app.endpoint.requests(endpoint("keys"))
    assert '"type":"b"' in request.body.decode()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("main").get_by_role("link", name="Send test event").first).to_be_focused()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (390, "light")])
def test_the_dialog_is_accessible_and_fits(
    service: Service, browser: Browser, width: int, scheme: str
) -> None:
    names = [f"a.very.long.name.of.an.event.{number}".ljust(128, "x") for number in range(20)]
    url = endpoint("long" + "p" * 1_900)
    webhook_id = service.webhook(f"Long {scheme}", eventNames=names, api={"url": url})
    service.app.endpoint.script(url, replace(http_response(500, excerpt="z" * 1024), times=TIMES))
    context = open_context(browser, viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    open_webhook(service, page, webhook_id)
    go(page, f"#/webhooks/{webhook_id}?dialog=test")
    expect(form(page)).to_be_visible()
    assert findings(page) == []

    send(page)

    expect(result(page)).to_be_visible()
    for tab in ("Request headers", "Body", "Response"):
        result(page).get_by_role("button", name=tab).click()
        assert page.evaluate("document.querySelector('dialog').scrollWidth <= innerWidth - 24"), tab
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()
