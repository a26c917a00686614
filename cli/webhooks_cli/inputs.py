"""Inputs of the user: a file, or `-` for stdin."""

from pathlib import Path

from webhooks_cli.context import CliContext
from webhooks_cli.errors import WrongUseError

STDIN = "-"


def read_input(name: str, context: CliContext) -> bytes:
    """Return a file's bytes, or stdin's; raises WrongUseError."""
    if name == STDIN:
        return context.stdin.read()
    try:
        return (context.folder / Path(name).expanduser()).read_bytes()
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a file's name"
        raise WrongUseError(f"{name}: cannot be read ({reason}); give a file, or - for stdin") from None


def read_text(name: str, context: CliContext) -> str:
    """Return a file's text, or stdin's; raises WrongUseError."""
    try:
        return read_input(name, context).decode("utf-8")
    except UnicodeDecodeError:
        raise WrongUseError(f"{name}: is not UTF-8 text") from None
