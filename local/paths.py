"""Paths of the project's files and of the programs that `make setup` installs."""

from pathlib import Path

from local.errors import LocalError

ROOT = Path(__file__).resolve().parent.parent
EVENTS = ROOT / "events"
LOCAL = ROOT / ".local"
STACK_FILE = LOCAL / "stack.json"
CALLER_FILE = LOCAL / "caller.json"  # the webhooks command's key pair for the stack of stack.json


def tool(environment: str, name: str) -> Path:
    """Return the path of a program in one of the environments. Raises LocalError where it is missing."""
    path = ROOT / environment / "bin" / name
    if not path.exists():
        raise LocalError(f"{path.relative_to(ROOT)} is missing: `make setup` installs it")
    return path
