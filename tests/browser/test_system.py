"""The operator's view: communities with their health, service keys and their reset, licenses; and the community that is shown."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, Response, expect

from tests.browser.axe import findings
from tests.browser.conftest import Recorded, open_context
from tests.browser.failing import SENTENCES, Switch, error
from tests.browser.navigation import place
from tests.browser.service import Service
from tests.factories import EXTERNAL, SERVICE_CALLER, SYSTEM, Client, webhook_body
from webhooks.domain.caller import AuthLevel, License
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.health import Health

COMMUNITIES = re.compile(r"/communities\?")
HEALTH = re.compile(r"/health$")
KEYS = re.compile("/servicekeys$")
MORE = 60


def create(service: Service, tenant: str, community: str, name: str = "Theirs") -> None:
    path = f"/tenant/{tenant}/community/{community}/webhook"
    assert service.app.call("PUT", path, webhook_body(name=name)).status == 200


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A service of 62 communities."""
    service = Service()
    webhook = service.webhook("Order sync", health=Health())
    for outcome in (Outcome.DEAD, Outcome.DEAD, Outcome.HELD, Outcome.DELIVERED):
        service.delivery(webhook, outcome=outcome, ago=3 * 60_000)
    create(service, "lumen", "eu", "Billing")
    for index in range(MORE):
        create(service, "many", f"community-{index:02}")
    yield service
    service.close()


def open_system(page: Page, service: Service, query: str = "", *, by: Client = SYSTEM) -> None:
    page.goto(service.ready(by=by))
    expect(page.get_by_role("heading", name="Webhooks", exact=True)).to_be_visible()
    page.goto(f"{service.url}/console#/system{query}")
    expect(page.get_by_role("heading", name="System", exact=True)).to_be_visible()


def test_a_system_license_gets_the_view_and_the_choice_after_the_first_view(
    service: Service, page: Page, recorded: Recorded
) -> None:
    page.goto(service.ready())
    expect(page.get_by_role("link", name="Order sync")).to_be_visible()

    expect(page.get_by_role("link", name="System")).to_be_visible()

    expect(page.get_by_text("system license")).to_be_visible()
    urls = [each.url for each in recorded.requests]
    asked = [at for at, url in enumerate(urls) if "/communities" in url]
    assert len(asked) == 1
    assert asked[0] > next(at for at, url in enumerate(urls) if url.endswith("/webhooks/fetch"))
    page.get_by_role("link", name="System").click()
    expect(page.get_by_role("heading", name="System", exact=True)).to_be_focused()
    expect(page).to_have_title("System · Webhooks")


@pytest.mark.parametrize("by", [SERVICE_CALLER, EXTERNAL], ids=["service", "service_ext"])
def test_another_license_gets_neither(service: Service, page: Page, by: Client) -> None:
    with page.expect_response(COMMUNITIES) as refused:
        page.goto(service.ready(by=by))
    assert refused.value.status == 403

    expect(page.get_by_text("keys in this tab only")).to_be_visible()
    expect(page.get_by_role("link", name="System")).to_have_count(0)
    expect(page.get_by_role("button", name="acme / default")).to_have_count(0)
    expect(page.get_by_role("complementary", name="Navigation")).to_contain_text("acme / default")
    page.goto(f"{service.url}/console#/system")
    expect(page.get_by_role("alert")).to_contain_text("a license of auth level system")


def test_a_scoped_system_license_is_none_for_the_deployment(page: Page) -> None:
    service = Service()
    scoped = Client("scoped-license", scalar=0x4242)
    service.app.licenses.issue(scoped.license_key, License(AuthLevel.SYSTEM, "acme", "default"))
    with page.expect_response(COMMUNITIES) as refused:
        page.goto(service.ready(by=scoped))

    assert refused.value.status == 403
    expect(page.get_by_role("link", name="System")).to_have_count(0)
    service.close()


def test_communities_are_listed_with_their_health(service: Service, page: Page) -> None:
    open_system(page, service)

    row = page.get_by_role("row").filter(has=page.get_by_text("acme", exact=True))
    expect(row.get_by_role("cell")).to_have_text(["acme", "default", "1", "0", "0", "1", "2", "3 min"])
    other = page.get_by_role("row").filter(has=page.get_by_text("lumen", exact=True))
    expect(other.get_by_role("cell")).to_have_text(["lumen", "eu", "1", "0", "0", "0", "0", "\N{EN DASH}"])
    assert findings(page) == []


