"""Connecting: with one's own keys, with new ones, again after a reload, and with wrong ones."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from signing import Curve
from tests.browser.axe import findings
from tests.browser.conftest import Recorded, open_context
from tests.browser.connecting import (
    PASSPHRASE,
    expect_connected,
    expect_error,
    fill,
    open_page,
    secret,
    submit,
)
from tests.browser.service import Service
from tests.factories import COMMUNITY, EXTERNAL, OTHER_TENANT, SERVICE_CALLER, SYSTEM, TENANT, Client
from webhooks.domain.keyring import service_keys

UNKNOWN = (
    "licensekey: this license is unknown, expired or disabled. Check it, or ask the operator for a new one."
)
FIRST = re.compile("/webhooks/fetch$")


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    service.webhook("Order sync")
    yield service
    service.close()


@pytest.fixture
def connecting(service: Service, page: Page, recorded: Recorded) -> tuple[Page, Recorded]:
    """Open the form."""
    open_page(page, service)
    return page, recorded


def paths(recorded: Recorded) -> list[str]:
    """Return the paths that the page asked the API for."""
    asked = [each.url.split("/prod/")[-1] for each in recorded.requests if "/prod/" in each.url]
    return [each for each in asked if not each.startswith("console")]


@pytest.mark.parametrize("by", [SYSTEM, SERVICE_CALLER, EXTERNAL], ids=["system", "service", "service_ext"])
def test_the_form_connects_with_each_level(
    service: Service, page: Page, recorded: Recorded, by: Client
) -> None:
    open_page(page, service)
    fill(page, by=by)

    submit(page)

    expect(page.get_by_role("link", name="Order sync")).to_be_visible()
    assert page.url.endswith("#/webhooks")
    # One request tries the keys and is the list's first page.
    assert paths(recorded)[0] == "publickeys"
    assert sum(bool(FIRST.search(each)) for each in paths(recorded)) == 1


def test_enter_connects_and_the_view_of_the_address_is_shown(service: Service, page: Page) -> None:
    page.goto(f"{service.url}/console#/explain")
    fill(page)

    page.get_by_label("Community", exact=True).press("Enter")

    expect(page.get_by_role("heading", name="Explain")).to_be_visible()
    assert page.url.endswith("#/explain")


def test_a_new_view_has_its_heading_focused_and_names_the_document(service: Service, page: Page) -> None:
    open_page(page, service)
    expect(page.get_by_role("heading", name="Connect", exact=True)).to_be_focused()
    expect(page).to_have_title("Connect · Webhooks")
    fill(page)

    submit(page)

    expect(page.get_by_role("heading", name="Webhooks", exact=True)).to_be_focused()
    expect(page).to_have_title("Webhooks")
    page.get_by_role("link", name="Explain").click()
    expect(page.get_by_role("heading", name="Explain")).to_be_focused()
    expect(page).to_have_title("Explain · Webhooks")


def test_the_skip_link_leads_to_the_content(service: Service, page: Page) -> None:
    page.goto(service.ready())
    expect_connected(page)
    skip = page.get_by_role("link", name="Skip to content")

    skip.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("main")).to_be_focused()
    assert page.url.endswith("#/webhooks")


def test_what_is_missing_is_said_beside_each_field_and_nothing_is_sent(
    service: Service, page: Page, recorded: Recorded
) -> None:
    open_page(page, service)
    page.get_by_label("Remember in this tab").check()

    submit(page)

    for label, sentence in (
        ("License", "Enter the license."),
        ("Tenant", "Enter the tenant."),
        ("Community", "Enter the community."),
        ("Passphrase", "Enter a passphrase of at least 8 characters."),
    ):
        expect(page.get_by_label(label, exact=True)).to_have_accessible_description(sentence)
    expect_error(page, "Public key", "Enter the public key.")
    assert paths(recorded) == []
    assert findings(page) == []


@pytest.mark.parametrize(
    ("label", "text", "sentence"),
    [
        ("Public key", "no base64", "The public key is not base64"),
        ("Public key", "AAAA", "The public key should have 64 bytes: X and Y"),
        ("Private key", "?", "The private key is not base64"),
        ("Private key", "A" * 64, "The private key should have at most 32 bytes"),
        ("Private key", secret(EXTERNAL), "The public key does not belong to the private key"),
    ],
    ids=["no base64", "length", "secret no base64", "secret length", "another pair"],
)
def test_a_pair_that_does_not_fit_is_not_sent(
    connecting: tuple[Page, Recorded], label: str, text: str, sentence: str
) -> None:
    page, recorded = connecting
    fill(page)
    page.get_by_label(label, exact=True).fill(text)

    submit(page)

    expect(page.get_by_label(label, exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text(sentence)).to_be_visible()
    assert paths(recorded) == ["publickeys"]


def test_an_unknown_license_is_said_beside_it_and_nothing_typed_is_lost(service: Service, page: Page) -> None:
    open_page(page, service)
    fill(page, license_key="never-issued")

    submit(page)

    expect_error(page, "License", UNKNOWN)
    expect(page.get_by_label("Public key", exact=True)).to_have_value(SYSTEM.pair.public)
    expect(page.get_by_label("Private key", exact=True)).to_have_value(secret(SYSTEM))
    expect(page.get_by_label("License")).to_have_value("never-issued")
    expect(page.get_by_label("Tenant")).to_have_value(TENANT)
    assert findings(page) == []
    page.get_by_label("License").fill(SYSTEM.license_key)
    expect(page.get_by_label("License")).not_to_have_attribute("aria-invalid", "true")
    submit(page)
    expect_connected(page)


def test_another_communitys_license_gets_the_sentence_of_the_403(service: Service, page: Page) -> None:
    open_page(page, service)
    fill(page, by=OTHER_TENANT)

    submit(page)

    expect(page.get_by_text("this license does not reach this tenant and community")).to_be_visible()
    expect(page.get_by_label("Community", exact=True)).to_be_focused()


def test_a_tenant_that_cannot_be_one_is_said_beside_it(service: Service, page: Page) -> None:
    open_page(page, service)
    fill(page, tenant="a b")

    submit(page)

    expect_error(page, "Tenant", "tenantId: must be 1 to 64 letters, digits, '.', '_' or '-'")


def test_a_wrong_clock_is_told_with_what_it_is_off_by(service: Service, page: Page) -> None:
    page.clock.set_system_time(service.app.clock() - 600)
    open_page(page, service)
    fill(page)

    submit(page)

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("401. requestid: ts must be epoch seconds within 120 seconds of now")
    expect(alert).to_contain_text(re.compile(r"Your computer's clock is probably slow by (9|10) min"))
    expect(page.get_by_label("License")).to_have_value(SYSTEM.license_key)


def test_a_limit_counts_down_and_the_page_connects_by_itself(service: Service, page: Page) -> None:
    tries: list[int] = []

    def limited(route: Route) -> None:
        tries.append(1)
        if len(tries) > 1:
            return route.continue_()
        body = json.dumps({"statusCode": 429, "error": "Too Many Requests", "message": "too many requests"})
        return route.fulfill(
            status=429, body=body, headers={"Retry-After": "1", "Content-Type": "application/json"}
        )

    page.route(FIRST, limited)
    open_page(page, service)
    fill(page)

    submit(page)

    expect(page.get_by_role("alert")).to_contain_text("tries again by itself in")
    expect_connected(page)


def test_no_network_is_said_and_nothing_typed_is_lost(service: Service, page: Page) -> None:
    open_page(page, service)
    fill(page)
    page.context.set_offline(True)

    submit(page)

    expect(page.get_by_role("alert")).to_contain_text("The service cannot be reached.")
    expect(page.get_by_label("License")).to_have_value(SYSTEM.license_key)
    page.context.set_offline(False)
    submit(page)
    expect_connected(page)


def test_a_page_without_https_says_so(service: Service, browser: Browser) -> None:
    context = open_context(browser)
    # As browsers do for a page by HTTP of another host.
    context.add_init_script(
        "Object.defineProperty(Crypto.prototype, 'subtle', {get: () => undefined, configurable: true})"
    )
    page = context.new_page()

    open_page(page, service)

    expect(page.get_by_role("alert")).to_contain_text("This page needs HTTPS")
    expect(page.get_by_label("License")).to_have_count(0)
    context.close()


def test_a_pair_is_made_shown_once_saved_and_used(service: Service, page: Page, tmp_path: Path) -> None:
    open_page(page, service)
    page.get_by_role("button", name="Make a key pair").click()
    expect(page).to_have_url(re.compile(r"made=1"))
    expect(page.get_by_text("Save the private key now.")).to_be_visible()
    key_id = page.get_by_label("Public key", exact=True)
    expect(key_id).to_have_value(re.compile(r"^[A-Za-z0-9+/]{86}==$"))
    made = key_id.input_value()
    private = page.get_by_label("Private key", exact=True)
    expect(private).to_have_attribute("type", "password")
    page.get_by_role("button", name="Show private key").click()
    expect(private).to_have_attribute("type", "text")
    assert findings(page) == []

    with page.expect_download() as download:
        page.get_by_role("button", name="Download key file").click()

    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert json.loads(path.read_text("utf-8")) == {
        "curve": "secp256k1",
        "publicKey": made,
        "privateKey": private.input_value(),
    }
    # The pair is still there after a look at the other kind.
    page.get_by_role("button", name="I have a key pair").click()
    expect(key_id).to_have_value("")
    page.get_by_label("Key file").set_input_files(path)
    expect(key_id).to_have_value(made)
    page.get_by_role("button", name="Make a key pair").click()
    expect(key_id).to_have_value(made)
    for label, text in (("License", SYSTEM.license_key), ("Tenant", TENANT), ("Community", COMMUNITY)):
        page.get_by_label(label, exact=True).fill(text)
    submit(page)
    expect_connected(page)
    assert page.url.endswith("#/webhooks")


def test_a_file_that_holds_no_pair_is_said(service: Service, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "wrong.json"
    path.write_text('{"privateKey": 1}', "utf-8")
    open_page(page, service)

    page.get_by_label("Key file").set_input_files(path)

    expect(page.get_by_text("The file holds no key pair")).to_be_visible()


def test_a_service_on_p256_makes_and_takes_keys_of_its_curve(page: Page) -> None:
    service = Service()
    service.app.keys.replace(service.app.keys.read_now(), service_keys({"seed": "p" * 64}, Curve.P256))
    open_page(page, service, "#/connect?made=1")
    expect(page.get_by_text("prime256v1, the curve of this service's keys")).to_be_visible()
    for label, text in (("License", SYSTEM.license_key), ("Tenant", TENANT), ("Community", COMMUNITY)):
        page.get_by_label(label, exact=True).fill(text)

    submit(page)

    expect_connected(page)
    service.close()


def remembered(page: Page, service: Service) -> None:
    open_page(page, service)
    fill(page)
    page.get_by_label("Remember in this tab").check()
    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    submit(page)
    expect_connected(page)


def test_remembered_keys_open_with_the_passphrase_after_a_reload(service: Service, page: Page) -> None:
    remembered(page, service)
    kept = page.evaluate("JSON.stringify(sessionStorage)")
    assert json.loads(json.loads(kept)["webhooks.keys /prod/"])["iterations"] >= 600_000
    for text in (secret(SYSTEM), SYSTEM.license_key, SYSTEM.pair.public, TENANT, PASSPHRASE):
        assert text not in kept

    page.reload()

    expect(page.get_by_text("This tab remembers your keys, encrypted.")).to_be_visible()
    assert findings(page) == []
    page.get_by_label("Passphrase").fill("wrong horse")
    submit(page)
    expect_error(page, "Passphrase", "The passphrase is wrong.")
    expect(page.get_by_label("Passphrase")).to_have_value("wrong horse")
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    submit(page)
    expect(page.get_by_role("link", name="Order sync")).to_be_visible()


def test_the_community_that_is_chosen_later_is_remembered_too(service: Service, page: Page) -> None:
    remembered(page, service)
    before = page.evaluate("sessionStorage.getItem('webhooks.keys /prod/')")
    page.get_by_role("button", name=f"{TENANT} / {COMMUNITY}").click()
    dialog = page.get_by_role("dialog", name="Choose a community")
    dialog.get_by_label("Tenant").fill("lumen")
    dialog.get_by_label("Community").fill("eu")
    dialog.get_by_role("button", name="Open by name").click()
    page.wait_for_function("before => sessionStorage.getItem('webhooks.keys /prod/') !== before", arg=before)
    page.reload()
    page.get_by_label("Passphrase").fill(PASSPHRASE)

    submit(page)

    expect(page.get_by_role("heading", name="No webhooks in lumen / eu yet")).to_be_visible()


def test_a_browser_that_stores_nothing_still_connects(service: Service, browser: Browser) -> None:
    context = open_context(browser)
    denied = "Object.defineProperty(window, '{}', {{get() {{ throw new DOMException('denied') }}}})"
    context.add_init_script(";".join(denied.format(each) for each in ("localStorage", "sessionStorage")))
    page = context.new_page()
    open_page(page, service)
    fill(page)
    page.get_by_label("Remember in this tab").check()
    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    submit(page)
    expect(page.get_by_role("alert")).to_contain_text("the keys are not remembered")
    page.get_by_label("Remember in this tab").uncheck()

    submit(page)

    expect_connected(page)
    context.close()


def test_remembered_keys_that_the_service_refuses_are_shown_with_why(page: Page) -> None:
    service = Service()
    remembered(page, service)
    service.app.licenses._licenses.clear()  # noqa: SLF001 - the fake has no way to end one
    page.reload()
    page.get_by_label("Passphrase").fill(PASSPHRASE)

    submit(page)

    expect_error(page, "License", UNKNOWN)
    expect(page.get_by_label("Private key", exact=True)).to_have_value(secret(SYSTEM))
    service.close()


def test_forgetting_the_remembered_keys_deletes_them(service: Service, page: Page) -> None:
    remembered(page, service)
    page.reload()

    page.get_by_role("button", name="Forget them").click()

    expect(page.get_by_label("License")).to_have_value("")
    assert page.evaluate("sessionStorage.length") == 0


def test_forget_keys_clears_memory_and_storage(service: Service, page: Page) -> None:
    remembered(page, service)

    page.get_by_role("button", name="Forget keys").click()

    expect(page.get_by_role("heading", name="Connect", exact=True)).to_be_focused()
    for label in ("Public key", "Private key", "License", "Tenant", "Community"):
        expect(page.get_by_label(label, exact=True)).to_have_value("")
    assert page.evaluate("sessionStorage.length") == 0
    page.goto(f"{service.url}/console#/webhooks")
    expect(page.get_by_role("heading", name="Connect", exact=True)).to_be_visible()


def test_without_a_wish_a_reload_asks_again(service: Service, page: Page) -> None:
    page.goto(service.ready())
    expect_connected(page)

    page.reload()

    expect(page.get_by_label("License")).to_have_value("")
    assert page.evaluate("sessionStorage.length") == 0


def test_a_damaged_ready_link_says_so_and_leaves_the_address(service: Service, page: Page) -> None:
    page.goto(service.ready()[:-30])

    expect(page.get_by_role("alert")).to_contain_text("The link is not whole")
    assert "ready" not in page.url


def test_a_ready_link_works_in_a_tab_that_has_the_console_open(service: Service, page: Page) -> None:
    open_page(page, service)

    page.goto(service.ready())

    expect_connected(page)
    assert "ready" not in page.url


def test_a_ready_link_with_a_wrong_pair_shows_the_form_with_why(service: Service, page: Page) -> None:
    address, _, packed = service.ready().partition("?ready=")
    given = json.loads(base64.urlsafe_b64decode(packed))
    given["keySecret"] = secret(EXTERNAL)

    page.goto(f"{address}?ready={base64.urlsafe_b64encode(json.dumps(given).encode()).decode()}")

    expect(page.get_by_role("alert")).to_contain_text("The public key does not belong to the private key")
    expect(page.get_by_label("Public key", exact=True)).to_have_value(SYSTEM.pair.public)
    expect(page.get_by_label("Tenant")).to_have_value(TENANT)


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_the_page_fits_and_axe_finds_nothing(
    service: Service, browser: Browser, width: int, scheme: str
) -> None:
    context = open_context(browser, viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = context.new_page()

    open_page(page, service)
    for kind in ("I have a key pair", "Make a key pair"):
        page.get_by_role("button", name=kind).click()
        expect(page.get_by_label("Private key", exact=True)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert findings(page) == []
    context.close()


def test_the_keyboard_alone_connects(service: Service, page: Page) -> None:
    open_page(page, service)
    order = [SYSTEM.pair.public, secret(SYSTEM), None, None, SYSTEM.license_key, TENANT, COMMUNITY]
    page.get_by_role("button", name="Make a key pair").focus()

    for text in order:  # between them: Show, Open a key file
        page.keyboard.press("Tab")
        if text:
            page.keyboard.type(text)
    page.keyboard.press("Tab")  # remember
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Connect", exact=True)).to_be_focused()
    page.keyboard.press("Enter")

    expect_connected(page)
