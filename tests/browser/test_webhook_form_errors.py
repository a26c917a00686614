"""What the API refuses stands beside its field, and nothing that was typed is lost by any error."""

import base64
import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.axe import findings
from tests.browser.conftest import Recorded
from tests.browser.service import Service
from tests.browser.webhook_forms import (
    add,
    answer,
    authenticate,
    condition,
    created_id,
    credential,
    field,
    fill,
    open_form,
    save,
    sent,
    stored,
)
from tests.factories import SERVICE_CALLER, SYSTEM, Client


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


def sentence(page: Page, label: str, member: str) -> str:
    """Return what describes a control to those who do not see it."""
    described = field(page, label, member).get_attribute("aria-describedby") or ""
    return " ".join(page.locator(f"[id='{each}']").inner_text() for each in described.split())


def test_sentences_of_the_api_stand_beside_their_fields(service: Service, page: Page) -> None:
    open_form(service, page)
    field(page, "Tags", "tags").fill("t" * 65)  # and no Enter: leaving the field adds it
    field(page, "Success codes", "successCodes").press("Backspace")
    add(page, "Success codes", "successCodes", "2000", "abc")
    field(page, "Time to answer", "ttl").fill("9")
    field(page, "Rate limit", "rateLimit").fill("many")

    save(page)

    alert = page.get_by_role("alert")
    expect(alert).to_be_focused()
    expect(alert).to_have_text(
        "400. Seven fields need a change. Name, Tags, Event names, URL, Success codes, Time to answer, "
        "Rate limit. Nothing was saved."
    )
    assert "name: must be a string of 1 to 256 characters" in sentence(page, "Name", "name")
    assert "tags[0]: must be a string of 1 to 64 characters" in sentence(page, "Tags", "tags")
    assert "eventNames: must be an array of 1 to 50 event names" in sentence(
        page, "Event names", "eventNames"
    )
    assert "api.url: the URL must start with https://" in sentence(page, "URL", "api.type, api.url")
    codes = sentence(page, "Success codes", "successCodes")
    assert "successCodes[3]: must be a number from 100 to 599" in codes
    assert "successCodes[4]: must be a number from 100 to 599" in codes
    assert "ttl: must be a whole number from 0 to 5" in sentence(page, "Time to answer", "ttl")
    assert "rateLimit: must be a whole number from 1 to 1000" in sentence(page, "Rate limit", "rateLimit")
    assert findings(page) == []
    for label, control in (
        ("Success codes", field(page, "Success codes", "successCodes")),
        ("Event names", field(page, "Event names", "eventNames")),
    ):
        alert.get_by_role("link", name=label).click()
        expect(control).to_be_focused()
    assert page.url.endswith("#/webhooks/new")
    # All of it is still there, and is sent once it is right.
    expect(field(page, "Rate limit", "rateLimit")).to_have_value("many")
    page.get_by_role("button", name=f"Remove {'t' * 65}").click()
    expect(field(page, "Tags", "tags")).to_be_focused()
    page.get_by_role("button", name="Remove 2000").click()
    page.get_by_role("button", name="Remove abc").click()
    field(page, "Time to answer", "ttl").fill("")
    field(page, "Rate limit", "rateLimit").fill("7")
    fill(page)
    save(page)
    definition = stored(service, created_id(page)).definition
    assert definition.success_codes == (200, 201, 202)
    assert definition.rate_limit == 7


def test_a_refused_address_keeps_its_whole_sentence(service: Service, page: Page) -> None:
    url = "https://intranet.example.com/hooks"
    service.app.guard.refused[url] = "the host is refused (private); use a public one"
    open_form(service, page)
    fill(page, url=url)

    save(page)

    expect(page.get_by_role("alert")).to_have_text("400. One field needs a change. URL. Nothing was saved.")
    assert "api.url: the host is refused (private); use a public one" in sentence(
        page, "URL", "api.type, api.url"
    )


