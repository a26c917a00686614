"""`python -m acceptance`: run, clean. `make aws-accept` and `make aws-accept-clean` call it."""

import argparse
import sys
from pathlib import Path
from typing import TextIO, cast

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape

from acceptance import flow, runs
from acceptance.console import LastingOutput
from acceptance.errors import AcceptanceError
from local.errors import LocalError
from local.progress import Progress

EXIT_CODES = "exit codes: 0 passed; 1 failed; 2 refused, nothing was created; 3 passed, but something is left"


def main() -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m acceptance", description=__doc__, epilog=EXIT_CODES)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("run", "deploy, test, report, tear down"), ("clean", "delete what a run has left")):
        command = commands.add_parser(name, help=text, description=f"{text.capitalize()}.", epilog=EXIT_CODES)
        command.add_argument("--stack", required=True, metavar="NAME", help="the stack is <NAME>-acceptance")
        command.add_argument(
            "--confirm", default="", metavar="ID", help="the account's id; asked for otherwise"
        )
        command.add_argument(
            "--folder", type=Path, default=runs.Options.folder, help="for logs and the report"
        )
        command.set_defaults(keep=False, tests=[])
    run = commands.choices["run"]
    run.add_argument("--keep", action="store_true", help="keep the stacks; `clean` deletes them")
    run.add_argument("tests", nargs="*", default=[], help="for pytest (default: tests/e2e)")
    given = parser.parse_args()
    options = runs.Options(given.stack, given.confirm, given.keep, given.tests, given.folder.resolve())
    output = cast("TextIO", LastingOutput(sys.stdout))
    progress = Progress(Console(file=output, highlight=False, soft_wrap=True))
    try:
        return {"run": runs.run, "clean": runs.clean}[given.command](options, progress)
    except (AcceptanceError, LocalError, BotoCoreError, ClientError) as error:
        progress.console.print(f"[red]refused:[/] {escape(str(error))}")
        return flow.REFUSED_CODE
    except KeyboardInterrupt:
        return flow.INTERRUPTED_CODE


if __name__ == "__main__":
    sys.exit(main())
