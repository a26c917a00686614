"""The numbers of docs/cost.md: bills that the command prints, and tables of the model."""

import io
import re
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace

from benchmarks.figures.cost import ECONOMY, OTHERS, PARAMETERS, RATES
from benchmarks.model_tables import Rows, line, with_table
from local.paths import ROOT
from webhooks_cli.costs.bill import WATCHES
from webhooks_cli.costs.effects import ECONOMIES, Month
from webhooks_cli.costs.load import BUSY_SHARE, MONTH_SECONDS, Load
from webhooks_cli.costs.prices import MILLION
from webhooks_cli.costs.settings import SETTINGS, Settings
from webhooks_cli.main import main as command

PAGE = ROOT / "docs" / "cost.md"
BILL = re.compile(r"(?<=^```\n)\$ webhooks (cost [^\n]*)\n.*?(?=^```$)", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| \*\*this service(, every parameter that saves)?\*\* \|.*$", re.MULTILINE)
COMPARED = (Load(events=MILLION), Load(events=100 * MILLION), Load(events=10 * MILLION, endpoints=5))
CREDENTIALS = (1, 100, 10_000)
NO_EFFECT = 0.0005  # dollars


def rewritten(page: str) -> str:
    """Return the page with the model's numbers."""
    page = BILL.sub(lambda found: f"$ webhooks {found[1]}\n{_printed(found[1].split())}", page)
    page = ROW.sub(lambda found: _service(is_cheapest=bool(found[1])), page)
    for head, rows in TABLES.items():
        page = with_table(page, head, rows())
    return page


def _printed(argv: list[str]) -> str:
    shown = io.StringIO()
    with redirect_stdout(shown), redirect_stderr(io.StringIO()):
        command(argv)
    return shown.getvalue()


def _service(*, is_cheapest: bool) -> str:
    settings = ECONOMY if is_cheapest else SETTINGS
    totals = [f"**${Month(load=load, settings=settings).bill.total:,.2f}**" for load in COMPARED]
    name = "this service, every parameter that saves" if is_cheapest else "this service"
    terms = "as the table of the parameters says" if is_cheapest else "the defaults; an even month"
    return line([f"**{name}**", terms, *totals, "`webhooks cost`"])


def _month(rate: float, settings: Settings, *, share: float = 1.0) -> Month:
    return Month(load=Load(events=round(rate * MONTH_SECONDS), share=share), settings=settings)


def _per_million(month: Month) -> float:
    return month.bill.total / month.load.events * MILLION


def _rates() -> Rows:
    for rate in RATES:
        fills = [_month(rate, settings).traffic.fill for settings in PARAMETERS.values()]
        defaults, window, economy = (_per_million(_month(rate, each)) for each in PARAMETERS.values())
        yield (
            f"{rate:,}",
            f"{rate * MONTH_SECONDS / MILLION:,.3g} M" if rate < RATES[-1] else "2.6 G",
            f"{fills[0].events:.1f} and {fills[0].messages:.1f}",
            f"{defaults:.2f}",
            f"{_per_million(_month(rate, SETTINGS, share=BUSY_SHARE)):.2f}",
            f"{window:.2f}",
            f"{economy:.2f}",
            *(f"{price:.2f}" for price in OTHERS.values()),
        )


def _parameters() -> Rows:
    for each in ECONOMIES:
        cells = []
        for rate in RATES:
            month = _month(rate, SETTINGS)
            saved = _per_million(month) - _per_million(
                replace(month, settings=replace(SETTINGS, **each.changes))
            )
            cells.append(f"{saved:.3f}" if abs(saved) > NO_EFFECT else "")
        yield f"`{each.name}`", each.softens, *cells


def _credentials() -> Rows:
    load = Load(events=MILLION)
    for count in CREDENTIALS:
        prices = []
        for in_table in (False, True):
            month = Month(load=load, settings=replace(SETTINGS, has_credentials_in_table=in_table))
            more = replace(month, load=replace(load, credentials=count))
            prices.append(more.bill.total - month.bill.total)
        yield f"{count:,}", *(f"{price:,.2f}" if price >= 1 else f"{price:.4f}" for price in prices)


def _quiet() -> Rows:
    load = Load(events=MILLION)
    for name, settings in PARAMETERS.items():
        month = Month(load=load, settings=settings)
        empty = replace(month, load=Load(events=0))
        yield name, f"{empty.bill.total:.2f}", f"{month.bill.total:.2f}"
    month = Month(load=load)
    for name, watch in WATCHES.items():
        more = replace(month, watch=watch).bill.total - month.bill.total
        yield f"`Alarms={name}`, in addition", f"{more:.2f}", f"{more:.2f}"


TABLES: dict[str, Callable[[], Rows]] = {
    "| events/s | events a month | mean batches | defaults | in busy hours | `BatchingSeconds=1` | "
    "every parameter that saves | SNS | EventBridge |": _rates,
    "| parameter | softens | 0.4/s | 4/s | 38/s | 190/s | 1,000/s |": _parameters,
    "| credentials | `SecretsManager` | `Table` |": _credentials,
    "| deployment | no event | a million events |": _quiet,
}
