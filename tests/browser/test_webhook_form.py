"""A webhook is created: each field reaches the API as it was typed, and the secret is shown once."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import Recorded, open_context
from tests.browser.service import Service
from tests.browser.webhook_forms import (
    URL,
    add,
    authenticate,
    compact,
    condition,
    created_id,
    credential,
    field,
    fill,
    go,
    open_form,
    panel,
    save,
    sent,
    shown,
    stored,
)
from tests.factories import BASE, SERVICE_CALLER, SYSTEM, Client
from webhooks.domain.webhook import Credential, Criteria

CREDENTIALS = {
    "Basic": ([("User name", "username", "typed-user"), ("Password", "password", "typed-password")], "basic"),
    "Bearer": ([("Token", "token", "typed-token")], "bearer"),
    "API key": (
        [("Header name", "keyName", "X-Typed"), ("Header value", "keyValue", "typed-value")],
        "api_key",
    ),
    "OAuth 2": (
        [
            ("Client id", "oauth2.clientId", "typed-client"),
            ("Client secret", "oauth2.clientSecret", "typed-secret"),
        ],
        "oauth2",
    ),
}
EXPECTED = {
    "Basic": Credential(username="typed-user", password="typed-password"),
    "Bearer": Credential(token="typed-token"),
    "API key": Credential(key_name="X-Typed", key_value="typed-value"),
    "OAuth 2": Credential(client_id="typed-client", client_secret="typed-secret"),
}


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


def member_of(name: str) -> str:
    return name if "." in name else f"credential.{name}"


@pytest.mark.parametrize("kind", list(CREDENTIALS))
def test_each_way_to_authenticate_is_stored_and_its_credential_shown_nowhere(
    service: Service, page: Page, recorded: Recorded, kind: str
) -> None:
    fields, auth_type = CREDENTIALS[kind]
    open_form(service, page)
    fill(page)
    authenticate(page, kind)
    if kind == "OAuth 2":
        field(page, "Token URL", "api.oAuthTokenUrl").fill("https://login.example.com/token")
        add(page, "Scopes", "api.oAuthScopes", "webhooks.write", "b")
    for label, name, value in fields:
        field(page, label, member_of(name)).fill(value)
    assert findings(page) == []
    shown_body = panel(page)
    assert "typed-" not in page.content()

    save(page)
    webhook_id = created_id(page)

    assert credential(service, webhook_id) == EXPECTED[kind]
    endpoint = stored(service, webhook_id).definition.endpoint
    assert endpoint.auth_type == auth_type
    if kind == "OAuth 2":
        assert endpoint.oauth_grant_type == "client_credentials"
        assert endpoint.oauth_token_url == "https://login.example.com/token"
        assert endpoint.oauth_scopes == ("webhooks.write", "b")
    [body] = sent(recorded.requests, "PUT")
    for _, _, value in fields:
        body = body.replace(f'"{value}"', '"••••"')
    assert shown_body == body


def test_every_field_is_stored_and_the_panel_shows_the_request(
    service: Service, page: Page, recorded: Recorded
) -> None:
    open_form(service, page)
    fill(page, name="Order sync", event_name="order.paid")
    add(page, "Event names", "eventNames", "order, refunded")  # a comma is a part of it
    add(page, "Tags", "tags", "erp", "north")
    field(page, "Created by", "createdBy").fill("portal")
    page.get_by_role("switch", name="Enabled").uncheck()
    page.get_by_role("switch", name="Paused").check()
    page.get_by_label("Method", exact=True).select_option("PATCH")
    page.get_by_role("button", name="Condition", exact=True).click()
    condition(page, "currency", '"EUR"')
    page.get_by_label("Criteria", exact=True).select_option("every group")
    field(page, "Success codes", "successCodes").press("Backspace")
    add(page, "Retry codes", "retryCodes", "0, 503 599")
    page.get_by_role("group", name="Retries").get_by_role("button", name="1", exact=True).click()
    page.get_by_role("group", name="Recovery").get_by_role("button", name="No", exact=True).click()
    field(page, "Time to answer", "ttl").fill("3")
    field(page, "Rate limit", "rateLimit").fill("250")
    shown_body = panel(page)

    save(page)
    definition = stored(service, created_id(page)).definition

    assert definition.name == "Order sync"
    assert definition.event_names == ("order.paid", "order, refunded")
    assert definition.tags == ("erp", "north")
    assert definition.created_by == "portal"
    assert definition.disabled
    assert definition.paused
    assert definition.endpoint.method == "PATCH"
    assert definition.query == ({"currency": "EUR"},)
    assert definition.criteria is Criteria.ALL
    assert definition.success_codes == (200, 201, 202)
    assert definition.retry_codes == (0, 503, 599)
    assert definition.retry_count == 1
    assert definition.recover is False
    assert definition.ttl == 3
    assert definition.rate_limit == 250
    assert sent(recorded.requests, "PUT") == [shown_body]


def test_what_is_left_out_is_the_api_s_default(service: Service, page: Page, recorded: Recorded) -> None:
    open_form(service, page)
    fill(page)

    save(page)
    definition = stored(service, created_id(page)).definition

    [body] = sent(recorded.requests, "PUT")
    assert json.loads(body) == {
        "name": "logins",
        "eventNames": ["E_LOGIN"],
        "api": {"type": "POST", "url": URL, "authType": "none"},
        "successCodes": [200, 201, 202, 204],
        "retryCount": 2,
    }
    assert definition.created_by == "console"
    assert definition.recover is None
    assert definition.rate_limit is None
    assert definition.ttl == 0


def test_values_of_the_filter_stay_as_they_are_written(
    service: Service, page: Page, recorded: Recorded
) -> None:
    values = ["1", "1.0", "12345678901234567890", '"1"', "true", "null", '[1.50, {"b": "x, y"}]', "1e2"]
    open_form(service, page)
    fill(page)
    page.get_by_role("button", name="Condition", exact=True).click()
    for row, value in enumerate(values, 1):
        if row > 1:
            page.get_by_role("button", name="Add a condition to group 1").click()
            # The new row has the focus.
            expect(page.get_by_label(f"Field of data, group 1, condition {row}", exact=True)).to_be_focused()
        condition(page, f"a.{row}.b", value, row=row)
    page.get_by_role("button", name="Group", exact=True).click()
    condition(page, 'quote " and \\', '"ä"', group=2)

    save(page)
    webhook_id = created_id(page)

    group = ",".join(f'"a.{row}.b":{compact(value)}' for row, value in enumerate(values, 1))
    query = f'"query":[{{{group}}},{{"quote \\" and \\\\":"ä"}}]'
    assert query in sent(recorded.requests, "PUT")[0]
    text = compact(shown(service, webhook_id))
    assert '"a.1.b":1,"a.2.b":1.0,"a.3.b":12345678901234567890,"a.4.b":"1","a.5.b":true,"a.6.b":null' in text
    assert '"a.7.b":[1.50,{"b":"x, y"}]' in text

    go(page, f"#/webhooks/{webhook_id}/edit")
    for row, value in enumerate(values[:7], 1):
        expect(page.get_by_label(f"Value, as JSON, group 1, condition {row}", exact=True)).to_have_value(
            compact(value)
        )
    expect(page.get_by_label("Field of data, group 2, condition 1")).to_have_value('quote " and \\')
    expect(page.get_by_text("Nothing is changed yet", exact=True)).to_be_visible()


def test_conditions_and_groups_are_taken_away(service: Service, page: Page, recorded: Recorded) -> None:
    open_form(service, page)
    fill(page)
    page.get_by_role("button", name="Condition", exact=True).click()
    condition(page, "a", "1")
    page.get_by_role("button", name="Add a condition to group 1").click()
    condition(page, "b", "2", row=2)
    page.get_by_role("button", name="Group", exact=True).click()
    condition(page, "c", "3", group=2)
    expect(page.get_by_text("or", exact=True)).to_be_visible()

    page.get_by_role("button", name="Remove condition 1 of group 1").click()
    page.get_by_role("button", name="Remove condition 1 of group 2").click()
    page.get_by_role("button", name="Group", exact=True).click()  # an empty one is not sent
    save(page)

    assert stored(service, created_id(page)).definition.query == ({"b": 2},)


@pytest.mark.parametrize("by", [SYSTEM, SERVICE_CALLER], ids=["system", "tenant"])
def test_the_secret_is_shown_after_the_creation(
    service: Service, page: Page, recorded: Recorded, by: Client
) -> None:
    open_form(service, page, by=by)
    fill(page)
    save(page)
    webhook_id = created_id(page)
    sealed = service.app.call("GET", f"{BASE}/webhook/{webhook_id}/secret").json["signingSecret"]
    secret = SYSTEM.open(service.app.public_key, sealed)

    dialog = page.get_by_role("dialog", name="Webhook created")
    expect(dialog.get_by_label("Signing secret", exact=True)).to_have_value(secret)
    assert not [each for each in recorded.requests if each.url.endswith("/secret")]
    assert secret not in page.content()
    assert findings(page) == []
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    dialog.get_by_role("button", name="Copy signing secret").click()
    expect(page.get_by_text("Copied the signing secret")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret

    # Once it is closed, it is asked for.
    dialog.get_by_role("button", name="Done").click()
    expect(dialog).not_to_be_visible()
    go(page, f"#/webhooks/{webhook_id}?dialog=created")
    expect(dialog.get_by_label("Signing secret", exact=True)).to_have_value(secret)
    assert [each for each in recorded.requests if each.url.endswith("/secret")]
    dialog.get_by_role("link", name="Send test event").click()
    expect(page.get_by_role("dialog", name="Send test event")).to_be_visible()


def test_a_secret_that_cannot_be_loaded_says_why_and_is_asked_for_again(service: Service, page: Page) -> None:
    webhook_id = service.webhook("Order sync")
    page.goto(service.ready())
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()
    page.route("**/secret", lambda route: route.fulfill(status=403, body='{"message": "not for you"}'))

    go(page, f"#/webhooks/{webhook_id}?dialog=created")

    dialog = page.get_by_role("dialog", name="Webhook created")
    expect(dialog.get_by_role("alert")).to_contain_text("not for you")
    assert findings(page) == []
    page.unroute("**/secret")
    dialog.get_by_role("button", name="Try again").click()
    expect(dialog.get_by_label("Signing secret", exact=True)).to_have_value(re.compile("^whsec_"))


def test_long_content_fits_a_phone_and_both_themes(service: Service, browser: Browser) -> None:
    for scheme in ("light", "dark"):
        context = open_context(browser, viewport={"width": 390, "height": 844}, color_scheme=scheme)
        page = context.new_page()
        open_form(service, page)
        fill(page, name="n" * 256, url=f"https://hooks.example.com/{'p' * 1_900}", event_name="e" * 128)
        field(page, "Event names", "eventNames").fill("x")
        page.get_by_role("button", name="Condition", exact=True).click()
        condition(page, "f" * 256, json.dumps("v" * 500))
        authenticate(page, "OAuth 2")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        save(page)
        expect(page.get_by_role("alert")).to_contain_text("fields need a change")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert findings(page) == []
        context.close()
