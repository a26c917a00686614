"""The version of the project, everywhere that it stands, and its section of the changelog."""

import re
from dataclasses import dataclass
from pathlib import Path

from tools.gates.gate import ROOT

VERSION = re.compile(r"\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)\.\d+)?")
# `__version__` of the command is where the project's version is changed; the others follow it.
PLACES = {
    "cli/webhooks_cli/__init__.py": re.compile(r'^__version__ = "([^"]+)"', re.MULTILINE),
    "verify/webhooks_verify/__init__.py": re.compile(r'^__version__ = "([^"]+)"', re.MULTILINE),
    "template.yaml": re.compile(
        r"^  Version:\n    Description: .+\n    Value: [\"']?([^\s\"']+)", re.MULTILINE
    ),
}
# Metadata of the Serverless Application Repository, where the template has it.
PUBLISHED = re.compile(r"^\s+SemanticVersion: [\"']?([^\s\"']+)", re.MULTILINE)
SECTION = re.compile(r"^## \[(?P<version>[^\]]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)
UNRELEASED = "Unreleased"


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the changelog. `date`: empty for the changes that are not released."""

    version: str
    date: str
    text: str


def project_version(root: Path = ROOT) -> str:
    """Return the project's version."""
    place, pattern = next(iter(PLACES.items()))
    found = pattern.search((root / place).read_text("utf-8"))
    return found[1] if found else ""


def versions(root: Path = ROOT) -> dict[str, str]:
    """Return the version by place; empty where a place has none."""
    found = {place: pattern.search((root / place).read_text("utf-8")) for place, pattern in PLACES.items()}
    published = PUBLISHED.search((root / "template.yaml").read_text("utf-8"))
    return {place: each[1] if each else "" for place, each in found.items()} | (
        {"template.yaml, SemanticVersion": published[1]} if published else {}
    )


def sections(changelog: str) -> list[Section]:
    """Return the changelog's sections, newest first."""
    heads = list(SECTION.finditer(changelog))
    ends = [head.start() for head in heads[1:]] + [len(changelog)]
    return [
        Section(head["version"], head["date"] or "", changelog[head.end() : end].strip())
        for head, end in zip(heads, ends, strict=True)
    ]


def notes(version: str, root: Path = ROOT) -> str:
    """Return the changes of a version, or nothing where it has no section."""
    found = sections((root / "CHANGELOG.md").read_text("utf-8"))
    return next((each.text for each in found if each.version == version), "")


def faults(version: str, root: Path = ROOT) -> list[str]:
    """Return each reason for which the sources are not those of a release of this version."""
    if not VERSION.fullmatch(version):
        return [f"{version} is no version: 1.2.3, or 1.2.3-rc.1"]
    found = [
        f"{place} has the version {other or '(none)'}, not {version}"
        for place, other in versions(root).items()
        if other != version
    ]
    listed = sections((root / "CHANGELOG.md").read_text("utf-8"))
    if not listed or listed[0].version != UNRELEASED:
        found.append(f"CHANGELOG.md does not begin with a section [{UNRELEASED}]")
    elif listed[0].text:
        found.append(f"CHANGELOG.md has changes under [{UNRELEASED}]: move them to [{version}]")
    newest = next((each for each in listed if each.version != UNRELEASED), None)
    if newest is None or newest.version != version:
        found.append(f"CHANGELOG.md has no section [{version}] below [{UNRELEASED}]")
    elif not newest.date or not newest.text:
        found.append(f"the section [{version}] of CHANGELOG.md needs a date and changes")
    return found
