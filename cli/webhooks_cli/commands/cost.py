"""`webhooks cost`: the bill of a month's events at AWS, by service."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from webhooks_cli.commands.cost_options import (
    add_load,
    add_parameters,
    add_shapes,
    load_of,
    settings_of,
)
from webhooks_cli.context import CliContext
from webhooks_cli.costs.bill import WATCHES, Bill, Line
from webhooks_cli.costs.effects import Effect, Month, effects_of
from webhooks_cli.costs.fill import FULL, PACKED, TRICKLE, Fill
from webhooks_cli.costs.load import BUSY_SHARE
from webhooks_cli.costs.prices import MILLION, REGION
from webhooks_cli.options import add_command, output_options
from webhooks_cli.result import Result, Table

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

DESCRIPTION = """\
Print a month's bill at AWS, by service. No request is made. The prices are those of us-east-1, on demand,
with no free tier; docs/cost.md has their sources and the model. Every delivery succeeds at its first
attempt. Events come evenly, and their rate fills the batches; "busy hours" is the bill where all of them
come in 8 hours of 21 working days. The lines below say what a parameter of the deployment would change.

examples:
  webhooks cost --events 1M
  webhooks cost --events 100M --batching-seconds 1
  webhooks cost --events 10M --endpoints 5 --ms 350 --size 4096 --json
  webhooks cost --events 100M --packed
  webhooks cost --events 0
"""
COLUMNS = ("service", "item", "quantity", "$ a month", "$ per million events")
FILLS = {"full": FULL, "packed": PACKED, "trickle": TRICKLE}
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
    add_load(parser)
    add_shapes(parser)
    add_parameters(parser)


def run(options: Namespace, _context: CliContext) -> Result:
    month = Month(
        load=load_of(options),
        settings=settings_of(options),
        fill=FILLS.get(options.shape),
        sends=options.sends,
        watch=WATCHES[options.alarms] if options.alarms else None,
    )
    busy = None
    if month.load.events and month.fill is None:
        busy = replace(month, load=load_of(options, share=BUSY_SHARE)).bill.total
    bill, effects = month.bill, list(effects_of(month))
    notes = tuple(_notes(month))
    return Result(
        document=_document(month, bill, shape=options.shape, busy=busy, effects=effects, notes=notes),
        shown=Table(COLUMNS, list(_rows(month, bill, busy=busy, effects=effects))),
        notes=notes,
    )


def _notes(month: Month) -> Iterator[str]:
    yield f"{REGION}, 30 days, no free tier"
    load, settings, fill = month.load, month.settings, month.traffic.fill
    if load.events:
        yield f"{load.rate:.2g} events a second"
        yield f"mean batches: {_size(fill.events)} of events, {_size(fill.messages)} of deliveries' messages"
    if load.ms >= settings.fast_lane_ms:
        yield f"from {settings.fast_lane_ms} ms an endpoint is slow: its deliveries take the slow lane, too"
    if month.watch is None:
        yield "without metrics, alarms and the dashboard: --alarms All includes them"


def _size(mean: float) -> str:
    return f"{mean:.1f}".removesuffix(".0")


def _document(
    month: Month,
    bill: Bill,
    *,
    shape: str,
    busy: float | None,
    effects: Sequence[Effect],
    notes: tuple[str, ...],
) -> dict[str, Any]:
    load, settings, fill = month.load, month.settings, month.traffic.fill
    return {
        "region": REGION,
        "load": {
            "eventsAMonth": load.events,
            "endpoints": load.endpoints,
            "tenants": load.tenants,
            "ms": load.ms,
            "size": load.size,
            "shape": shape,
            "credentials": load.credentials,
            "logDays": load.log_days,
            "apiCalls": load.api_calls,
        },
        "parameters": {
            "BatchingSeconds": settings.batching_seconds,
            "WebhookCacheSeconds": settings.webhook_cache_seconds,
            "DispatcherMemory": settings.dispatcher_memory_mb,
            "CredentialStore": "Table" if settings.has_credentials_in_table else "SecretsManager",
            "EncryptionKey": "Customer" if settings.has_own_key else "AwsOwned",
            "SeedSecrets": "One" if settings.has_one_seed else "Separate",
            "KeyCacheSeconds": settings.keys_seconds,
            "LogBackups": settings.has_log_backups,
            "hasMaximumConcurrency": settings.has_maximum_concurrency,
        },
        "batches": _batches(fill) if load.events else None,
        "total": _rounded(bill.total),
        "perMillionEvents": _rounded(_per_million(month, bill.total)),
        "busyHoursTotal": _rounded(busy),
        "services": {name: _rounded(dollars) for name, dollars in bill.services.items()},
        "lines": [_line_document(line) for line in bill.lines],
        "effects": [
            {"parameter": each.name, "dollars": _rounded(each.dollars), "softens": each.softens}
            for each in effects
        ],
        "notes": list(notes),
    }


def _batches(fill: Fill) -> dict[str, Any]:
    return {
        "events": _rounded(fill.events),
        "communities": _rounded(fill.communities),
        "messages": _rounded(fill.messages),
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


def _rows(
    month: Month, bill: Bill, *, busy: float | None, effects: Sequence[Effect]
) -> Iterator[tuple[str, ...]]:
    def dollars(amount: float) -> tuple[str, str]:
        return _money(amount), _money(_per_million(month, amount))

    for line in bill.lines:
        quantity = f"{line.quantity:,.0f}" if line.quantity >= WHOLE else f"{line.quantity:.3g}"
        yield line.service, line.item, f"{quantity} {line.unit}".rstrip(), *dollars(line.dollars)
    yield "total", "", "", *dollars(bill.total)
    if busy is not None:
        yield "total", "in busy hours", "", *dollars(busy)
    for each in effects:
        yield "with", each.name, each.softens, *dollars(each.dollars)


def _per_million(month: Month, dollars: float) -> float | None:
    return dollars / month.load.events * MILLION if month.load.events else None


def _money(dollars: float | None) -> str:
    if dollars is None:
        return ""
    return f"{dollars:,.2f}" if abs(dollars) >= WHOLE else f"{dollars:.3f}"


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 6)
