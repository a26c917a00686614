"""Passphrases of identities, from a file or a question: never from an argument, which others can see."""

import getpass
from argparse import Namespace

from webhooks_cli.context import CliContext
from webhooks_cli.errors import MissingError, WrongUseError


def new_passphrase(options: Namespace, context: CliContext) -> "str | None":
    if not options.passphrase and not options.passphrase_file:
        return None
    first = read_passphrase(options, context, "Passphrase: ")
    if options.passphrase and read_passphrase(options, context, "Again: ") != first:
        raise WrongUseError("the two passphrases differ: nothing was written")
    return first


def read_passphrase(options: Namespace, context: CliContext, prompt: str) -> str:
    """Read the passphrase from its file, else from the terminal or stdin. Raises CliError."""
    text: str
    if options.passphrase_file:
        path = context.folder / options.passphrase_file.expanduser()
        try:
            text = path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise MissingError(f"{path}: the passphrase cannot be read from there") from None
    elif context.stdin.isatty():
        text = getpass.getpass(prompt, context.stderr)
    else:
        text = context.stdin.readline().decode("utf-8", "replace").strip()
    if not text:
        raise WrongUseError(
            "the passphrase is empty: give it in a file with --passphrase-file, or when asked"
        )
    return text
