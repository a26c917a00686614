"""Examples of the documents can be pasted, and their links lead to files."""

import ast
import json
import re
import subprocess
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
TEST = re.compile(r"`(?P<file>tests/[\w/]+\.py|\.\.\.)(?:::(?P<test>\w+))?`")
NAMED = re.compile(r"`([\w./-]+)`")
FOLDERS = [path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")]
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
README = [
    (language, textwrap.dedent(text)) for _, language, text in BLOCK.findall((ROOT / "README.md").read_text())
]
STEPS = [text for language, text in README if language == "" and "─" not in text]


def of(language: str) -> list[str]:
    return [text for each, text in README if each == language]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_link_leads_to_a_file(document: Path) -> None:
    links = LINK.findall(document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_source_file_that_a_page_names_exists(document: Path) -> None:
    """A path may begin at any folder. Pages of the past name the files of the past."""
    if document.parent.name == "adr" or document.name == "CHANGELOG.md":
        return
    folders = {path.name for path in FOLDERS}
    named = {
        name
        for name in NAMED.findall(document.read_text())
        if name.endswith(".py") or ("/" in name and name.partition("/")[0] in folders)
    }
    assert {name for name in named if not _exists(name)} == set()


def _exists(name: str) -> bool:
    return (ROOT / name).exists() or any(found for folder in FOLDERS for found in folder.glob(f"**/{name}"))


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*.md")), ids=lambda path: path.name)
def test_a_test_that_a_page_names_exists(page: Path) -> None:
    missing: list[str] = []
    file: Path | None = None
    for named in TEST.finditer(page.read_text()):
        file = file if named["file"] == "..." else ROOT / named["file"]
        source = file.read_text() if file and file.is_file() else ""
        if not source or (named["test"] and f"def {named['test']}(" not in source):
            missing.append(named[0])
    assert missing == []


def test_the_python_code_in_the_readme_compiles() -> None:
    assert len(of("python")) >= 3
    for text in of("python"):
        ast.parse(text)


@pytest.mark.parametrize("text", STEPS, ids=lambda text: text.split("\n")[0])
def test_the_steps_in_the_readme_are_valid_shell(text: str) -> None:
    read = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")


def test_the_producer_policy_in_the_readme_covers_an_encrypted_queue() -> None:
    text = next(text for text in of("json") if "Statement" in text)
    allowed = {
        action
        for statement in json.loads(text)["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    # SQS's developer guide, "Key management": of a producer, for the key of the queue.
    assert allowed == {"sqs:SendMessage", "kms:GenerateDataKey", "kms:Decrypt"}


def test_the_license_is_the_apache_license() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License\n                           Version 2.0" in text
    assert "Copyright 2026 The webhooks authors" in text
    for project in ("pyproject.toml", "cli/pyproject.toml", "verify/pyproject.toml"):
        assert 'license = "Apache-2.0"' in (ROOT / project).read_text()


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/*.md")), ids=lambda path: path.name)
def test_a_page_is_in_the_navigation_of_the_site(page: Path) -> None:
    """Each docs/*.md has a line there: without one only a link leads to it, and MkDocs says nothing."""
    lines = [line.strip() for line in (ROOT / "mkdocs.yml").read_text().splitlines()]
    assert [line for line in lines if line == f"- {page.name}" or line.endswith(f": {page.name}")]
