"""The `webhooks` command: parses, runs and prints; every error becomes one text and an exit code."""

import io
import os
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Sequence

from webhooks_cli import API_VERSION, __version__
from webhooks_cli.commands import (
    backup,
    call,
    cells,
    cost,
    deliveries,
    dlq,
    doctor,
    headers,
    health,
    keys,
    licenses,
    publish,
    rollback,
    status,
    tail,
    test_event,
    verify,
)
from webhooks_cli.context import CliContext, process_context
from webhooks_cli.errors import FAULT, INTERRUPTED, OK, CliError
from webhooks_cli.options import Parser
from webhooks_cli.result import (
    Stream,
    json_line,
    printable,
    show_document,
    show_stream,
    show_text,
    text_line,
)

DESCRIPTION = """\
Call the webhooks service, see its deliveries and send them again, test endpoints and see their health,
see a deployment's state, make keys and licenses, publish events, verify callbacks.
"""
EPILOG = """\
The deployment: .local/stack.json of a local stack (here or in a folder above), or --profile NAME
from ~/.config/webhooks/profiles.toml, or --url, or --stack for operators. A profile:
  [prod]
  url = "https://abc.execute-api.us-east-1.amazonaws.com/prod"
  private_key_file = "prod.key"        # beside the profiles; `webhooks keys new --out FILE` makes it
  license_file = "prod.license"        # or license = "...", or the variable WEBHOOKS_LICENSE
  tenant = "acme"
  community = "main"
  stack = "webhooks"                   # for operators: license, publish, dlq, queues in health
  region = "us-east-1"

exit codes:
  0  done
  1  refused: a 4xx of the API, a refusal of AWS, a callback that does not verify, a failed test
  2  wrong use: an argument, a file or an event cannot be used
  3  no response, or a 5xx
  4  something is not configured: no deployment, license, key or credentials
  130  Ctrl-C

examples:
  webhooks call POST webhooks/fetch -d '{}' --decrypt
  webhooks publish events/native.json --mine
  webhooks deliveries list --webhook orders --outcome dead
  webhooks test orders
  webhooks license issue --level service --tenant acme --community main --expires 365d
  webhooks doctor --stack webhooks
  webhooks COMMAND --help
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in this process; return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # characters that a terminal cannot show are escaped
            stream.reconfigure(errors="backslashreplace")
    try:
        return run(sys.argv[1:] if argv is None else argv, process_context())
    except BrokenPipeError:  # the reader ended first, as `| head` does; leave nothing to flush at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK


def run(argv: Sequence[str], context: CliContext) -> int:
    """Run the command and print its result; return its exit code."""
    json_wanted = "--json" in argv
    try:
        options = parser().parse_args(argv)
        result = options.run(options, context)
        if isinstance(result, Stream):
            show_stream(result, context.stdout, json_line if json_wanted else text_line)
            return OK
        if json_wanted:
            show_document(result.document, context.stdout)
        else:
            show_text(result, context.stdout, context.stderr)
        context.stdout.flush()
    except CliError as error:
        return _fail(str(error), error.exit_code, context=context, json_wanted=json_wanted)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except SystemExit as end:  # argparse, after --help
        return int(end.code or OK)
    except Exception as error:  # noqa: BLE001 - no traceback reaches a person: it could show a key
        text = f"a fault in this command ({type(error).__name__}): please report it"
        return _fail(text, FAULT, context=context, json_wanted=json_wanted)
    return int(result.exit_code)


def _fail(text: str, code: int, *, context: CliContext, json_wanted: bool) -> int:
    print(f"webhooks: {printable(text, context.stderr)}", file=context.stderr)
    if json_wanted:
        show_document({"error": text, "exitCode": code}, context.stdout)
    return code


def parser() -> Parser:
    whole = Parser(
        prog="webhooks",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    version = f"webhooks {__version__} (Webhooks API v{API_VERSION})"
    whole.add_argument("--version", action="version", version=version, help="print the version and end")
    commands = whole.add_subparsers(metavar="COMMAND", required=True)
    modules = (
        backup, call, cells, cost, deliveries, dlq, doctor, headers, health, keys, licenses, publish,
        rollback, status, tail, test_event, verify,
    )  # fmt: skip
    for command in modules:
        command.add_parser(commands)
    return whole
