"""The console of a run: an output that may go away, and a question before anything is created."""

import io
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

from acceptance.account import Account
from acceptance.errors import RefusedError


class LastingOutput(io.TextIOBase):
    """Writes to another output until it goes away: a closed console must not end a tear-down."""

    def __init__(self, output: TextIO) -> None:
        self._output = output

    def write(self, text: str) -> int:
        """Write and flush, or do without."""
        with suppress(OSError, ValueError):
            self._output.write(text)
            self._output.flush()
        return len(text)

    def isatty(self) -> bool:
        """Tell whether the output is a terminal."""
        return self._output.isatty()


def confirm(
    account: Account, given: str, *, ask: Callable[[str], str] = input, terminal: bool | None = None
) -> None:
    """Return where the caller has confirmed the account by its id. Raises RefusedError."""
    if given:
        if given != account.id:
            raise RefusedError(f"CONFIRM={given} is not this account: the credentials are of {account.id}")
        return
    if not (sys.stdin.isatty() if terminal is None else terminal):
        raise RefusedError(f"not confirmed: repeat with CONFIRM={account.id}")
    try:
        typed = ask(f"Type the account's id to go on in {account.region} ({account.id}): ").strip()
    except EOFError:
        typed = ""
    if typed != account.id:
        raise RefusedError("not confirmed: nothing was created")
