"""Errors of the local stack: a line that says which step failed, and the log file to read."""

from pathlib import Path

LINES_SHOWN = 15


class LocalError(Exception):
    """A step failed; the message names the remedy or the file to read."""


def failed(problem: str, *logs: Path) -> LocalError:
    """Return an error that names the logs to read and shows the last lines of the first."""
    lines = logs[0].read_text("utf-8", errors="replace").splitlines() if logs[0].is_file() else []
    ending = "\n".join(f"  | {line}" for line in lines[-LINES_SHOWN:])
    *others, last = map(str, logs)
    named = f"{', '.join(others)} and {last}" if others else last
    return LocalError(
        f"{problem}; read {named}"
        + (f"\n{logs[0].name} ends:\n{ending}" if ending else f" ({logs[0].name} is empty)")
    )
