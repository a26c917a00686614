"""The result of a command, printed as one JSON document or as text for a person."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.util import find_spec
from typing import Any, TextIO

from webhooks_cli.event_files import write_json


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text, and the names of their columns."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def plain(self) -> str:
        """Write aligned columns, for files and pipes."""
        lines = [self.columns, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )


@dataclass(frozen=True, slots=True)
class Json:
    """A JSON value to be shown to a person."""

    value: Any


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a stream: its JSON with --json, its text without."""

    document: Any
    text: str


@dataclass(frozen=True, slots=True)
class Stream:
    """Lines that are printed as they come, without an end of their own."""

    lines: Iterator[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`document` is printed with --json; without it `shown` goes to stdout and `notes` to stderr."""

    document: Any
    shown: str | Table | Json
    notes: tuple[str, ...] = ()
    exit_code: int = 0


def to_json(value: Any) -> str:
    """Write an indented JSON document, in its own order; a Decimal is a number with all its digits."""
    return _indented(value, "\n")


def _indented(value: Any, line: str) -> str:
    if not value or not isinstance(value, (dict, list, tuple)):
        return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
    inner = f"{line}  "
    if isinstance(value, dict):
        parts = [
            f"{json.dumps(str(name), ensure_ascii=False)}: {_indented(each, inner)}"
            for name, each in value.items()
        ]
        return f"{{{inner}{f',{inner}'.join(parts)}{line}}}"
    return f"[{inner}{f',{inner}'.join(_indented(each, inner) for each in value)}{line}]"


def show_document(value: Any, stdout: TextIO) -> None:
    print(to_json(value), file=stdout)


def printable(text: str, output: TextIO) -> str:
    """Return the text as it may be printed there: tenants and endpoints choose parts of it.

    On a terminal, characters that could control it are escaped.
    """
    if not output.isatty():
        return text
    return "".join(
        each if each.isprintable() or each in "\n\t" else each.encode("unicode_escape").decode()
        for each in text
    )


def show_stream(stream: Stream, stdout: TextIO, write: Callable[[Line], str]) -> None:
    """Print each line as soon as it is there."""
    for line in stream.lines:
        print(printable(write(line), stdout), file=stdout, flush=True)


def json_line(line: Line) -> str:
    """Write a line's document as JSON without a line break."""
    return write_json(line.document)


def text_line(line: Line) -> str:
    return line.text


def show_text(result: Result, stdout: TextIO, stderr: TextIO) -> None:
    """Print for a person: with colours where stdout is a terminal and rich is installed, else plain."""
    for note in result.notes:
        print(printable(note, stderr), file=stderr)
    if stdout.isatty() and not isinstance(result.shown, str) and find_spec("rich"):
        _show_on_terminal(result.shown, stdout)
    elif text := _plain(result.shown):
        print(printable(text, stdout), file=stdout)


def _plain(shown: str | Table | Json) -> str:
    if isinstance(shown, Table):
        return shown.plain()
    return to_json(shown.value) if isinstance(shown, Json) else shown


def _show_on_terminal(shown: Table | Json, stdout: TextIO) -> None:
    # Imported here: pipes do not need it, and it takes half of the start-up time.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table as RichTable  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console(file=stdout)
    if isinstance(shown, Json):
        console.print_json(to_json(shown.value), indent=2)
        return
    table = RichTable(*shown.columns, header_style="bold")
    for row in shown.rows:
        table.add_row(*(Text(cell) for cell in row))  # Text: rich takes no markup from a cell
    console.print(table)