def test_health_is_asked_for_few_rows_at_once_and_only_for_those_in_view(
    service: Service, browser: Browser
) -> None:
    context = open_context(browser, viewport={"width": 1440, "height": 500})
    page = context.new_page()
    open_system(page, service, "?tab=licenses")
    under_way: list[str] = []
    most: list[int] = []
    asked: list[str] = []

    def begins(request: Request) -> None:
        if HEALTH.search(request.url):
            under_way.append(request.url)
            asked.append(request.url)
            most.append(len(under_way))

    def ends(request: Request) -> None:
        if request.url in under_way:
            under_way.remove(request.url)

    page.on("request", begins)
    page.on("requestfinished", ends)

    page.get_by_role("link", name="Communities").click()

    first = page.get_by_role("row").nth(1)
    expect(first.get_by_role("cell").nth(2)).to_have_text("1")
    last = page.get_by_role("row").last
    seen = len(set(asked))
    assert 0 < seen < 25
    last.scroll_into_view_if_needed()
    expect(last.get_by_role("cell").nth(2)).to_have_text("1")
    assert max(most) <= 3
    assert len(asked) == len(set(asked))
    context.close()


def test_pages_of_communities_are_links_and_back_works(service: Service, page: Page) -> None:
    open_system(page, service)
    rows = page.get_by_role("row")
    expect(rows).to_have_count(26)

    page.get_by_role("link", name="Next page").click()
    expect(page).to_have_url(re.compile("after="))
    expect(page.get_by_role("link", name="community-23", exact=True)).to_be_visible()
    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("link", name="community-59", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Next page")).to_have_count(0)
    page.go_back()
    expect(page.get_by_role("link", name="community-23", exact=True)).to_be_visible()
    page.get_by_role("link", name="First page").click()
    expect(page.get_by_role("link", name="default", exact=True)).to_be_visible()


def test_a_communitys_health_that_fails_says_why_in_its_row(service: Service, page: Page) -> None:
    page.route(re.compile("/tenant/lumen/community/eu/health$"), error(403))

    open_system(page, service)

    row = page.get_by_role("row").filter(has=page.get_by_text("lumen", exact=True))
    expect(row).to_contain_text(SENTENCES[403])


@pytest.mark.parametrize(("query", "pattern"), [("", COMMUNITIES), ("?tab=keys", KEYS)])
def test_a_tab_that_cannot_be_loaded_says_why_and_goes_on(
    service: Service, page: Page, query: str, pattern: re.Pattern[str]
) -> None:
    page.goto(service.ready())
    expect(page.get_by_role("link", name="System")).to_be_visible()
    failing = Switch(error(429, retry_after="1"))
    page.route(pattern, failing)

    page.goto(f"{service.url}/console#/system{query}")

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(SENTENCES[429])
    failing.is_on = False
    expect(page.get_by_role("table")).to_be_visible()
    expect(alert).to_have_count(0)


def test_no_community_has_a_webhook_yet(page: Page) -> None:
    service = Service()

    open_system(page, service)

    expect(page.get_by_role("heading", name="No communities yet")).to_be_visible()
    assert findings(page) == []
    service.close()


def test_a_key_is_reset_by_its_dialog(page: Page, recorded: Recorded) -> None:
    service = Service()
    open_system(page, service, "?tab=keys")
    before = service.app.public_key
    row = page.get_by_role("row").filter(has_text=before[:16])
    expect(row).to_contain_text("service")
    row.get_by_role("link", name="Reset… service").click()
    dialog = page.get_by_role("dialog", name="Reset service key")
    expect(dialog).to_contain_text("The old key counts for a day more")
    assert findings(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert service.app.public_key == before
    row.get_by_role("link", name="Reset… service").click()

    dialog.get_by_role("button", name="Reset key").click()

    expect(dialog).to_have_count(0)
    expect(page.get_by_text("New key made.")).to_be_visible()
    after = service.app.public_key
    assert after != before
    expect(page.get_by_role("row").filter(has_text=after[:16])).to_be_visible()
    assert sum(each.method == "DELETE" for each in recorded.requests) == 1
    # The keys go on: the service reads envelopes for the old one.
    place(page, "Webhooks").click()
    expect(page.get_by_role("heading", name="No webhooks")).to_be_visible()
    service.close()


def test_a_reset_that_fails_says_why_in_the_dialog(service: Service, page: Page) -> None:
    open_system(page, service, "?tab=keys")
    page.route(re.compile("/servicekey/"), error(409))
    page.get_by_role("link", name="Reset… signing").click()
    dialog = page.get_by_role("dialog", name="Reset signing key")

    dialog.get_by_role("button", name="Reset key").click()

    expect(dialog.get_by_role("alert")).to_contain_text(SENTENCES[409])
    expect(dialog.get_by_role("button", name="Reset key")).to_be_enabled()


def test_a_link_to_a_key_that_is_replaced_resets_nothing(service: Service, page: Page) -> None:
    open_system(page, service, "?tab=keys&dialog=reset&key=AAAA")

    dialog = page.get_by_role("dialog", name="Reset service key")
    expect(dialog).to_contain_text("This key was reset before")
    expect(dialog.get_by_role("button", name="Reset key")).to_be_disabled()


def test_licenses_levels_are_explained_with_the_commands(service: Service, page: Page) -> None:
    open_system(page, service)

    page.get_by_role("link", name="Licenses").click()

    for level in ("system", "service", "service_ext"):
        expect(page.get_by_role("cell", name=level, exact=True)).to_be_visible()
    expect(page.get_by_text("webhooks license list")).to_be_visible()
    assert findings(page) == []


def choose(page: Page, service: Service, address: str = "#/webhooks") -> None:
    page.goto(service.ready())
    expect(page.get_by_role("link", name="Order sync")).to_be_visible()
    page.goto(f"{service.url}/console{address}")
    page.get_by_role("button", name="acme / default").click()
    expect(page.get_by_role("dialog", name="Choose a community")).to_be_visible()


def test_the_community_is_switched_by_the_list_and_the_view_stays_of_its_kind(
    service: Service, page: Page, recorded: Recorded
) -> None:
    choose(page, service, "#/explain")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="acme / default")).to_have_attribute("aria-current", "true")
    assert findings(page) == []

    dialog.get_by_role("button", name="lumen / eu").click()

    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="lumen / eu")).to_be_visible()
    assert page.url.endswith("#/explain")
    place(page, "Webhooks").click()
    expect(page.get_by_role("link", name="Billing")).to_be_visible()
    expect(page.get_by_role("link", name="Order sync")).to_have_count(0)
    assert sum(each.url.endswith("/publickeys") for each in recorded.requests) == 1


