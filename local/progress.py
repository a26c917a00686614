"""Shows each step and its duration on the console; plain lines where the output is not a terminal."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.style import Style
from rich.text import Text


class Progress:
    """Steps on a console."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(file=sys.stdout, highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show a step while it lasts, then its duration."""
        began = time.monotonic()
        try:
            if self.console.is_terminal:
                with self.console.status(text):
                    yield
            else:
                yield
        except BaseException:
            self.console.print(f"[red]failed[/] {text} ({time.monotonic() - began:.1f} s)")
            raise
        self.console.print(f"[green]done[/]   {text} ({time.monotonic() - began:.1f} s)")

    def say(self, text: str) -> None:
        """Print a line."""
        self.console.print(text)

    def text(self, text: str) -> None:
        """Print a text as it is."""
        self.console.print(text, markup=False)

    def link(self, url: str) -> None:
        """Print an address in one line that can be clicked where the output is a terminal."""
        self.console.print(Text(url, style=Style(link=url, color="cyan"), no_wrap=True, overflow="ignore"))

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Print rows in columns; the last column is never wrapped, so that its text can be copied."""
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            self.console.print("  ".join(cells).rstrip(), markup=False)
