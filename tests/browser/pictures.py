"""Pictures of pages: taken when the page stands still, kept small, compared so that small differences of fonts pass."""

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Page

SEEN = Path(__file__).parents[2] / ".local" / "screenshots"
COLOURS = (256, 128, 64, 32)
MOST_BYTES = 60_000
SCALE = 4  # pictures are compared at a quarter of their size
LEVELS = 40  # of 255: a smaller difference is none
MOST_DIFFERENT = 0.02  # of all pixels
HEIGHT_TOLERANCE = 0.05
TRIES = 20
# Fonts of one width on every system; Debian's package is fonts-liberation.
FONTS = {
    "--sans": '"Liberation Sans", Arimo, Arial, Helvetica, sans-serif',
    "--mono": '"Liberation Mono", Cousine, "Courier New", monospace',
}


def use_fonts(page: Page) -> None:
    """Draw the page with the same fonts everywhere."""
    page.evaluate(
        "fonts => Object.entries(fonts).forEach(([name, value]) => "
        "document.documentElement.style.setProperty(name, value))",
        FONTS,
    )


def take(page: Page, *, is_whole: bool) -> Image.Image:
    """Return a picture of the page that did not change between two looks."""
    before = b""
    for _ in range(TRIES):
        seen = page.screenshot(full_page=is_whole, animations="disabled", caret="hide")
        if seen == before:
            return Image.open(BytesIO(seen)).convert("RGB")
        before = seen
    raise AssertionError(f"the page does not stand still: {page.url}")


def write(picture: Image.Image, path: Path, *, most: int = MOST_BYTES) -> None:
    """Write a picture as it is, or with as many colours as `most` bytes allow; rare colours are states, and stay."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, optimize=True)
    for colours in COLOURS:
        if path.stat().st_size <= most:
            return
        few = picture.quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        few.save(path, optimize=True)


def difference(seen: Image.Image, known: Image.Image) -> tuple[float, Image.Image]:
    """Return the part of the common pixels that differ, and a picture of them."""
    size = (seen.width // SCALE, min(seen.height, known.height) // SCALE)
    first, second = (
        each.convert("RGB").crop((0, 0, size[0] * SCALE, size[1] * SCALE)).resize(size, Image.Resampling.BOX)
        for each in (seen, known)
    )
    channels = ImageChops.difference(first, second).split()
    most = ImageChops.lighter(ImageChops.lighter(channels[0], channels[1]), channels[2])
    differing = most.point(lambda level: 255 if level > LEVELS else 0)
    return differing.histogram()[255] / (size[0] * size[1]), differing


def faults(seen: Image.Image, path: Path) -> list[str]:
    """Return the differences from the committed picture; if there are any, the picture and they are in .local/screenshots/."""
    if not path.exists():
        return [f"{path.name} is missing: `make screenshots` writes it"]
    with Image.open(path) as file:
        known = file.convert("RGB")
    if seen.width != known.width:
        return [f"it is {seen.width} wide, and was {known.width}"]
    found = []
    if abs(seen.height - known.height) > HEIGHT_TOLERANCE * known.height:
        found.append(f"it is {seen.height} high, and was {known.height}")
    part, differing = difference(seen, known)
    if part > MOST_DIFFERENT:
        found.append(f"{part:.1%} of its pixels differ")
    if found:
        write(seen, SEEN / path.name)
        differing.save(SEEN / f"{path.stem}.difference.png")
    return found
