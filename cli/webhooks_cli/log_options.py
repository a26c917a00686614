"""The options that commands on the delivery log share."""

from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable
from typing import Any

from webhooks_cli.context import CliContext
from webhooks_cli.options import Parser, caller_options, deployment_options, output_options
from webhooks_cli.timestamps import parse_past, show_milliseconds


def parents() -> list[Parser]:
    return [output_options(), deployment_options(), caller_options()]


def filter_options(parser: Parser) -> None:
    """Add the options that filter deliveries by event and time."""
    parser.add_argument("--event", metavar="NAME", help="only deliveries of events with this name")
    parser.add_argument(
        "--since", metavar="TIME", help="of events from then on: 30m, 12h or 7d ago, or a time"
    )
    parser.add_argument("--until", metavar="TIME", help="of events until then")


def filters(options: Namespace, context: CliContext) -> dict[str, Any]:
    """Return the filters as the API takes them. Raises WrongUseError."""
    now = context.clock()
    given = {
        "outcome": options.outcome,
        "eventName": options.event,
        "since": options.since and show_milliseconds(parse_past(options.since, now)),
        "until": options.until and show_milliseconds(parse_past(options.until, now)),
    }
    return {name: value for name, value in given.items() if value}


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers within bounds."""

    def read(text: str) -> int:
        if not (
            text.isascii() and text.isdigit() and len(text) <= len(str(high)) and low <= int(text) <= high
        ):
            raise ArgumentTypeError(f"a whole number from {low} to {high}")
        return int(text)

    return read
