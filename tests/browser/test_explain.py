"""Explain: where an event goes, and why not elsewhere; each sentence, each error, by keyboard, on a phone."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.axe import findings
from tests.browser.conftest import Recorded, open_context
from tests.browser.service import Service
from tests.factories import BASE, COMMUNITY, OTHER_TENANT, TENANT
from webhooks.domain.delivery_log import Outcome

EXPLAIN = "**/events/explain"


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    paid: dict[str, Any] = {"eventNames": ["order.paid"]}
    service.webhook("Order sync", **paid)
    service.webhook("Shipping labels", **paid, query=[{"customer.country": "FR"}])
    service.webhook(
        "Loyalty points", **paid, query=[{"amount": 249, "currency": "EUR"}, {"items.sku": "rug"}]
    )
    service.webhook("Fraud scoring", **paid, query=[{"customer.tier": "new"}])
    service.webhook("Gold only", **paid, query=[{"currency": "EUR"}, {"items.sku": "rug"}], criteria="ALL")
    service.webhook("Staging mirror", **paid, disabled=True)
    service.webhook("N" * 128, eventNames=["e" * 128], query=[{"f" * 120: "v" * 120}])
    yield service
    service.close()


@pytest.fixture
def view(service: Service, page: Page) -> Page:
    return show(page, service)


def show(page: Page, service: Service, address: str = "#/explain") -> Page:
    page.goto(service.ready())
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()
    page.evaluate("to => { location.hash = to }", address)
    expect(page.get_by_role("heading", name="Explain", level=1)).to_be_focused()
    return page


def field(page: Page) -> Locator:
    return page.get_by_label("Event, or its id")


def press(page: Page) -> None:
    page.get_by_role("button", name="Explain", exact=True).click()


def event(**changes: Any) -> dict[str, Any]:
    return {
        "eventName": "order.paid",
        "eventId": "e1",
        "tenantId": TENANT,
        "communityId": COMMUNITY,
        "data": {"amount": 1},
        **changes,
    }


def row(page: Page, name: str) -> Locator:
    """Return the part of the result about a webhook: its link, and the text around it."""
    return page.get_by_role("link", name=name, exact=True).locator("xpath=ancestor::div[2]")


def fail(
    page: Page, status: int, message: str, *, times: int = 1, headers: dict[str, str] | None = None
) -> None:
    """Let the next explanations fail."""

    def respond(route: Route) -> None:
        route.fulfill(
            status=status,
            headers={"content-type": "application/json", **(headers or {})},
            body=json.dumps({"message": message}),
        )

    page.route(EXPLAIN, respond, times=times)


def test_a_sample_is_explained_for_every_webhook_that_listens(view: Page) -> None:
    expect(view.get_by_label("Sample")).to_have_value("order.paid")
    assert '"communityId": "default"' in field(view).input_value()

    press(view)

    expect(view.get_by_role("heading", name="6 webhooks listen to order.paid")).to_be_visible()
    results = view.get_by_role("group", name="Result").get_by_role("button")
    expect(results).to_have_text(["Matched 1", "Filtered 4", "Disabled 1"])
    expect(row(view, "Order sync")).to_contain_text(
        "It gets this event. The delivery log has no delivery of it."
    )
    expect(row(view, "Shipping labels")).to_contain_text('customer.country should be "FR", found "DE"')
    expect(row(view, "Fraud scoring")).to_contain_text('customer.tier should be "new", not in the event')
    expect(row(view, "Staging mirror")).to_contain_text("It gets no events.")
    expect(view.get_by_role("link", name="Edit filter of Fraud scoring")).to_have_attribute(
        "href", "#/webhooks/" + str(row_id(view, "Fraud scoring")) + "/edit"
    )


def row_id(page: Page, name: str) -> str:
    return str(page.get_by_role("link", name=name, exact=True).get_attribute("href")).rpartition("/")[2]


def test_groups_are_alternatives_under_any_and_all_needed_under_all(view: Page) -> None:
    press(view)

    loyalty = row(view, "Loyalty points")
    expect(loyalty).to_contain_text("One group of its filter would be enough, and none holds.")
    expect(loyalty.get_by_role("listitem")).to_have_text(
        [
            "Group 1: amount should be 249, found 249.9",
            'Group 2: items.sku should be "rug", found "lamp", "bulb"',
        ]
    )
    gold = row(view, "Gold only")
    expect(gold).to_contain_text("Every group of its filter must hold.")
    expect(gold.get_by_role("listitem")).to_have_text(
        'Group 2: items.sku should be "rug", found "lamp", "bulb"'
    )


def test_numbers_are_sent_and_shown_as_they_were_written(view: Page, recorded: Recorded) -> None:
    text = field(view).input_value().replace("249.9", "9007199254740993.10")

    field(view).fill(text)
    press(view)

    expect(row(view, "Loyalty points")).to_contain_text("found 9007199254740993.10")
    [asked] = [each for each in recorded.requests if each.url.endswith("/events/explain")]
    assert asked.post_data == f'{{"event":{text}}}'


def test_a_delivery_that_the_log_has_is_named_with_its_outcome(service: Service, view: Page) -> None:
    press(view)
    webhook_id = row_id(view, "Order sync")
    delivery = service.delivery(
        webhook_id, outcome=Outcome.HELD, event_id="held-1", event_name="order.paid", data={"amount": 1}
    )
    logged = service.app.call("GET", f"{BASE}/delivery/{delivery}").json

    field(view).fill(json.dumps(event(eventId="held-1", occurredAt=logged["occurredAt"])))
    press(view)

    expect(row(view, "Order sync")).to_contain_text("Delivery Held")
    link = view.get_by_role("link", name="Open the delivery to Order sync")
    expect(link).to_have_attribute("href", f"#/deliveries?open={delivery.replace('/', '%2F')}")

    # The link of a delivery leads here, and asks at once.
    view.evaluate(
        "to => { location.hash = to }",
        f"#/explain?event=held-1&name=order.paid&at={logged['occurredAt']}",
    )
    expect(view.get_by_label("Event name")).to_have_value("order.paid")
    expect(field(view)).to_have_value("held-1")
    expect(row(view, "Order sync")).to_contain_text("Delivery Held")
    expect(row(view, "Fraud scoring")).to_contain_text("Without the event's data its filter cannot be judged")


def test_an_id_is_explained_with_the_payload_of_its_delivery(page: Page) -> None:
    service = Service()
    paid: dict[str, Any] = {"eventNames": ["order.paid"]}
    service.webhook("Large orders", **paid, query=[{"amount": 12345678901234567890}])
    webhook_id = service.webhook("Order sync", **paid)
    delivery = service.delivery(
        webhook_id, outcome=Outcome.HELD, event_name="order.paid", event_id="held-2", data={"amount": 1.0}
    )
    logged = service.app.call("GET", f"{BASE}/delivery/{delivery}").json
    show(page, service, f"#/explain?event=held-2&name=order.paid&at={logged['occurredAt']}")
    expect(row(page, "Large orders")).to_contain_text("its filter cannot be judged")
    # The one that it went to is the first, though the API lists the other before it.
    results = page.get_by_role("region", name="Explanation").get_by_role("link")
    expect(results.first).to_have_text("Order sync")

    page.get_by_role("button", name="Explain with its data").click()

    expect(row(page, "Large orders")).to_contain_text("amount should be 12345678901234567890, found 1.0")
    expect(row(page, "Order sync")).to_contain_text("Delivery Held")
    assert '"amount": 1.0' in field(page).input_value()
    assert findings(page) == []
    service.close()


def test_a_paused_webhook_holds_what_it_gets(page: Page) -> None:
    service = Service()
    service.webhook("Order sync", eventNames=["order.paid"], paused=True)
    show(page, service)

    press(page)

    expect(row(page, "Order sync")).to_contain_text("It gets this event, held until the webhook is resumed")
    page.get_by_role("link", name="Show Order sync").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    service.close()


def test_an_id_asks_for_the_name_and_is_in_the_address(view: Page) -> None:
    field(view).fill("no-such-event")
    press(view)

    name = view.get_by_label("Event name")
    expect(name).to_be_focused()
    expect(name).to_have_accessible_description(
        "An id alone does not say which webhooks listen: give the event's name."
    )
    name.fill("order.paid")
    view.get_by_label("Time of the event").fill("1768469400250")
    view.keyboard.press("Enter")

    expect(view.get_by_role("heading", name="6 webhooks listen to")).to_be_visible()
    assert view.url.endswith("#/explain?event=no-such-event&name=order.paid&at=1768469400250")
    results = view.get_by_role("group", name="Result").get_by_role("button")
    expect(results).to_have_text(["Disabled 1", "Unknown 5"])

    view.go_back()

    expect(view.get_by_text("The webhooks that listen to the event are listed here.")).to_be_visible()


def test_a_wrong_time_is_told_beside_its_field(view: Page) -> None:
    field(view).fill("e1")
    view.get_by_label("Event name").fill("order.paid")
    view.get_by_label("Time of the event").fill("yesterday")
    press(view)

    time = view.get_by_label("Time of the event")
    expect(time).to_have_attribute("aria-invalid", "true")
    expect(time).to_be_focused()
    expect(view.get_by_text("occurredAt: must be a time as RFC 3339")).to_be_visible()
    expect(time).to_have_value("yesterday")


def test_a_name_with_other_letters_is_found_and_explained(view: Page, recorded: Recorded) -> None:
    field(view).fill(json.dumps(event(eventName="order.payed")).replace("1}", "249.90}"))
    view.keyboard.press("Control+Enter")

    expect(view.get_by_role("heading", name="No webhook listens to order.payed")).to_be_visible()
    expect(view.get_by_text("Did you mean order.paid?")).to_be_visible()
    expect(view.get_by_role("heading", name="Names that webhooks listen to")).to_be_visible()
    assert findings(view) == []

    view.get_by_role("button", name="Explain with this name").click()

    expect(view.get_by_role("heading", name="6 webhooks listen to order.paid")).to_be_visible()
    assert '"amount": 249.90' in field(view).input_value()
    assert '"eventName": "order.paid"' in str(recorded.requests[-1].post_data)


def test_a_name_that_resembles_none_gets_no_suggestion(view: Page) -> None:
    field(view).fill(json.dumps(event(eventName="something.else")))
    press(view)

    expect(view.get_by_role("heading", name="No webhook listens to something.else")).to_be_visible()
    expect(view.get_by_text("Did you mean")).to_have_count(0)
    listened = view.get_by_role("region", name="Explanation")
    expect(listened.get_by_text("order.paid", exact=True)).to_be_visible()


def test_a_result_is_narrowed_by_its_kind(view: Page) -> None:
    press(view)
    view.get_by_role("button", name="Disabled 1").click()

    expect(view.get_by_role("button", name="Disabled 1")).to_have_attribute("aria-pressed", "true")
    expect(view.get_by_role("link", name="Staging mirror", exact=True)).to_be_visible()
    expect(view.get_by_role("link", name="Order sync", exact=True)).to_have_count(0)
    assert view.url.endswith("#/explain?show=disabled")

    view.go_back()

    expect(view.get_by_role("link", name="Order sync", exact=True)).to_be_visible()


def test_listeners_come_a_page_at_a_time(service: Service, page: Page) -> None:
    made = Service()
    for index in range(27):
        made.webhook(f"Listener {index}", eventNames=["order.paid"])
    show(page, made)
    press(page)

    expect(page.get_by_role("heading", name="At least 25 webhooks listen to order.paid")).to_be_visible()
    expect(page.get_by_text("25 read, there may be more")).to_be_visible()

    fail(page, 503, "the service is busy")
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_role("alert")).to_contain_text("the service is busy")
    expect(page.get_by_role("link", name="Listener 0", exact=True)).to_be_visible()

    # It goes on by itself.
    expect(page.get_by_role("heading", name="27 webhooks listen to order.paid")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)
    made.close()


def test_an_empty_community_leads_to_its_first_webhook(page: Page) -> None:
    empty = Service()
    show(page, empty)
    press(page)

    expect(page.get_by_role("heading", name="No webhook listens to order.paid")).to_be_visible()
    expect(page.get_by_text("The community has no webhooks", exact=False)).to_be_visible()
    expect(page.get_by_role("link", name="Create webhook")).to_have_attribute("href", "#/webhooks/new")
    empty.close()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Paste an event, or its id."),
        ('{"eventName": 1,}', 'Line 1, column 17: a name in "double quotes" is expected here.'),
        ("[]", "event: must be an event: a JSON object"),
        (json.dumps(event(tenantId="else")), "event: its tenant and community must be those of the path"),
        (json.dumps(event(eventName=" ")), "event: eventName (or event_name, detail-type): must be 1 to 128"),
    ],
)
def test_a_wrong_event_is_told_beside_the_text(view: Page, text: str, sentence: str) -> None:
    field(view).fill(text)
    press(view)

    expect(view.get_by_text(sentence)).to_be_visible()
    expect(field(view)).to_have_attribute("aria-invalid", "true")
    expect(field(view)).to_be_focused()
    expect(field(view)).to_have_value(text)
    assert findings(view) == []


@pytest.mark.parametrize(
    ("status", "action"),
    [(401, "Connect again"), (403, "Try again now"), (404, "Try again now"), (409, "Try again now")],
)
def test_a_refusal_is_told_with_an_action(view: Page, status: int, action: str) -> None:
    text = field(view).input_value()
    fail(view, status, "planted sentence", times=9)
    press(view)

    alert = view.get_by_role("alert")
    expect(alert).to_contain_text("planted sentence")
    expect(alert.get_by_role("button", name=action)).to_be_visible()
    expect(field(view)).to_have_value(text)


def test_a_limit_counts_down_and_is_tried_again(view: Page) -> None:
    fail(view, 429, "too many requests", headers={"retry-after": "2"})
    press(view)

    expect(view.get_by_role("alert")).to_contain_text("The page tries again by itself in 2 s")
    expect(view.get_by_role("heading", name="6 webhooks listen to")).to_be_visible()
    expect(view.get_by_role("alert")).to_have_count(0)


def test_an_answer_is_never_shown_for_another_question(view: Page) -> None:
    view.evaluate("() => { location.hash = '#/explain?event=e1&name=order.paid' }")
    expect(view.get_by_role("heading", name="6 webhooks listen to order.paid")).to_be_visible()
    fail(view, 429, "too many requests", times=9, headers={"retry-after": "30"})

    view.evaluate("() => { location.hash = '#/explain?event=e2&name=order.refunded' }")

    expect(view.get_by_role("alert")).to_contain_text("too many requests")
    expect(view.get_by_role("heading", name="6 webhooks listen to order.paid")).to_have_count(0)


def test_a_lost_network_is_told_and_tried_again(view: Page) -> None:
    view.route(EXPLAIN, lambda route: route.abort(), times=1)
    press(view)

    expect(view.get_by_role("alert")).to_contain_text("The service cannot be reached.")
    expect(view.get_by_role("heading", name="6 webhooks listen to")).to_be_visible()


def test_a_text_is_kept_while_another_view_is_shown(view: Page) -> None:
    field(view).fill('{"mine": 1}')
    view.get_by_role("link", name="Event catalogue").click()
    expect(view.get_by_role("heading", name="Event catalogue", level=1)).to_be_visible()

    view.go_back()

    expect(field(view)).to_have_value('{"mine": 1}')


def test_another_community_is_refused_in_place(service: Service, page: Page) -> None:
    page.goto(service.ready(by=OTHER_TENANT))
    page.evaluate("to => { location.hash = to }", "#/explain")
    press(page)

    expect(page.get_by_role("alert").get_by_text("Your license does not reach this")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_it_is_accessible_and_narrow(service: Service, browser: Browser, width: int, scheme: Any) -> None:
    context = open_context(browser, viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = show(context.new_page(), service)
    assert findings(page) == []

    field(page).fill(json.dumps(event(eventName="e" * 128, data={"f" * 120: "x" * 300})))
    press(page)
    expect(page.get_by_role("heading", name="1 webhook listens to")).to_be_visible()
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width

    field(page).fill("an-id")
    expect(page.get_by_label("Event name")).to_be_visible()
    assert findings(page) == []
    context.close()
