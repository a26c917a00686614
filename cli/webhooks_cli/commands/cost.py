"""`webhooks cost`: a month's bill by service, and what others list for the same load."""

import re
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from webhooks_cli.costs.bill import Bill, Line, bill_of
from webhooks_cli.costs.figures import MEASURED, Shape
from webhooks_cli.costs.offers import OFFERS, Offer
from webhooks_cli.costs.prices import MILLION, REGION
from webhooks_cli.costs.settings import SETTINGS
from webhooks_cli.costs.traffic import MONTH_SECONDS, Load, traffic_of
from webhooks_cli.options import add_command, output_options
from webhooks_cli.result import Result, Table
from webhooks_cli.world import World

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

DESCRIPTION = """\
Say what a month of events costs at AWS, by service, and what others list for the same load. It asks nobody:
the prices are those of us-east-1, on demand, no free tier taken off; docs/cost.md has their sources, and what
the bill is made of. Every delivery succeeds at its first attempt; the API's own calls are not in it.

examples:
  webhooks cost --events 1M
  webhooks cost --events 100M --packed
  webhooks cost --events 10M --endpoints 5 --ms 350 --size 4096 --json
  webhooks cost --events 0
"""
EVENTS_MAX, ENDPOINTS_MAX = 10**12, 10_000
MS_MAX = 5000  # no endpoint has longer than ttl
SIZE_MAX = 1024 * 1024  # a message of SQS
DAYS_MAX = 3650
CREDENTIALS_MAX = 10_000_000
POWERS = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
NUMBER = re.compile(r"([0-9]{1,16})([kMG]?)", re.ASCII)
COLUMNS = ("service", "what", "quantity", "$ a month", "$ per million events")
FILLED = 10  # events a second that fill batches of ten about as they come


def add_parser(commands: "Commands") -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "cost",
        run=run,
        summary="say what a month costs",
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
        help="time that an endpoint takes (default: %(default)s)",
    )
    parser.add_argument(
        "--size",
        type=_number(1, SIZE_MAX),
        default=2048,
        metavar="BYTES",
        help="a callback's body (default: %(default)s)",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--packed",
        dest="shape",
        action="store_const",
        const="packed",
        help="ten deliveries in each message, as where many events are for few webhooks",
    )
    how.add_argument(
        "--trickle",
        dest="shape",
        action="store_const",
        const="trickle",
        help="each event alone in its batch, as where they come seconds apart (default: ten in a batch)",
    )
    parser.add_argument("--sends", action="store_true", help="with what producers pay to send each event")
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


def run(options: Namespace, _world: World) -> Result:
    """Make the bill."""
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
        shown=Table(COLUMNS, [*_bill_rows(load, bill), *_headings(), *_offer_rows(load)]),
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
    yield f"{REGION}, 30 days, no free tier taken off; {shape.says}"
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
        "elsewhere": [_offer_document(load, offer) for offer in OFFERS],
        "notes": list(notes),
    }


def _line_document(line: Line) -> dict[str, Any]:
    return {
        "service": line.service,
        "what": line.what,
        "quantity": _rounded(line.quantity),
        "unit": line.unit,
        "dollars": _rounded(line.dollars),
        "standing": line.standing,
    }


def _offer_document(load: Load, offer: Offer) -> dict[str, Any]:
    return {
        "name": offer.name,
        "terms": offer.says,
        "amount": _rounded(offer.amount(load)),
        "currency": offer.currency,
        "atLeast": offer.least,
        "source": offer.source,
    }


def _bill_rows(load: Load, bill: Bill) -> Iterator[tuple[str, ...]]:
    for line in bill.lines:
        quantity = f"{line.quantity:,.0f}" if line.quantity >= FILLED else f"{line.quantity:.3g}"
        cells = (line.service, line.what, f"{quantity} {line.unit}".rstrip())
        yield *cells, _money(line.dollars), _money(_per_million(load, line.dollars))
    yield "total", "", "", _money(bill.total), _money(_per_million(load, bill.total))


def _headings() -> Iterator[tuple[str, ...]]:
    for text in ("", "elsewhere"):
        yield text, *[""] * (len(COLUMNS) - 1)


def _offer_rows(load: Load) -> Iterator[tuple[str, ...]]:
    for offer in OFFERS:
        amount = offer.amount(load)
        before = ("from " if offer.least else "") + ("" if offer.currency == "USD" else f"{offer.currency} ")
        cells = [_money(each) for each in (amount, _per_million(load, amount))]
        yield offer.name, offer.says, "", *(f"{before}{cell}" if cell else "" for cell in cells)


def _per_million(load: Load, dollars: float) -> float | None:
    return dollars / load.events * MILLION if load.events else None


def _money(dollars: float | None) -> str:
    if dollars is None:
        return ""
    return f"{dollars:,.2f}" if dollars >= FILLED else f"{dollars:.3f}"


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 6)
