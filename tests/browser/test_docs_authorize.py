"""Authorize in the reference page: a key pair and a license, checked field by field."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reference import Reference, secret_of
from tests.browser.service import Service
from tests.factories import COMMUNITY, EXTERNAL, OTHER_TENANT, SERVICE_CALLER, SYSTEM, TENANT


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


def test_a_pair_and_a_license_authorize_and_fill_the_forms(service: Service, page: Page) -> None:
    reference = Reference(page, service)

    reference.authorize(tenantId="shop", communityId="main")

    button = page.get_by_role("banner").get_by_role("button", name="Authorized")
    expect(button).to_have_text(f"Authorized: {SYSTEM.pair.public[:6]}…")
    for operation in ("createWebhook", "getReplay"):
        expect(reference.form(operation).get_by_label("tenantId")).to_have_value("shop")
        expect(reference.form(operation).get_by_label("communityId")).to_have_value("main")
    assert '"tenantId": "shop"' in reference.body("explainEvent").input_value()


def test_a_license_of_one_community_authorizes_with_and_without_its_name(
    service: Service, page: Page
) -> None:
    reference = Reference(page, service)
    for client in (SERVICE_CALLER, EXTERNAL):
        reference.authorize(client)
        reference.authorize(client, tenantId=TENANT, communityId=COMMUNITY)


WRONG = [
    ("keyId", "", "keyId is required."),
    ("keySecret", "", "keySecret is required."),
    ("license", "", "license is required."),
    ("keyId", "%%%", "The public key is not base64."),
    ("keyId", "AAAA", "The public key should have 64 bytes: X and Y."),
    ("keyId", OTHER_TENANT.pair.public, "The public key does not belong to the private key."),
    ("keySecret", "%%%", "The private key is not base64."),
    ("keySecret", "AAAA", "The private key is no number of the curve secp256k1."),
    ("license", "none-such", "licensekey: this license is unknown, expired or disabled"),
]


def test_a_wrong_value_is_named_beside_its_field(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    reference.open_box()
    right = {"keyId": SYSTEM.pair.public, "keySecret": secret_of(SYSTEM), "license": SYSTEM.license_key}
    for label, value, sentence in WRONG:
        reference.fill_box(**(right | {label: value}))

        reference.accept()

        field = reference.field(label)
        expect(field).to_have_accessible_description(re.compile("^" + re.escape(sentence)))
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_be_focused()
        for other in right.keys() - {label}:
            expect(reference.field(other)).to_have_value(right[other])
        field.press_sequentially("A")
        expect(field).not_to_have_attribute("aria-invalid", "true")


def test_a_license_that_does_not_reach_says_so_beside_the_tenant(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    reference.open_box()
    reference.fill_box(
        keyId=SERVICE_CALLER.pair.public,
        keySecret=secret_of(SERVICE_CALLER),
        license=SERVICE_CALLER.license_key,
        tenantId="other",
        communityId="theirs",
    )

    reference.accept()

    sentence = "this license does not reach this tenant and community"
    expect(reference.field("tenantId")).to_have_accessible_description(re.compile(sentence))
    expect(reference.field("tenantId")).to_be_focused()


def test_a_lost_network_is_said_and_nothing_is_lost(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    reference.open_box()
    reference.fill_box(keyId=SYSTEM.pair.public, keySecret=secret_of(SYSTEM), license=SYSTEM.license_key)
    page.route("**/publickeys", lambda route: route.abort())

    reference.accept()

    expect(reference.box.get_by_role("alert")).to_have_text(
        "The service cannot be reached. Check the network connection."
    )
    page.unroute("**/publickeys")
    reference.accept()
    expect(reference.box).to_be_hidden()


def test_a_pair_made_in_the_page_authorizes(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    reference.open_box()

    reference.box.get_by_role("button", name="Make a key pair").click()

    expect(reference.field("keyId")).to_have_value(re.compile(r"^[A-Za-z0-9+/]{86}==$"))
    expect(reference.field("keySecret")).to_have_attribute("type", "password")
    reference.fill_box(license=SYSTEM.license_key)
    reference.accept()
    expect(reference.box).to_be_hidden()
    expect(reference.send("getCommunityHealth").get_by_text("200 OK")).to_be_visible()


def test_forget_empties_the_box_and_the_memory(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    reference.authorize()
    reference.open_box()

    reference.box.get_by_role("button", name="Forget").click()

    for label in ("keyId", "keySecret", "license"):
        expect(reference.field(label)).to_have_value("")
    reference.box.get_by_role("button", name="Close").click()
    reference.form("getServiceKeys").get_by_role("button", name="Send").click()
    expect(reference.box).to_be_visible()


def test_without_https_the_button_says_so(service: Service, page: Page) -> None:
    page.add_init_script("Object.defineProperty(globalThis.crypto, 'subtle', {value: undefined})")
    Reference(page, service)

    expect(page.get_by_role("button", name="Authorize needs HTTPS")).to_be_disabled()
