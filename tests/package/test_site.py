"""The documentation's site: it builds without a warning, each link leads somewhere, no page asks another host."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
LOADED = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data"}


@dataclass
class Read(HTMLParser):
    """A page: where its links lead, what it loads, which anchors it has."""

    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in LOADED and LOADED[tag] in given:
            self.loaded.append(given[LOADED[tag]])

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command: list[str | Path] = [
        ROOT / ".venv-docs/bin/mkdocs",
        "build",
        "--strict",
        "--quiet",
        "--site-dir",
        folder,
    ]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (built.returncode, built.stdout, built.stderr) == (0, "", "")
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Read]:
    pages: dict[Path, Read] = {}
    for path in site.glob("**/*.html"):
        if path.name != "404.html":  # its links begin at the site's root
            pages[path] = Read()
            pages[path].feed(path.read_text("utf-8"))
    assert len(pages) > 40
    return pages


def test_each_link_leads_to_a_file_and_a_heading(pages: dict[Path, Read]) -> None:
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or (
                parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors
            ):
                broken.append((path.name, link))
    assert broken == []


def test_no_page_asks_another_host(pages: dict[Path, Read]) -> None:
    loaded = {each for page in pages.values() for each in page.loaded}
    assert loaded
    assert {each for each in loaded if urlsplit(each).netloc} == set()


def test_each_document_is_a_page(site: Path) -> None:
    documents = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").glob("**/*.md")}
    missing = [each for each in documents if not (site / _page(each)).is_file()]
    assert missing == []


def _page(document: Path) -> Path:
    return document.with_name("index.html" if document.name == "README.md" else f"{document.stem}.html")


def test_sections_samples_and_endpoints_are_in_their_pages(site: Path, pages: dict[Path, Read]) -> None:
    assert not [path.name for path, page in pages.items() if "include: README" in path.read_text("utf-8")]
    receivers = pages[site / "receivers.html"].text
    for name in ("verify_with_secret", "verifyWithSecret", "VerifyWithSecret", "withSecret", "hash_equals"):
        assert name in receivers
    text = pages[site / "api.html"].text
    for path in json.loads((ROOT / "docs/openapi.json").read_text())["paths"]:
        assert path in text


def test_a_list_is_a_list(site: Path) -> None:
    """The repository's Markdown has no blank line before a list, and less space within one."""
    for name in ("operators", "quickstart", "deployment"):
        html = (site / f"{name}.html").read_text("utf-8")
        assert "<p>- " not in html
        assert "\n- <strong>" not in html
    quickstart = (site / "quickstart.html").read_text("utf-8")
    assert quickstart.count("<ol>") == 1
    assert "<p>2. " not in quickstart
