"""Each view looks as its committed picture: phone and desktop, light and dark. `make screenshots` writes them anew."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw
from playwright.sync_api import Browser, Page, expect

from tests.browser import pictures
from tests.browser.conftest import open_context
from tests.browser.showcase import Showcase
from tests.clocks import NOW

WRITES = bool(os.environ.get("UPDATE_SCREENSHOTS"))
SCREENSHOTS = Path(__file__).with_name("screenshots")
DOCS = Path(__file__).parents[2] / "docs"
KNOWN = SCREENSHOTS / "webhooks-1440-light.png"
ERP = "Order sync to ERP"
MOST_BYTES_SHOWN = 300_000
SIZES = {390: 844, 1440: 960}


@dataclass(frozen=True)
class View:
    """`address`: with names of webhooks and deliveries in braces. `shows`: a text that is there at its end.

    `press`: a button. `is_whole`: to its end, not a screen of it.
    """

    address: str
    shows: str
    press: str | None = None
    is_whole: bool = True


VIEWS = {
    "webhooks": View("/webhooks", "Order sync to ERP"),
    "webhook": View(f"/webhooks/{{{ERP}}}", "erp.acme.example"),
    "new": View("/webhooks/new", "Event names"),
    "deliveries": View("/deliveries", "order.paid", is_whole=False),
    "delivery": View("/deliveries?open={dead}", "upstream connect error", is_whole=False),
    "explain": View("/explain", "listen to order.paid", press="Explain"),
    "events": View("/events", "E_LOGIN_SUCCEEDED"),
    "system": View("/system", "acme"),
    "connect": View("/connect", "Public key"),
}
# The pictures of README.
SHOWN = {"console": VIEWS["webhooks"], "delivery": VIEWS["delivery"]}


@pytest.fixture(scope="module")
def showcase() -> Iterator[Showcase]:
    showcase = Showcase()
    yield showcase
    showcase.close()


@contextmanager
def connected(browser: Browser, showcase: Showcase, size: tuple[int, int], scheme: str) -> Iterator[Page]:
    width, height = size
    context = open_context(
        browser, viewport={"width": width, "height": height}, color_scheme=scheme, timezone_id="UTC"
    )
    page = context.new_page()
    page.clock.set_fixed_time(NOW)
    page.goto(showcase.ready())
    expect(page.get_by_role("heading", name="Webhooks", exact=True)).to_be_visible()
    # The license's level comes later; on a phone its link is in the menu.
    expect(page.get_by_role("link", name="System", include_hidden=True)).to_have_count(1)
    pictures.use_fonts(page)
    yield page
    context.close()


@pytest.fixture(scope="module", params=[(width, scheme) for width in SIZES for scheme in ("light", "dark")])
def page(browser: Browser, showcase: Showcase, request: pytest.FixtureRequest) -> Iterator[tuple[Page, str]]:
    """A connected page of a width and a colour scheme, and their name."""
    width, scheme = request.param
    with connected(browser, showcase, (width, SIZES[width]), scheme) as page:
        yield page, f"{width}-{scheme}"


def show(page: Page, view: View, showcase: Showcase) -> Image.Image:
    address = view.address.format_map({**showcase.ids, **showcase.deliveries})
    page.evaluate("hash => { location.hash = hash }", f"#{address}")
    if view.press:
        page.get_by_role("button", name=view.press, exact=True).click()
    expect(page.get_by_text(view.shows).locator("visible=true").first).to_be_visible()
    expect(page.locator("[aria-busy=true], .sk")).to_have_count(0)
    return pictures.take(page, is_whole=view.is_whole)


def compare(picture: Image.Image, path: Path, *, most: int = pictures.MOST_BYTES) -> None:
    if WRITES:
        pictures.write(picture, path, most=most)
    assert pictures.faults(picture, path) == []


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_looks_as_before(showcase: Showcase, page: tuple[Page, str], name: str) -> None:
    compare(show(page[0], VIEWS[name], showcase), SCREENSHOTS / f"{name}-{page[1]}.png")


@pytest.mark.parametrize("name", SHOWN)
def test_the_pictures_of_the_readme_are_the_console(browser: Browser, showcase: Showcase, name: str) -> None:
    with connected(browser, showcase, (1280, 800), "light") as page:
        picture = show(page, replace(SHOWN[name], is_whole=False), showcase)
    compare(picture, DOCS / f"{name}.png", most=MOST_BYTES_SHOWN)


def test_pictures_are_small_and_none_is_left_over() -> None:
    found = {path.name: path.stat().st_size for path in SCREENSHOTS.iterdir()}
    sizes = [f"{width}-{scheme}" for width in SIZES for scheme in ("light", "dark")]
    assert found.keys() == {f"{name}-{size}.png" for name in VIEWS for size in sizes}
    assert {name: size for name, size in found.items() if size > pictures.MOST_BYTES} == {}
    assert [name for name in SHOWN if (DOCS / f"{name}.png").stat().st_size > MOST_BYTES_SHOWN] == []


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Image.Image]:
    """A committed picture; faults are written elsewhere."""
    monkeypatch.setattr(pictures, "SEEN", tmp_path / "seen")
    with Image.open(KNOWN) as file:
        yield file.convert("RGB")


def test_a_picture_is_like_itself_moved_by_a_pixel(known: Image.Image) -> None:
    assert pictures.faults(known, KNOWN) == []
    assert pictures.faults(ImageChops.offset(known, 1, 1), KNOWN) == []


def test_another_picture_is_told_and_kept_with_the_difference(known: Image.Image, tmp_path: Path) -> None:
    ImageDraw.Draw(known).rectangle((300, 100, 700, 300), fill="black")

    [fault] = pictures.faults(known, KNOWN)

    assert "of its pixels differ" in fault
    assert {path.name for path in (tmp_path / "seen").iterdir()} == {
        KNOWN.name,
        f"{KNOWN.stem}.difference.png",
    }


def test_another_size_or_scheme_is_told(known: Image.Image) -> None:
    assert "wide" in pictures.faults(known.crop((0, 0, known.width - 4, known.height)), KNOWN)[0]
    assert "high" in pictures.faults(known.crop((0, 0, known.width, known.height * 9 // 10)), KNOWN)[0]
    assert "differ" in pictures.faults(ImageChops.invert(known), KNOWN)[0]


def test_a_missing_picture_is_told_with_the_remedy(known: Image.Image) -> None:
    assert pictures.faults(known, SCREENSHOTS / "absent.png") == [
        "absent.png is missing: `make screenshots` writes it"
    ]
