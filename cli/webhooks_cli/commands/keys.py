"""`webhooks keys`: a caller's key pair."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from signing import Curve, PrivateKey
from webhooks_cli.context import CliContext
from webhooks_cli.key_pairs import CURVES, new_key_file, new_pair, show_pair, write_new_file
from webhooks_cli.options import add_command, output_options
from webhooks_cli.result import Result

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

DESCRIPTION = """\
Make a new key pair. The curve is the deployment's: EC_CURVE_NAME in /environment.
Only its owner can read the file of --out and the folders that are made for it.

examples:
  webhooks keys new --out ~/.config/webhooks/prod.key
  webhooks keys new --curve prime256v1 --json
"""


def add_parser(commands: "Commands") -> None:
    actions = commands.add_parser("keys", help="make a key pair", allow_abbrev=False).add_subparsers(
        metavar="ACTION", required=True
    )
    parser = add_command(
        actions,
        "new",
        run=run,
        summary="make a new key pair",
        description=DESCRIPTION,
        parents=[output_options()],
    )
    parser.add_argument(
        "--curve",
        choices=CURVES,
        default=Curve.SECP256K1.value,
        help="default: %(default)s",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="a new file for the pair; the private key is not printed then",
    )


def run(options: Namespace, context: CliContext) -> Result:
    curve = CURVES[options.curve]
    pair = new_pair(curve, context.random_bytes)
    document = {"curve": curve.value, "publicKey": pair.public_key.to_base64()}
    if options.out:
        path = context.folder / options.out.expanduser()
        _write(path, pair)
        document["privateKeyFile"] = str(path)
    else:
        document["privateKey"] = pair.to_base64()
    return Result(document=document, shown="\n".join(f"{name}: {value}" for name, value in document.items()))


def _write(path: Path, pair: PrivateKey) -> None:
    with new_key_file(path):
        write_new_file(path, show_pair(pair))
