"""`python -m local`: run, stop, status, reset. An error is a message on the console, never a traceback."""

import argparse
import sys

from rich.markup import escape

from local import commands
from local.errors import LocalError
from local.progress import Progress

PORT_MIN, PORT_MAX = 1024, 65534  # the receiver has the port after


def _port(text: str) -> int:
    if not text.isdecimal() or not PORT_MIN <= int(text) <= PORT_MAX:
        raise argparse.ArgumentTypeError(f"a port is a number from {PORT_MIN} to {PORT_MAX}")
    return int(text)


def main() -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    subparsers = parser.add_subparsers(dest="command", required=True)
    run = subparsers.add_parser("run", help="bring the stack up and show deliveries")
    run.add_argument(
        "--port",
        type=_port,
        help=f"port of the emulator (default: that of the last run, or {commands.DEFAULT_PORT})",
    )
    for name in ("stop", "status", "reset"):
        subparsers.add_parser(name)
    options = parser.parse_args()
    progress = Progress()
    try:
        if options.command == "run":
            commands.run(options.port, progress)
        else:
            {"stop": commands.stop, "status": commands.status, "reset": commands.reset}[options.command](
                progress
            )
    except LocalError as error:
        progress.console.print(f"[red]error:[/] {escape(str(error))}")
        return 1
    except KeyboardInterrupt:
        progress.say("interrupted; `make stop` ends the processes that run")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
