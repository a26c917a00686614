"""The console and the reference page in Chromium, served by the stack and on its API: each view and action once."""

import base64
import json
import re
import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import Recorded, browser, open_context, record
from tests.browser.webhook_forms import add, created_id, field, save, saved
from tests.e2e.platform_client import PlatformClient
from tests.receiver import Receiver, reply
from webhooks_verify import verify_callback

pytestmark = pytest.mark.local_only(
    "the browser's tests use the pages of the local stack; they are the same files"
)

__all__ = ["browser"]  # a fixture

SECONDS = 60.0  # until a function that starts on a busy machine has done its work
DATA = '{"currency": "EUR", "amount": 1.00, "number": 12345678901234567890}'


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """Wait for functions that start; other tests' waits stay short."""
    expect.set_options(timeout=SECONDS * 1000)
    yield
    expect.set_options(timeout=5000)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page whose scripts' errors and whose policy's violations fail the test."""
    context = open_context(browser)
    context.set_default_timeout(SECONDS * 1000)
    page, recorded = context.new_page(), Recorded()
    record(page, recorded)
    yield page
    context.close()
    assert [each for each in recorded.complaints if "Failed to load resource" not in each] == []


@pytest.fixture
def name() -> str:
    return f"e2e.{secrets.token_hex(6)}"


def ready(client: PlatformClient) -> str:
    """Return the link that `make run` prints, for a client."""
    given = {
        "keyId": client.keys.public,
        "keySecret": client.keys.private,
        "license": client.license_key,
        "tenant": client.tenant,
        "community": client.community,
    }
    packed = base64.urlsafe_b64encode(json.dumps(given).encode()).decode()
    return f"{client.api_url}/console#/connect?ready={packed}"


def go(page: Page, address: str, heading: str) -> None:
    page.evaluate("address => { location.hash = address }", address)
    expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()


def dialog(page: Page, name: str) -> Locator:
    return page.get_by_role("dialog", name=name)


def publish(client: PlatformClient, name: str, count: int = 1) -> None:
    for number in range(count):
        assert client.call("PUT", f"event/{name}", {"data": {"number": number}}).status == 202


def rows(page: Page, outcome: str) -> Locator:
    return page.get_by_role("row").filter(has_text=re.compile(rf"^{outcome}"))


def create(page: Page, receiver: Receiver, name: str) -> tuple[str, str]:
    """Create a webhook in the form, neither retried nor recovered; return its id and secret."""
    page.get_by_role("link", name="Create webhook").first.click()
    field(page, "Name", "name").fill(name)
    add(page, "Event names", "eventNames", name)
    field(page, "URL", "api.type, api.url").fill(f"{receiver.url}/hook")
    page.get_by_role("group", name="Retries").get_by_role("button", name="None").click()
    page.get_by_role("group", name="Recovery").get_by_role("button", name="No", exact=True).click()
    save(page)
    webhook_id = created_id(page)
    signing = dialog(page, "Webhook created").get_by_label("Signing secret", exact=True)
    expect(signing).to_have_value(re.compile("^whsec_"))
    return webhook_id, signing.input_value()


def send_test_event(page: Page, receiver: Receiver, secret: str) -> None:
    dialog(page, "Webhook created").get_by_role("link", name="Send test event").click()
    dialog(page, "Send test event").get_by_role("button", name="Send", exact=True).click()
    expect(dialog(page, "Test event").get_by_text(re.compile("200 in "))).to_be_visible()
    assert findings(page) == []
    dialog(page, "Test event").get_by_role("button", name="Done").click()
    [tested] = receiver.requests
    headers = {name.lower(): value for name, value in tested.headers}
    verify_callback(url=f"{receiver.url}/hook", headers=headers, body=tested.body, secret=secret)


def publish_from_the_catalogue(page: Page, name: str) -> None:
    go(page, f"#/events?e={name}", "Event catalogue")
    page.get_by_role("link", name="Publish…").click()
    dialog(page, "Publish event").get_by_label("Data").fill(DATA)
    dialog(page, "Publish event").get_by_role("button", name="Publish event").click()
    expect(page.get_by_text("Event accepted.")).to_be_visible()


def watch_deliveries(page: Page, webhook_id: str) -> None:
    go(page, f"#/deliveries?webhook={webhook_id}", "Deliveries")
    page.get_by_role("switch", name="Live tail").check()


def look_at_the_delivery(page: Page, receiver: Receiver) -> None:
    expect(rows(page, "Delivered")).to_have_count(2)  # with the test event
    rows(page, "Delivered").first.get_by_role("link").first.click()
    drawer = dialog(page, "Delivery")
    expect(drawer).to_contain_text("Delivered at attempt 1")
    expect(drawer).to_contain_text("First byte")
    drawer.get_by_role("tab", name="Request headers").click()
    expect(drawer).to_contain_text("webhook-id")
    assert findings(page) == []
    page.keyboard.press("Escape")
    assert '"amount":1.00,"number":12345678901234567890' in receiver.requests[-1].body.decode()


def resend_a_dead_one(page: Page, receiver: Receiver, client: PlatformClient, name: str) -> None:
    receiver.script(reply(500, body=b'{"error":"planted"}'))
    publish(client, name)
    expect(rows(page, "Dead")).to_have_count(1)
    rows(page, "Dead").get_by_role("link").first.click()
    drawer = dialog(page, "Delivery")
    expect(drawer).to_contain_text("planted")
    receiver.script(reply(200))
    drawer.get_by_role("button", name="Resend").click()
    expect(drawer).to_contain_text("Delivered at attempt 2")
    page.keyboard.press("Escape")


def replay_the_failed(
    page: Page, receiver: Receiver, client: PlatformClient, name: str, webhook_id: str
) -> None:
    receiver.script(reply(500))
    publish(client, name, 3)
    go(page, f"#/deliveries?webhook={webhook_id}&outcome=dead", "Deliveries")
    page.get_by_role("switch", name="Live tail").check()
    expect(rows(page, "Dead")).to_have_count(3)
    receiver.script(reply(200))
    go(page, f"#/webhooks/{webhook_id}", name)
    page.get_by_role("link", name="Replay failed…").click()
    replay = dialog(page, "Replay deliveries")
    replay.get_by_role("button", name="Replay 3 deliveries").click()
    expect(replay.get_by_text("3 of 3 sent")).to_be_visible()
    expect(replay.get_by_text("Finished.")).to_be_visible()
    replay.get_by_role("button", name="Close", exact=True).last.click()


def explain(page: Page, name: str) -> None:
    go(page, "#/explain", "Explain")
    event = {"eventName": name, "tenantId": "acme", "communityId": "main", "data": {}}
    page.get_by_label("Event, or its id").fill(json.dumps(event))
    page.get_by_role("button", name="Explain", exact=True).click()
    expect(page.get_by_role("heading", name=f"1 webhook listens to {name}")).to_be_visible()


def pause_and_resume(page: Page, client: PlatformClient, name: str, webhook_id: str) -> None:
    go(page, f"#/webhooks/{webhook_id}", name)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Paused")
    publish(client, name)
    watch_deliveries(page, webhook_id)
    expect(rows(page, "Held")).to_have_count(1)
    go(page, f"#/webhooks/{webhook_id}", name)
    page.get_by_role("button", name="Resume").click()
    watch_deliveries(page, webhook_id)
    expect(rows(page, "Held")).to_have_count(0)


def rotate(page: Page, name: str, webhook_id: str, secret: str) -> None:
    go(page, f"#/webhooks/{webhook_id}", name)
    page.get_by_role("link", name="Rotate secret").click()
    dialog(page, "Rotate signing secret").get_by_role("button", name="Rotate secret").click()
    rotated = dialog(page, "Signing secret rotated").get_by_label("New signing secret", exact=True)
    expect(rotated).to_have_value(re.compile("^whsec_"))
    assert rotated.input_value() != secret
    dialog(page, "Signing secret rotated").get_by_role("button", name="Done").click()


def edit(page: Page, webhook_id: str, name: str) -> None:
    page.get_by_role("link", name="Edit").first.click()
    expect(field(page, "Name", "name")).to_have_value(name)
    field(page, "Name", "name").fill(f"{name}, edited")
    save(page)
    saved(page, webhook_id)
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{name}, edited")


def delete(page: Page, name: str) -> None:
    page.get_by_role("link", name="Delete").click()
    dialog(page, "Delete webhook").get_by_role("textbox").fill(name)
    dialog(page, "Delete webhook").get_by_role("button", name="Delete webhook").click()
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()


def test_a_webhook_from_its_creation_to_its_end(page: Page, system: PlatformClient, name: str) -> None:
    page.goto(ready(system))
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()
    with Receiver() as receiver:
        webhook_id, secret = create(page, receiver, name)
        send_test_event(page, receiver, secret)
        publish_from_the_catalogue(page, name)
        watch_deliveries(page, webhook_id)
        look_at_the_delivery(page, receiver)
        resend_a_dead_one(page, receiver, system, name)
        replay_the_failed(page, receiver, system, name, webhook_id)
        explain(page, name)
        pause_and_resume(page, system, name, webhook_id)
        rotate(page, name, webhook_id, secret)
        edit(page, webhook_id, name)
        delete(page, f"{name}, edited")
    assert system.call("GET", f"webhook/{webhook_id}").status == 404


def test_a_tenant_connects_by_the_form(
    page: Page, service: PlatformClient, system: PlatformClient, name: str
) -> None:
    made = system.call(
        "PUT",
        "webhook",
        {"eventNames": [name], "name": name, "successCodes": [200], "api": {"url": "http://127.0.0.1:9/"}},
    ).json
    page.goto(f"{service.api_url}/console")
    texts = {
        "Public key": service.keys.public,
        "Private key": service.keys.private,
        "License": service.license_key,
        "Tenant": service.tenant,
        "Community": service.community,
    }
    for label, text in texts.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Connect", exact=True).click()

    expect(page.get_by_role("link", name=name)).to_be_visible()
    expect(page.get_by_role("link", name="System")).to_have_count(0)
    assert system.call("DELETE", f"webhook/{made['_id']}").status == 204


def test_the_operator_sees_communities_and_keys(page: Page, system: PlatformClient) -> None:
    page.goto(ready(system))
    page.get_by_role("link", name="System").click()
    expect(page.get_by_role("row").filter(has_text="acme").first).to_be_visible()

    page.get_by_role("navigation", name="System").get_by_role("link", name="Service keys").click()
    expect(page.get_by_role("row").filter(has_text="Encrypts requests")).to_be_visible()
    assert findings(page) == []


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until a control has the focus."""
    expect(target).to_be_visible()
    for _ in range(80):
        if target.evaluate("each => each === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {target}")


