"""The console's wording in all of its views: terms, sentence case, names of buttons; and in its errors."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import open_context
from tests.browser.service import Service, attempt
from tests.browser.words import COUNT_REQUESTS, Said, texts, visit
from webhooks.domain.delivery_log import Outcome

# Words that the console does not use: the service has others for these things.
WRONG = re.compile(r"!|\b(?:oops|please|hooks?|jobs?|messages?|breakers?)\b", re.IGNORECASE)
# Words with a capital letter within a heading or a button.
NAMES = re.compile(
    r"^(?:[A-Z][A-Z0-9-]*s?|OAuth|Ctrl|Enter|Esc|Node\.js|Python|Retry-After|Standard|Webhooks|Basic|Bearer"
    r"|Authorization|Post|Group|Content-Type|ANY|ALL|POST|PUT|PATCH)$"
)
LOWER = {"p50", "p99"}
RAW = re.compile(r'[{}]|":|\bat \S+ \(|\bundefined\b|\[object|\bTypeError|\bSyntaxError|<html')
ACTION = re.compile(r"again|connect|all webhooks|all deliveries|reload|close|retry", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """A service, a connected page of it, and the ids in its addresses."""

    service: Service
    page: Page
    webhook: str
    delivery: str

    def addresses(self) -> list[str]:
        """Return the addresses of all views, dialogs and empty lists."""
        webhook = f"#/webhooks/{self.webhook}"
        dialogs = [f"{webhook}?dialog={each}" for each in ("test", "rotate", "delete", "replay", "created")]
        return [
            "#/webhooks",
            "#/webhooks?text=no-such-name",
            "#/webhooks?dialog=help",
            "#/webhooks?dialog=scope",
            webhook,
            *dialogs,
            f"{webhook}/edit",
            "#/webhooks/new",
            *(f"#/webhooks/new?auth={each}" for each in ("basic", "bearer", "api_key", "oauth2")),
            "#/webhooks/aaaaaaaaaaaaaaaaaaaaaaaa",
            "#/deliveries",
            f"#/deliveries?open={self.delivery}",
            "#/deliveries?outcome=skipped",
            "#/deliveries?dialog=replay",
            "#/explain",
            "#/explain?event=e1&name=order.paid",
            "#/explain?event=e1&name=order.payed",
            "#/events",
            "#/events?q=no-such-name",
            "#/events?dialog=publish",
            *(f"#/system?tab={each}" for each in ("communities", "keys", "licenses")),
            "#/connect",
            "#/connect?made=1",
        ]


@pytest.fixture(scope="module")
def place(browser: Browser) -> Iterator[Place]:
    service = Service()
    query = [{"customer.country": "FR"}]
    webhook = service.webhook("Order sync", eventNames=["order.paid"], query=query, tags=["erp"])
    service.webhook("Staging mirror", eventNames=["order.paid"], disabled=True)
    service.webhook("Loyalty points", eventNames=["customer.updated"], paused=True)
    failed = [
        attempt(service.now - 60_000, 503, excerpt="busy"),
        attempt(service.now, None, reason="timeout"),
    ]
    delivery = service.delivery(webhook, outcome=Outcome.DEAD, attempts=failed, reason="attempts exhausted")
    for outcome in Outcome:
        service.delivery(webhook, outcome=outcome, ago=120_000, event_name="order.paid")
    context = open_context(browser)
    page = context.new_page()
    page.add_init_script(COUNT_REQUESTS)
    yield Place(service, page, webhook, delivery)
    context.close()
    service.close()


def connect(place: Place) -> Page:
    """Open the console anew, so that nothing is known from before."""
    page = place.page
    page.unroute_all()
    page.goto("about:blank")
    page.goto(place.service.ready())
    # With a system license, once that is known.
    expect(page.get_by_role("link", name="System")).to_be_visible()
    return page


def is_sentence_case(text: str) -> bool:
    words = [each.strip("(),.:;…?\"'“”") for each in text.split()]
    first, rest = words[0], words[1:]
    begins = not first[:1].islower() or first in LOWER
    after_stop = {at for at, word in enumerate(text.split()) if word.endswith((".", ":", "?"))}
    return begins and all(
        not word[:1].isupper() or NAMES.match(word) or at in after_stop for at, word in enumerate(rest)
    )


def problems(said: list[Said], names: set[str]) -> list[str]:
    """Return the texts that break a rule; `names` are those that a person gave."""
    found = []
    for each in said:
        text = each.text
        for name in names:
            text = text.replace(name, "X")
        if WRONG.search(text):
            found.append(f"word, {each.kind}: {each.text}")
        if each.kind == "button" and not text:
            found.append("a button without a name")
        elif each.kind in {"button", "heading"} and not is_sentence_case(text):
            found.append(f"case, {each.kind}: {each.text}")
    return sorted(set(found))


def test_every_view_keeps_the_wording(place: Place) -> None:
    page = connect(place)
    names = {"Order sync", "Staging mirror", "Loyalty points", "acme"}
    found: dict[str, list[str]] = {}
    for address in place.addresses():
        visit(page, address)
        if "dialog=" in address:
            expect(page.get_by_role("dialog"), address).to_be_visible()
        said = texts(page)
        assert len(said) > 5, address
        if wrong := problems(said, names):
            found[address] = wrong
    assert found == {}


def test_a_wrong_text_is_found_wherever_it_stands(place: Place) -> None:
    page = connect(place)
    visit(page, "#/explain")
    page.evaluate(
        """() => {
          document.querySelector('h1').textContent = 'Your Events';
          document.querySelector('.sub').textContent = 'Please wait';
          document.querySelector('button[type=submit]').textContent = '';
          document.querySelector('#event').setAttribute('aria-label', 'The job');
        }"""
    )

    assert problems(texts(page), {"acme"}) == [
        "a button without a name",
        "case, heading: Your Events",
        "word, aria-label: The job",
        "word, text: Please wait",
    ]


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        ("Publish event", True),
        ("Publish Event", False),
        ("publish event", False),
        ("Copy as cURL", True),
        ("API key", True),
    ],
)
def test_the_rule_for_sentence_case(text: str, is_right: bool) -> None:
    assert is_sentence_case(text) == is_right


VIEWS = [
    "#/deliveries",
    "#/webhooks/{webhook}",
    "#/webhooks/{webhook}/edit",
    "#/explain?event=e1&name=order.paid",
    "#/events",
    "#/system?tab=communities",
    "#/system?tab=keys",
    "#/webhooks",
]
PLANTED = "the planted sentence of the service"
FOREIGN = "is not the service's: it is no JSON"


@pytest.mark.parametrize("status", [401, 403, 409, 429, 500, 503, 200, 502])
def test_every_view_tells_an_error_in_a_sentence_with_an_action(place: Place, status: int) -> None:
    page = connect(place)
    is_foreign = status in {200, 502}
    body = "<html>at Object.run (x.js:1)</html>" if is_foreign else json.dumps({"message": PLANTED})

    def respond(route: Route) -> None:
        headers = {"content-type": "application/json", "retry-after": "300", "x-request-id": "planted-id"}
        route.fulfill(status=status, headers=headers, body=body)

    page.route(re.compile(r"/tenant/|/communities|/servicekey"), respond)
    told = FOREIGN if is_foreign else PLANTED
    found: dict[str, list[str]] = {}
    for view in VIEWS:
        visit(page, view.format(webhook=place.webhook))
        expect(page.get_by_text(told).first, view).to_be_visible()
        said = [each for each in texts(page) if each.kind in {"text", "button"}]
        wrong = [each.text for each in said if RAW.search(each.text)]
        if not any(each.kind == "button" and ACTION.search(each.text) for each in said):
            wrong.append("no action")
        if wrong:
            found[view] = wrong
    assert found == {}
