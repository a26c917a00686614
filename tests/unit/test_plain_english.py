"""Prose has nouns as subjects and the glossary's words: docstrings, comments, messages, pages and the template.

The models (httpx, Powertools, stamina) write "what" and "who" less than twice in 1,000 words.
"""

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PER_THOUSAND = 2.0
ALWAYS_ALLOWED = 1  # a single word in a short area is no habit

# The changelog and the decisions are history.
AREAS = {
    "pages": ["[!C]*.md", "CONTRIBUTING.md", "docs/*.md", "events/*.md", "requirements/*.md", "verify/*.md"],
    "generated pages": ["docs/benchmarks.md", "docs/cost.md"],
    "template": ["template.yaml"],
    "build": [
        "Makefile",
        "*.toml",
        "*/*.toml",
        "layers/**/*.mk",
        "layers/**/Makefile",
        "functions/Makefile",
        ".ci/run",
    ],
    "layers/webhooks": ["layers/webhooks/**/*.py"],
    "layers/signing": ["layers/signing/**/*.py"],
    "functions": ["functions/**/*.py"],
    "cli": ["cli/**/*.py"],
    "verify": ["verify/**/*.py"],
    "local": ["local/**/*.py"],
    "tools": ["tools/**/*.py"],
    "acceptance": ["acceptance/**/*.py", "acceptance/**/*.yaml"],
    "web": ["web/src/**/*.ts", "web/src/**/*.tsx", "web/*.ts"],
    "benchmarks": ["benchmarks/**/*.py"],
    "tests": ["tests/**/*.py"],
}
PRONOUNS = {
    "what": re.compile(r"\bwhat\b", re.IGNORECASE),
    "who": re.compile(r"\b(?:who|whom|whoever|nobody|somebody)\b", re.IGNORECASE),
}
# docs/glossary.md has the words that stand in their place.
RETIRED = frozenset(
    word
    for line in (
        "strand strands bury buries buried burying grave graves sweep sweeps swept pace paced paces",
        "moment moments chance chances entropy whom whoever nobody somebody",
        "wire wires aside mood moods",
    )
    for word in line.split()
)
WORD = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*")
NAME_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
MESSAGE_WORDS = 4  # a shorter string is a name or a value
DIRECTIVE = re.compile(r"#\s*(?:noqa|type:|pragma|ruff:|fmt:|mypy:|!).*")
CODE = re.compile(
    r"^( *)```.*?^\1```$|``[^`]+``|`[^`\n]+`|\]\([^)]*\)|https?://\S+", re.MULTILINE | re.DOTALL
)
# Of TypeScript: comments, strings, and the text between two tags.
SCRIPT_TEXT = re.compile(
    r"""/\*(?P<block>.*?)\*/|//(?P<line>[^\n]*)|"(?P<double>(?:\\.|[^"\\\n])*)"|'(?P<single>(?:\\.|[^'\\\n])*)'"""
    r"""|`(?P<template>(?:\\.|\$\{(?:[^{}`]|`[^`]*`)*\}|\$(?!\{)|[^`\\$])*)`|(?<!=)>(?P<element>[^<>{}=;`]+)(?=[<{])""",
    re.DOTALL,
)
PLACE = re.compile(r"\$\{(?:[^{}`]|`[^`]*`)*\}")  # of a value in a string
COMMENT = re.compile(r"(?:# |(?:Description|ConstraintDescription): )(.*)$", re.MULTILINE)


def files(area: str) -> list[Path]:
    found = {path for pattern in AREAS[area] for path in ROOT.glob(pattern)}
    if area == "pages":
        found -= set(files("generated pages"))
    return sorted(path for path in found if path != Path(__file__) and "build" not in path.parts)


@cache
def prose(path: Path) -> str:
    """Return the sentences of a file, without code."""
    text = path.read_text()
    if path.suffix == ".py":
        text = "\n".join([*_strings(text), *_comments(text)])
    elif path.suffix in {".ts", ".tsx"}:
        text = "\n".join(_script_texts(text))
    elif path.suffix != ".md":
        text = "\n".join(COMMENT.findall(text))
    return CODE.sub(" ", text)


def _strings(source: str) -> Iterator[str]:
    """Yield docstrings and messages."""
    texts = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    for text in texts:
        if isinstance(text, str) and len(WORD.findall(text)) >= MESSAGE_WORDS:
            yield text


def _comments(source: str) -> Iterator[str]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield DIRECTIVE.sub("", token.string).lstrip("# ")


def _script_texts(source: str) -> Iterator[str]:
    """Yield comments, and messages: strings, and texts between two tags."""
    for found in SCRIPT_TEXT.finditer(source):
        kind, text = found.lastgroup, PLACE.sub(" ", found[str(found.lastgroup)])
        if kind in {"block", "line"} or len(WORD.findall(text)) >= MESSAGE_WORDS:
            yield text


def names(path: Path) -> set[str]:
    """Return the words that a module's names consist of."""
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
    return {
        part.lower()
        for token in tokens
        if token.type == tokenize.NAME
        for part in NAME_PART.findall(token.string)
    }


@pytest.mark.parametrize("pronoun", PRONOUNS)
@pytest.mark.parametrize("area", AREAS)
def test_a_sentence_has_a_noun_as_its_subject(area: str, pronoun: str) -> None:
    counts = Counter({_name(path): len(PRONOUNS[pronoun].findall(prose(path))) for path in files(area)})
    words = sum(len(WORD.findall(prose(path))) for path in files(area))
    rate = 1000 * counts.total() / max(words, 1)
    most = ", ".join(f"{name} {count}" for name, count in counts.most_common(20) if count)
    assert rate < PER_THOUSAND or counts.total() <= ALWAYS_ALLOWED, (
        f"{area}: '{pronoun}' {counts.total()} times in {words} words, {rate:.1f} in 1,000: {most}"
    )


@pytest.mark.parametrize("area", AREAS)
def test_prose_has_no_retired_word(area: str) -> None:
    found = {_name(path): RETIRED & set(map(str.lower, WORD.findall(prose(path)))) for path in files(area)}
    assert {name: sorted(retired) for name, retired in found.items() if retired} == {}


@pytest.mark.parametrize("area", AREAS)
def test_names_have_no_retired_word(area: str) -> None:
    found = {_name(path): RETIRED & names(path) for path in files(area) if path.suffix == ".py"}
    assert {name: sorted(retired) for name, retired in found.items() if retired} == {}


def test_the_texts_of_a_script_are_its_comments_strings_and_elements() -> None:
    source = """
// who reads a line
const url = "https://example/what"; /* who reads
a block */
const short = 'what is it'; const long = "what the four words say";
const made = `what ${short ? `a${what}` : ""} makes of it`;
const view = <p title="x">who reads between tags<b>what</b></p>;
"""
    assert [text.strip() for text in _script_texts(source)] == [
        "who reads a line",
        "who reads\na block",
        "what the four words say",
        "what   makes of it",
        "who reads between tags",
    ]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
