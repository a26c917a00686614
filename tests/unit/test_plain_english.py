"""Prose has nouns as subjects, and the glossary's words.

Model projects (httpx, Powertools, stamina) write "what" and "who" under 2 times in 1,000 words.
"""

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PER_THOUSAND = 2.0
# Rate counted for areas of any size; one word in a short area is no habit.
FREE = 1

PYTHON = {
    "layers/webhooks": "layers/webhooks",
    "layers/signing": "layers/signing",
    "functions": "functions",
    "cli": "cli",
    "verify": "verify",
    "local": "local",
    "tools": "tools",
    "benchmarks": "benchmarks",
    "tests": "tests",
}
# The changelog and the decisions are history; openapi.json is made from the code.
PAGES = {
    "README and docs": [
        "*.md",
        "docs/*.md",
        "events/README.md",
        "requirements/README.md",
        "verify/README.md",
    ],
    "generated pages": ["docs/cost.md", "docs/benchmarks.md"],
}
HISTORY = {"CHANGELOG.md"}

PRONOUNS = {
    "what": re.compile(r"\bwhat\b", re.IGNORECASE),
    "who": re.compile(r"\b(?:who|whom|whoever|nobody|somebody)\b", re.IGNORECASE),
}
# docs/glossary.md has the word that stands in place of each.
RETIRED = frozenset(
    word
    for line in (
        "strand strands bury buries buried burying grave graves sweep sweeps swept pace paced paces",
        "moment moments chance chances entropy whom whoever nobody somebody",
    )
    for word in line.split()
)
WORD = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*")
IDENTIFIER_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
DIRECTIVE = re.compile(r"#\s*(?:noqa|type:|pragma|ruff:|fmt:|mypy:|!)[^\n]*")
CODE = re.compile(
    r"^( *)```.*?^\1```$|``[^`]+``|`[^`\n]+`|\]\([^)]*\)|https?://\S+", re.MULTILINE | re.DOTALL
)


def python_files(folder: str) -> list[Path]:
    return [path for path in sorted((ROOT / folder).rglob("*.py")) if not _is_installed(path)]


def pages(name: str) -> list[Path]:
    generated = {ROOT / page for page in PAGES["generated pages"]}
    found = {path for pattern in PAGES[name] for path in ROOT.glob(pattern)}
    return sorted(
        path
        for path in found
        if path.name not in HISTORY and (name == "generated pages" or path not in generated)
    )


def _is_installed(path: Path) -> bool:
    return any(part.startswith(".") or part == "build" for part in path.relative_to(ROOT).parts)


def prose_of_python(source: str) -> str:
    """Return the docstrings and comments of a module."""
    return "\n".join(CODE.sub(" ", text) for text in chain(_docstrings(source), _comments(source)))


def prose_of_page(text: str) -> str:
    """Return a page without its code."""
    return CODE.sub(" ", text)


def prose_of_template(text: str) -> str:
    """Return comments, descriptions and messages of the template."""
    lines = (
        match["text"]
        for match in re.finditer(
            r"(?:#|(?:Description|ConstraintDescription|default): (?:!Sub )?(?:>-)?)(?P<text>.*)$",
            text,
            re.MULTILINE,
        )
    )
    return "\n".join(lines)


def _docstrings(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


def _tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(source).readline)


def _comments(source: str) -> Iterator[str]:
    for token in _tokens(source):
        if token.type == tokenize.COMMENT:
            yield DIRECTIVE.sub("", token.string).lstrip("# ")


def identifiers(source: str) -> set[str]:
    """Return the lower-case words that a module's names consist of."""
    names = {token.string for token in _tokens(source) if token.type == tokenize.NAME}
    return {part.lower() for name in names for part in IDENTIFIER_PART.findall(name)}


def words(prose: str) -> list[str]:
    return [word.lower() for word in WORD.findall(prose)]


def rates(prose: str) -> dict[str, float]:
    """Return each pronoun's occurrences in 1,000 words."""
    total = max(1, len(WORD.findall(prose)))
    return {name: 1000 * len(pattern.findall(prose)) / total for name, pattern in PRONOUNS.items()}


def check_rate(area: str, prose: dict[Path, str]) -> None:
    whole = "\n".join(prose.values())
    per_file = {
        name: Counter(
            {str(path.relative_to(ROOT)): len(pattern.findall(text)) for path, text in prose.items()}
        )
        for name, pattern in PRONOUNS.items()
    }
    for name, rate in rates(whole).items():
        count = len(PRONOUNS[name].findall(whole))
        most = [f"{file}: {times}" for file, times in per_file[name].most_common(12) if times]
        assert rate < PER_THOUSAND or count <= FREE, (
            f"{area}: '{name}' {rate:.1f} times in 1,000 words ({count} in {len(WORD.findall(whole))}), most in {most}"
        )


def check_retired(texts: dict[Path, set[str]]) -> None:
    found = {str(path.relative_to(ROOT)): sorted(text & RETIRED) for path, text in texts.items()}
    assert {path: retired for path, retired in found.items() if retired} == {}


@pytest.mark.parametrize("area", PYTHON)
def test_docstrings_and_comments_have_nouns_as_subjects(area: str) -> None:
    check_rate(area, {path: prose_of_python(path.read_text()) for path in python_files(PYTHON[area])})


@pytest.mark.parametrize("area", PYTHON)
def test_docstrings_and_comments_have_no_retired_word(area: str) -> None:
    check_retired(
        {path: set(words(prose_of_python(path.read_text()))) for path in python_files(PYTHON[area])}
    )


@pytest.mark.parametrize("area", PYTHON)
def test_names_have_no_retired_word(area: str) -> None:
    check_retired({path: identifiers(path.read_text()) for path in python_files(PYTHON[area])})


@pytest.mark.parametrize("area", PAGES)
def test_pages_have_nouns_as_subjects(area: str) -> None:
    check_rate(area, {path: prose_of_page(path.read_text()) for path in pages(area)})


@pytest.mark.parametrize("area", PAGES)
def test_pages_have_no_retired_word(area: str) -> None:
    check_retired({path: set(words(prose_of_page(path.read_text()))) for path in pages(area)})


def test_the_template_has_nouns_as_subjects_and_no_retired_word() -> None:
    path = ROOT / "template.yaml"
    prose = prose_of_template(path.read_text())
    check_rate("template.yaml", {path: prose})
    check_retired({path: set(words(prose))})