WRONG_CREDENTIALS: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("Bearer", {}, {"token": "required for authType bearer"}),
    ("Basic", {"username": "a:b"}, {"username": "must not have a ':'"}),
    ("API key", {"keyName": "Content-Type"}, {"keyName": "this header is set by the service"}),
    ("API key", {"keyName": "X-Key"}, {"keyValue": "required for authType api_key"}),
    ("OAuth 2", {}, {"oauth2.clientId": "required for", "oauth2.clientSecret": "required for"}),
]


def test_a_wrong_credential_is_explained_at_its_field(service: Service, page: Page) -> None:
    open_form(service, page)
    fill(page)
    for kind, typed, wrong in WRONG_CREDENTIALS:
        authenticate(page, kind)
        for name, value in typed.items():
            page.locator(f"[id='{name}']").fill(value)

        save(page)

        for name, text in wrong.items():
            expect(page.locator(f"[id='{name}-error']")).to_contain_text(f"api.credential.{name}: {text}")
            expect(page.locator(f"[id='{name}']")).to_have_attribute("aria-invalid", "true")
        for name, value in typed.items():
            expect(page.locator(f"[id='{name}']")).to_have_value(value)
    assert "api.oAuthTokenUrl: required" in sentence(page, "Token URL", "api.oAuthTokenUrl")
    assert findings(page) == []


def test_a_wrong_group_is_the_one_that_was_meant(service: Service, page: Page) -> None:
    open_form(service, page)
    fill(page)
    for group in (1, 2, 3):
        page.get_by_role("button", name="Condition" if group == 1 else "Group", exact=True).click()
        if group != 2:  # the second one is empty, and not sent
            condition(page, "f" * (257 if group == 3 else 1), "1", group=group)

    save(page)

    page.get_by_role("alert").get_by_role("link", name="Filter, group 3").click()
    wrong = page.get_by_label("Field of data, group 3, condition 1")
    expect(wrong).to_be_focused()
    expect(page.get_by_role("group", name="Group 3")).to_contain_text(
        "query[1]: must be an object of 1 to 20 conditions"
    )


def test_a_value_that_is_no_json_is_not_sent(service: Service, page: Page, recorded: Recorded) -> None:
    open_form(service, page)
    fill(page)
    page.get_by_role("button", name="Condition", exact=True).click()
    for value, text in (
        ("EUR", 'Text needs quotes: "EUR"'),
        ("01", 'Text needs quotes: "01"'),
        ('"EUR', "a quote or a bracket is missing"),
        ("", "The value is missing"),
        ("1e999", "not a JSON number"),
    ):
        condition(page, "currency", value)
        expect(page.get_by_text("this cannot be sent")).to_be_visible()

        save(page)

        expect(page.get_by_role("group", name="Group 1")).to_contain_text(text)
    expect(page.get_by_role("alert")).to_have_text(
        "One field needs a change. Value of group 1, condition 1. Nothing was sent."
    )
    assert sent(recorded.requests, "PUT") == []
    assert findings(page) == []


def test_a_field_twice_in_a_group_is_not_sent(service: Service, page: Page, recorded: Recorded) -> None:
    open_form(service, page)
    fill(page)
    page.get_by_role("button", name="Condition", exact=True).click()
    condition(page, "a", "1")
    page.get_by_role("button", name="Add a condition to group 1").click()
    condition(page, "a", "2", row=2)

    save(page)

    expect(page.get_by_role("group", name="Group 1")).to_contain_text("A group can have each field once")
    assert sent(recorded.requests, "PUT") == []


def test_sentences_about_no_field_stand_on_top(service: Service, page: Page) -> None:
    open_form(service, page)
    fill(page)
    problem = "the webhook: as JSON it may have 65536 bytes, it has 70000; shorten its query"
    stop = answer(page, "PUT", 400, f"{problem}; name: must be short; and 3 more")

    save(page)

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("400. One field needs a change. Name. Nothing was saved.")
    expect(alert.get_by_text(problem, exact=True)).to_be_visible()
    expect(alert.get_by_text("and 3 more", exact=True)).to_be_visible()
    stop()


