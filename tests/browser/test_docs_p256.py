"""The reference page with a deployment whose keys are on P-256."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from signing import Curve
from tests import plain_protocol
from tests.browser.reference import Reference
from tests.browser.service import Service
from tests.factories import SYSTEM


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service(curve=Curve.P256)
    yield service
    service.close()


def test_a_pair_made_in_the_page_creates_opens_and_deletes(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    reference.open_box()
    reference.box.get_by_role("button", name="Make a key pair").click()
    expect(reference.field("keySecret")).not_to_have_value("")
    reference.fill_box(license=SYSTEM.license_key)
    reference.accept()
    expect(reference.box).to_be_hidden()

    created = reference.send("createWebhook")

    expect(created.get_by_text("1 envelope opened")).to_be_visible()
    expect(created.get_by_text('"signingSecret": "whsec_')).to_be_visible()
    expect(reference.send("deleteWebhook").get_by_text("204 No Content")).to_be_visible()
    # The example's public key is this deployment's.
    expect(reference.send("convert").get_by_text("200 OK")).to_be_visible()


def test_a_pair_of_the_other_curve_is_refused(service: Service, page: Page) -> None:
    reference = Reference(page, service)
    reference.open_box()
    pair = plain_protocol.KeyPair(plain_protocol.SECP256K1, 77)
    reference.fill_box(keyId=pair.public, keySecret=pair.private, license=SYSTEM.license_key)

    reference.accept()

    expect(reference.field("keyId")).to_have_attribute("aria-invalid", "true")
