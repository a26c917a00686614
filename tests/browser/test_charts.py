"""The charts of a webhook: what is drawn, and every way to read it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import open_context
from tests.browser.service import MINUTE, Service, attempt
from tests.browser.webhook_pages import anew, connected, error, open_webhook, path
from tests.clocks import NOW
from webhooks.domain.delivery_log import Outcome
from webhooks.domain.health import Health, State, StateChange
from webhooks.domain.http import PhaseTimes

DAYS = 24 * 60 * MINUTE
# Six hours are 25 buckets of 15 minutes; the last one began 800 s ago, at 15:00 in London.
BUCKETS, BUCKET = 25, 900
LAST_BEGAN = int(NOW) % BUCKET
NONE = "\N{EN DASH}"
LEFT, RIGHT = 56, 4  # CSS pixels beside the plot
TIMES = PhaseTimes(lookup=10, connect=30, tls=60, first_byte=100, total=100)
KEPT_CONNECTION = PhaseTimes(lookup=0, connect=0, tls=0, first_byte=50, total=50)

type Colour = tuple[int, int, int]
DELIVERED, DEAD, RETRYING, HELD = (79, 154, 121), (210, 59, 50), (192, 122, 8), (123, 87, 202)
FIRST_BYTE, LOOKUP = (30, 58, 120), (136, 147, 163)
DARK_DELIVERED, DARK_FIRST_BYTE = (55, 128, 93), (200, 219, 255)
ZONE = (253, 236, 234)  # on a canvas that lets the card through
COUNT = """(canvas, [colour, from, to]) => {
  const {width, height} = canvas;
  const left = Math.round(from * width), right = Math.round(to * width);
  const {data} = canvas.getContext('2d').getImageData(left, 0, right - left, height);
  let found = 0;
  for (let at = 0; at < data.length; at += 4)
    if (data[at + 3] > 128 && colour.every((each, of) => Math.abs(each - data[at + of]) < 3)) found += 1;
  return found;
}"""


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service(is_frozen=True)
    yield service
    service.close()


@pytest.fixture(scope="module")
def webhook_id(service: Service) -> str:
    """Of a webhook whose endpoint is down since 14:00 in London."""
    clock = service.app.clock
    clock.now -= 30 * DAYS / 1000
    down = bucket_start(4)
    changes = (
        StateChange(down, State.FAILING, "HTTP 503"),
        StateChange(bucket_start(3), State.HELD, "10 attempts in a row failed, the last: HTTP 503"),
    )
    health = Health(failing_since=down, held_since=bucket_start(3), backlog_since=down, changes=changes)
    webhook_id = service.webhook("Orders", health=health)
    clock.now = NOW
    for second in range(4):
        deliver(service, webhook_id, 20, second, times=TIMES)
    for second in range(2):
        deliver(service, webhook_id, 19, second, times=TIMES)
        deliver(service, webhook_id, 18, second, outcome=Outcome.RETRYING, times=TIMES)
    deliver(service, webhook_id, 19, 9, outcome=Outcome.DEAD, times=TIMES)
    deliver(service, webhook_id, 10, 0, times=KEPT_CONNECTION)
    for back in (3, 2, 1):
        for second in range(5):
            deliver(service, webhook_id, back, second, outcome=Outcome.HELD)
    return webhook_id


def bucket_start(back: int) -> int:
    """Return when the bucket began that is so many before the last, in epoch ms."""
    return (int(NOW) - LAST_BEGAN - back * BUCKET) * 1000


def deliver(
    service: Service,
    webhook_id: str,
    back: int,
    second: int,
    *,
    outcome: Outcome = Outcome.DELIVERED,
    times: PhaseTimes | None = None,
) -> None:
    at = bucket_start(back) + second * 1000
    status = 200 if outcome is Outcome.DELIVERED else 503
    attempts = [attempt(at, status, latency_ms=times.total, times=times)] if times else []
    service.delivery(webhook_id, outcome=outcome, attempts=attempts, ago=service.now - at)


@pytest.fixture(scope="module")
def page(browser: Browser, service: Service) -> Iterator[Page]:
    yield from connected(browser, service, now=NOW)


@pytest.fixture
def opened(page: Page, webhook_id: str) -> Page:
    anew(page, webhook_id)
    expect(chart(page, "Latency by phase").get_by_role("img")).to_be_visible()
    return page


def chart(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title, exact=True)


def plot(page: Page, title: str) -> Locator:
    return chart(page, title).get_by_role("img")


def legend(page: Page, title: str) -> list[str]:
    expect(plot(page, title)).to_be_visible()
    texts = chart(page, title).get_by_role("list").get_by_role("listitem").all_inner_texts()
    return [" ".join(each.split()) for each in texts]


def drawn(
    page: Page, title: str, colour: Colour, *, back: int | None = None, backs: tuple[int, int] | None = None
) -> int:
    """Return how many pixels of a chart, or of one bucket in it, have a colour."""
    canvas = plot(page, title).locator("canvas")
    first, last = backs or ((back, back) if back is not None else (BUCKETS - 1, 0))
    width = (canvas.bounding_box() or {"width": 0})["width"]
    place = [LEFT + (width - LEFT - RIGHT) * part / BUCKETS for part in (BUCKETS - 1 - first, BUCKETS - last)]
    count: int = canvas.evaluate(COUNT, [list(colour), place[0] / width, place[1] / width])
    return count


def point(page: Page, title: str, back: int) -> None:
    """Put the pointer on a bucket."""
    box = plot(page, title).bounding_box()
    assert box is not None
    x = LEFT + (box["width"] - LEFT - RIGHT) * (BUCKETS - 1 - back + 0.5) / BUCKETS
    plot(page, title).hover(position={"x": x, "y": 80})


def test_legends_show_the_totals_at_rest(opened: Page) -> None:
    assert legend(opened, "Latency by phase") == [
        "Lookup 10 ms",
        "Connect 20 ms",
        "TLS 30 ms",
        "First byte 40 ms",
    ]
    assert legend(opened, "Deliveries by outcome") == ["Delivered 7", "Retrying 2", "Dead 1", "Held 15"]
    expect(chart(opened, "Latency by phase")).to_contain_text("median, 6 h")
    expect(chart(opened, "Deliveries by outcome")).to_contain_text("sum, 6 h")
    expect(opened.get_by_text("The charts cover all 25 deliveries since 09:13.")).to_be_visible()


def test_the_pointer_reads_a_bucket(opened: Page) -> None:
    point(opened, "Deliveries by outcome", 19)

    expect(chart(opened, "Deliveries by outcome")).to_contain_text("10:15")
    assert legend(opened, "Deliveries by outcome") == ["Delivered 2", "Retrying 0", "Dead 1", "Held 0"]

    point(opened, "Deliveries by outcome", 15)
    expect(chart(opened, "Deliveries by outcome")).to_contain_text("11:15, no deliveries")

    opened.get_by_role("heading", name="Health", exact=True).hover()
    expect(chart(opened, "Deliveries by outcome")).to_contain_text("sum, 6 h")


def test_a_bucket_without_attempts_has_no_latency(opened: Page) -> None:
    point(opened, "Latency by phase", 2)

    expect(chart(opened, "Latency by phase")).to_contain_text("14:30, no attempts")
    assert legend(opened, "Latency by phase") == [
        f"{phase} {NONE}" for phase in ("Lookup", "Connect", "TLS", "First byte")
    ]


def test_arrow_keys_read_the_values_and_say_them(opened: Page) -> None:
    card = chart(opened, "Deliveries by outcome")
    plot(opened, "Deliveries by outcome").focus()

    opened.keyboard.press("ArrowLeft")
    expect(card).to_contain_text("15:00, no deliveries")
    opened.keyboard.press("ArrowLeft")
    said = "14:45: Delivered 0, Retrying 0, Dead 0, Held 5"
    expect(card.get_by_text(said)).to_be_attached()
    opened.keyboard.press("Home")
    expect(card).to_contain_text("09:00, no deliveries")
    for _ in range(4):
        opened.keyboard.press("ArrowRight")
    assert legend(opened, "Deliveries by outcome")[0] == "Delivered 4"
    opened.keyboard.press("End")
    expect(card).to_contain_text("15:00, no deliveries")
    opened.keyboard.press("ArrowRight")
    expect(card).to_contain_text("15:00, no deliveries")
    opened.keyboard.press("Escape")
    expect(card).to_contain_text("sum, 6 h")

    opened.keyboard.press("ArrowLeft")
    expect(card).to_contain_text("15:00")
    opened.keyboard.press("Tab")
    expect(card).to_contain_text("sum, 6 h")


def test_each_band_has_its_colour_where_its_values_are(opened: Page) -> None:
    bars, areas = "Deliveries by outcome", "Latency by phase"

    def bar(colour: Colour, back: int) -> int:
        return drawn(opened, bars, colour, back=back)

    # A delivery's part of a bar: 4 of the bucket with most, which is 5 high.
    assert bar(DELIVERED, 20) > bar(DELIVERED, 19) > bar(DEAD, 19) > 100
    assert bar(DEAD, 20) == bar(DELIVERED, 3) == bar(DELIVERED, 15) == 0
    assert drawn(opened, areas, FIRST_BYTE, back=20) > drawn(opened, areas, LOOKUP, back=20) > 30
    # No attempts, nothing drawn; a single bucket is drawn all the same, and a kept connection has one phase.
    assert (
        drawn(opened, areas, FIRST_BYTE, backs=(9, 0))
        == drawn(opened, areas, FIRST_BYTE, backs=(17, 11))
        == 0
    )
    assert drawn(opened, areas, FIRST_BYTE, back=10) > 300
    assert drawn(opened, areas, LOOKUP, back=10) < 30


def test_retrying_is_hatched_and_held_is_dotted(opened: Page) -> None:
    title = "Deliveries by outcome"
    solid = drawn(opened, title, DELIVERED, back=20) / 4
    retrying = drawn(opened, title, RETRYING, back=18)
    held = drawn(opened, title, HELD, back=2)
    # A texture leaves less of the colour than a solid bar of as many deliveries has, and more than none.
    assert 0.1 * 2 * solid < retrying < 0.8 * 2 * solid
    assert 0.3 * 5 * solid < held < 0.95 * 5 * solid


def test_the_time_in_which_the_endpoint_was_down_is_shaded(opened: Page) -> None:
    for title in ("Deliveries by outcome", "Latency by phase"):
        assert drawn(opened, title, ZONE, back=4) > 500, title
        assert drawn(opened, title, ZONE, backs=(24, 6)) == 0, title


def test_a_sentence_says_what_a_chart_shows(opened: Page) -> None:
    latency = plot(opened, "Latency by phase")
    expect(latency).to_have_accessible_name(
        "Mean latency of attempts per 15 min, stacked by phase: 50 ms to 100 ms, 50 ms in the last one. "
        "Failing since 14:00. Left and right arrow keys read single values."
    )
    outcomes = plot(opened, "Deliveries by outcome")
    expect(outcomes).to_have_accessible_name(
        "Deliveries per 15 min, stacked by outcome: 7 delivered, 2 retrying, 1 dead, 15 held. "
        "Failing since 14:00. Left and right arrow keys read single values."
    )


def test_a_table_has_the_same_values(opened: Page) -> None:
    card = chart(opened, "Latency by phase")
    card.get_by_role("button", name="Show as a table").click()

    rows = card.get_by_role("row")
    expect(rows).to_have_count(1 + BUCKETS)
    expect(rows.nth(0)).to_have_text("TimeLookupConnectTLSFirst byte")
    expect(rows.nth(1)).to_have_text(f"15:00{4 * NONE}")
    expect(rows.nth(1 + 10)).to_have_text("12:300 ms0 ms0 ms50 ms")
    expect(rows.nth(1 + 20)).to_have_text("10:0010 ms20 ms30 ms40 ms")
    expect(card.get_by_role("img")).to_have_count(0)
    assert findings(opened) == []

    card.get_by_role("button", name="Show as a chart").click()
    expect(card.get_by_role("img")).to_be_visible()


def test_times_are_of_the_viewers_zone(service: Service, browser: Browser, webhook_id: str) -> None:
    context = open_context(browser, timezone_id="Asia/Tokyo")
    page = context.new_page()
    page.clock.set_fixed_time(NOW)
    open_webhook(service, page, webhook_id)

    card = chart(page, "Deliveries by outcome")
    card.get_by_role("button", name="Show as a table").click()
    expect(card.get_by_role("row").nth(1)).to_contain_text("23:00")
    context.close()


def test_a_chart_follows_the_theme(opened: Page) -> None:
    bars, areas = "Deliveries by outcome", "Latency by phase"

    def colours() -> list[bool]:
        wanted = [(bars, DELIVERED), (areas, FIRST_BYTE), (bars, DARK_DELIVERED), (areas, DARK_FIRST_BYTE)]
        return [drawn(opened, title, colour) > 100 for title, colour in wanted]

    def expect_colours(*wanted: bool) -> None:
        for _ in range(100):  # a canvas is drawn a frame after the page
            if colours() == list(wanted):
                return
            opened.wait_for_timeout(100)
        assert colours() == list(wanted)

    expect_colours(True, True, False, False)
    opened.get_by_role("button", name="Dark", exact=True).click()
    expect(opened.locator("html[data-theme=dark]")).to_be_attached()
    expect_colours(False, False, True, True)
    opened.get_by_role("button", name="Auto", exact=True).click()
    expect_colours(True, True, False, False)
    opened.emulate_media(color_scheme="dark")
    expect_colours(False, False, True, True)
    opened.emulate_media(color_scheme="light")
    expect_colours(True, True, False, False)


def test_a_chart_follows_the_width_of_the_window(opened: Page) -> None:
    canvas = plot(opened, "Latency by phase").locator("canvas")
    expect(canvas).to_be_visible()
    before = canvas.evaluate("canvas => canvas.width")

    opened.set_viewport_size({"width": 390, "height": 844})

    expect(canvas).to_have_js_property("width", 390 - 2 * (16 + 1 + 16))
    assert before > 390
    assert opened.evaluate("document.documentElement.scrollWidth") == 390
    assert drawn(opened, "Latency by phase", FIRST_BYTE) > 100


def test_a_range_is_an_address(opened: Page, webhook_id: str) -> None:
    with opened.expect_request(path(webhook_id, "/series?**")) as asked:
        opened.get_by_role("button", name="24 h", exact=True).click()

    expect(opened.get_by_role("heading", name="Last 24 hours")).to_be_visible()
    assert "since=2026-09-20T14:13:20.000Z" in asked.value.url
    assert "range=24h" in opened.url
    expect(chart(opened, "Latency by phase")).to_contain_text("median, 24 h")
    expect(opened.get_by_text("The charts cover all 25 deliveries since 20 Sept, 15:13.")).to_be_visible()
    assert legend(opened, "Deliveries by outcome") == ["Delivered 7", "Retrying 2", "Dead 1", "Held 15"]

    opened.go_back()
    expect(opened.get_by_role("heading", name="Last 6 hours")).to_be_visible()
    expect(chart(opened, "Latency by phase")).to_contain_text("median, 6 h")
    assert opened.get_by_role("button", name="6 h", exact=True).get_attribute("aria-pressed") == "true"


def test_a_range_of_days_has_days_in_its_times(opened: Page) -> None:
    opened.get_by_role("button", name="7 d", exact=True).click()
    card = chart(opened, "Deliveries by outcome")
    expect(card).to_contain_text("sum, 7 d")

    card.get_by_role("button", name="Show as a table").click()
    expect(card.get_by_role("row").nth(30)).to_contain_text(re.compile(r"^1\d Sept, \d\d:00"))


def test_only_the_last_thousand_are_drawn_and_that_is_said(service: Service, page: Page) -> None:
    webhook_id = service.webhook("Busy")
    for number in range(1_005):
        service.delivery(webhook_id, ago=number * 1000, outcome=Outcome.SKIPPED)
    anew(page, webhook_id, "?range=1h")

    expect(page.get_by_text("The charts cover the last 1,000 deliveries, since 14:56.")).to_be_visible()
    assert legend(page, "Deliveries by outcome")[-1] == "Skipped 1,000"
    expect(plot(page, "Latency by phase")).to_have_accessible_name(
        re.compile("stacked by phase: no attempts")
    )


def test_what_an_attempt_took_beyond_its_phases_is_shown(service: Service, page: Page) -> None:
    webhook_id = service.webhook("No answer")
    times = PhaseTimes(lookup=5, connect=15, tls=35, first_byte=0, total=5000)
    deliver(service, webhook_id, 0, 0, outcome=Outcome.DEAD, times=times)
    anew(page, webhook_id)

    assert legend(page, "Latency by phase") == [
        "Lookup 5 ms",
        "Connect 10 ms",
        "TLS 20 ms",
        "First byte 0 ms",
        "Rest 4.9 s",
    ]


def test_without_deliveries_the_next_step_is_a_test(service: Service, page: Page) -> None:
    anew(page, service.webhook("New"))

    expect(page.get_by_role("heading", name="No deliveries in the last 6 hours")).to_be_visible()
    main = page.get_by_role("main")
    main.get_by_role("link", name="Send test event").last.click()
    expect(page.get_by_role("dialog", name="Send test event")).to_be_visible()


def test_deliveries_before_the_range_are_a_longer_range_away(service: Service, page: Page) -> None:
    webhook_id = service.webhook("Quiet")
    service.delivery(webhook_id, ago=3 * DAYS)
    anew(page, webhook_id)

    page.get_by_role("link", name="Show the last 7 days").click()
    expect(chart(page, "Deliveries by outcome")).to_contain_text("Delivered 1")


def test_charts_that_cannot_be_loaded_say_why_and_come_back(page: Page, webhook_id: str) -> None:
    message = "since: must not be after until"
    anew(page, webhook_id)
    page.route(path(webhook_id, "/series?**"), lambda route: route.fulfill(**error(400, message)), times=1)
    page.get_by_role("button", name="1 h", exact=True).click()

    alert = page.get_by_role("alert").filter(has_text="The charts could not be loaded.")
    expect(alert).to_contain_text("Since: must not be after until.")
    assert findings(page) == []
    alert.get_by_role("button", name="Try again now").click()
    expect(chart(page, "Deliveries by outcome")).to_contain_text("sum, 1 h")
    expect(alert).to_have_count(0)
