"""Shows a person what is being done and how long it took; plain lines where no terminal looks on."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table


class Progress:
    """Steps on a console."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(file=sys.stdout, highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show a step while it lasts, then its time."""
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
        """Show a line."""
        self.console.print(text)

    def table(self, rows: dict[str, str]) -> None:
        """Show names and values."""
        table = Table(show_header=False, box=None, pad_edge=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in rows.items():
            table.add_row(name, value)
        self.console.print(table)
