"""The list of webhooks: its rows, filters, pages, and each of its states."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import Recorded
from tests.browser.listing import (
    COUNTS,
    FETCH,
    GONE,
    HEALTH,
    changed,
    fill,
    hold,
    open_list,
    query_of,
    row,
    rows,
    search,
    show,
    strips,
)
from tests.browser.service import Service


@pytest.fixture(scope="module")
def filled() -> Iterator[Service]:
    """A service whose webhooks no test changes."""
    service = Service()
    fill(service)
    yield service
    service.close()


def bodies(requests: list[Request], path: str) -> list[dict[str, object]]:
    """Return the JSON of the requests to a path, in their order."""
    return [json.loads(each.post_data or "{}") for each in requests if each.url.endswith(path)]


def test_a_row_shows_state_endpoint_events_and_figures(filled: Service, page: Page) -> None:
    open_list(page, filled)

    erp = row(page, "Order sync to ERP")
    expect(erp).to_contain_text("Failing 1 h 49 min")
    expect(erp).to_contain_text("3 held")
    expect(erp).to_contain_text("erp.acme.example:8443")
    expect(erp).to_contain_text("order.paid")
    expect(erp).to_contain_text("and 2 more")
    expect(erp.get_by_role("cell", name="80 %")).to_be_visible()
    expect(erp.get_by_role("cell", name="143 ms")).to_have_count(2)
    strip = "Last 53 deliveries: 40 delivered, 10 dead, 3 held"
    expect(erp.get_by_role("img", name=strip)).to_be_visible()


def test_each_state_has_its_words(filled: Service, page: Page) -> None:
    open_list(page, filled)

    for name, words in {
        "Pick list": ["2 held", "75 %"],
        "Fraud scoring": ["Slow", "p99 1.8 s", "100 %"],
        "Refund checker": ["Disabled", GONE, "No deliveries yet"],
        "Staging mirror": ["Paused", "No deliveries yet"],
        "Invoice archive": ["Healthy", "invoice.issued", "100 %"],
    }.items():
        for word in words:
            expect(row(page, name)).to_contain_text(word)


def test_the_strip_begins_with_the_oldest_delivery(filled: Service, page: Page) -> None:
    open_list(page, filled)

    held = row(page, "Pick list").get_by_role("img", name=re.compile("^Last 6"))
    expect(held).to_have_accessible_name("Last 6 deliveries: 3 delivered, 1 dead, 2 held")
    # Two dots a delivery: the held ones, the last two of six, are at the right.
    marks = held.locator("path").evaluate_all("all => all.map(each => each.getAttribute('d'))")
    assert any(mark.startswith("M8.5 19v7") for mark in marks), marks


def test_rows_keep_the_order_of_the_api(filled: Service, page: Page) -> None:
    open_list(page, filled, count=25)

    names = rows(page).get_by_role("link").all_inner_texts()
    assert names == [each["name"] for each in filled.app.fetch()["data"]]
    expect(page.get_by_text("Newest first")).to_be_visible()


def test_the_first_view_takes_three_requests(filled: Service, page: Page, recorded: Recorded) -> None:
    open_list(page, filled)
    expect(strips(page)).to_have_count(4)
    expect(page.get_by_role("link", name="Failing 1")).to_be_visible()

    asked = [each.url.rpartition("/default/")[2] for each in recorded.requests if "/tenant/" in each.url]
    assert asked == ["webhooks/fetch", "webhooks/health", "health"]
    [ids] = [each["webhookIds"] for each in bodies(recorded.requests, "webhooks/health")]
    assert ids == [each["_id"] for each in filled.app.fetch()["data"]]


def test_rows_are_there_before_their_health(filled: Service, page: Page) -> None:
    waiting = hold(page, HEALTH)
    open_list(page, filled, count=25)

    # Known without its health: the tenant's own states.
    expect(row(page, "Staging mirror")).to_contain_text("Paused")
    expect(row(page, "Refund checker")).to_contain_text("Disabled")
    expect(row(page, "Order sync to ERP")).not_to_contain_text("Failing")
    expect(strips(page)).to_have_count(0)

    waiting[0].continue_()
    expect(row(page, "Order sync to ERP")).to_contain_text("Failing")
    expect(strips(page)).to_have_count(4)


def test_tabs_count_the_community(filled: Service, page: Page) -> None:
    open_list(page, filled)

    tabs = page.get_by_role("group", name="State")
    expect(tabs).to_have_text(
        "All 30 Healthy 25 Failing 1 Held 1 Slow 1 Paused 1 Disabled 1".replace(" ", "")
    )
    expect(tabs.get_by_role("link", name="All 30")).to_have_attribute("aria-current", "true")
    expect(tabs.get_by_role("link", name="Healthy")).to_have_count(0)  # the API finds none by it


def test_a_tab_shows_the_webhooks_of_its_state(filled: Service, page: Page) -> None:
    open_list(page, filled)

    for state, name in {
        "Failing": "Order sync to ERP",
        "Held": "Pick list",
        "Slow": "Fraud scoring",
        "Paused": "Staging mirror",
        "Disabled": "Refund checker",
    }.items():
        page.get_by_role("group", name="State").get_by_role("link", name=state).click()
        expect(row(page, name)).to_be_visible()
        expect(rows(page)).to_have_count(1)
        expect(page.get_by_role("status").filter(has_text="1 found")).to_be_visible()
        assert query_of(page) == f"/webhooks?f={state.lower()}"
    page.go_back()
    expect(row(page, "Staging mirror")).to_be_visible()


def test_a_search_waits_until_the_typing_stops(filled: Service, page: Page, recorded: Recorded) -> None:
    open_list(page, filled)
    recorded.requests.clear()

    search(page).press_sequentially("Partner feed 1", delay=10)

    expect(rows(page)).to_have_count(10)
    assert bodies(recorded.requests, "webhooks/fetch") == [
        {"pIndex": 0, "pSize": 25, "name": "Partner feed 1"}
    ]
    assert query_of(page) == "/webhooks?text=Partner+feed+1"
    expect(search(page)).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="10 found")).to_be_visible()


def test_nothing_matches(filled: Service, page: Page) -> None:
    open_list(page, filled)

    search(page).fill("pick list")  # upper and lower case differ
    expect(page.get_by_role("heading", name="No webhook matches")).to_be_visible()
    expect(page.get_by_text("No webhook has a name that begins with “pick list”.")).to_be_visible()
    expect(page.get_by_text("Upper and lower case differ.")).to_be_visible()

    page.get_by_role("link", name="Clear filters").click()
    expect(rows(page)).to_have_count(25)
    expect(search(page)).to_have_value("")
    expect(search(page)).to_be_focused()


def test_all_filters_that_nothing_matches_are_told(filled: Service, page: Page) -> None:
    open_list(page, filled)

    show(page, "?f=slow&text=A%26%3D%3C%25&tag=no%20such")

    sentence = "No webhook is slow and has a name that begins with “A&=<%” and has the tag “no such”."
    expect(page.get_by_text(sentence)).to_be_visible()
    expect(search(page)).to_have_value("A&=<%")
    expect(page.get_by_label("Tag")).to_have_value("no such")


def test_back_undoes_a_search_in_its_field(filled: Service, page: Page) -> None:
    open_list(page, filled)
    show(page, "?text=Pick")
    expect(search(page)).to_have_value("Pick")

    page.go_back()

    expect(search(page)).to_have_value("")
    expect(rows(page)).to_have_count(25)


def test_the_old_rows_stay_until_the_new_ones_are_there(filled: Service, page: Page) -> None:
    open_list(page, filled, count=25)
    waiting = hold(page, FETCH)

    search(page).fill("Pick")

    expect(page.get_by_role("table", name="Webhooks")).to_have_attribute("aria-busy", "true")
    expect(rows(page)).to_have_count(25)
    expect(page.get_by_role("status").filter(has_text="Loading")).to_be_visible()
    waiting[0].continue_()
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_role("table", name="Webhooks")).to_have_attribute("aria-busy", "false")


def test_the_answer_to_an_older_search_is_not_shown(filled: Service, page: Page) -> None:
    open_list(page, filled)
    waiting = hold(page, FETCH)
    search(page).fill("Fraud")
    search(page).press("Enter")
    page.wait_for_timeout(0)
    search(page).fill("Pick")
    search(page).press("Enter")
    while len(waiting) < 2:
        page.wait_for_timeout(10)

    waiting[1].continue_()
    expect(rows(page)).to_have_count(1)

    expect(row(page, "Pick list")).to_be_visible()
    expect(row(page, "Fraud scoring")).to_have_count(0)


def test_tags_that_were_seen_are_offered_and_others_may_be_typed(
    filled: Service, page: Page, recorded: Recorded
) -> None:
    open_list(page, filled)
    offered = page.locator("datalist option").evaluate_all("all => all.map(each => each.value)")
    assert offered == ["erp", "finance", "ops", "partner"]
    recorded.requests.clear()

    page.get_by_label("Tag").press_sequentially("financ")
    assert bodies(recorded.requests, "webhooks/fetch") == []  # half a tag finds nothing
    page.get_by_label("Tag").press_sequentially("e")
    expect(rows(page)).to_have_count(2)
    assert query_of(page) == "/webhooks?tag=finance"

    page.get_by_label("Tag").fill("nowhere")
    page.get_by_label("Tag").press("Enter")
    expect(page.get_by_text("No webhook has the tag “nowhere”.")).to_be_visible()
    page.get_by_label("Tag").fill("")
    expect(rows(page)).to_have_count(25)


def test_pages(filled: Service, page: Page) -> None:
    open_list(page, filled, count=25)
    pager = page.get_by_role("navigation", name="Pages")
    expect(pager).to_contain_text("1\N{EN DASH}25 of 30")
    expect(pager.get_by_role("button", name="Previous page")).to_be_disabled()

    pager.get_by_role("button", name="Next page").click()

    expect(rows(page)).to_have_count(5)
    expect(pager).to_contain_text("26\N{EN DASH}30 of 30")
    expect(pager.get_by_role("button", name="Next page")).to_be_disabled()
    expect(pager.get_by_label("Page number")).to_be_focused()  # the button cannot have it any more
    assert query_of(page) == "/webhooks?page=2"
    pager.get_by_label("Page number").fill("1")
    pager.get_by_label("Page number").press("Enter")
    expect(rows(page)).to_have_count(25)
    assert query_of(page) == "/webhooks"
    page.go_back()
    expect(rows(page)).to_have_count(5)


def test_the_arrows_stay_together_on_a_phone(filled: Service, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_list(page, filled)
    pager = page.get_by_role("navigation", name="Pages")

    boxes = [pager.get_by_role("button", name=name).bounding_box() for name in ("Previous page", "Next page")]

    assert len({box["y"] for box in boxes if box}) == 1


def test_a_page_number_that_is_none_leads_to_one(filled: Service, page: Page) -> None:
    open_list(page, filled)
    field = page.get_by_label("Page number")

    for typed, shown in [("abc", "1"), ("99", "2"), ("1.5", "2"), ("", "2"), ("0", "1")]:
        field.fill(typed)
        field.press("Enter")
        expect(field).to_have_value(shown)
        expect(rows(page)).to_have_count(5 if shown == "2" else 25)


def test_more_rows_ask_for_health_25_at_a_time(filled: Service, page: Page, recorded: Recorded) -> None:
    open_list(page, filled)
    page.wait_for_load_state("networkidle")  # its health is asked for after its rows
    recorded.requests.clear()

    page.get_by_label("Rows").select_option("50")

    expect(rows(page)).to_have_count(30)
    expect(strips(page)).to_have_count(4)
    expect(row(page, "Partner feed 00")).to_contain_text("Healthy")
    asked = [each["webhookIds"] for each in bodies(recorded.requests, "webhooks/health")]
    assert [len(each) for each in asked if isinstance(each, list)] == [25, 5]
    assert query_of(page) == "/webhooks?size=50"


def test_a_filter_begins_at_the_first_page(filled: Service, page: Page) -> None:
    open_list(page, filled, "?page=2", count=5)

    search(page).fill("Partner")

    expect(rows(page)).to_have_count(24)
    assert query_of(page) == "/webhooks?text=Partner"


def test_past_the_last_page(filled: Service, page: Page) -> None:
    open_list(page, filled)

    show(page, "?page=7")

    expect(page.get_by_role("heading", name="There is no page 7")).to_be_visible()
    page.get_by_role("link", name="Go to the last page").click()
    expect(rows(page)).to_have_count(5)


def test_an_address_that_says_nonsense_shows_the_plain_list(filled: Service, page: Page) -> None:
    open_list(page, filled, "?page=2", count=5)

    for query in ("?page=-1&size=7&f=healthy", "?page=x&size=&f=", "?page=1e9&size=1000000"):
        show(page, "?page=2")
        expect(rows(page)).to_have_count(5)
        show(page, query)
        expect(rows(page)).to_have_count(25)
        expect(page.get_by_role("link", name="All 30")).to_have_attribute("aria-current", "true")


def test_a_count_that_is_not_exact_says_so(filled: Service, page: Page) -> None:
    page.route(FETCH, changed(page={"isExact": False}))
    page.route(COUNTS, changed(isExact=False))
    open_list(page, filled)

    show(page, "?text=Partner")

    expect(page.get_by_role("status").filter(has_text="At least 24 found")).to_be_visible()
    expect(page.get_by_role("navigation", name="Pages")).to_contain_text("1\N{EN DASH}24 of at least 24")
    tabs = page.get_by_role("group", name="State")
    expect(tabs).to_contain_text("Failingat least 1")
    expect(tabs).to_contain_text("Healthyat most 25")
    expect(tabs).to_contain_text("All30")
    search(page).fill("zzz")
    expect(page.get_by_text("Only the newest webhooks were looked at")).to_be_visible()


def test_a_page_that_does_not_fit_into_one_response(filled: Service, page: Page) -> None:
    open_list(page, filled)
    page.route(FETCH, changed(page={"size": 30}))

    page.get_by_label("Rows").select_option("100")

    expect(
        page.get_by_text(
            "Only 30 of this page\N{RIGHT SINGLE QUOTATION MARK}s webhooks fit into one response"
        )
    ).to_be_visible()


def test_a_webhook_that_was_deleted_meanwhile(filled: Service, page: Page) -> None:
    first = filled.app.fetch()["data"][0]["_id"]

    def without_first(route: Route) -> None:
        response = route.fetch()
        data = [each for each in response.json()["data"] if each["webhookId"] != first]
        route.fulfill(response=response, json={"data": data})

    page.route(HEALTH, without_first)
    open_list(page, filled)

    expect(row(page, "Order sync to ERP")).to_contain_text("Deleted")
    expect(row(page, "Order sync to ERP")).to_contain_text("since the list was loaded")
    expect(row(page, "Pick list")).to_contain_text("2 held")


def test_a_row_opens_its_webhook(filled: Service, page: Page) -> None:
    open_list(page, filled)
    opened = filled.app.fetch()["data"][1]["_id"]

    row(page, "Pick list").get_by_text("2 held").click()

    expect(page).to_have_url(f"{filled.url}/console#/webhooks/{opened}")


def test_more_events_are_named_on_hover(filled: Service, page: Page) -> None:
    open_list(page, filled)

    row(page, "Order sync to ERP").get_by_text("and 2 more").hover()

    expect(page.get_by_role("tooltip")).to_have_text("order.refunded\norder.sent")
