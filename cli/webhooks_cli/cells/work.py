"""The actions of `webhooks cells`."""

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager

from webhooks_cli.aws import Account
from webhooks_cli.backup.aws_calls import Calls
from webhooks_cli.cells.directory import Directory
from webhooks_cli.cells.entries import Cell
from webhooks_cli.cells.keys import join as join_keys
from webhooks_cli.cells.opened import open_cell
from webhooks_cli.context import CliContext
from webhooks_cli.deployment import Deployment
from webhooks_cli.errors import InterruptedByUser, MissingError, WrongUseError
from webhooks_cli.result import Result, Table

WORKERS = 16  # calls at the same time
VARIABLE = "WEBHOOKS_DIRECTORY"
CELL_COLUMNS = ("cell", "stack", "region", "api", "events queue")


@contextmanager
def opened_directory(
    options: Namespace, context: CliContext, advice: str = "run it again"
) -> Iterator[tuple[Directory, Calls]]:
    """Open the directory; Ctrl-C ends with the advice. Raises CliError."""
    table = options.directory or context.environment.get(VARIABLE)
    if not table:
        raise MissingError(
            f"no directory of cells: give --directory TABLE, or set {VARIABLE}; deploy/cells.yaml makes one"
        )
    account = Account(Deployment(origin="the directory", region=options.directory_region))
    try:
        with Calls(WORKERS, context.sleep) as calls:
            yield Directory(account, table, calls), calls
    except KeyboardInterrupt:
        raise InterruptedByUser(f"interrupted: {advice}") from None


def add(options: Namespace, context: CliContext) -> Result:
    with opened_directory(options, context) as (directory, _):
        account = Account(
            Deployment(origin="this call", stack=options.stack, region=options.region, url=options.url)
        )
        url = options.url or account.find("apiUrl")
        if not url.startswith(("https://", "http://")):
            raise WrongUseError(
                f"the API's URL must begin with https:// (or http:// for a local stack): {url}"
            )
        cell = Cell(
            options.cell,
            stack=options.stack,
            region=account.dynamodb.meta.region_name,
            api_url=url,
            events_queue_url=account.find("eventsQueueUrl"),
        )
        directory.put_cell(cell)
    return Result(document=cell.document(), shown=f"{cell.name}: {cell.api_url}")


def list_them(options: Namespace, context: CliContext) -> Result:
    with opened_directory(options, context) as (directory, _):
        cells = directory.cells()
    rows = [(each.name, each.stack, each.region, each.api_url, each.events_queue_url) for each in cells]
    notes = () if cells else ("the directory has no cell: `webhooks cells add` adds one",)
    return Result(
        document=[each.document() for each in cells],
        shown=Table(CELL_COLUMNS, rows) if rows else "",
        notes=notes,
    )


def show(options: Namespace, context: CliContext) -> Result:
    with opened_directory(options, context) as (directory, _):
        cell = directory.cell(options.cell)
        tenants = directory.tenants(cell.name)
    document = {**cell.document(), "tenants": [each.document() for each in tenants]}
    lines = [f"{name:16}{value}" for name, value in cell.document().items()]
    lines += [f"{'tenant':16}{each.id}{_moving(each.move)}" for each in tenants]
    return Result(document=document, shown="\n".join(lines))


def remove(options: Namespace, context: CliContext) -> Result:
    with opened_directory(options, context) as (directory, _):
        directory.cell(options.cell)
        directory.remove_cell(options.cell)
    return Result(
        document={"removed": options.cell},
        shown=f"the directory has {options.cell} no more; its stack is as it was",
    )


def join(options: Namespace, context: CliContext) -> Result:
    with opened_directory(options, context) as (directory, calls):
        cell, other = (open_cell(directory.cell(name), calls) for name in (options.cell, options.source))
        copied, kept = join_keys(cell, other)
    notes = [f"the {title} are kept: they are the same, or were reset since" for title in kept]
    if copied:
        notes.append("functions that are running use their former keys for up to 5 minutes")
    shown = f"{options.cell} has the keys of {options.source}" if copied else "nothing was copied"
    return Result(document={"copied": copied, "kept": kept}, shown=shown, notes=tuple(notes))


def _moving(move: object) -> str:
    return " (moves)" if move else ""
