"""`webhooks health`: the state of endpoints and, for operators, of the queues."""

from argparse import Namespace
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from webhooks_cli.community import Community, in_path
from webhooks_cli.context import CliContext
from webhooks_cli.deployment import Deployment, find_deployment
from webhooks_cli.errors import CliError
from webhooks_cli.log_options import parents, whole
from webhooks_cli.options import add_command
from webhooks_cli.queues import COLUMNS as QUEUE_COLUMNS
from webhooks_cli.queues import QueueState, queue_states
from webhooks_cli.result import Result, Table

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

DESCRIPTION = """\
Show the health of the community's endpoints: webhooks by state, undelivered deliveries, and each webhook that
is not healthy. With WEBHOOK (an id or a name), that one with its last changes of state. Where the deployment
names its stack, operators also see the queues: messages, the age of the oldest, dead letters.

examples:
  webhooks health
  webhooks health orders
  webhooks health --stack webhooks --region eu-west-1 --tenant acme --community main --json
"""
STATES = ("held", "failing", "slow", "paused", "disabled")  # the most urgent first
LIMIT_DEFAULT = 25
COLUMNS = ("webhook", "name", "state", "since", "held", "success", "p50", "p99")


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands, "health", run=run, summary="see the health of endpoints and queues",
        description=DESCRIPTION, parents=parents(),
    )  # fmt: skip
    parser.add_argument("webhook", metavar="WEBHOOK", nargs="?")
    parser.add_argument(
        "--limit", type=whole(1, 1000), default=LIMIT_DEFAULT, metavar="N",
        help="unhealthy webhooks that are listed (default: %(default)s)",
    )  # fmt: skip


def run(options: Namespace, context: CliContext) -> Result:
    deployment = find_deployment(options, context)
    community = Community(deployment, context)
    if options.webhook:
        return _of_webhook(community, options.webhook)
    summary = community.get("health")
    unhealthy = list(islice(_unhealthy(community, summary["webhooks"]), options.limit))
    queues, notes = _queues(deployment)
    document: dict[str, Any] = {**summary, "unhealthy": unhealthy}
    if queues:
        document["queues"] = [each.document() for each in queues]
    blocks = [_summary(summary)]
    if unhealthy:
        blocks.append(Table(COLUMNS, [_row(each) for each in unhealthy]).plain())
    if queues:
        blocks.append(Table(QUEUE_COLUMNS, [each.row() for each in queues]).plain())
    return Result(document=document, shown="\n\n".join(blocks), notes=notes)


def _unhealthy(community: Community, counts: dict[str, int]) -> Iterator[dict[str, Any]]:
    """Yield the webhooks of each state that a webhook has, with their health; no webhook twice."""
    seen = set()
    for state in STATES:
        number = 0
        while counts.get(state):
            page = community.post(
                "webhooks/fetch", {"state": state, "pIndex": number, "pSize": LIMIT_DEFAULT}
            )
            for each in page["data"]:
                if each["_id"] not in seen:
                    seen.add(each["_id"])
                    yield community.get(f"webhook/{in_path(each['_id'])}")
            if len(page["data"]) < LIMIT_DEFAULT:
                break
            number += 1


def _summary(summary: dict[str, Any]) -> str:
    webhooks, undelivered = summary["webhooks"], summary["undelivered"]
    states = ", ".join(f"{webhooks[state]} {state}" for state in ("healthy", *STATES) if webhooks.get(state))
    left = ", ".join(f"{count} {outcome}" for outcome, count in undelivered.items() if count) or "none"
    at_least = "" if summary.get("isExact", True) else " (at least)"
    lines = [
        f"webhooks     {webhooks['total']}{f': {states}' if states else ''}",
        f"undelivered  {left}{at_least}",
    ]
    if summary.get("oldestAt"):
        lines.append(f"oldest       {summary['oldestAt']}")
    return "\n".join(lines)


def _row(webhook: dict[str, Any]) -> tuple[str, ...]:
    health = webhook["health"]
    return (
        webhook["_id"],
        webhook.get("name", ""),
        health["state"],
        health.get("since", ""),
        str(health.get("held", "")),
        _rate(health),
        _milliseconds(health, "p50Ms"),
        _milliseconds(health, "p99Ms"),
    )


def _rate(health: dict[str, Any]) -> str:
    rate = health.get("successRate")
    return "" if rate is None else f"{rate} %"


def _milliseconds(health: dict[str, Any], name: str) -> str:
    return f"{health[name]} ms" if health.get(name) is not None else ""


def _of_webhook(community: Community, name: str) -> Result:
    webhook = community.get(f"webhook/{in_path(community.webhook_id(name))}")
    health = webhook["health"]
    lines = [
        f"webhook      {webhook['_id']}  {webhook.get('name', '')}".rstrip(),
        f"state        {', '.join(health.get('states') or [health['state']])}"
        + (f", since {health['since']}" if health.get("since") else ""),
        f"held         {health.get('held', 0)}",
        f"recoverable  {health.get('recoverable', 0)}",
        f"success      {_rate(health) or 'no deliveries yet'}",
        f"p50, p99     {_milliseconds(health, 'p50Ms')}, {_milliseconds(health, 'p99Ms')}".rstrip(", "),
        f"last success {health.get('lastSuccessAt', 'none')}",
    ]
    if failure := health.get("lastFailure"):
        lines.append(f"last failure {failure['at']}: {failure['reason']}")
    changes = [(each["at"], each["state"], each["reason"]) for each in health.get("changes") or ()]
    blocks = ["\n".join(lines)]
    if changes:
        blocks.append(Table(("changed", "to", "because"), changes).plain())
    return Result(document=webhook, shown="\n\n".join(blocks))


def _queues(deployment: Deployment) -> tuple[list[QueueState], tuple[str, ...]]:
    if not deployment.stack:
        return [], ()
    try:
        return queue_states(deployment), ()
    except CliError as error:  # a tenant has no access to AWS, and needs none
        return [], (f"the queues are not shown: {error}",)
