"""What can go wrong with a local stack, each as one line (and perhaps the end of a log) for a person."""

from pathlib import Path

LINES_SHOWN = 15


class LocalError(Exception):
    """Something that a person can do something about: its text says what."""


def failed(what: str, log: Path) -> LocalError:
    """Return an error that shows where the log is and how it ends."""
    lines = log.read_text("utf-8", errors="replace").splitlines() if log.is_file() else []
    ending = "\n".join(f"  | {line}" for line in lines[-LINES_SHOWN:])
    return LocalError(f"{what}; the log is {log}" + (f" and ends:\n{ending}" if ending else " (empty)"))
