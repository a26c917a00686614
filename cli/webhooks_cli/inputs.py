"""What the user hands over as a file, or as `-` for stdin."""

from pathlib import Path

from webhooks_cli.errors import WrongUseError
from webhooks_cli.world import World

STDIN = "-"


def read_input(name: str, world: World) -> bytes:
    """Return a file's bytes, or stdin's; raises WrongUseError."""
    if name == STDIN:
        return world.stdin.read()
    try:
        return (world.folder / Path(name).expanduser()).read_bytes()
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a file's name"
        raise WrongUseError(f"{name}: cannot be read ({reason}); give a file, or - for stdin") from None


def read_text(name: str, world: World) -> str:
    """Return a file's text, or stdin's; raises WrongUseError."""
    try:
        return read_input(name, world).decode("utf-8")
    except UnicodeDecodeError:
        raise WrongUseError(f"{name}: is not UTF-8 text") from None
