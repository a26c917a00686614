"""The console of a run: steps as the local stack shows them, and a question before anything is created."""

import sys
from collections.abc import Callable

from acceptance.account import Account
from acceptance.errors import RefusedError


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