def test_a_failure_is_told_above_the_save_bar_and_tried_again(service: Service, page: Page) -> None:
    open_form(service, page)
    fill(page)
    alert = page.get_by_role("alert")
    for status, message, title in (
        (403, "your license does not reach this", "403. Your license does not reach this."),
        (409, "this community has 9 webhooks", "409. It cannot be saved now."),
        (413, "the body may have 65536 bytes", "413. The request is too large."),
        (500, "something went wrong on our side", "500. The service failed."),
        (503, "a service that this needs did not answer", "503. The service failed."),
    ):
        stop = answer(page, "PUT", status, message)

        save(page)

        expect(alert).to_contain_text(title)
        expect(alert).to_contain_text(message)
        expect(page.get_by_role("button", name="Create webhook")).to_be_focused()
        expect(field(page, "Name", "name")).to_have_value("logins")
        stop()
    assert findings(page) == []
    alert.get_by_role("button", name="Try again").click()
    created_id(page)


@pytest.mark.parametrize("ends", ["503", "lost"])
def test_a_save_whose_response_is_lost_creates_one_webhook_when_tried_again(
    service: Service, page: Page, recorded: Recorded, ends: str
) -> None:
    name = f"once {ends}"
    open_form(service, page)
    fill(page, name=name)

    def lose(route: Route) -> None:
        route.fetch()  # it is carried out
        if ends == "lost":
            route.abort()
        else:
            route.fulfill(status=503, body=json.dumps({"message": "did not answer"}))

    page.route("**/webhook", lose)
    save(page)
    expect(page.get_by_role("alert")).to_contain_text("Try again sends the same request")
    page.unroute("**/webhook", lose)

    page.get_by_role("button", name="Try again").click()

    created_id(page)
    assert len(sent(recorded.requests, "PUT")) == 2
    found = service.app.fetch(pSize=100)["data"]
    assert [each["name"] for each in found].count(name) == 1


def test_too_many_requests_count_down_and_are_sent_again(service: Service, page: Page) -> None:
    open_form(service, page)
    fill(page)
    stop = answer(page, "PUT", 429, "wait", headers={"retry-after": "2"})

    save(page)

    expect(page.get_by_text(re.compile("sent again by itself in [12] s"))).to_be_visible()
    expect(page.get_by_text("429. Too many requests.")).to_be_visible()
    assert findings(page) == []
    stop()
    created_id(page)


def test_what_is_typed_meanwhile_is_not_sent_by_itself(service: Service, page: Page) -> None:
    open_form(service, page)
    fill(page)
    stop = answer(page, "PUT", 429, "wait", headers={"retry-after": "60"})
    save(page)
    expect(page.get_by_text("sent again by itself")).to_be_visible()

    field(page, "Name", "name").press("End")
    field(page, "Name", "name").press("x")

    expect(page.get_by_text("sent again by itself")).not_to_be_visible()
    stop()
    page.get_by_role("button", name="Try again").click()
    assert stored(service, created_id(page)).definition.name == "loginsx"


@pytest.mark.parametrize("by", [SERVICE_CALLER, SYSTEM], ids=["same keys", "other keys"])
def test_keys_that_are_refused_are_asked_for_and_nothing_is_lost(
    service: Service, page: Page, by: Client
) -> None:
    open_form(service, page, by=SERVICE_CALLER)
    fill(page, name="kept through connect")
    authenticate(page, "Bearer")
    field(page, "Token", "credential.token").fill("typed-token")
    stop = answer(page, "PUT", 401, "license: unknown")
    save(page)
    expect(page.get_by_role("alert")).to_contain_text("401. The service did not accept your keys.")
    expect(page.get_by_role("alert")).to_contain_text("license: unknown")

    page.get_by_role("button", name="Connect again").click()
    expect(page.get_by_role("heading", name="Connect again")).to_be_visible()
    stop()
    secret = base64.b64encode(by.scalar.to_bytes(32)).decode()
    page.get_by_role("textbox", name="Public key").fill(by.pair.public)
    page.get_by_role("textbox", name="Private key").fill(secret)
    page.get_by_role("textbox", name="License").fill(by.license_key)
    page.get_by_role("button", name="Connect", exact=True).click()

    expect(field(page, "Name", "name")).to_have_value("kept through connect")
    save(page)
    assert credential(service, created_id(page)).token == "typed-token"
