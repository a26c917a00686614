"""No private key, license or credential leaves the browser, and the page asks no other host: a whole session, recorded."""

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote, urldefrag

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser import webhook_forms as form
from tests.browser.conftest import Recorded, open_context, record
from tests.browser.connecting import PASSPHRASE, expect_connected, fill, open_page, submit
from tests.browser.leaks import leaks
from tests.browser.service import Service
from tests.factories import BASE, SERVICE_CALLER, SYSTEM, Client, basic_api, oauth_api
from webhooks.domain.delivery_log import Outcome

TYPED = {"user": b"typed-user-name", "password": b"typed-password-1"}
STORED = {
    "user": b"planted-user",
    "password": b"planted-password",
    "client": b"planted-id",
    "client secret": b"planted-secret",
}
KEPT = """() => ({
    local: JSON.stringify(localStorage),
    session: JSON.stringify(sessionStorage),
    cookies: document.cookie,
    html: document.documentElement.outerHTML,
    history: navigation.entries().map(each => each.url).join('\\n'),
    name: window.name,
})"""


@pytest.fixture
def service() -> Iterator[Service]:
    """A service with stored credentials, and a delivery of each outcome."""
    service = Service()
    webhook = service.webhook("With a password", api=basic_api())
    service.webhook("With a token", api=oauth_api())
    for outcome in Outcome:
        service.delivery(webhook, outcome=outcome, ago=60_000)
    yield service
    service.close()


def private(by: Client) -> bytes:
    return by.scalar.to_bytes(32)


def secrets(service: Service, by: Client) -> dict[str, bytes]:
    """Return the secrets that no request, store, address or document may hold."""
    return {
        "private key": private(by),
        # As a person types it: base64 of it once more, or percent-encoded.
        "private key as text": base64.b64encode(private(by)),
        "license": by.license_key.encode(),
        "passphrase": PASSPHRASE.encode(),
        "the service's private key": base64.b64decode(service.app.keys.read_now().current.to_base64()),
        **{f"stored {name}": value for name, value in STORED.items()},
    }


def signing_secret(service: Service, webhook_id: str) -> bytes:
    answer = service.app.call("GET", f"{BASE}/webhook/{webhook_id}/secret")
    return SYSTEM.open(service.app.public_key, answer.json["signingSecret"]).encode()


def addresses(service: Service, by: Client) -> list[str]:
    """Return every view and state; a view that this license may not see says so."""
    answer = service.app.fetch(by=by)
    webhook_id = answer["data"][-1]["_id"]
    fetched = service.app.call("POST", f"{BASE}/webhook/{webhook_id}/deliveries/fetch", {}, by=by).json[
        "data"
    ]
    of_webhook = [f"#/webhooks/{webhook_id}?dialog={each}" for each in ("test", "rotate", "delete", "replay")]
    opened = [f"#/deliveries?open={quote(each['deliveryId'])}" for each in fetched]
    keys = service.app.call("GET", "/servicekeys").json
    return [
        "#/webhooks",
        "#/webhooks?f=failing",
        "#/webhooks?text=With",
        f"#/webhooks/{webhook_id}",
        *of_webhook,
        f"#/webhooks/{webhook_id}?open={quote(fetched[0]['deliveryId'])}",
        f"#/webhooks/{webhook_id}/edit",
        "#/webhooks/new",
        "#/webhooks/missing",
        "#/deliveries",
        f"#/deliveries?hook={webhook_id}",
        "#/deliveries?outcome=dead",
        *opened,
        "#/deliveries?dialog=replay",
        "#/explain",
        "#/events",
        "#/events?e=E_LOGIN&dialog=publish",
        "#/system",
        "#/system?tab=keys",
        f"#/system?tab=keys&dialog=reset&key={quote(keys[0]['keyId'], safe='')}",
        "#/system?tab=licenses",
        "#/webhooks?dialog=scope",
        "#/webhooks?dialog=help",
    ]


class Quiet:
    """Waits until no request is under way."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._under_way: set[Request] = set()
        page.on("request", self._begins)
        page.on("requestfinished", self._ends)
        page.on("requestfailed", self._ends)

    def _begins(self, request: Request) -> None:
        self._under_way.add(request)

    def _ends(self, request: Request) -> None:
        self._under_way.discard(request)

    def wait(self) -> None:
        for _ in range(100):
            # Twice: an answer may bring another request about.
            self._page.wait_for_timeout(30)
            if not self._under_way:
                self._page.wait_for_timeout(30)
                if not self._under_way:
                    return


def kept(page: Page) -> list[str]:
    found: dict[str, str] = page.evaluate(KEPT)
    cookies = json.dumps(page.context.cookies())
    return [*found.values(), cookies, page.url, page.title()]


def sent(recorded: Recorded) -> list[str]:
    """Return the requests as texts. The part of an address behind # is not sent."""
    return [
        "\n".join((each.method, urldefrag(each.url).url, repr(each.all_headers()), each.post_data or ""))
        for each in recorded.requests
    ]


def create_with_credential(page: Page) -> None:
    form.go(page, "#/webhooks/new")
    form.fill(page, name="Typed by a person")
    form.authenticate(page, "Basic")
    form.field(page, "User name", "credential.username").fill(TYPED["user"].decode())
    form.field(page, "Password", "credential.password").fill(TYPED["password"].decode())
    form.save(page)
    expect(page.get_by_role("dialog", name="Webhook created")).to_be_visible()


