"""`webhooks credentials`: the form in which webhooks' credentials are kept, for operators."""

from argparse import Namespace
from typing import TYPE_CHECKING

from webhooks_cli.context import CliContext
from webhooks_cli.errors import WrongUseError
from webhooks_cli.options import add_command, deployment_options, output_options
from webhooks_cli.result import Result

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

RATE, MOST = 20, 40  # a second; Secrets Manager creates and deletes 50 a second in a region
STATUS = """\
Count the credentials of each form: secrets, and those that are sealed in their webhooks' items. The whole
subscriptions table is read once.

examples:
  webhooks credentials status --stack webhooks
  webhooks credentials status --stack webhooks --json
"""
MIGRATE = """\
Give the credentials of all webhooks another form while the service works: `table` seals them in their
webhooks' items, `secrets-manager` makes a secret of each. Set the parameter CredentialStore first: it decides
the form of new ones. A tenant's change wins. Secrets that are replaced are deleted two minutes later, and AWS
keeps them for 7 more days. A credential that cannot be read is named, and the others go on (exit code 1).
If the command is cut off, run it again.

examples:
  webhooks credentials migrate --to table --stack webhooks --dry-run
  webhooks credentials migrate --to table --stack webhooks
  webhooks credentials migrate --to secrets-manager --stack webhooks --rate 10
"""


def add_parser(commands: "Commands") -> None:
    actions = commands.add_parser(
        "credentials", help="see and change the form of webhooks' credentials (operators)", allow_abbrev=False
    ).add_subparsers(metavar="ACTION", required=True)
    add_command(
        actions, "status", run=status, summary="count the credentials of each form", description=STATUS,
        parents=[output_options(), deployment_options()],
    )  # fmt: skip
    parser = add_command(
        actions, "migrate", run=migrate, summary="give all credentials another form", description=MIGRATE,
        parents=[output_options(), deployment_options()],
    )  # fmt: skip
    parser.add_argument("--to", choices=("table", "secrets-manager"), required=True, help="the form")
    parser.add_argument(
        "--rate", type=_rate, default=RATE, metavar="N",
        help=f"webhooks a second, 1 to {MOST} (default: {RATE})",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="read each credential, and write nothing")


def _rate(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST:
        raise WrongUseError(f"--rate: must be a whole number from 1 to {MOST}")
    return int(text)


def status(options: Namespace, context: CliContext) -> Result:
    # Imported here: only operators have its libraries.
    from webhooks_cli.credentials import work  # noqa: PLC0415

    return work.status(options, context)


def migrate(options: Namespace, context: CliContext) -> Result:
    # Imported here: only operators have its libraries.
    from webhooks_cli.credentials import work  # noqa: PLC0415

    return work.migrate(options, context)
