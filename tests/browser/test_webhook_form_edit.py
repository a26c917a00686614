"""A webhook is changed: only what was changed is sent, and a change by others in between is told."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import Recorded
from tests.browser.service import Service
from tests.browser.webhook_forms import (
    URL,
    add,
    answer,
    authenticate,
    change_meanwhile,
    compact,
    created_id,
    credential,
    field,
    go,
    open_form,
    panel,
    save,
    saved,
    sent,
    stored,
)
from tests.factories import BASE, SERVICE_CALLER, SYSTEM, basic_api, oauth_api

FULL: dict[str, Any] = {
    "tags": ["erp"],
    "createdBy": "portal",
    "query": [{"a": 1}],
    "criteria": "ALL",
    "retryCodes": [503],
    "retryCount": 1,
    "ttl": 3,
    "rateLimit": 10,
    "recover": True,
    "paused": True,
}


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


def test_each_cleared_field_goes_back_to_its_default(
    service: Service, page: Page, recorded: Recorded
) -> None:
    webhook_id = service.webhook("full", **FULL)
    open_form(service, page, webhook_id)
    expect(page.get_by_text("Nothing is changed yet", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Save changes")).to_be_disabled()
    assert panel(page) == "{}"
    field(page, "Tags", "tags").press("Backspace")
    page.get_by_role("button", name="Remove condition 1 of group 1").click()
    field(page, "Retry codes", "retryCodes").press("Backspace")
    page.get_by_role("group", name="Retries").get_by_role("button", name="None").click()
    page.get_by_role("group", name="Recovery").get_by_role("button", name="Default").click()
    field(page, "Time to answer", "ttl").fill("")
    field(page, "Rate limit", "rateLimit").fill("")
    page.get_by_role("switch", name="Paused").uncheck()
    shown_body = panel(page)

    save(page)
    saved(page, webhook_id)

    expect(page.get_by_text("Saved. Applies to events accepted from now on")).to_be_visible()
    assert sent(recorded.requests, "PATCH") == [shown_body]
    assert json.loads(shown_body) == {
        "tags": [],
        "paused": False,
        "query": [],
        "retryCodes": [],
        "retryCount": 0,
        "ttl": 0,
        "rateLimit": None,
        "recover": None,
    }
    definition = stored(service, webhook_id).definition
    assert (definition.tags, definition.query, definition.retry_codes) == ((), (), ())
    assert (definition.rate_limit, definition.recover, definition.ttl) == (None, None, 0)
    assert definition.criteria == "ALL"


def test_only_what_was_changed_is_sent(service: Service, page: Page, recorded: Recorded) -> None:
    webhook_id = service.webhook("before", api=oauth_api(), **FULL)
    open_form(service, page, webhook_id)
    field(page, "Name", "name").fill("after")
    field(page, "URL", "api.type, api.url").fill("https://hooks.example.com/other")
    add(page, "Scopes", "api.oAuthScopes", "b")
    # And back again: that is no change.
    field(page, "Created by", "createdBy").fill("other")
    field(page, "Created by", "createdBy").fill("portal")

    field(page, "Name", "name").press("Control+Enter")
    saved(page, webhook_id)

    assert [json.loads(each) for each in sent(recorded.requests, "PATCH")] == [
        {"name": "after", "api": {"url": "https://hooks.example.com/other", "oAuthScopes": ["a", "b"]}}
    ]
    assert credential(service, webhook_id).client_secret == "planted-secret"


def test_a_name_of_its_author_cannot_be_cleared(service: Service, page: Page) -> None:
    webhook_id = service.webhook("full", **FULL)
    open_form(service, page, webhook_id)
    field(page, "Created by", "createdBy").fill("")

    save(page)

    expect(page.get_by_role("alert")).to_contain_text("Created by")
    expect(page.get_by_text("createdBy: must be a string of 1 to 256 characters")).to_be_visible()


def test_a_kept_credential_is_never_shown_and_given_again_for_another_host(
    service: Service, page: Page, recorded: Recorded
) -> None:
    webhook_id = service.webhook("basic", api=basic_api())
    open_form(service, page, webhook_id, by=SERVICE_CALLER)
    user = field(page, "User name", "credential.username")
    password = field(page, "Password", "credential.password")
    for each in (user, password):
        expect(each).to_have_value("")
        expect(each).to_have_attribute("placeholder", "Kept. Type to replace it.")
    field(page, "URL", "api.type, api.url").fill("https://other.example.com/in")

    save(page)

    expect(page.get_by_text("api.credential: required again where the host of api.url")).to_be_visible()
    page.get_by_role("alert").get_by_role("link", name="User name").click()
    expect(user).to_be_focused()
    user.fill("new-user")
    expect(page.get_by_text("Both are replaced together")).to_be_visible()
    save(page)
    # An untyped password is not an empty one.
    expect(page.get_by_text("api.credential.password: required for authType basic")).to_be_visible()
    password.fill("new-password")
    assert "new-" not in panel(page)
    save(page)
    saved(page, webhook_id)
    kept = credential(service, webhook_id)
    assert (kept.username, kept.password) == ("new-user", "new-password")


def test_another_way_to_authenticate_needs_its_credential(
    service: Service, page: Page, recorded: Recorded
) -> None:
    webhook_id = service.webhook("basic", api=basic_api())
    open_form(service, page, webhook_id, by=SYSTEM)
    # A system license gets the credential in envelopes: the form does not show it either.
    expect(field(page, "User name", "credential.username")).to_have_value("")
    authenticate(page, "OAuth 2")
    expect(field(page, "Client id", "oauth2.clientId")).to_have_attribute("placeholder", "")
    field(page, "Token URL", "api.oAuthTokenUrl").fill("https://hooks.example.com/token")
    field(page, "Client id", "oauth2.clientId").fill("an-id")
    field(page, "Client secret", "oauth2.clientSecret").fill("a-secret")

    save(page)
    saved(page, webhook_id)

    assert [json.loads(each) for each in sent(recorded.requests, "PATCH")] == [
        {
            "api": {
                "authType": "oauth2",
                "oAuthGrantType": "client_credentials",
                "oAuthTokenUrl": "https://hooks.example.com/token",
                "credential": {"oauth2": {"clientId": "an-id", "clientSecret": "a-secret"}},
            }
        }
    ]
    go(page, f"#/webhooks/{webhook_id}/edit")
    authenticate(page, "None")
    save(page)
    saved(page, webhook_id)
    assert stored(service, webhook_id).credential is None


def test_a_change_by_others_is_shown_and_kept_beside_mine(
    service: Service, page: Page, recorded: Recorded
) -> None:
    webhook_id = service.webhook("before", tags=["a"])
    open_form(service, page, webhook_id)
    field(page, "Name", "name").fill("mine")
    change_meanwhile(service, webhook_id, ttl=2, tags=["theirs"])

    save(page)

    expect(page.get_by_text("Changed meanwhile.")).to_be_visible()
    assert sent(recorded.requests, "PATCH") == []
    expect(field(page, "Name", "name")).to_have_value("mine")
    assert findings(page) == []
    page.get_by_role("button", name="Show their version").click()
    dialog = page.get_by_role("dialog", name="Their version")
    expect(dialog.get_by_role("row")).to_have_text(
        ["FieldTheirsIn the form", 'Tags["theirs"]["a"]', "Time to answer20"]
    )
    assert findings(page) == []
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    page.get_by_role("button", name="Save mine").click()
    saved(page, webhook_id)
    definition = stored(service, webhook_id).definition
    assert (definition.name, definition.tags, definition.ttl) == ("mine", ("theirs",), 2)
    assert sent(recorded.requests, "PATCH") == ['{"name":"mine"}']


def test_their_version_can_be_taken(service: Service, page: Page) -> None:
    webhook_id = service.webhook("before")
    open_form(service, page, webhook_id)
    field(page, "Name", "name").fill("mine")
    change_meanwhile(service, webhook_id, name="theirs")
    save(page)
    page.get_by_role("button", name="Show their version").click()

    page.get_by_role("button", name="Discard mine and take theirs").click()

    expect(field(page, "Name", "name")).to_have_value("theirs")
    expect(page.get_by_text("Nothing is changed yet", exact=True)).to_be_visible()


def test_a_change_that_lost_its_race_is_told(service: Service, page: Page) -> None:
    webhook_id = service.webhook("before")
    open_form(service, page, webhook_id)
    field(page, "Name", "name").fill("mine")
    text = "the webhook was changed by others at the same time; send the change again"
    stop = answer(page, "PATCH", 409, text)

    save(page)

    expect(page.get_by_text("Changed meanwhile.")).to_be_visible()
    expect(page.get_by_text(text)).to_be_visible()
    stop()
    page.get_by_role("button", name="Save mine").click()
    saved(page, webhook_id)
    assert stored(service, webhook_id).definition.name == "mine"


def test_a_webhook_that_was_deleted_can_be_made_anew(service: Service, page: Page) -> None:
    webhook_id = service.webhook("before", tags=["a"])
    open_form(service, page, webhook_id)
    field(page, "Name", "name").fill("mine")
    service.app.call("DELETE", f"{BASE}/webhook/{webhook_id}")

    save(page)

    expect(page.get_by_role("alert")).to_contain_text("404. It does not exist any more.")
    expect(field(page, "Name", "name")).to_have_value("mine")
    assert findings(page) == []
    page.get_by_role("button", name="Make it a new webhook").click()
    expect(page.get_by_role("heading", name="Create webhook")).to_be_visible()
    expect(field(page, "URL", "api.type, api.url")).to_have_value(URL)
    save(page)
    definition = stored(service, created_id(page)).definition
    assert (definition.name, definition.tags) == ("mine", ("a",))


def test_a_change_whose_response_is_lost_is_made_once(service: Service, page: Page) -> None:
    webhook_id = service.webhook("before")
    open_form(service, page, webhook_id)
    field(page, "Name", "name").fill("mine")

    def lose(route: Any) -> None:
        if route.request.method != "PATCH":
            route.fallback()
            return
        route.fetch()
        route.abort()

    page.route("**/webhook/*", lose)
    save(page)
    expect(page.get_by_role("alert")).to_contain_text("No connection.")
    page.unroute("**/webhook/*", lose)
    revision = stored(service, webhook_id).revision

    page.get_by_role("button", name="Try again").click()

    saved(page, webhook_id)
    assert stored(service, webhook_id).revision == revision


def test_a_webhook_that_cannot_be_loaded_is_explained(service: Service, page: Page) -> None:
    webhook_id = service.webhook("later")
    page.goto(service.ready())
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()

    go(page, f"#/webhooks/{'0' * 24}/edit")
    expect(page.get_by_role("alert")).to_contain_text("webhookId: no such webhook")
    assert findings(page) == []

    stop = answer(page, "GET", 503, "did not answer", headers={"retry-after": "1"})
    go(page, f"#/webhooks/{webhook_id}/edit")
    expect(page.get_by_role("alert")).to_contain_text("did not answer")
    stop()
    expect(field(page, "Name", "name")).to_have_value("later")


def test_a_webhook_that_the_service_disabled_says_why(service: Service, page: Page) -> None:
    webhook_id = service.webhook("gone", disabled=True)
    text = service.app.call("GET", f"{BASE}/webhook/{webhook_id}").json
    body = json.dumps({**text, "disabledReason": "endpoint gone (HTTP 410)"})
    page.route(f"**/webhook/{webhook_id}", lambda route: route.fulfill(status=200, body=compact(body)))

    open_form(service, page, webhook_id)

    expect(page.get_by_text("The service disabled it: endpoint gone (HTTP 410).")).to_be_visible()
