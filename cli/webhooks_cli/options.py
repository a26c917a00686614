"""The options that commands share, and a parser that raises WrongUseError."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from webhooks_cli.errors import WrongUseError
from webhooks_cli.license import LEVELS

if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction

    from webhooks_cli.context import CliContext
    from webhooks_cli.result import Result, Stream

    Command = Callable[[Namespace, CliContext], "Result | Stream"]
    Commands = _SubParsersAction["Parser"]


class Parser(ArgumentParser):
    """Raises WrongUseError where argparse would end the process."""

    def error(self, message: str) -> NoReturn:
        """Raise WrongUseError with the message and the usage."""
        raise WrongUseError(f"{message}\n{self.format_usage().strip()}\n`{self.prog} --help` says more")


def add_command(
    commands: "Commands", name: str, *, run: "Command", summary: str, description: str, parents: list[Parser]
) -> Parser:
    """Add a command; `description` is the text of its --help, with examples."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=description,
        parents=parents,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    return parser


def output_options() -> Parser:
    """Return the options of every command."""
    parser = Parser(add_help=False)
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout, nothing else")
    return parser


def deployment_options() -> Parser:
    """Return the options that choose the deployment, tenant and community."""
    parser = Parser(add_help=False)
    group = parser.add_argument_group("deployment (default: .local/stack.json, here or in a folder above)")
    group.add_argument("--profile", metavar="NAME", help="a table of ~/.config/webhooks/profiles.toml")
    group.add_argument("--url", help="URL of the API, with its stage")
    group.add_argument("--stack", metavar="NAME", help="a CloudFormation stack (for operators)")
    group.add_argument("--region", help="the stack's region (default: as AWS's own tools)")
    group.add_argument("--tenant", metavar="ID", help="instead of the configured tenant")
    group.add_argument("--community", metavar="ID", help="instead of the configured community")
    parser.set_defaults(level=None, license_file=None, key_file=None)
    return parser


def caller_options() -> Parser:
    """Return the options that choose the caller's license and key pair."""
    parser = Parser(add_help=False)
    group = parser.add_argument_group("caller")
    group.add_argument(
        "--level", choices=LEVELS, help="the license of .local/stack.json to use (default: system)"
    )
    group.add_argument(
        "--license-file", type=Path, metavar="FILE", help="holds the license key (or: WEBHOOKS_LICENSE)"
    )
    group.add_argument(
        "--key-file", type=Path, metavar="FILE", help="holds the private key (default: a new pair)"
    )
    return parser
