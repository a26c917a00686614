"""The actions of `webhooks tenant`."""

from argparse import Namespace
from typing import Any

from webhooks_cli.backup.aws_calls import Calls
from webhooks_cli.cells.directory import Directory
from webhooks_cli.cells.entries import Move, Tenant
from webhooks_cli.cells.keys import refuse_other_keys
from webhooks_cli.cells.marks import webhook_count
from webhooks_cli.cells.moving import BACK, BEFORE_SWITCH, BEGUN, Moving, Times
from webhooks_cli.cells.opened import Opened, open_cell
from webhooks_cli.cells.work import opened_directory
from webhooks_cli.context import CliContext
from webhooks_cli.errors import OK, RefusedError, UnreachableError, WrongUseError
from webhooks_cli.license import ANY, IDENTIFIER, IDENTIFIER_RULE
from webhooks_cli.progress_bar import ProgressBar
from webhooks_cli.result import Result
from webhooks_cli.timestamps import show_timestamp

ADVICE = "run the command again, it goes on; before the directory names the new cell, --abort takes it back"
MOVE_ID_BYTES = 8


def assign(options: Namespace, context: CliContext) -> Result:
    _require_tenant(options.tenant, allowed=(ANY,))
    with opened_directory(options, context) as (directory, _):
        directory.cell(options.cell)
        directory.assign(options.tenant, options.cell)
    return Result(
        document={"tenant": options.tenant, "cell": options.cell}, shown=f"{options.tenant}: {options.cell}"
    )


def show(options: Namespace, context: CliContext) -> Result:
    _require_tenant(options.tenant, allowed=(ANY,))
    with opened_directory(options, context) as (directory, _):
        tenant = directory.tenant(options.tenant)
        cell = directory.cell(tenant.cell)
    document = {**tenant.document(), **cell.document()}
    lines = [f"{name:16}{value}" for name, value in document.items() if name != "move"]
    if tenant.move:
        move = tenant.move
        lines.append(f"{'move':16}from {move.source} to {move.target}, last step: {move.step}")
        lines += [
            f"{'':16}{show_timestamp(at)} {step}" for step, at in sorted(move.times.items(), key=_by_time)
        ]
    return Result(document=document, shown="\n".join(lines))


def move(options: Namespace, context: CliContext) -> Result:
    _require_tenant(options.tenant)
    with opened_directory(options, context, ADVICE) as (directory, calls):
        tenant = directory.tenant(options.tenant)
        with ProgressBar(context.stderr, "webhooks") as bar:
            work = _moving(options, context, tenant, opened=(directory, calls), bar=bar)
            if options.abort:
                work.take_back()
                return _taken_back(tenant)
            is_over = work.run()
    return _moved(options, work, is_over=is_over)


def _moving(
    options: Namespace,
    context: CliContext,
    tenant: Tenant,
    *,
    opened: tuple[Directory, Calls],
    bar: ProgressBar,
) -> Moving:
    """Return the move that was begun, or a new one. Raises CliError."""
    directory, calls = opened
    if tenant.move is None and options.abort:
        raise RefusedError(f"no move of the tenant {tenant.id} has begun")
    if tenant.move is not None and options.to not in (None, tenant.move.target):
        raise RefusedError(
            f"the tenant {tenant.id} is being moved to {tenant.move.target}: end that move first, or take it "
            "back"
        )
    names = (tenant.move.source, tenant.move.target) if tenant.move else (tenant.cell, options.to)
    if names[1] is None:
        raise WrongUseError(f"no move of the tenant {tenant.id} has begun: give --to CELL")
    if names[0] == names[1]:
        raise RefusedError(f"the tenant {tenant.id} is in the cell {names[0]} already")
    source, target = (open_cell(directory.cell(name), calls) for name in names)
    if not options.abort and (tenant.move is None or tenant.move.step in BEFORE_SWITCH):
        refuse_other_keys(source, target)
    if tenant.move is None:
        tenant = _begin(directory, tenant, source, target, context)
    return Moving(
        directory, tenant, source, target,
        times=Times(cache=options.cache_seconds, wait=options.wait),
        clock=context.clock,
        sleep=context.sleep,
        notice=lambda text: print(text, file=context.stderr, flush=True),
        progress=bar.show,
    )  # fmt: skip


def _begin(
    directory: Directory, tenant: Tenant, source: Opened, target: Opened, context: CliContext
) -> Tenant:
    if count := webhook_count(target, tenant.id):
        raise RefusedError(
            f"the cell {target.cell.name} has {count} webhooks of the tenant {tenant.id} already, and no "
            "move brought them: delete them, or back them up, before the move"
        )
    begun = Move(
        context.random_bytes(MOVE_ID_BYTES).hex(),
        source.cell.name,
        target.cell.name,
        BEGUN,
        {BEGUN: int(context.clock())},
    )
    directory.begin(tenant, begun)
    return Tenant(tenant.id, tenant.cell, begun)


def _moved(options: Namespace, work: Moving, *, is_over: bool) -> Result:
    source, target = work.copy.source_name, work.copy.target_name
    document: dict[str, Any] = {
        "tenant": options.tenant,
        "from": source,
        "to": target,
        "over": is_over,
        "step": work.move.step if work.move else "over",
        "webhooks": work.copy.webhooks,
        "handedOver": work.handover.moved,
        "deadCopied": work.handover.dead,
        "withoutCredential": work.copy.without_credential,
    }
    notes = []
    if work.copy.without_credential:
        notes.append(
            f"{len(work.copy.without_credential)} webhooks had lost their credential before the move"
        )
    if is_over:
        notes.append(f"the delivery log of before stays in {source} until it expires")
        return Result(document=document, shown=f"{options.tenant} is in {target}", notes=tuple(notes))
    notes.append(
        f"{source} still has messages: run the command again later to hand over what it holds, and to remove "
        "its copy"
    )
    shown = f"{options.tenant} is served by {target}; {source} is not done yet"
    return Result(document=document, shown=shown, notes=tuple(notes), exit_code=UnreachableError.exit_code)


def _taken_back(tenant: Tenant) -> Result:
    return Result(
        document={"tenant": tenant.id, "cell": tenant.cell, "over": True, "step": BACK},
        shown=f"{tenant.id} stays in {tenant.cell}",
        exit_code=OK,
    )


def _require_tenant(tenant_id: str, allowed: "tuple[str, ...]" = ()) -> None:
    if tenant_id not in allowed and not IDENTIFIER.fullmatch(tenant_id):
        raise WrongUseError(f"a tenant's id has {IDENTIFIER_RULE}: {tenant_id}")


def _by_time(entry: "tuple[str, int]") -> int:
    return entry[1]
