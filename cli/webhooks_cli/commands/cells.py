"""`webhooks cells` and `webhooks tenant`: several stacks that share the tenants of one platform."""

from argparse import Namespace
from typing import TYPE_CHECKING

from webhooks_cli.context import CliContext
from webhooks_cli.errors import WrongUseError
from webhooks_cli.license import IDENTIFIER, IDENTIFIER_RULE
from webhooks_cli.log_options import whole
from webhooks_cli.options import Parser, add_command, output_options
from webhooks_cli.result import Result

if TYPE_CHECKING:
    from webhooks_cli.options import Command, Commands

ADD = """\
Add a cell to the directory, or change its addresses: a stack of this service, by its outputs.

examples:
  webhooks cells add one --stack webhooks --region eu-west-1 --directory cells
  webhooks cells add two --stack webhooks-two --url https://two.hooks.example.com
"""
LIST = """\
List the cells of the directory.

examples:
  webhooks cells list --directory cells
"""
SHOW = """\
Show a cell and the tenants that have an entry in it.

examples:
  webhooks cells show one --directory cells
"""
REMOVE = """\
Remove a cell without tenants from the directory. Its stack is left as it is.

examples:
  webhooks cells remove two --directory cells
"""
JOIN = """\
Give a cell the keys of another one, before it has tenants: the service keys, the signing keys and the master
of the webhooks' secrets. After a reset of a key in one cell it copies the newer keys to the others.

examples:
  webhooks cells join two --from one --directory cells
"""
ASSIGN = """\
Give a tenant its first cell. The tenant '*' stands for all that have no entry of their own.

examples:
  webhooks tenant assign acme one --directory cells
  webhooks tenant assign '*' one
"""
TENANT_SHOW = """\
Show a tenant's cell with its addresses, and the move that is under way.

examples:
  webhooks tenant show acme --directory cells
"""
MOVE = """\
Move a tenant with its webhooks, credentials and licenses to another cell, while its events flow: no event is
lost. Changes of its webhooks are refused for about a minute (503 with Retry-After). Each step is recorded: a
run that was cut off is run again. Until the directory names the new cell, --abort takes the move back.

examples:
  webhooks tenant move acme --to two --directory cells
  webhooks tenant move acme --directory cells
  webhooks tenant move acme --abort
"""
CACHE_SECONDS, WAIT_SECONDS = 60, 3600


def add_parser(commands: "Commands") -> None:
    cells = commands.add_parser(
        "cells", help="several stacks as one platform (operators)", allow_abbrev=False
    ).add_subparsers(metavar="ACTION", required=True)
    parser = add_command(
        cells, "add", run=_run("add"), summary="add a cell", description=ADD, parents=_parents()
    )
    _name(parser)
    parser.add_argument("--stack", metavar="NAME", required=True, help="its CloudFormation stack")
    parser.add_argument("--region", help="the stack's region (default: as AWS's own tools)")
    parser.add_argument("--url", help="URL of its API, where it has a domain of its own")
    add_command(
        cells, "list", run=_run("list_them"), summary="list the cells", description=LIST, parents=_parents()
    )
    for action, summary, text in (("show", "show a cell", SHOW), ("remove", "remove a cell", REMOVE)):
        _name(
            add_command(
                cells, action, run=_run(action), summary=summary, description=text, parents=_parents()
            )
        )
    parser = add_command(
        cells,
        "join",
        run=_run("join"),
        summary="give it another's keys",
        description=JOIN,
        parents=_parents(),
    )
    _name(parser)
    parser.add_argument(
        "--from", dest="source", metavar="CELL", required=True, help="the cell whose keys it gets"
    )
    _add_tenant(commands)


def _add_tenant(commands: "Commands") -> None:
    actions = commands.add_parser(
        "tenant", help="a tenant's cell, and its move to another (operators)", allow_abbrev=False
    ).add_subparsers(metavar="ACTION", required=True)
    parser = add_command(
        actions, "assign", run=_run_tenant("assign"), summary="give a tenant its first cell",
        description=ASSIGN, parents=_parents(),
    )  # fmt: skip
    parser.add_argument("tenant", metavar="TENANT")
    parser.add_argument("cell", metavar="CELL")
    parser = add_command(
        actions, "show", run=_run_tenant("show"), summary="show a tenant's cell", description=TENANT_SHOW,
        parents=_parents(),
    )  # fmt: skip
    parser.add_argument("tenant", metavar="TENANT")
    parser = add_command(
        actions,
        "move",
        run=_run_tenant("move"),
        summary="move a tenant",
        description=MOVE,
        parents=_parents(),
    )
    parser.add_argument("tenant", metavar="TENANT")
    parser.add_argument("--to", metavar="CELL", help="the new cell; a move that has begun knows it")
    parser.add_argument("--abort", action="store_true", help="take a move back that has not switched yet")
    parser.add_argument(
        "--cache-seconds", type=whole(1, 3600), default=CACHE_SECONDS, metavar="N",
        help=f"for which producers keep what the directory said (default: {CACHE_SECONDS})",
    )  # fmt: skip
    parser.add_argument(
        "--wait", type=whole(0, 86_400), default=WAIT_SECONDS, metavar="SECONDS",
        help=f"for the old cell's queues, at most (default: {WAIT_SECONDS})",
    )  # fmt: skip


def _parents() -> list[Parser]:
    parser = Parser(add_help=False)
    group = parser.add_argument_group("directory")
    group.add_argument("--directory", metavar="TABLE", help="its table (or: WEBHOOKS_DIRECTORY)")
    group.add_argument(
        "--directory-region", metavar="REGION", help="the table's region (default: as AWS's own tools)"
    )
    return [output_options(), parser]


def _name(parser: Parser) -> None:
    parser.add_argument("cell", metavar="CELL", help="its name in the directory")


def _run(action: str) -> "Command":
    def run(options: Namespace, context: CliContext) -> Result:
        # Imported here: only operators have its libraries.
        from webhooks_cli.cells import work  # noqa: PLC0415

        if not IDENTIFIER.fullmatch(getattr(options, "cell", "cell")):
            raise WrongUseError(f"a cell's name has {IDENTIFIER_RULE}: {options.cell}")
        result: Result = getattr(work, action)(options, context)
        return result

    return run


def _run_tenant(action: str) -> "Command":
    def run(options: Namespace, context: CliContext) -> Result:
        # Imported here: only operators have its libraries.
        from webhooks_cli.cells import tenant_work  # noqa: PLC0415

        result: Result = getattr(tenant_work, action)(options, context)
        return result

    return run
