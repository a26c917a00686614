"""`webhooks deliveries`: the delivery log, explained events, replays."""

from argparse import Namespace
from typing import TYPE_CHECKING

from webhooks_cli.commands import explain, replay
from webhooks_cli.community import PAGE_SIZE, Community, in_path
from webhooks_cli.context import CliContext
from webhooks_cli.delivery_text import COLUMNS, Delivery, bar_of, delivery_block, table_rows
from webhooks_cli.deployment import find_deployment
from webhooks_cli.errors import WrongUseError
from webhooks_cli.log_options import filter_options, filters, parents, whole
from webhooks_cli.options import add_command
from webhooks_cli.progress_bar import ProgressBar
from webhooks_cli.result import Result, Table

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

LIST = """\
List deliveries, the newest event first: of one webhook, or the community's undelivered ones (retrying, dead,
held). WEBHOOK is its id or its name.

examples:
  webhooks deliveries list
  webhooks deliveries list --webhook orders --outcome dead --since 2h
  webhooks deliveries list --webhook 65f0c0ffee65f0c0ffee65f0 --event order.paid --limit 200 --json
"""
SHOW = """\
Show one delivery: its attempts, the phases of each, and its payload where it is kept. Its id is the header
webhook-id of the callback.

examples:
  webhooks deliveries show 65f0c0ffee65f0c0ffee65f0-019a8c5e1f40-9f86d081884c7d659a2feaa0c55ad015
  webhooks deliveries show ID --json
"""
LIMIT_DEFAULT = 25
LIMIT_MAX = 10_000
UNDELIVERED = ("retrying", "dead", "held")
OUTCOMES = (*UNDELIVERED, "delivered", "skipped")


def add_parser(commands: "Commands") -> None:
    actions = commands.add_parser(
        "deliveries", help="see deliveries, explain events, send deliveries again", allow_abbrev=False
    ).add_subparsers(metavar="ACTION", required=True)
    parser = add_command(
        actions, "list", run=list_them, summary="list deliveries", description=LIST, parents=parents()
    )
    parser.add_argument(
        "--webhook", metavar="WEBHOOK", help="its id or name (default: the undelivered of all)"
    )
    parser.add_argument("--outcome", choices=OUTCOMES, help="only these")
    filter_options(parser)
    parser.add_argument(
        "--limit",
        type=whole(1, LIMIT_MAX),
        default=LIMIT_DEFAULT,
        metavar="N",
        help="this many at most (default: %(default)s)",
    )
    parser = add_command(
        actions, "show", run=show, summary="show one delivery", description=SHOW, parents=parents()
    )
    parser.add_argument("delivery", metavar="ID")
    replay.add_parsers(actions)
    explain.add_parser(actions)


def list_them(options: Namespace, context: CliContext) -> Result:
    if options.outcome not in (None, *UNDELIVERED) and not options.webhook:
        raise WrongUseError(
            f"--outcome {options.outcome} needs --webhook: of all, only {', '.join(UNDELIVERED)} are listed"
        )
    community = Community(find_deployment(options, context), context)
    path = "deliveries/fetch"
    if options.webhook:
        path = f"webhook/{community.webhook_id(options.webhook)}/{path}"
    body = {**filters(options, context), "size": min(options.limit, PAGE_SIZE)}
    deliveries: list[Delivery] = []
    with ProgressBar(context.stderr, "deliveries") as bar:  # a filter may find few in many pages
        for page in community.pages(path, body):
            deliveries += page["data"]
            if len(deliveries) >= options.limit:
                break
            bar.show(len(deliveries), None)
    deliveries = deliveries[: options.limit]
    notes = []
    if not deliveries:
        notes.append("no deliveries: the log has none that fit")
    elif len(deliveries) == options.limit:
        notes.append(
            f"the newest {options.limit}: --limit shows more, --until {deliveries[-1]['occurredAt']} goes on"
        )
    return Result(
        document=deliveries,
        shown=Table(COLUMNS, list(table_rows(deliveries))).plain() if deliveries else "",
        notes=tuple(notes),
    )


def show(options: Namespace, context: CliContext) -> Result:
    delivery = Community(find_deployment(options, context), context).get(
        f"delivery/{in_path(options.delivery)}"
    )
    return Result(document=delivery, shown=delivery_block(delivery, bar=bar_of(context.stdout)))
