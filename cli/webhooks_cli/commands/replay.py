"""`webhooks deliveries replay|replays|cancel`: deliveries that are sent again."""

from argparse import Namespace
from itertools import islice
from typing import TYPE_CHECKING, Any

from webhooks_cli.community import PAGE_SIZE, Community, in_path
from webhooks_cli.context import CliContext
from webhooks_cli.deployment import find_deployment
from webhooks_cli.errors import WrongUseError
from webhooks_cli.log_options import filter_options, filters, parents, whole
from webhooks_cli.options import add_command
from webhooks_cli.replays import reason, replay_block, replay_result, wait_for
from webhooks_cli.result import Result, Table

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

REPLAY = """\
Send deliveries again, by their ids or by a filter on one webhook's log. --dry-run counts them first. A replay
works in the service; --wait shows its progress until it is over, and exits with 1 if it ended early.

examples:
  webhooks deliveries replay --ids ID ID
  webhooks deliveries replay --webhook orders --outcome dead --since 6h --dry-run
  webhooks deliveries replay --webhook orders --outcome dead --since 6h --rate 50 --wait
"""
REPLAYS = """\
List the community's replays and recoveries, the newest first, or show one; --wait shows its progress.

examples:
  webhooks deliveries replays
  webhooks deliveries replays 0000019a8c5e1f4065f0c0ff --wait
"""
CANCEL = """\
Cancel a replay. Deliveries that it has handed to the slow lane are sent; the others stay as they are.

examples:
  webhooks deliveries cancel 0000019a8c5e1f4065f0c0ff
"""
IDS_MAX = 100
RATE_MAX = 1000
REPLAYED = ("dead", "held", "delivered", "skipped")
COLUMNS = ("replay", "kind", "state", "sent", "total", "rate", "begun", "by")


def add_parsers(actions: "Commands") -> None:
    parser = add_command(
        actions, "replay", run=replay, summary="send deliveries again", description=REPLAY, parents=parents()
    )
    parser.add_argument("--ids", nargs="+", metavar="ID", help="these deliveries, 100 at most")
    parser.add_argument("--webhook", metavar="WEBHOOK", help="deliveries of this webhook, by its id or name")
    parser.add_argument("--outcome", choices=REPLAYED, help="those with this outcome")
    filter_options(parser)
    parser.add_argument("--dry-run", action="store_true", help="count them, and send nothing")
    parser.add_argument(
        "--rate", type=whole(1, RATE_MAX), metavar="N", help="deliveries per second (default: 10)"
    )
    parser.add_argument("--wait", action="store_true", help="wait for its end, with a progress bar")
    parser = add_command(
        actions, "replays", run=replays, summary="list replays, or show one", description=REPLAYS,
        parents=parents(),
    )  # fmt: skip
    parser.add_argument("replay", metavar="REPLAY", nargs="?")
    parser.add_argument("--wait", action="store_true", help="wait for the end of REPLAY")
    parser.add_argument(
        "--limit", type=whole(1, 1000), default=25, metavar="N", help="of the list (default: %(default)s)"
    )
    parser = add_command(
        actions, "cancel", run=cancel, summary="cancel a replay", description=CANCEL, parents=parents()
    )
    parser.add_argument("replay", metavar="REPLAY")


def replay(options: Namespace, context: CliContext) -> Result:
    _check(options)
    community = Community(find_deployment(options, context), context)
    if options.ids:
        body: dict[str, Any] = {"deliveryIds": options.ids}
    else:
        body = {"webhookId": community.webhook_id(options.webhook), **filters(options, context)}
    if options.dry_run:
        body["dryRun"] = True
    if options.rate:
        body["rate"] = options.rate
    answered = community.post("deliveries/replay", body)
    if "replayId" not in answered:
        return Result(document=answered, shown=_counted(answered))
    if options.wait:
        answered = wait_for(answered, community, context=context)
    return replay_result(answered)


def _check(options: Namespace) -> None:
    by_filter = options.webhook or options.outcome or options.event or options.since or options.until
    if options.ids and by_filter:
        raise WrongUseError(
            "--ids names the deliveries: not with --webhook, --outcome, --event, --since, --until"
        )
    if not options.ids and not (options.webhook and options.outcome):
        raise WrongUseError("give --ids, or --webhook and --outcome")
    if options.ids and len(options.ids) > IDS_MAX:
        raise WrongUseError(f"--ids takes {IDS_MAX} ids at most, not {len(options.ids)}: use a filter")


def _counted(counted: dict[str, Any]) -> str:
    without = counted["withoutPayload"]
    text = f"{counted['deliveries'] - without} would be sent"
    if without:
        text += f"; {without} cannot be: their payload is not kept"
    return f"{text}\n{counted['message']}" if counted.get("message") else text


def replays(options: Namespace, context: CliContext) -> Result:
    if options.wait and not options.replay:
        raise WrongUseError("--wait waits for one replay: give REPLAY")
    community = Community(find_deployment(options, context), context)
    if not options.replay:
        return _list(community, options.limit)
    found = community.get(f"replay/{in_path(options.replay)}")
    return replay_result(wait_for(found, community, context=context) if options.wait else found)


def _list(community: Community, limit: int) -> Result:
    found = list(islice(_all(community, min(limit, PAGE_SIZE)), limit))
    rows = [
        (
            each["replayId"],
            each["kind"],
            f"{each['state']}{reason(each)}",
            str(each["sent"]),
            str(each["total"]),
            str(each["rate"]),
            each["createdAt"],
            each["createdBy"],
        )
        for each in found
    ]
    notes = () if found else ("no replays",)
    return Result(document=found, shown=Table(COLUMNS, rows).plain() if rows else "", notes=notes)


def _all(community: Community, size: int) -> Any:
    cursor = ""
    while True:
        page = community.get(f"replays?size={size}{cursor}")
        yield from page["data"]
        if not page.get("cursor"):
            return
        cursor = f"&cursor={in_path(page['cursor'])}"


def cancel(options: Namespace, context: CliContext) -> Result:
    community = Community(find_deployment(options, context), context)
    cancelled = community.delete(f"replay/{in_path(options.replay)}")
    return Result(document=cancelled, shown=replay_block(cancelled))
