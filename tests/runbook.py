"""docs/runbook.md as its tests read it: sections by alarm, with their commands, and the table at its top."""

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "runbook.md"
HEADING = re.compile(r"^## ([a-z]+(?:-[a-z]+)*)$", re.MULTILINE)
ANY_HEADING = re.compile(r"^## .*$", re.MULTILINE)
BLOCK = re.compile(r"^( *)```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| \[([a-z-]+)\]\(#([a-z-]+)\) \| (\w+) \| (.+) \|$", re.MULTILINE)
STACK = "--stack webhooks"  # as the page names it


@dataclass(frozen=True)
class Section:
    """The text below one heading, or below several in a row."""

    names: tuple[str, ...]
    text: str

    @property
    def commands(self) -> tuple[str, ...]:
        return tuple(commands_of(self.text))

    def command(self, line: str, **values: str) -> str:
        """Return a command of the section, with values for its CAPITALS, and for the local stack.

        `line` is the command as the page has it, without the stack. Raises AssertionError where it is none.
        """
        known = [each.replace(f" {STACK}", "") for each in self.commands]
        assert line in known, f"{line} is no command of {self.names}: {known}"
        return filled(line, values)


def commands_of(text: str) -> Iterator[str]:
    """Yield the lines of the blocks with commands."""
    for _, block in BLOCK.findall(text):
        yield from textwrap.dedent(block).splitlines()


def filled(line: str, values: dict[str, str]) -> str:
    """Put values in place of the CAPITALS."""
    names = re.compile(rf"\b({'|'.join(values)})\b") if values else re.compile("(?!)")
    return shlex.join(names.sub(lambda found: values[found[0]], each) for each in shlex.split(line))


def sections() -> dict[str, Section]:
    """Return each section by the name of its alarm."""
    page = PAGE.read_text("utf-8")
    found: dict[str, Section] = {}
    names: list[str] = []
    headings = [*ANY_HEADING.finditer(page)]
    ends = [*(each.start() for each in headings[1:]), len(page)]
    for heading, end in zip(headings, ends, strict=True):
        alarm = HEADING.fullmatch(heading[0])
        if not alarm:
            names = []
            continue
        names.append(alarm[1])
        if text := page[heading.end() : end].strip():
            found |= dict.fromkeys(names, Section(tuple(names), text))
            names = []
    return found


def rows() -> list[tuple[str, str, str]]:
    """Return the table's alarms, each with its link and its severity."""
    return [(name, link, severity) for name, link, severity, _ in ROW.findall(PAGE.read_text("utf-8"))]
