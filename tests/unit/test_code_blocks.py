"""Every block of code in every document is of a language that is checked, and is valid in it."""

import ast
import json
import re
import shlex
import subprocess
import textwrap
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.readme_verifiers import NODE
from webhooks_cli.errors import WrongUseError
from webhooks_cli.main import parser

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")]
BLOCK = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SNIPPET = "--8<--"
SHELL = {"", "sh"}  # without a language: commands, or a drawing
DRAWING = re.compile(r"[─→▶│]|^[a-z_ ]+$")
BLOCKS = [
    (
        f"{document.relative_to(ROOT)}:{document.read_text()[: found.start()].count(chr(10)) + 1}",
        found[2],
        code,
    )
    for document in DOCUMENTS
    for found in BLOCK.finditer(document.read_text())
    if SNIPPET not in (code := textwrap.dedent(found[3])) and "adr" not in document.parts
]
COMMANDS = [
    (place, code) for place, language, code in BLOCKS if language in SHELL and not DRAWING.search(code)
]


def of(*languages: str) -> list[pytest.param]:  # type: ignore[valid-type]
    return [pytest.param(code, id=place) for place, language, code in BLOCKS if language in languages]


def test_every_language_is_known() -> None:
    known = {*SHELL, "json", "python", "js", "markdown", "toml", "yaml"}
    assert {language for _, language, _ in BLOCKS} <= known
    assert len(COMMANDS) > 20


@pytest.mark.parametrize("code", of("python"))
def test_python_compiles(code: str) -> None:
    ast.parse(code)


@pytest.mark.parametrize("code", of("json"))
def test_json_is_json(code: str) -> None:
    json.loads(re.sub(r"^ *\.\.\.,?$|…", "", code, flags=re.MULTILINE))


def test_toml_is_toml() -> None:
    for _, language, code in BLOCKS:
        if language == "toml":
            tomllib.loads(code)


@pytest.mark.parametrize("code", of("yaml"))
def test_yaml_is_yaml(code: str) -> None:
    assert yaml.compose(code)  # with CloudFormation's tags, which are not resolved


@pytest.mark.parametrize("code", of("js"))
def test_javascript_is_javascript(code: str) -> None:
    checked = subprocess.run(
        [NODE, "--input-type=module", "--check", "-"], input=code, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("code", [pytest.param(code, id=place) for place, code in COMMANDS])
def test_commands_are_valid_shell(code: str) -> None:
    read = subprocess.run(["bash", "-n"], input=code, capture_output=True, text=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")


@pytest.mark.parametrize(
    "code", [pytest.param(code, id=place) for place, code in COMMANDS if "webhooks " in code]
)
def test_the_command_knows_its_options(code: str) -> None:
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.split(line.partition(" # ")[0]) if line.startswith("webhooks ") else []
        end = next((at for at, word in enumerate(words) if word in {"|", "&&", ">", ";"}), len(words))
        if words and words[1:end] != ["--version"]:
            try:
                parser().parse_args(words[1:end])
            except (WrongUseError, SystemExit) as error:
                raise AssertionError(f"{line}: {error}") from None