@pytest.mark.parametrize("by", [SYSTEM, SERVICE_CALLER], ids=["system", "service"])
def test_no_secret_leaves_the_browser_in_a_whole_session(
    service: Service, page: Page, recorded: Recorded, by: Client
) -> None:
    hidden = secrets(service, by)
    quiet = Quiet(page)
    open_page(page, service)
    fill(page, by=by)
    page.get_by_role("button", name="Show private key").click()
    page.get_by_label("Remember in this tab").check()
    page.get_by_label("Passphrase", exact=True).fill(PASSPHRASE)
    assert leaks(hidden, kept(page)) == []
    submit(page)
    expect_connected(page)

    visited = (
        addresses(service, by) if by is SYSTEM else ["#/webhooks", "#/deliveries", "#/explain", "#/system"]
    )
    for address in visited:
        form.go(page, address)
        expect(page.get_by_role("heading", level=1).first).to_be_attached()
        quiet.wait()
        assert leaks(hidden, kept(page)) == [], address

    form.go(page, "#/webhooks")
    create_with_credential(page)
    quiet.wait()
    assert leaks({**hidden, **TYPED}, kept(page)) == []
    form.go(page, "#/webhooks")
    page.reload()
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    submit(page)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    quiet.wait()
    page.get_by_role("button", name="Forget keys").click()
    expect(page.get_by_role("heading", name="Connect", exact=True)).to_be_visible()

    texts = sent(recorded)
    assert len(texts) > len(visited)
    assert leaks(hidden, texts) == []
    # A typed credential is for the service: in the request that creates the webhook, and in no other.
    with_typed = [each for each in texts if leaks(TYPED, [each])]
    assert [each.split("\n")[:2] for each in with_typed] == [["PUT", f"{service.url}{BASE}/webhook"]]
    made = next(each["_id"] for each in service.app.fetch()["data"] if each["name"] == "Typed by a person")
    assert leaks({"signing secret": signing_secret(service, made)}, texts) == []
    assert leaks({**hidden, **TYPED}, kept(page)) == []
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0
    assert {each.split("\n")[1].startswith(f"{service.url}/") for each in texts} == {True}


def test_keys_of_a_link_are_in_no_request_and_not_in_the_history(
    service: Service, page: Page, recorded: Recorded
) -> None:
    quiet = Quiet(page)
    packed = service.ready().partition("ready=")[2]

    page.goto(service.ready())

    expect_connected(page)
    quiet.wait()
    hidden = {**secrets(service, SYSTEM), "link": packed.encode()}
    assert leaks(hidden, sent(recorded)) == []
    assert leaks(hidden, kept(page)) == []


@pytest.mark.parametrize(
    "script",
    [
        "fetch('https://elsewhere.example/').catch(() => 0)",
        "document.body.append(Object.assign(document.createElement('img'), {src: 'https://elsewhere.example/'}))",
        "document.body.insertAdjacentHTML('beforeend', '<b>planted</b>')",
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))",
        "document.body.setAttribute('style', 'color: red')",
        # Not at once: code of the test itself may do that.
        "setTimeout(() => new Function('window.ran = 1')())",
    ],
    ids=["fetch", "image", "html", "inline script", "inline style", "eval"],
)
def test_the_policy_refuses_another_host_and_code_that_is_not_the_pages(
    service: Service, browser: Browser, script: str
) -> None:
    context = open_context(browser)
    page = context.new_page()
    recorded = Recorded()
    record(page, recorded)
    answered: list[str] = []
    page.on("requestfinished", lambda each: answered.append(each.url))
    open_page(page, service)

    page.evaluate(f"() => {{ try {{ {script} }} catch {{}} }}")

    for _ in range(50):
        if any(each.startswith("CSP:") for each in recorded.complaints):
            break
        page.wait_for_timeout(20)
    assert any(each.startswith("CSP:") for each in recorded.complaints), script
    assert not page.evaluate("window.ran")
    assert all(each.startswith(service.url) for each in answered)
    context.close()


@pytest.mark.parametrize(
    "text",
    [
        private(SYSTEM).hex(),
        base64.b64encode(private(SYSTEM)).decode(),
        base64.urlsafe_b64encode(private(SYSTEM)).decode().rstrip("="),
        quote(base64.b64encode(private(SYSTEM)).decode(), safe=""),
        base64.b64encode(b'{"keySecret":"' + base64.b64encode(private(SYSTEM)) + b'"}').decode(),
        base64.b64encode(b"1" + private(SYSTEM)).decode(),
        base64.b64encode(b"12" + private(SYSTEM) + b"3").decode(),
    ],
)
def test_the_search_finds_a_private_key_in_each_form(service: Service, text: str) -> None:
    found = leaks(secrets(service, SYSTEM), [f"GET https://elsewhere.example/?a={text}&b=1"])

    assert set(found) & {"private key", "private key as text"}


@pytest.mark.parametrize(
    "text", [SYSTEM.license_key, base64.b64encode(b"x" + SYSTEM.license_key.encode()).decode()]
)
def test_the_search_finds_a_license(service: Service, text: str) -> None:
    assert leaks(secrets(service, SYSTEM), [text]) == ["license"]
