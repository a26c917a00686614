"""The event catalogue and the publish dialog."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.axe import findings
from tests.browser.conftest import open_context
from tests.browser.service import Service

PUBLISH = re.compile("/event/")
FETCH = "**/webhooks/fetch"


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    service.webhook("Order sync", eventNames=["order.paid", "order.refunded"])
    service.webhook(
        "Shipping labels", eventNames=["order.paid"], query=[{"customer.country": "FR"}, {"vip": True}]
    )
    service.webhook("Staging mirror", eventNames=["order.paid"], disabled=True)
    service.webhook("N" * 128, eventNames=["e" * 128], query=[{"f" * 120: "v"}])
    yield service
    service.close()


@pytest.fixture
def view(service: Service, page: Page) -> Page:
    return show(page, service)


def show(page: Page, service: Service, address: str = "#/events") -> Page:
    page.goto(service.ready())
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()
    page.evaluate("to => { location.hash = to }", address)
    expect(page.get_by_role("heading", name="Event catalogue", level=1)).to_be_visible()
    return page


def names(page: Page) -> Locator:
    return page.get_by_role("region", name="Names").get_by_role("row")


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Publish event")


def published(service: Service) -> list[str]:
    """Return the events that were published, as texts of messages."""
    return [each.text for each in service.app.publisher.queue.messages()]


def fail(
    page: Page,
    status: int,
    message: str,
    *,
    at: Any = PUBLISH,
    times: int = 1,
    headers: dict[str, str] | None = None,
) -> None:
    def respond(route: Route) -> None:
        route.fulfill(
            status=status,
            headers={"content-type": "application/json", **(headers or {})},
            body=json.dumps({"message": message}),
        )

    page.route(at, respond, times=times)


def test_names_have_their_webhooks_samples_and_fields(view: Page) -> None:
    expect(names(view)).to_have_text(
        [
            "NameWebhooks",
            "e" * 128 + "1",
            "order.paid3",
            "order.refunded1",
            "E_LOGIN_SUCCEEDEDsample, not listened to0",
            "invoice.issuedsample, not listened to0",
        ]
    )
    expect(view.get_by_text("All 4 webhooks read.")).to_be_visible()

    view.get_by_role("link", name="order.paid").click()

    card = view.get_by_role("region", name="order.paid")
    expect(card.get_by_role("definition")).to_have_text(["3", "1"])
    expect(card.get_by_role("listitem")).to_have_text(
        ["Staging mirror disabled", "Shipping labels", "Order sync"]
    )
    expect(card).to_contain_text('"amount": 249.9')
    expect(card).to_contain_text("Fields that filters use today: customer.country, vip.")
    assert view.url.endswith("#/events?e=order.paid")

    view.get_by_role("link", name="order.refunded").click()
    expect(view.get_by_text("No sample of this name ships with the service.")).to_be_visible()
    view.go_back()
    expect(card).to_be_visible()


def test_the_slash_key_searches(view: Page) -> None:
    expect(names(view)).to_have_count(6)
    view.keyboard.press("/")
    view.keyboard.type("REFUND")

    expect(names(view)).to_have_count(2)
    assert view.url.endswith("#/events?q=REFUND")

    view.keyboard.type("x")
    expect(view.get_by_text("No name fits.")).to_be_visible()
    assert findings(view) == []
    view.get_by_role("button", name="Clear search").click()
    expect(names(view)).to_have_count(6)


def test_keys_go_through_the_names(view: Page) -> None:
    expect(names(view)).to_have_count(6)
    view.keyboard.press("j")
    view.keyboard.press("j")
    view.keyboard.press("Enter")

    expect(view.get_by_role("region", name="order.paid")).to_be_visible()


def test_webhooks_are_read_a_hundred_at_first(page: Page) -> None:
    made = Service()
    for index in range(103):
        made.webhook(f"W{index}", eventNames=["order.paid"])
    show(page, made, "#/events?e=order.paid")

    expect(page.get_by_text("100 of 103 webhooks read, the newest first.")).to_be_visible()
    expect(page.get_by_text("of the 100 that were read")).to_be_visible()
    expect(page.get_by_text("And 90 more webhooks.")).to_be_visible()
    page.get_by_role("button", name="Publish…").or_(page.get_by_role("link", name="Publish…")).click()
    expect(dialog(page)).to_contain_text("at least 100 webhooks listen to order.paid")
    page.keyboard.press("Escape")

    fail(page, 403, "planted sentence", at=FETCH)
    page.get_by_role("button", name="Load more webhooks").click()
    expect(page.get_by_role("alert")).to_contain_text("planted sentence")
    page.get_by_role("button", name="Try again now").click()

    expect(page.get_by_text("All 103 webhooks read.")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    made.close()


def test_an_empty_community_leads_to_its_first_webhook(page: Page) -> None:
    empty = Service()
    show(page, empty)

    expect(page.get_by_text("No webhook listens yet.")).to_be_visible()
    expect(page.get_by_role("link", name="Create a webhook")).to_be_visible()
    expect(names(page)).to_have_count(4)
    assert findings(page) == []
    empty.close()


@pytest.mark.parametrize(("status", "action"), [(401, "Connect again"), (403, "Try again now")])
def test_a_refused_list_is_told_with_an_action(
    service: Service, page: Page, status: int, action: str
) -> None:
    page.goto(service.ready())
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()
    expect(page.get_by_text("Order sync")).to_be_visible()
    fail(page, status, "planted sentence", at=FETCH, times=9)
    page.get_by_role("link", name="Event catalogue").click()

    expect(page.get_by_role("alert")).to_contain_text("planted sentence")
    expect(page.get_by_role("alert").get_by_role("button", name=action)).to_be_visible()


def test_a_failed_list_is_tried_again(service: Service, page: Page) -> None:
    page.goto(service.ready())
    expect(page.get_by_text("Order sync")).to_be_visible()
    fail(page, 503, "the service is busy", at=FETCH)
    page.get_by_role("link", name="Event catalogue").click()

    expect(page.get_by_role("alert")).to_contain_text("the service is busy")
    expect(page.get_by_text("All 4 webhooks read.")).to_be_visible()


def test_an_event_is_published_as_it_was_written_and_can_be_followed(service: Service, view: Page) -> None:
    before = len(published(service))
    view.get_by_role("link", name="order.paid").click()
    view.get_by_role("link", name="Publish…").click()
    expect(dialog(view)).to_contain_text("This is a real event: 2 webhooks listen to order.paid.")
    data = dialog(view).get_by_label("Data")
    expect(data).to_have_value(re.compile('"orderId": "A-1001"'))
    assert findings(view) == []

    data.fill('{"amount": 249.90, "id": 9007199254740993}')
    view.get_by_role("button", name="Publish event").click()

    expect(view.get_by_text("Event accepted", exact=True)).to_be_visible()
    expect(dialog(view)).to_have_count(0)
    [sent] = published(service)[before:]
    assert '"data":{"amount":249.90,"id":9007199254740993}' in sent
    made = json.loads(sent)
    assert made["eventName"] == "order.paid"
    expect(view.get_by_text(made["eventId"])).to_be_visible()
    link = view.get_by_role("link", name="Explain event")
    address = f"#/explain?event={made['eventId']}&name=order.paid&at={made['occurredAt']}".replace(":", "%3A")
    expect(link).to_have_attribute("href", address)
    assert findings(view) == []


def test_a_name_with_slashes_and_an_id_reach_the_service(service: Service, page: Page) -> None:
    show(page, service, "#/events?e=a%2Fb%20%C3%BC&dialog=publish")
    expect(dialog(page)).to_contain_text("no enabled webhook listens to a/b ü.")
    dialog(page).get_by_label("Event id").fill("mine")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Event accepted", exact=True)).to_be_visible()
    made = json.loads(published(service)[-1])
    assert (made["eventName"], made["eventId"], made["data"]) == ("a/b ü", "mine", {})


def test_a_misspelt_name_is_noticed(service: Service, page: Page) -> None:
    show(page, service, "#/events?dialog=publish")
    dialog(page).get_by_label("Event name").fill("order.payed")

    expect(dialog(page)).to_contain_text(
        "no enabled webhook listens to order.payed. Did you mean order.paid?"
    )


def test_an_event_of_the_platform_keeps_its_own_id_and_time(service: Service, page: Page) -> None:
    show(page, service, "#/events?e=E_LOGIN_SUCCEEDED&dialog=publish")
    data = dialog(page).get_by_label("Data")
    assert "event_id" not in data.input_value()
    data.fill('{"event_id": "own-id", "event_ts": 1768469400250}')
    page.get_by_role("button", name="Publish event").click()

    expect(page.get_by_text("Event accepted", exact=True)).to_be_visible()
    made = json.loads(published(service)[-1])
    assert (made["eventId"], made["occurredAt"]) == ("own-id", "2026-01-15T09:30:00.250Z")
    expect(page.get_by_role("link", name="Explain event")).to_have_attribute(
        "href", re.compile("at=1768469400250")
    )


def test_an_event_is_explained_first_and_nothing_is_lost(service: Service, page: Page) -> None:
    before = len(published(service))
    show(page, service, "#/events?e=order.paid&dialog=publish")
    dialog(page).get_by_label("Data").fill('{"amount": 1.00}')
    page.get_by_role("button", name="Explain first").click()

    expect(page.get_by_role("heading", name="3 webhooks listen to order.paid")).to_be_visible()
    assert '"amount": 1.00' in page.get_by_label("Event, or its id").input_value()
    assert len(published(service)) == before

    page.go_back()
    expect(dialog(page).get_by_label("Data")).to_have_value('{"amount": 1.00}')


@pytest.mark.parametrize(
    ("typed", "label", "sentence"),
    [
        ({"Event name": ""}, "Event name", "Give the event a name."),
        ({"Event name": "x" * 129}, "Event name", "eventName: must be 1 to 128 characters"),
        ({"Data": "{"}, "Data", "Line 1, column 2: the text ends, and a name"),
        ({"Data": "[]"}, "Data", "data: must be a JSON object, or one as text in an envelope"),
        ({"Event id": "i" * 257}, "Event id", "eventId: must be a string of 1 to 256 characters"),
    ],
)
def test_a_wrong_field_is_told_beside_it(
    service: Service, page: Page, typed: dict[str, str], label: str, sentence: str
) -> None:
    show(page, service, "#/events?dialog=publish")
    for name, text in {"Event name": "a", "Data": "{}", **typed}.items():
        dialog(page).get_by_label(name).fill(text)
    page.get_by_role("button", name="Publish event").click()

    wrong = dialog(page).get_by_label(label)
    expect(wrong).to_have_accessible_description(re.compile("^" + re.escape(sentence)))
    expect(wrong).to_be_focused()
    expect(wrong).to_have_value(typed[label])
    assert findings(page) == []


def test_data_that_are_too_large_are_told_beside_them(service: Service, page: Page) -> None:
    show(page, service, "#/events?dialog=publish")
    fail(page, 413, "the body may have 1392640 bytes")
    page.get_by_role("button", name="Publish event").click()

    expect(dialog(page).get_by_label("Data")).to_have_accessible_description(
        "the body may have 1392640 bytes"
    )


@pytest.mark.parametrize(
    ("status", "more"),
    [
        (401, ""),
        (403, ""),
        (404, ""),
        (409, ""),
        (429, "Publish again in 7 seconds."),
        (500, "Publishing the same again is safe: it keeps its id and time."),
        (503, "Publishing the same again is safe: it keeps its id and time."),
    ],
)
def test_a_failure_is_told_in_the_dialog_and_nothing_is_lost(
    service: Service, page: Page, status: int, more: str
) -> None:
    show(page, service, "#/events?e=order.paid&dialog=publish")
    dialog(page).get_by_label("Data").fill('{"kept": 1}')
    fail(page, status, "planted sentence", headers={"retry-after": "7"} if status == 429 else None)
    page.get_by_role("button", name="Publish event").click()

    expect(dialog(page).get_by_role("alert")).to_contain_text(f"planted sentence {more}".strip())
    expect(dialog(page).get_by_label("Data")).to_have_value('{"kept": 1}')
    expect(page.get_by_role("button", name="Publish event")).to_be_enabled()


def test_after_a_lost_answer_the_same_event_is_published_again(service: Service, page: Page) -> None:
    before = len(published(service))
    show(page, service, "#/events?e=order.paid&dialog=publish")

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route(PUBLISH, lose, times=1)
    page.get_by_role("button", name="Publish event").click()
    expect(dialog(page).get_by_role("alert")).to_contain_text("The service cannot be reached.")
    page.get_by_role("button", name="Publish event").click()

    expect(page.get_by_text("Event accepted", exact=True)).to_be_visible()
    first, second = published(service)[before:]
    assert first == second


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_it_is_accessible_and_narrow(service: Service, browser: Browser, width: int, scheme: Any) -> None:
    context = open_context(browser, viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = show(context.new_page(), service, f"#/events?e={'e' * 128}")
    expect(page.get_by_role("region", name="e" * 128)).to_be_visible()
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width

    page.get_by_role("link", name="Publish…").click()
    expect(dialog(page)).to_be_visible()
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.get_by_role("button", name="Publish event").click()
    expect(page.get_by_role("link", name="Show deliveries")).to_be_visible()
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()
