"""`webhooks status`: the present state of a deployment, for operators."""

from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from webhooks_cli.alarms import AlarmState, alarm_states, in_alarm
from webhooks_cli.aws import Account
from webhooks_cli.context import CliContext
from webhooks_cli.deployment import Deployment, find_deployment
from webhooks_cli.errors import OK, MissingError, RefusedError, UnreachableError
from webhooks_cli.options import add_command, deployment_options, output_options
from webhooks_cli.progress_bar import ProgressBar
from webhooks_cli.queues import COLUMNS as QUEUE_COLUMNS
from webhooks_cli.queues import WATCHED_DLQS, QueueState, queue_states
from webhooks_cli.result import Result, Table
from webhooks_cli.stack_functions import FunctionState, function_states, stack_resources
from webhooks_cli.timestamps import show_age
from webhooks_cli.unhealthy import Unhealthy, unhealthy_webhooks

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

DESCRIPTION = """\
Show the present state of a deployment: what is wrong and the command that mends it, alarms, queues,
dead letters, webhooks that are not healthy, and of each function the version that is called. It changes
nothing. The exit code is 1 where something is wrong.

examples:
  webhooks status --stack webhooks --region eu-west-1
  webhooks status --profile prod --json | jq '.wrong[].command'
"""
OLD_SECONDS = 900  # of a queue's oldest message
DLQ = "-dlq"
COMMUNITIES_SHOWN = 5
Part = TypeVar("Part")
FUNCTION_COLUMNS = ("function", "live", "newest", "published", "concurrency", "called by")


@dataclass(frozen=True, slots=True)
class Wrong:
    """A fault, and the command that mends it or shows more; empty where there is none."""

    text: str
    command: str = ""

    def document(self) -> dict[str, str | None]:
        return {"text": self.text, "command": self.command or None}


def add_parser(commands: "Commands") -> None:
    add_command(
        commands, "status", run=run, summary="see a deployment's state (operators)",
        description=DESCRIPTION, parents=[output_options(), deployment_options()],
    )  # fmt: skip


def require_stack(deployment: Deployment) -> str:
    """Return the stack's name; raises MissingError."""
    if not deployment.stack:
        raise MissingError(
            f"{deployment.origin} does not name a stack: give --stack (and --region), "
            "or put stack into the profile"
        )
    return deployment.stack


def run(options: Namespace, context: CliContext) -> Result:
    deployment = find_deployment(options, context)
    stack = require_stack(deployment)
    account = Account(deployment)
    unread: list[Wrong] = []

    def part(name: str, read: Callable[[], Part]) -> Part | None:
        """Read one part; None where it cannot be read. In an outage the others are shown all the same."""
        try:
            return read()
        except (UnreachableError, RefusedError, MissingError) as error:
            unread.append(Wrong(f"{name} cannot be read: {error}"))
            return None

    resources = stack_resources(account, stack)  # without the stack's own, nothing can be shown
    with ProgressBar(context.stderr, "functions read") as bar:
        functions = part("functions", lambda: function_states(account, resources, bar.show)) or []
    alarms = part("alarms", lambda: alarm_states(account, stack)) or []
    queues = part("queues", lambda: queue_states(deployment)) or []
    unhealthy, is_whole = part("webhooks", lambda: unhealthy_webhooks(account)) or (None, False)
    region = f" --region {deployment.region}" if deployment.region else ""
    wrong = [
        *unread,
        *_wrong(alarms, queues, functions, where=_where(options), region=region, now=context.clock()),
    ]
    document: dict[str, Any] = {
        "stack": stack,
        "wrong": [each.document() for each in wrong],
        "alarms": [each.document() for each in alarms],
        "queues": [each.document() for each in queues],
        "unhealthyWebhooks": None if unhealthy is None else _document(unhealthy, is_whole=is_whole),
        "functions": [each.document() for each in functions],
    }
    blocks = [
        _wrong_block(stack, wrong),
        _counts_block(alarms, _unhealthy_text(unhealthy, is_whole=is_whole)),
        Table(QUEUE_COLUMNS, [each.row() for each in queues]).plain(),
        Table(FUNCTION_COLUMNS, [_row(each, context.clock()) for each in functions]).plain(),
    ]
    return Result(
        document=document,
        shown="\n\n".join(blocks),
        exit_code=RefusedError.exit_code if wrong else OK,
    )


