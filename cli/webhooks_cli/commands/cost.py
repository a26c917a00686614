"""`webhooks cost`: the bill of a month's events at AWS, by service."""

import re
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from webhooks_cli.context import CliContext
from webhooks_cli.costs.bill import Bill, Line, bill_of
from webhooks_cli.costs.figures import MEASURED, Shape
from webhooks_cli.costs.prices import MILLION, REGION
from webhooks_cli.costs.settings import SETTINGS
from webhooks_cli.costs.traffic import MONTH_SECONDS, Load, traffic_of
from webhooks_cli.options import add_command, output_options
from webhooks_cli.result import Result, Table

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

DESCRIPTION = """\
Print a month's bill at AWS, by service. No request is made. The prices are those of us-east-1, on demand,
with no free tier; docs/cost.md has their sources and the model. Every delivery succeeds at its first
attempt; calls of the API, metrics and alarms are not included.

examples:
  webhooks cost --events 1M
  webhooks cost --events 100M --packed
  webhooks cost --events 10M --endpoints 5 --ms 350 --size 4096 --json
  webhooks cost --events 0
"""
EVENTS_MAX, ENDPOINTS_MAX = 10**12, 10_000
MS_MAX = 5000  # the highest ttl of a webhook
SIZE_MAX = 1024 * 1024  # a message of SQS
DAYS_MAX = 3650
CREDENTIALS_MAX = 10_000_000
POWERS = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
NUMBER = re.compile(r"([0-9]{1,16})([kMG]?)", re.ASCII)
COLUMNS = ("service", "item", "quantity", "$ a month", "$ per million events")
FILLED = 10  # events a second that fill batches of ten
WHOLE = 10  # quantities and dollars from here on need fewer decimals


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "cost",
        run=run,
        summary="print the bill of a month's events",
        description=DESCRIPTION,
        parents=[output_options()],
    )
    parser.add_argument(
        "--events",
        type=_number(0, EVENTS_MAX),
        required=True,
        metavar="N",
        help="events in a month: 10M, 500k",
    )
    parser.add_argument(
        "--endpoints",
        type=_number(0, ENDPOINTS_MAX),
        default=1,
        metavar="M",
        help="webhooks that each event matches (default: %(default)s)",
    )
    parser.add_argument(
        "--ms",
        type=_number(1, MS_MAX),
        default=200,
        metavar="MS",
        help="an endpoint's time (default: %(default)s)",
    )
    parser.add_argument(
        "--size",
        type=_number(1, SIZE_MAX),
        default=2048,
        metavar="BYTES",
        help="a callback's body (default: %(default)s)",
    )
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument(
        "--packed",
        dest="shape",
        action="store_const",
        const="packed",
        help="ten deliveries in each message, as where many events are for few webhooks",
    )
    shape.add_argument(
        "--trickle",
        dest="shape",
        action="store_const",
        const="trickle",
        help="each event alone in its batch, as where they come seconds apart (default: ten in a batch)",
    )
    parser.add_argument(
        "--sends", action="store_true", help="include the producers' sends, one for each event"
    )
    parser.add_argument(
        "--credentials",
        type=_number(0, CREDENTIALS_MAX),
        default=0,
        metavar="N",
        help="webhooks with a credential: a secret each (default: %(default)s)",
    )
    parser.add_argument(
        "--log-days",
        type=_number(1, DAYS_MAX),
        default=30,
        metavar="DAYS",
        help="AttemptLogDays (default: %(default)s)",
    )
    parser.set_defaults(shape="single")


def run(options: Namespace, _context: CliContext) -> Result:
    load = Load(
        events=options.events,
        endpoints=options.endpoints,
        ms=options.ms,
        size=options.size,
        credentials=options.credentials,
        log_days=options.log_days,
    )
    measured = MEASURED[options.shape]
    bill = bill_of(load, traffic_of(load, measured), sends=options.sends)
    notes = tuple(_notes(load, measured.shape))
    return Result(
        document=_document(load, bill, shape=measured.shape, notes=notes),
        shown=Table(COLUMNS, list(_rows(load, bill))),
        notes=notes,
    )


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        found = NUMBER.fullmatch(text.replace("_", ""))
        number = int(found[1]) * POWERS[found[2]] if found else -1
        if not low <= number <= high:
            raise ArgumentTypeError(
                f"a whole number from {low:,} to {high:,}; 10k, 10M and 1G are numbers, too"
            )
        return number

    return parse


def _notes(load: Load, shape: Shape) -> Iterator[str]:
    yield f"{REGION}, 30 days, no free tier; {shape.description}"
    rate = load.events / MONTH_SECONDS
    if 0 < rate < FILLED and shape.events_per_batch > 1:
        yield f"{rate:.2g} events a second fill batches of ten in bursts only: --trickle is the other end"
    if load.ms >= SETTINGS.fast_lane_ms:
        yield f"from {SETTINGS.fast_lane_ms} ms an endpoint is slow: its deliveries take the slow lane, too"


def _document(load: Load, bill: Bill, *, shape: Shape, notes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "region": REGION,
        "load": {
            "eventsAMonth": load.events,
            "endpoints": load.endpoints,
            "ms": load.ms,
            "size": load.size,
            "shape": shape.name,
            "credentials": load.credentials,
            "logDays": load.log_days,
        },
        "total": _rounded(bill.total),
        "perMillionEvents": _rounded(_per_million(load, bill.total)),
        "services": {name: _rounded(dollars) for name, dollars in bill.services.items()},
        "lines": [_line_document(line) for line in bill.lines],
        "notes": list(notes),
    }


def _line_document(line: Line) -> dict[str, Any]:
    return {
        "service": line.service,
        "what": line.item,
        "quantity": _rounded(line.quantity),
        "unit": line.unit,
        "dollars": _rounded(line.dollars),
        "standing": line.standing,
    }


def _rows(load: Load, bill: Bill) -> Iterator[tuple[str, ...]]:
    for line in bill.lines:
        quantity = f"{line.quantity:,.0f}" if line.quantity >= WHOLE else f"{line.quantity:.3g}"
        cells = (line.service, line.item, f"{quantity} {line.unit}".rstrip())
        yield *cells, _money(line.dollars), _money(_per_million(load, line.dollars))
    yield "total", "", "", _money(bill.total), _money(_per_million(load, bill.total))


def _per_million(load: Load, dollars: float) -> float | None:
    return dollars / load.events * MILLION if load.events else None


def _money(dollars: float | None) -> str:
    if dollars is None:
        return ""
    return f"{dollars:,.2f}" if dollars >= WHOLE else f"{dollars:.3f}"


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 6)
