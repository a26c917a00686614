"""What `mkdocs build` needs beside mkdocs.yml: sections of other files, files beside docs/, generated tables.

A page includes a section of another file by a comment: `<!-- include: README.md#Verify a callback -->`. A
link to a file of the project beside docs/ leads to a copy under project/ of the site: it needs no repository.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
DOCS = PurePosixPath("docs")
PROJECT = PurePosixPath("project")  # the folder of the copies
INCLUDE = re.compile(r"^<!-- include: (?P<file>[\w./-]+)#(?P<section>.+?) -->$", re.MULTILINE)
LINK = re.compile(r"(?P<before>\]\()(?!\w+:|#)(?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?(?P<after>\))")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCE = re.compile(r"^ *```")
ITEM = re.compile(r"^ *([-*]|\d+\.) ")
INDENT = 4  # what a list's inner lines have in MkDocs; in the repository they have two or three spaces
ENDPOINTS = "<!-- endpoints -->"
METHODS = ("get", "put", "post", "patch", "delete")


def on_config(config: MkDocsConfig) -> None:
    """Add the decisions to the navigation."""
    pages = sorted(path.name for path in (ROOT / DOCS / "adr").glob("0*.md"))
    decisions = ["adr/README.md", *(f"adr/{name}" for name in pages)]
    changes = [
        {"Changelog": str(PROJECT / "CHANGELOG.md")},
        {"Contributing": str(PROJECT / "CONTRIBUTING.md")},
    ]
    config.nav = [*(config.nav or []), {"Decisions": decisions}, {"Project": changes}]


def on_files(files: Files, *, config: MkDocsConfig) -> None:
    """Add the files beside docs/ that pages link to, and those that these link to."""
    waiting = [_origin(each.src_uri) for each in files.documentation_pages()]
    waiting += [PurePosixPath("CHANGELOG.md"), PurePosixPath("CONTRIBUTING.md")]
    added: set[PurePosixPath] = set()
    while waiting:
        source = waiting.pop()
        if not source.is_relative_to(DOCS) and source not in added:
            added.add(source)
            copy = File.generated(config, str(PROJECT / source), abs_src_path=str(ROOT / source))
            files.append(copy)
        if source.suffix == ".md":
            text = _with_sections((ROOT / source).read_text("utf-8"), source)
            found = (_target(source, link["path"]) for link in LINK.finditer(text))
            waiting += [each for each in found if each not in added and not each.is_relative_to(DOCS)]


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put sections and endpoints in, and let links lead to the site's files."""
    del config, files
    source = _origin(page.file.src_uri)
    text = _with_sections(markdown, source).replace(ENDPOINTS, _endpoints())
    here = PurePosixPath(page.file.src_uri).parent

    def linked(link: re.Match[str]) -> str:
        target = _target(source, link["path"])
        place = target.relative_to(DOCS) if target.is_relative_to(DOCS) else PROJECT / target
        return f"{link['before']}{os.path.relpath(place, here)}{link['anchor'] or ''}{link['after']}"

    return "\n".join(_lines(LINK.sub(linked, text).split("\n")))


def _lines(lines: Iterable[str]) -> Iterator[str]:
    """Write lists as MkDocs reads them: a blank line before, inner lines by four spaces."""
    before = ""
    fence: tuple[int, int] | None = None  # the spaces before the fence, and those that it gets
    for line in lines:
        spaces = len(line) - len(line.lstrip(" "))
        if fence:
            moved = " " * fence[1] + line[fence[0] :] if spaces >= fence[0] else line
            fence = None if FENCE.match(line) else fence
            before = line
            yield moved
            continue
        wanted = -(-spaces // INDENT) * INDENT
        if FENCE.match(line):
            fence = (spaces, wanted)
        elif ITEM.match(line) and before.strip() and not before.startswith(" ") and not ITEM.match(before):
            yield ""
        before = line
        yield " " * wanted + line[spaces:]


def _origin(site_path: str) -> PurePosixPath:
    """Return the project's file that a file of the site is."""
    path = PurePosixPath(site_path)
    return path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else DOCS / path


def _target(source: PurePosixPath, link: str) -> PurePosixPath:
    """Return the project's file that a link in another one leads to; of a folder its README."""
    path = PurePosixPath(os.path.normpath(source.parent / link))
    return path / "README.md" if (ROOT / path).is_dir() else path


def _with_sections(text: str, source: PurePosixPath) -> str:
    """Replace each include by the section's text, with links as seen from `source`."""

    def included(include: re.Match[str]) -> str:
        origin = PurePosixPath(include["file"])
        section = _section((ROOT / origin).read_text("utf-8"), include["section"])

        def moved(link: re.Match[str]) -> str:
            path = os.path.relpath(_target(origin, link["path"]), source.parent)
            return f"{link['before']}{path}{link['anchor'] or ''}{link['after']}"

        return LINK.sub(moved, section)

    return INCLUDE.sub(included, text)


def _section(text: str, title: str) -> str:
    """Return the text below a heading of the second level. Raises ValueError where there is none."""
    _, heading, rest = text.partition(f"\n## {title}\n")
    if not heading:
        raise ValueError(f"there is no section {title!r}: {HEADING.findall(text)}")
    return rest.partition("\n## ")[0].strip("\n")


def _endpoints() -> str:
    """Write the table of endpoints from the OpenAPI document."""
    document = json.loads((ROOT / DOCS / "openapi.json").read_text("utf-8"))
    rows = [
        f"| `{method.upper()}` | `{path}` | {operation.get('summary', '')} |"
        for path, operations in document["paths"].items()
        for method, operation in _operations(operations)
    ]
    return "\n".join(("| method | path | does |", "|---|---|---|", *rows))


def _operations(operations: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((method, operations[method]) for method in METHODS if method in operations)
