"""The form by keyboard, its one save at a time, and the question before it is left."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from tests.browser.axe import findings
from tests.browser.conftest import Recorded
from tests.browser.service import Service
from tests.browser.webhook_forms import (
    add,
    created_id,
    field,
    fill,
    go,
    open_form,
    save,
    sent,
    stored,
)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


def test_tokens_are_added_and_taken_away_by_keyboard(service: Service, page: Page) -> None:
    open_form(service, page)
    tags = field(page, "Tags", "tags")
    tags.focus()

    page.keyboard.type("a")
    page.keyboard.press("Enter")
    expect(tags).to_be_focused()
    page.keyboard.type("b")
    page.keyboard.press("Tab")
    expect(field(page, "Created by", "createdBy")).to_be_focused()
    tags.focus()
    page.keyboard.type(" a ")  # it is there already
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # adds nothing, and sends nothing
    expect(page.get_by_role("button", name="Remove a")).to_have_count(1)
    expect(page.get_by_role("button", name="Remove b")).to_be_visible()

    page.keyboard.press("Backspace")
    expect(page.get_by_role("button", name="Remove b")).to_have_count(0)
    page.get_by_role("button", name="Remove a").press("Enter")
    expect(tags).to_be_focused()
    expect(page.get_by_role("button", name="Remove a")).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_lists_are_pasted(service: Service, page: Page) -> None:
    open_form(service, page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('order.paid\\norder, refunded\\r\\n\\norder.paid')")
    field(page, "Event names", "eventNames").press("Control+v")
    expect(page.get_by_role("button", name="Remove order.paid")).to_have_count(1)
    expect(page.get_by_role("button", name="Remove order, refunded")).to_be_visible()

    page.evaluate("navigator.clipboard.writeText('301, 302;303')")
    field(page, "Success codes", "successCodes").press("Control+v")
    for code in (301, 302, 303):
        expect(page.get_by_role("button", name=f"Remove {code}")).to_be_visible()


def test_known_event_names_are_suggested(service: Service, page: Page) -> None:
    service.webhook("one", eventNames=["order.shipped"])
    page.goto(service.ready())
    expect(page.get_by_text("order.shipped")).to_be_visible()
    go(page, "#/webhooks/new")
    names = field(page, "Event names", "eventNames")

    suggested = page.locator(f"datalist[id='{names.get_attribute('list')}'] option[value='order.shipped']")

    expect(suggested).to_be_attached()


def test_control_enter_sends_what_is_typed_last(service: Service, page: Page) -> None:
    open_form(service, page)
    fill(page)
    field(page, "Tags", "tags").fill("typed")

    field(page, "Tags", "tags").press("Control+Enter")

    assert stored(service, created_id(page)).definition.tags == ("typed",)


def test_the_form_is_sent_once_at_a_time(service: Service, page: Page, recorded: Recorded) -> None:
    open_form(service, page)
    fill(page)
    held: list[Route] = []
    page.route("**/webhook", lambda route: held.append(route))  # noqa: PLW0108 - it wants a function
    name = field(page, "Name", "name")

    name.press("Enter")
    name.press("Enter")
    name.press("Control+Enter")

    busy = page.get_by_role("button", name="Creating")
    expect(busy).to_be_disabled()
    assert findings(page) == []
    assert len(held) == 1
    held[0].continue_()
    created_id(page)
    assert len(sent(recorded.requests, "PUT")) == 1


def test_unsaved_changes_are_asked_about(service: Service, page: Page) -> None:
    page.goto(service.ready())
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()
    go(page, "#/deliveries")
    expect(page.get_by_role("heading", name="Deliveries", level=1)).to_be_visible()
    go(page, "#/webhooks/new")
    field(page, "Name", "name").fill("typed")
    question = page.get_by_role("dialog", name="Leave without saving?")

    # A link.
    page.get_by_role("link", name="Explain").click()
    expect(question).to_be_visible()
    assert findings(page) == []
    assert page.url.endswith("#/webhooks/new")
    question.get_by_role("button", name="Stay").click()
    expect(field(page, "Name", "name")).to_have_value("typed")
    # Keys.
    page.get_by_role("button", name="Basic", exact=True).focus()
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(question).to_be_visible()
    page.keyboard.press("Escape")
    expect(question).not_to_be_visible()
    expect(field(page, "Name", "name")).to_have_value("typed")
    # The save bar's own link.
    page.get_by_role("link", name="Cancel").click()
    question.get_by_role("button", name="Leave").click()
    page.wait_for_url("**#/webhooks")
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()


def test_back_asks_too_and_leads_where_it_would_have_led(service: Service, page: Page) -> None:
    page.goto(service.ready())
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()
    go(page, "#/explain")
    expect(page.get_by_role("heading", name="Explain", level=1)).to_be_visible()
    go(page, "#/webhooks/new")
    field(page, "Name", "name").fill("typed")

    page.go_back()

    question = page.get_by_role("dialog", name="Leave without saving?")
    expect(question).to_be_visible()
    expect(field(page, "Name", "name")).to_have_value("typed")
    question.get_by_role("button", name="Leave").click()
    expect(page.get_by_role("heading", name="Explain", level=1)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()


def test_a_closed_tab_is_asked_about_and_an_untouched_form_is_not(service: Service, page: Page) -> None:
    asked: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", dismiss)
    open_form(service, page)
    field(page, "Name", "name").click()

    add(page, "Tags", "tags", "a")
    field(page, "Tags", "tags").press("Backspace")  # as it was
    page.get_by_role("link", name="Explain").click()
    expect(page.get_by_role("heading", name="Explain", level=1)).to_be_visible()

    go(page, "#/webhooks/new")
    add(page, "Tags", "tags", "a")
    page.close(run_before_unload=True)
    page.wait_for_timeout(0)
    expect(field(page, "Name", "name")).to_be_visible()
    assert asked == ["beforeunload"]


def test_what_was_saved_is_not_asked_about(service: Service, page: Page) -> None:
    open_form(service, page)
    fill(page)
    save(page)
    webhook_id = created_id(page)
    page.get_by_role("dialog", name="Webhook created").get_by_role("button", name="Done").click()
    go(page, f"#/webhooks/{webhook_id}/edit")
    expect(field(page, "Name", "name")).to_have_value("logins")
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url(f"**#/webhooks/{webhook_id}")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_another_community_is_not_shown_before_the_answer(service: Service, page: Page) -> None:
    open_form(service, page)
    field(page, "Name", "name").fill("typed")
    page.get_by_role("button", name="acme / default").click()
    scope = page.get_by_role("dialog", name="Choose a community")
    scope.get_by_role("textbox", name="Tenant").fill("acme")
    scope.get_by_role("textbox", name="Community").fill("other")
    scope.get_by_role("textbox", name="Community").press("Enter")

    question = page.get_by_role("dialog", name="Leave without saving?")
    expect(question).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(1)
    question.get_by_role("button", name="Stay").click()

    expect(field(page, "Name", "name")).to_have_value("typed")
    expect(page.get_by_role("button", name="acme / default")).to_be_visible()