def _where(options: Namespace) -> str:
    """Return the options with which another command finds the same deployment; none for a local stack."""
    names = ("profile", "stack", "region")
    return "".join(f" --{name} {given}" for name in names if (given := getattr(options, name)))


def _document(unhealthy: Unhealthy, *, is_whole: bool) -> dict[str, Any]:
    communities = [
        {"tenantId": tenant, "communityId": community, "count": count}
        for (tenant, community), count in unhealthy.most_common()
    ]
    return {"count": unhealthy.total(), "isExact": is_whole, "communities": communities}


def _wrong(
    alarms: Sequence[AlarmState],
    queues: Sequence[QueueState],
    functions: Sequence[FunctionState],
    *,
    where: str,
    region: str,
    now: float,
) -> Iterator[Wrong]:
    for alarm in in_alarm(alarms):
        section = f": {alarm.section}" if alarm.section else ""
        yield Wrong(f"the alarm {alarm.name} is in ALARM for {show_age(now - alarm.since)}{section}")
    for function in functions:
        if function.reserved == 0:
            yield Wrong(
                f"{function.name} does not run: its reserved concurrency is 0",
                f"aws lambda delete-function-concurrency --function-name {function.id}{region}",
            )
        for caller in function.callers:
            if not caller.is_enabled and caller.is_schedule:
                yield Wrong(
                    f"{function.name} is not called: its schedule {caller.name} is disabled",
                    f"aws events enable-rule --name {caller.id}{region}",
                )
            elif not caller.is_enabled:
                yield Wrong(
                    f"{function.name} does not read {caller.name}: the event source mapping is disabled",
                    f"aws lambda update-event-source-mapping --uuid {caller.id} --enabled{region}",
                )
    for queue in queues:
        if queue.name in WATCHED_DLQS and queue.messages:
            yield Wrong(
                f"{queue.name} has {queue.messages} message{'' if queue.messages == 1 else 's'}",
                f"webhooks dlq list {queue.name.removesuffix(DLQ)}{where}",
            )
        elif not queue.name.endswith(DLQ) and (queue.oldest or 0) >= OLD_SECONDS:
            yield Wrong(f"the oldest message of the {queue.name} queue is {show_age(queue.oldest or 0)} old")


def _wrong_block(stack: str, wrong: Sequence[Wrong]) -> str:
    if not wrong:
        return f"{stack}: nothing is wrong"
    lines = [f"{stack}: {len(wrong)} wrong"]
    for each in wrong:
        lines.append(f"  {each.text}")
        if each.command:
            lines.append(f"    {each.command}")
    return "\n".join(lines)


def _counts_block(alarms: Sequence[AlarmState], webhooks: str) -> str:
    return f"alarms    {len(in_alarm(alarms))} of {len(alarms)} in ALARM\nwebhooks  {webhooks}"


def _unhealthy_text(unhealthy: Unhealthy | None, *, is_whole: bool) -> str:
    if unhealthy is None:
        return "unknown"
    if not unhealthy:
        return "all healthy"
    most = [f"{'/'.join(scope)} {count}" for scope, count in unhealthy.most_common(COMMUNITIES_SHOWN)]
    more = len(unhealthy) - len(most)
    at_least = "" if is_whole else "at least "
    return (
        f"{at_least}{unhealthy.total()} not healthy: {', '.join(most)}"
        f"{f', and in {more} communities more' if more else ''}"
    )


def _row(function: FunctionState, now: float) -> tuple[str, ...]:
    live = function.version(function.live)
    shares = "".join(f", {share:.0%} {version}" for version, share in function.canary.items())
    return (
        function.name,
        f"{function.live}{shares}",
        function.newest,
        f"{show_age(now - live.published_at)} ago" if live else "",
        "" if function.reserved is None else str(function.reserved),
        ", ".join(f"{each.name}{'' if each.is_enabled else ' (disabled)'}" for each in function.callers)
        or "the API",
    )
