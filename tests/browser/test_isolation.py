"""Nothing of one caller, community or deployment reaches another one in the same tab."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser import webhook_forms as form
from tests.browser.conftest import Recorded, open_context, record
from tests.browser.connecting import PASSPHRASE, expect_connected, fill, open_page, submit
from tests.browser.failing import error
from tests.browser.leaks import leaks
from tests.browser.logged import dead, open_console
from tests.browser.reference import Reference, secret_of
from tests.browser.service import Service
from tests.factories import BASE, COMMUNITY, SERVICE_CALLER, SYSTEM, TENANT

OTHER = "another-community"
KEPT = "JSON.stringify(sessionStorage)"
# While `isHeld`, an encryption and the derivation of a key do not end.
HELD = """
window.held = [];
for (const name of ["encrypt", "deriveKey"]) {
    const original = crypto.subtle[name].bind(crypto.subtle);
    crypto.subtle[name] = async (...given) => {
        const made = await original(...given);
        if (window.isHeld) await new Promise(resolve => window.held.push(resolve));
        return made;
    };
}
"""


def hold(page: Page) -> None:
    page.evaluate("window.isHeld = true")


def let_go(page: Page) -> None:
    """Let all that was held end, and what follows from it."""
    page.wait_for_function("() => window.held.length > 0")
    page.evaluate("window.isHeld = false; window.held.forEach(each => each())")
    page.wait_for_timeout(500)


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    dead(service, service.webhook("Order sync"), event_name="order.secret")
    yield service
    service.close()


def heading(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def forget(page: Page) -> None:
    page.get_by_role("button", name="Forget keys").click()
    heading(page, "Connect")


def hang(route: Route) -> None:
    """Never answer."""


def open_delivery(page: Page, service: Service) -> str:
    """Open the service's delivery from the list; returns its address."""
    open_console(page, service, "#/deliveries")
    page.get_by_role("link", name="order.secret").click()
    expect(page.get_by_role("dialog", name="Delivery")).to_contain_text("order.secret")
    return str(page.evaluate("location.hash"))


def test_a_delivery_of_the_keys_before_is_not_shown_to_the_next_ones(service: Service, page: Page) -> None:
    address = open_delivery(page, service)
    forget(page)
    fill(page, by=SYSTEM, community=OTHER)
    page.route(re.compile("/delivery/"), hang)
    submit(page)
    expect_connected(page)

    with page.expect_request(re.compile("/delivery/")):
        page.evaluate("address => { location.hash = address }", address)

    expect(page.get_by_role("dialog", name="Delivery")).to_be_visible()
    expect(page.get_by_text("order.secret")).to_have_count(0)


def test_a_delivery_of_the_community_before_is_not_shown_in_the_next_one(
    service: Service, page: Page
) -> None:
    address = open_delivery(page, service)
    page.route(re.compile("/delivery/"), hang)
    page.get_by_role("button", name="tenant / community").click()
    page.get_by_label("Tenant", exact=True).fill(TENANT)
    page.get_by_label("Community", exact=True).fill(OTHER)
    page.get_by_role("button", name="Open by name").click()
    expect(page.get_by_role("button", name="tenant / community")).to_contain_text(OTHER)

    with page.expect_request(re.compile(f"/{OTHER}/delivery/")):
        page.evaluate("address => { location.hash = address }", address)

    expect(page.get_by_role("dialog", name="Delivery")).to_be_visible()
    expect(page.get_by_text("order.secret")).to_have_count(0)


def test_undo_is_gone_with_the_keys(service: Service, page: Page) -> None:
    page.goto(service.ready())
    page.get_by_role("link", name="Order sync").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()

    forget(page)

    expect(page.get_by_role("button", name="Undo")).to_have_count(0, timeout=1000)


def test_keys_that_are_forgotten_while_they_are_opened_stay_forgotten(
    service: Service, browser: Browser
) -> None:
    context = open_context(browser)
    page, recorded = context.new_page(), Recorded()
    page.add_init_script(HELD)
    open_page(page, service)
    fill(page, by=SYSTEM)
    page.get_by_label("Remember in this tab").check()
    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    submit(page)
    expect_connected(page)
    page.reload()
    record(page, recorded)
    hold(page)
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    submit(page)
    page.get_by_role("button", name="Forget them").click()

    let_go(page)

    heading(page, "Connect")
    expect(page.get_by_label("Private key", exact=True)).to_have_value("")
    expect(page.get_by_label("License")).to_have_value("")
    assert [each.url for each in recorded.requests if "/fetch" in each.url] == []
    assert page.evaluate(KEPT) == "{}"
    context.close()


