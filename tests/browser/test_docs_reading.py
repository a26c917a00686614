"""The reference page is read: without a script, by search, by links, by keyboard, on paper, on a phone."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Recorded, open_context, record
from tests.browser.reference import Reference, sections
from tests.browser.service import Service

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = json.loads((ROOT / "functions/discovery/openapi.json").read_text())
OPERATIONS = [
    operation["operationId"]
    for group in ("paths", "webhooks")
    for methods in DOCUMENT[group].values()
    for operation in methods.values()
]

# Folded text too; with a space where an element ends.
TEXT = """main => {
  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  const parts = [];
  while (walker.nextNode()) parts.push(walker.currentNode.nodeValue);
  return parts.join(" ");
}"""


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


def fields() -> set[str]:
    """Return the names of all fields and headers that the document describes."""
    schemas = DOCUMENT["components"]["schemas"].values()
    names = {name for schema in schemas for name in schema.get("properties", {})}
    names |= DOCUMENT["components"]["parameters"].keys() | DOCUMENT["components"]["securitySchemes"].keys()
    for methods in DOCUMENT["webhooks"].values():
        names |= {each["name"] for each in methods["post"]["parameters"]}
    return names


def descriptions() -> set[str]:
    """Return the words of all descriptions of fields, operations and tags."""
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            text = value.get("description")
            found.update([text] if isinstance(text, str) and "$ref" not in value else [])
            for name, each in value.items():
                if name not in ("example", "examples"):
                    walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)

    walk({name: DOCUMENT[name] for name in ("info", "tags", "paths", "webhooks")})
    return found


def words(text: str) -> str:
    """Return a text without its markup and without spaces."""
    return re.sub(r"[\s`*]|(?<=\n)\d\. ", "", text)


def test_all_of_it_is_there_without_a_script(browser: Browser, service: Service) -> None:
    context = open_context(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{service.url}/docs")

    text = page.locator("main").evaluate(TEXT)
    for name in fields() | set(OPERATIONS):
        assert re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text), name
    shown = words(text)
    missing = [each for each in descriptions() if words(each)[:60] not in shown]
    assert missing == [each for each in missing if each.startswith(("Delivers platform", "where this"))]
    for status in DOCUMENT["components"]["responses"].values():
        assert json.dumps(status["content"]["application/json"]["example"]) in text
    expect(page.get_by_text("Authorize and Send need JavaScript")).to_be_visible()
    expect(page.get_by_role("link", name="openapi.json")).to_have_attribute("href", "openapi.json")
    # Samples unfold, links lead to their places.
    page.get_by_role("link", name="PUT Create a webhook").click()
    assert page.url.endswith("#createWebhook")
    region = page.get_by_role("region", name="Create a webhook", exact=True)
    expect(region.get_by_text("import { createCipheriv")).to_be_hidden()
    region.get_by_text("Node.js", exact=True).click()
    expect(region.get_by_text("import { createCipheriv")).to_be_visible()
    context.close()


def test_search_finds_operations_by_their_fields(service: Service, page: Page) -> None:
    Reference(page, service)
    contents = page.get_by_role("navigation", name="Reference")

    page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="Search operations and fields")
    expect(search).to_be_focused()
    search.fill("CLIENTSECRET")

    found = contents.get_by_role("listitem").filter(has=page.locator("mark"))
    expect(contents.get_by_role("status")).to_have_text(re.compile(r"^\d+ found$"))
    expect(found.first).to_contain_text("clientSecret")
    expect(contents.get_by_role("link", name="Get the deployment's environment")).to_be_hidden()
    search.press("ArrowDown")
    search.page.keyboard.press("ArrowDown")
    search.page.keyboard.press("Enter")
    assert page.url.endswith("#createWebhook")
    # The field was folded, two levels deep.
    region = page.get_by_role("region", name="Create a webhook", exact=True)
    expect(region.get_by_text("The client's secret.").first).to_be_in_viewport()
    search.press("Escape")
    expect(contents.get_by_role("link", name="Get the deployment's environment")).to_be_visible()
    search.fill("no such word anywhere")
    expect(contents.get_by_role("status")).to_have_text("0 found")


def test_search_covers_callback_errors_and_authentication(service: Service, page: Page) -> None:
    Reference(page, service)
    contents = page.get_by_role("navigation", name="Reference")
    for word, place in (
        ("signature-input", "An event happened that a webhook matches"),
        ("x-request-id", "Errors"),
        ("AES-256", "Authentication"),
    ):
        page.get_by_role("searchbox").fill(word)
        expect(contents.get_by_role("link", name=place).first).to_be_visible()


def test_a_link_leads_to_an_operation_and_to_a_field(service: Service, page: Page) -> None:
    for place in ("#getReplay", "#createWebhook.rateLimit", "#error-409", "#callback"):
        Reference(page, service, place)
        expect(page.locator(f"[id='{place[1:]}']")).to_be_in_viewport()


def test_one_language_is_chosen_for_all_samples_and_kept(service: Service, page: Page) -> None:
    Reference(page, service)
    first = page.get_by_role("region", name="Fetch webhooks", exact=True)
    other = page.get_by_role("region", name="Get a replay with its progress")
    expect(other.get_by_text("curl -X GET")).to_be_visible()

    first.get_by_text("Python", exact=True).click()

    expect(first.get_by_text("import base64, json")).to_be_in_viewport()
    first.get_by_text("Python", exact=True).click()
    expect(first.get_by_text("import base64, json")).to_be_visible()
    expect(other.get_by_text("import base64, json")).to_be_visible()
    expect(other.get_by_text("curl -X GET")).to_be_hidden()
    page.reload()
    expect(other.get_by_text("import base64, json")).to_be_visible()


def test_samples_have_this_deployments_address(service: Service, page: Page) -> None:
    Reference(page, service)

    samples = page.locator("[data-language]").all_text_contents()

    assert len(samples) == 3 * (len(OPERATIONS) - 1)
    assert all(service.url in each for each in samples)
    assert not any("webhooks.example.com/" in each for each in samples)


def test_the_theme_is_the_consoles(service: Service, page: Page) -> None:
    Reference(page, service)
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)

    page.get_by_label("Theme").select_option("dark")

    assert page.evaluate(background) != light
    page.goto(f"{service.url}/console")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.goto(f"{service.url}/docs")
    expect(page.get_by_label("Theme")).to_have_value("dark")
    page.get_by_label("Theme").select_option("auto")
    assert page.evaluate(background) == light


def test_the_keyboard_is_enough(service: Service, page: Page) -> None:
    reference = Reference(page, service)

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the reference")).to_be_focused()
    page.get_by_role("banner").get_by_role("button", name="Authorize").focus()
    page.keyboard.press("Enter")
    expect(reference.field("keyId")).to_be_focused()
    page.keyboard.press("Escape")
    expect(reference.box).to_be_hidden()
    expect(page.get_by_role("banner").get_by_role("button", name="Authorize")).to_be_focused()
    form = reference.form("getEnvironment")
    form.get_by_role("button", name="Send").focus()
    page.keyboard.press("Enter")
    expect(form.get_by_text("200 OK")).to_be_visible()


def test_the_whole_page_is_printed(service: Service, page: Page) -> None:
    Reference(page, service)

    page.emulate_media(media="print")

    region = page.get_by_role("region", name="Create a webhook", exact=True)
    for text in ("The client's secret.", "import base64, json", "curl -X PUT"):
        expect(region.get_by_text(text).first).to_be_visible()
        assert region.get_by_text(text).first.bounding_box()["height"] > 0  # type: ignore[index]
    expect(page.get_by_role("form").first).to_be_hidden()
    expect(page.get_by_role("banner")).to_be_hidden()


def test_a_phone_folds_the_contents_and_scrolls_one_way(
    browser: Browser, service: Service, recorded: Recorded
) -> None:
    context = open_context(browser, viewport={"width": 390, "height": 844})
    page = context.new_page()
    record(page, recorded)
    reference = Reference(page, service)
    contents = page.get_by_role("link", name="POST Fetch webhooks")
    expect(contents).to_be_hidden()

    page.get_by_text("Contents").click()
    contents.click()

    expect(contents).to_be_hidden()
    expect(page.get_by_role("heading", name="Fetch webhooks")).to_be_in_viewport()
    reference.authorize()
    reference.send("createWebhook")
    reference.form("createWebhook").get_by_text("Headers of the response").click()
    for summary in page.locator("main summary").all()[:60]:
        if "Fields of" in str(summary.text_content()):
            summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert recorded.complaints == []
    context.close()


def test_ids_are_unique_and_operations_in_order(service: Service, page: Page) -> None:
    Reference(page, service)

    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")

    assert len(ids) == len(set(ids))
    assert set(sections(page)) == set(OPERATIONS)
