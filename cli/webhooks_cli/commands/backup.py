"""`webhooks backup`: all that another deployment needs to serve every tenant, in one encrypted file."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from webhooks_cli.backup.resources import resource_options
from webhooks_cli.context import CliContext
from webhooks_cli.options import Parser, add_command, deployment_options, output_options
from webhooks_cli.result import Result

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

KEY = """\
Make a key for backups: FILE gets the identity, which decrypts them; the recipient, which encrypts them, is
printed. Keep FILE away from the deployment's account, with a passphrase (--passphrase asks for it).

examples:
  webhooks backup key backups.identity --passphrase
  webhooks backup key backups.identity --passphrase-file passphrase.txt > backups.recipient
"""
CREATE = """\
Back up a deployment while it works: webhooks with their credentials, licenses, the service's keys, and with
--with-deliveries the delivery log. FILE holds private keys: it is encrypted for the recipients (age), and
only its owner can read it. Queues and the idempotency records of the last minutes are left out.

examples:
  webhooks backup create webhooks.age --recipients backups.recipient --stack webhooks
  webhooks backup create before.age --recipients ops.txt --stack webhooks --with-deliveries
  webhooks backup create restored.age --recipients ops.txt --stack webhooks --subscriptions-table RESTORED
"""
SHOW = """\
Read a backup to its end, and show its origin, its counts and its digest.

examples:
  webhooks backup show webhooks.age --identity backups.identity
  webhooks backup show webhooks.age --identity backups.identity --json
"""
RESTORE = """\
Restore a backup into a deployment of the same or another name, account or region. The whole file is read
before anything is written. A deployment with other webhooks is refused, unless --overwrite names its table.
If the command is cut off, run it again: it ends as if it had not been. At its end the target is read back.

examples:
  webhooks backup restore webhooks.age --identity backups.identity --stack webhooks --dry-run
  webhooks backup restore webhooks.age --identity backups.identity --stack webhooks --region eu-west-1
  webhooks backup restore webhooks.age --identity backups.identity --stack webhooks --overwrite TABLE
  webhooks backup restore webhooks.age --identity backups.identity --stack webhooks --credentials-only
"""


def add_parser(commands: "Commands") -> None:
    actions = commands.add_parser(
        "backup", help="back up a deployment, restore it (operators)", allow_abbrev=False
    ).add_subparsers(metavar="ACTION", required=True)
    parser = add_command(
        actions, "key", run=make_key, summary="make a key for backups", description=KEY,
        parents=[output_options()],
    )  # fmt: skip
    parser.add_argument("file", type=Path, metavar="FILE", help="a new file")
    _passphrase_options(parser)
    parser = add_command(
        actions, "create", run=create, summary="back up a deployment", description=CREATE, parents=_parents()
    )  # fmt: skip
    parser.add_argument("file", type=Path, metavar="FILE", help="a new file")
    parser.add_argument(
        "--recipients", type=Path, metavar="FILE", required=True, help="a recipient on each line"
    )
    parser.add_argument(
        "--with-deliveries", action="store_true", help="the delivery log too, with its payloads"
    )
    resource_options(parser)
    parser = add_command(
        actions, "show", run=show, summary="see the counts of a backup", description=SHOW,
        parents=[output_options()],
    )  # fmt: skip
    _file_options(parser)
    parser = add_command(
        actions, "restore", run=restore, summary="restore a backup", description=RESTORE, parents=_parents()
    )  # fmt: skip
    _file_options(parser)
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--dry-run", action="store_true", help="read and compare, and write nothing")
    way.add_argument(
        "--credentials-only",
        action="store_true",
        help="bring back credentials whose secrets are gone, and change nothing else",
    )
    parser.add_argument(
        "--overwrite", metavar="TABLE", help="replace other webhooks, of the subscriptions table of this name"
    )


def _parents() -> list[Parser]:
    return [output_options(), deployment_options()]


def _file_options(parser: Parser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "--identity", type=Path, metavar="FILE", required=True, help="the file of its identity"
    )
    _passphrase_options(parser, asks=False)


def _passphrase_options(parser: Parser, *, asks: bool = True) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help="holds the passphrase of the identity"
    )
    if asks:
        group.add_argument(
            "--passphrase", action="store_true", help="ask for a passphrase that encrypts FILE"
        )


def make_key(options: Namespace, context: CliContext) -> Result:
    # Imported here: only operators have its libraries.
    from webhooks_cli.backup import work  # noqa: PLC0415

    return work.make_key(options, context)


def create(options: Namespace, context: CliContext) -> Result:
    # Imported here: only operators have its libraries.
    from webhooks_cli.backup import work  # noqa: PLC0415

    return work.create(options, context)


def show(options: Namespace, context: CliContext) -> Result:
    # Imported here: only operators have its libraries.
    from webhooks_cli.backup import work  # noqa: PLC0415

    return work.show(options, context)


def restore(options: Namespace, context: CliContext) -> Result:
    # Imported here: only operators have its libraries.
    from webhooks_cli.backup import work  # noqa: PLC0415

    return work.restore(options, context)