def test_a_webhooks_view_becomes_the_list_of_the_other_community(service: Service, page: Page) -> None:
    page.goto(service.ready())
    page.get_by_role("link", name="Order sync").click()
    expect(page).to_have_url(re.compile("#/webhooks/."))
    page.get_by_role("button", name="acme / default").click()
    refused: list[str] = []

    def collect(response: Response) -> None:
        if response.status >= 400:
            refused.append(response.url)

    page.on("response", collect)

    page.get_by_role("dialog").get_by_role("button", name="lumen / eu").click()

    expect(page.get_by_role("link", name="Billing")).to_be_visible()
    assert page.url.endswith("#/webhooks")
    assert refused == []


def test_the_list_has_pages_a_filter_and_takes_names_that_it_has_not(service: Service, page: Page) -> None:
    choose(page, service)
    dialog = page.get_by_role("dialog")
    options = dialog.get_by_role("list", name="Communities").get_by_role("button")
    expect(options).to_have_count(25)
    dialog.get_by_role("button", name="Show more").click()
    expect(options).to_have_count(50)
    dialog.get_by_role("button", name="Show more").click()
    expect(options).to_have_count(62)
    expect(dialog.get_by_role("button", name="Show more")).to_have_count(0)
    dialog.get_by_label("Community").fill("59")
    expect(options).to_have_count(1)
    dialog.get_by_label("Tenant").fill("brand")
    dialog.get_by_label("Community").fill("new")
    expect(options).to_have_count(0)

    page.keyboard.press("Enter")

    expect(page.get_by_role("button", name="brand / new")).to_be_visible()
    expect(page.get_by_role("heading", name="No webhooks in brand / new yet")).to_be_visible()


def test_a_name_that_is_missing_is_said_in_the_dialog(service: Service, page: Page) -> None:
    choose(page, service)

    page.get_by_role("button", name="Open by name").click()

    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text("Enter a tenant and a community.")


def test_another_community_is_opened_from_the_operators_list(service: Service, page: Page) -> None:
    open_system(page, service)

    page.get_by_role("link", name="eu", exact=True).click()

    expect(page.get_by_role("link", name="Billing")).to_be_visible()
    assert page.url.endswith("#/webhooks")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_each_tab_fits_and_axe_finds_nothing(
    service: Service, browser: Browser, width: int, scheme: str
) -> None:
    context = open_context(browser, viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    open_system(page, service)

    for query in ("", "?tab=keys", "?tab=licenses", "?dialog=scope"):
        page.goto(f"{service.url}/console#/system{query}")
        expect(page.get_by_role("dialog" if "dialog" in query else "table")).to_be_visible()
        if not query:
            expect(page.get_by_role("row").nth(1).get_by_role("cell").nth(2)).to_have_text("1")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert findings(page) == []
    context.close()
