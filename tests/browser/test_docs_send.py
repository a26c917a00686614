"""Send in the reference page: real requests, responses with their envelopes opened, errors in the API's words."""

import json
import re
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Recorded
from tests.browser.reference import Reference
from tests.browser.service import Service
from tests.factories import SYSTEM, basic_api
from webhooks.domain.delivery_log import Outcome

WHOLE = 12345678901234567890  # more digits than a double has


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


def test_a_webhook_is_created_its_secret_opened_and_deleted(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    reference.authorize()

    created = reference.send("createWebhook")

    expect(created.get_by_text("200 OK")).to_be_visible()
    expect(created.get_by_text("1 envelope opened")).to_be_visible()
    expect(created.get_by_text(re.compile('"signingSecret": "whsec_[A-Za-z0-9+/=]+"'))).to_be_visible()
    webhook_id = reference.form("deleteWebhook").get_by_label("webhookId").input_value()
    assert service.app.call("GET", f"/tenant/acme/community/default/webhook/{webhook_id}").status == 200
    # The samples follow: their webhook is the new one.
    sample = page.get_by_role("region", name="Delete a webhook").locator("[data-language=cURL]")
    expect(sample).to_contain_text(f"/webhook/{webhook_id}'")

    deleted = reference.send("deleteWebhook")

    expect(deleted.get_by_text("204 No Content")).to_be_visible()
    expect(deleted.get_by_text("no body")).to_be_visible()
    expect(deleted.get_by_label("webhookId")).to_have_value("")
    assert service.app.call("GET", f"/tenant/acme/community/default/webhook/{webhook_id}").status == 404


def test_a_request_that_waits_for_keys_is_sent_with_them(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    form = reference.form("fetchWebhooks")
    form.get_by_role("button", name="Send", exact=True).click()
    expect(reference.box).to_be_visible()

    reference.authorize(is_open=True)

    expect(form.get_by_text("200 OK")).to_be_visible()


@pytest.mark.parametrize(("operation", "is_closed"), [("fetchWebhooks", True), ("cancelReplay", False)])
def test_a_closed_box_and_a_deletion_send_nothing_by_themselves(
    service: Service, page: Page, recorded: Recorded, operation: str, is_closed: bool
) -> None:
    reference = Reference(page, service)
    form = reference.form(operation)
    for label in form.get_by_role("textbox").all():
        if not label.input_value():
            label.fill("a" * 24)
    form.get_by_role("button", name="Send", exact=True).click()
    if is_closed:
        reference.box.get_by_role("button", name="Close").click()

    reference.authorize(is_open=not is_closed)

    expect(form.get_by_text(re.compile("^as "))).to_be_visible()
    reference.send("getEnvironment")
    assert {each.url.partition("/prod/")[2] for each in recorded.requests if "/tenant/" in each.url} <= {
        "tenant/acme/community/default/health"
    }


def test_a_system_license_sees_the_credentials(service: Service, page: Page) -> None:
    webhook_id = service.webhook("with a credential", api=basic_api())
    reference = Reference(page, service)
    reference.authorize()

    form = reference.send("getWebhook", webhookId=webhook_id)

    expect(form.get_by_text("2 envelopes opened")).to_be_visible()
    expect(form.get_by_text('"password": "planted-password"')).to_be_visible()


def test_each_send_has_headers_of_its_own(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    reference.authorize()
    before = len(service.server.requests)

    for _ in range(2):
        reference.send("getCommunityHealth")

    first, second = [
        headers for _, path, headers, _ in service.server.requests[before:] if path.endswith("/health")
    ]
    assert first["publickey"] == second["publickey"]
    assert first["requestid"] != second["requestid"]
    assert first["licensekey"] != second["licensekey"]


def test_numbers_of_a_response_keep_their_digits(service: Service, page: Page) -> None:
    webhook_id = service.webhook("orders")
    delivery_id = service.delivery(
        webhook_id, outcome=Outcome.DEAD, reason="HTTP 500", data={"whole": WHOLE, "half": 1.0}
    )
    reference = Reference(page, service)
    reference.authorize()

    form = reference.send("getDelivery", deliveryId=delivery_id)

    expect(form.get_by_text(f'"whole": {WHOLE}')).to_be_visible()
    expect(form.get_by_text('"half": 1.0')).to_be_visible()


def test_an_error_is_the_apis_own_sentence(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    reference.authorize()

    body = json.dumps({"name": "n", "retryCount": 9})
    form = reference.send("createWebhook", Body=body)

    expect(form.get_by_text("400 Bad Request")).to_be_visible()
    expect(form.get_by_role("alert")).to_contain_text("retryCount: must be a whole number from 0 to 2")
    assert json.loads(reference.body("createWebhook").input_value()) == json.loads(body)


def test_a_form_says_what_is_missing_before_it_sends(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    reference.authorize()
    before = len(service.server.requests)

    form = reference.form("updateWebhook")
    form.get_by_label("Body").fill("{")
    form.get_by_role("button", name="Send", exact=True).click()

    expect(form.get_by_label("webhookId")).to_be_focused()
    expect(form.get_by_label("webhookId")).to_have_accessible_description("webhookId is required.")
    expect(form.get_by_label("Body")).to_have_accessible_description(re.compile("^Not JSON: "))
    assert service.server.requests[before:] == []


def test_a_body_that_may_be_left_out_may_be_empty(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    reference.authorize()

    form = reference.send("fetchWebhooks", Body="")

    expect(form.get_by_text("200 OK")).to_be_visible()


def test_an_example_is_chosen_and_an_edited_body_stays(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    form = reference.form("createWebhook")

    form.get_by_label("Example").select_option("oauth2")
    expect(reference.body("createWebhook")).to_have_value(re.compile("clientSecret"))

    reference.body("createWebhook").fill('{"mine": 1}')
    form.get_by_label("tenantId").fill("shop")
    expect(reference.body("createWebhook")).to_have_value('{"mine": 1}')
    expect(reference.form("getReplay").get_by_label("tenantId")).to_have_value("shop")


def test_query_parameters_are_sent_where_they_are_given(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    reference.authorize()
    before = len(service.server.requests)

    reference.send("getCommunities")
    reference.send("getCommunities", size="1")

    assert [path for _, path, _, _ in service.server.requests[before:]] == [
        "/prod/communities",
        "/prod/communities?size=1",
    ]


def test_a_request_as_curl_runs_for_two_minutes(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    reference.authorize()
    form = reference.form("createWebhook")

    form.get_by_label("Body").fill(reference.body("createWebhook").input_value().replace("orders", "it's"))
    form.get_by_role("button", name="Copy as cURL").click()

    expect(form.get_by_text("Its headers hold for two minutes")).to_be_visible()
    command = form.get_by_text("curl -X PUT").inner_text()
    assert SYSTEM.license_key not in command
    made = subprocess.run(f"{command} --silent", shell=True, capture_output=True, text=True, check=True)
    assert json.loads(made.stdout)["name"] == "it's"


def test_open_operations_need_no_key(service: Service, page: Page) -> None:
    reference = Reference(page, service)

    expect(reference.send("getEnvironment").get_by_text('"EC_CURVE_NAME": "secp256k1"')).to_be_visible()
    expect(reference.send("getHealth").get_by_text("all services operational")).to_be_visible()
    encrypted = reference.send("convert")
    expect(encrypted.get_by_text("200 OK")).to_be_visible()
    expect(reference.form("getEnvironment").get_by_text("Authorize first")).to_have_count(0)


def test_a_lost_network_is_said_in_place(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    page.route("**/environment", lambda route: route.abort())
    form = reference.form("getEnvironment")

    form.get_by_role("button", name="Send", exact=True).click()

    expect(form.get_by_role("alert")).to_have_text(
        "The service cannot be reached. Check the network connection."
    )
    expect(form.get_by_role("button", name="Send", exact=True)).to_be_enabled()


def test_a_throttled_request_says_when_to_come_again(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    content = {"statusCode": 429, "error": "Too Many Requests", "message": "one test a second"}
    page.route(
        "**/environment",
        lambda route: route.fulfill(status=429, headers={"Retry-After": "1"}, json=content),
    )

    form = reference.send("getEnvironment")

    expect(form.get_by_text("429 Too Many Requests")).to_be_visible()
    expect(form.get_by_role("alert")).to_have_text("one test a second (Retry-After: 1 s)")


def test_every_operation_can_be_sent(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    reference.authorize()
    webhook_id = service.webhook("for all")
    delivery_id = service.delivery(webhook_id, outcome=Outcome.DEAD, reason="HTTP 500")
    given = {"webhookId": webhook_id, "deliveryId": delivery_id, "keyId": service.app.public_key}
    forms = page.get_by_role("form", name=re.compile("^Send "))
    names = [str(each.get_attribute("aria-label")).removeprefix("Send ") for each in forms.all()]
    ends = ["getReplay", "cancelReplay", "deleteWebhook", "resetServiceKey"]
    reference.form("replayDeliveries").get_by_label("Example").select_option("some of them")
    reference.body("replayDeliveries").fill(json.dumps({"deliveryIds": [delivery_id]}))

    statuses = {}
    for name in [*(each for each in names if each not in ends), *ends]:
        form = reference.form(name)
        wanted = {each: value for each, value in given.items() if form.get_by_label(each, exact=True).count()}
        statuses[name] = reference.send(name, **wanted).locator("b").first.inner_text()

    assert {name: status for name, status in statuses.items() if not status.startswith("2")} == {}
    assert len(statuses) == len(names) > 30
