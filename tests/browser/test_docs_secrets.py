"""Keys and licenses stay in the reference page: all that it sends, stores and shows is searched."""

import json
import re
from base64 import b64decode

from playwright.sync_api import Page, expect

from tests.browser.conftest import Recorded
from tests.browser.reference import Reference, secret_of
from tests.browser.service import Service
from tests.factories import SYSTEM

STORED = """async () => JSON.stringify([
  Object.entries(localStorage), Object.entries(sessionStorage), document.cookie,
  (await indexedDB.databases()).map(each => each.name), await caches.keys(), location.href, history.state,
])"""


def test_neither_the_private_key_nor_the_license_leaves_the_page(
    service: Service, page: Page, recorded: Recorded
) -> None:
    reference = Reference(page, service)
    reference.open_box()
    reference.box.get_by_role("button", name="Make a key pair").click()
    expect(reference.field("keySecret")).not_to_have_value("")
    made = reference.field("keySecret").input_value()
    reference.fill_box(license=SYSTEM.license_key)
    reference.accept()
    expect(reference.box).to_be_hidden()
    reference.send("getCommunityHealth")
    reference.authorize(tenantId="acme", communityId="default")
    reference.send("createWebhook")
    form = reference.form("getWebhook")
    form.get_by_role("button", name="Copy as cURL").click()
    expect(form.get_by_text("Its headers hold")).to_be_visible()
    reference.send("deleteWebhook")
    page.get_by_role("region", name="Fetch webhooks", exact=True).get_by_text("Node.js", exact=True).click()

    secrets = [made, secret_of(SYSTEM), SYSTEM.license_key]
    secrets += [b64decode(each).hex() for each in secrets[:2]]
    sent = recorded.texts()
    received = [json.dumps(each) for each in service.server.requests]
    assert len(sent) > 6
    for secret in secrets:
        for text in (*sent, *received):
            assert secret not in text
    for name in ("keyId", "keySecret", "license"):
        assert not any(re.search(rf"(?im)^{name}\s*:|['\"]{name}['\"]", text) for text in sent), name
    hosts = {each.url.split("/prod")[0] for each in recorded.requests}
    assert hosts == {service.url.removesuffix("/prod")}

    stored = page.evaluate(STORED)
    assert json.loads(stored)[0] == [["webhooks.docs.language", "Node.js"]]
    markup = page.content()
    for secret in secrets:
        assert secret not in stored
        assert secret not in markup
    page.reload()
    expect(page.get_by_role("banner").get_by_role("button", name="Authorize", exact=True)).to_be_visible()
    reference.open_box()
    for label in ("keyId", "keySecret", "license"):
        expect(reference.field(label)).to_have_value("")


def test_the_policy_holds_for_all_that_the_page_does(
    service: Service, page: Page, recorded: Recorded
) -> None:
    """Violations are complaints, which the page's fixture refuses too."""
    reference = Reference(page, service)
    reference.authorize()
    reference.send("createWebhook").get_by_text("Headers of the response").click()
    reference.form("createWebhook").get_by_role("button", name="Copy as cURL").click()
    reference.send("getDocs")
    page.get_by_role("searchbox").fill("secret")

    assert [each for each in recorded.complaints if "CSP" in each] == []
    # The recorder sees a violation: an inline style is one.
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.wait_for_function("() => true")
    assert [each for each in recorded.complaints if each.startswith("CSP: style-src")]
    recorded.complaints.clear()