def test_a_webhook_is_created_tested_and_deleted_with_the_keyboard_alone(
    page: Page, system: PlatformClient, name: str
) -> None:
    page.goto(ready(system))
    expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_visible()
    with Receiver() as receiver:
        page.keyboard.press("c")
        tab_to(page, field(page, "Name", "name"))
        page.keyboard.type(name)
        tab_to(page, field(page, "Event names", "eventNames"))
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        tab_to(page, field(page, "URL", "api.type, api.url"))
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type(f"{receiver.url}/hook")
        tab_to(page, page.get_by_role("button", name="Create webhook"))
        page.keyboard.press("Enter")

        tab_to(page, dialog(page, "Webhook created").get_by_role("link", name="Send test event"))
        page.keyboard.press("Enter")
        tab_to(page, dialog(page, "Send test event").get_by_role("button", name="Send", exact=True))
        page.keyboard.press("Enter")
        expect(dialog(page, "Test event").get_by_text(re.compile("200 in "))).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)

        tab_to(page, page.get_by_role("link", name="Delete"))
        page.keyboard.press("Enter")
        tab_to(page, dialog(page, "Delete webhook").get_by_role("textbox"))
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_focused()


def test_the_pages_are_served_whole_and_revalidated(system: PlatformClient) -> None:
    for path in ("/console", "/docs"):
        first = system.plain("GET", path)
        assert (first.status, first.headers["content-type"]) == (200, "text/html")
        assert "script-src 'sha256-" in first.headers["content-security-policy"]
        again = system.plain("GET", path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status, again.body) == (304, b"")


def test_the_reference_page_opens(page: Page, system: PlatformClient) -> None:
    page.goto(f"{system.api_url}/docs")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