def test_a_choice_of_a_community_does_not_bring_forgotten_keys_back(
    service: Service, browser: Browser
) -> None:
    context = open_context(browser)
    page = context.new_page()
    page.add_init_script(HELD)
    open_page(page, service)
    fill(page, by=SYSTEM)
    page.get_by_label("Remember in this tab").check()
    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    submit(page)
    expect_connected(page)
    page.get_by_role("button", name="tenant / community").click()
    page.get_by_label("Tenant", exact=True).fill(TENANT)
    page.get_by_label("Community", exact=True).fill(OTHER)
    hold(page)
    page.get_by_role("button", name="Open by name").click()
    forget(page)

    let_go(page)

    assert page.evaluate(KEPT) == "{}"
    context.close()


def test_another_deployment_on_the_same_host_is_not_offered_the_keys(service: Service, page: Page) -> None:
    open_page(page, service)
    fill(page, by=SYSTEM)
    page.get_by_label("Remember in this tab").check()
    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    submit(page)
    expect_connected(page)
    elsewhere = service.url.replace("/prod", "/other")

    def serve(route: Route) -> None:
        route.fulfill(response=route.fetch(url=route.request.url.replace("/other/", "/prod/")))

    page.route(f"{elsewhere}/**", serve)
    page.goto(f"{elsewhere}/console")

    expect(page.get_by_label("Private key", exact=True)).to_be_visible()
    page.goto(f"{service.url}/console")
    expect(page.get_by_label("Passphrase")).to_be_visible()


def test_a_credential_that_was_typed_is_gone_with_the_keys(service: Service, page: Page) -> None:
    page.goto(service.ready())
    expect_connected(page)
    form.go(page, "#/webhooks/new")
    form.fill(page, name="Typed by a person")
    page.route(re.compile("/webhook$"), error(401))
    form.save(page)
    page.get_by_role("button", name="Connect again").click()
    heading(page, "Connect again")
    fill(page, by=SYSTEM)
    submit(page)
    heading(page, "Create webhook")
    forget(page)

    fill(page, by=SERVICE_CALLER)
    submit(page)
    page.get_by_role("button", name="Forget keys").wait_for()
    form.go(page, "#/webhooks/new")

    expect(form.field(page, "Name", "name")).to_have_value("")


def test_back_does_not_lock_the_question_for_keys_before_an_unsaved_form(
    service: Service, page: Page
) -> None:
    page.goto(service.ready())
    expect_connected(page)
    form.go(page, "#/webhooks/new")
    form.fill(page, name="Typed by a person")
    page.route(re.compile("/webhook$"), error(401))
    form.save(page)
    page.get_by_role("button", name="Connect again").click()
    heading(page, "Connect again")

    page.go_back()

    fill(page, by=SYSTEM)
    submit(page)
    expect(form.field(page, "Name", "name")).to_have_value("Typed by a person")


def test_the_reference_forgets_opened_responses_with_the_keys(service: Service, page: Page) -> None:
    webhook_id = service.app.fetch()["data"][0]["_id"]
    sealed = service.app.call("GET", f"{BASE}/webhook/{webhook_id}/secret").json["signingSecret"]
    secret = SYSTEM.open(service.app.public_key, sealed)
    reference = Reference(page, service)
    reference.authorize(tenantId=TENANT, communityId=COMMUNITY)
    sent = reference.send("getWebhookSecret", webhookId=webhook_id)
    expect(sent).to_contain_text(secret)

    reference.page.get_by_role("banner").get_by_role("button", name="Authorized").click()
    reference.box.get_by_role("button", name="Forget").click()

    expect(sent).not_to_contain_text(secret)
    assert leaks({"signing secret": secret.encode()}, [page.content()]) == []


def test_the_reference_stays_without_keys_that_are_forgotten_while_they_are_tried(
    service: Service, page: Page
) -> None:
    reference = Reference(page, service)
    held: list[Route] = []
    page.route(re.compile("/communities"), lambda route: held.append(route))  # noqa: PLW0108 - it wants a function
    reference.open_box()
    reference.fill_box(
        keyId=SYSTEM.pair.public,
        keySecret=secret_of(SYSTEM),
        license=SYSTEM.license_key,
    )
    with page.expect_request(re.compile("/communities")):
        reference.accept()
    reference.box.get_by_role("button", name="Forget").click()

    with page.expect_response(re.compile("/communities")):
        held[0].continue_()

    expect(page.get_by_role("button", name="Checking")).to_have_count(0)
    expect(page.get_by_role("button", name="Authorize", exact=True).first).to_be_visible()
    expect(page.get_by_text("Authorized:")).to_have_count(0)
