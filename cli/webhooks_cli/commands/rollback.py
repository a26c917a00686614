"""`webhooks rollback`: the functions as they were published before a time, for operators."""

from argparse import Namespace
from dataclasses import dataclass
from typing import TYPE_CHECKING

from webhooks_cli.aws import Account, aws_errors
from webhooks_cli.commands.status import require_stack
from webhooks_cli.context import CliContext
from webhooks_cli.deployment import find_deployment
from webhooks_cli.errors import WrongUseError
from webhooks_cli.options import add_command, deployment_options, output_options
from webhooks_cli.progress_bar import ProgressBar
from webhooks_cli.result import Result, Table
from webhooks_cli.stack_functions import (
    ALIAS,
    FunctionState,
    Version,
    description_of,
    function_states,
    stack_resources,
)
from webhooks_cli.timestamps import parse_past, show_age

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

DESCRIPTION = """\
Let every function be called as it was published before a time: its alias `live` is set to the newest version
of before, without those that a rollback has left already. Functions whose live version is older than that
stay as they are, and so do tables, queues and settings outside of the functions. It takes effect at once and
ends a canary; the next deployment of a change sets `live` anew.

examples:
  webhooks rollback --before 2h --dry-run --stack webhooks
  webhooks rollback --before 2h --stack webhooks
  webhooks rollback --before 2026-11-26T09:00:00Z --function dispatcher --function fanout
"""
COLUMNS = ("function", "live", "to", "published")


@dataclass(frozen=True, slots=True)
class Step:
    """A function, and the version that its alias is set to."""

    function: FunctionState
    target: Version


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands, "rollback", run=run, summary="go back to the functions of before (operators)",
        description=DESCRIPTION, parents=[output_options(), deployment_options()],
    )  # fmt: skip
    parser.add_argument(
        "--before", metavar="TIME", required=True, help="2h or 7d ago, or a time: that of the bad deployment"
    )
    parser.add_argument(
        "--function", metavar="NAME", action="append", default=[], help="only this one; may be repeated"
    )
    parser.add_argument("--dry-run", action="store_true", help="show the versions, and change nothing")


def run(options: Namespace, context: CliContext) -> Result:
    deployment = find_deployment(options, context)
    stack = require_stack(deployment)
    account = Account(deployment)
    before = parse_past(options.before, context.clock()) / 1000
    with ProgressBar(context.stderr, "functions") as bar:
        functions = function_states(account, stack_resources(account, stack), bar.show)
        steps = steps_back(_chosen(functions, options.function), before)
        if not options.dry_run:
            for number, step in enumerate(steps):
                bar.show(number, len(steps))
                _set_live(account, step)
    now = context.clock()
    rows = [
        (each.function.name, each.function.live, each.target.number, f"{_age(each.target, now)} ago")
        for each in steps
    ]
    document = {
        "changed": not options.dry_run,
        "functions": [
            {"function": each.function.name, "from": each.function.live, "to": each.target.number}
            for each in steps
        ],
    }
    note = "nothing was changed" if options.dry_run else f"{len(steps)} set back, at once"
    if not steps:
        note = "nothing was changed: no function was published since then and has an older version"
    return Result(document=document, shown=Table(COLUMNS, rows).plain() if rows else "", notes=(note,))


def _chosen(functions: list[FunctionState], names: list[str]) -> list[FunctionState]:
    known = {each.name for each in functions}
    if unknown := [name for name in names if name not in known]:
        raise WrongUseError(f"no function {', '.join(unknown)}: there are {', '.join(sorted(known))}")
    return [each for each in functions if not names or each.name in names]


def steps_back(functions: list[FunctionState], before: float) -> list[Step]:
    """Return the changes: of functions whose live version was published from then on."""
    steps = []
    for function in functions:
        older = [
            each
            for each in function.versions
            if each.published_at < before and each.number not in function.refused
        ]
        live = function.version(function.live)
        is_new = live is not None and live.published_at >= before
        if older and (is_new or function.canary):
            steps.append(Step(function, older[-1]))
    return steps


def _set_live(account: Account, step: Step) -> None:
    """Set the alias to one version, which ends a canary; its description gets the versions that are left."""
    function = step.function
    left = {function.live, *function.canary} - {step.target.number}
    with aws_errors("lambda UpdateAlias"):
        account.client("lambda").update_alias(
            FunctionName=function.id,
            Name=ALIAS,
            FunctionVersion=step.target.number,
            Description=description_of(function.refused | left),
            RoutingConfig={"AdditionalVersionWeights": {}},
        )


def _age(version: Version, now: float) -> str:
    return show_age(now - version.published_at)
