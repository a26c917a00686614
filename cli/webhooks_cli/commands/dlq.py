"""`webhooks dlq`: the dead-letter queues, for operators."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from webhooks_cli.aws import Account
from webhooks_cli.context import CliContext
from webhooks_cli.dead_letter_queue import DeadLetterQueue, Tally
from webhooks_cli.dead_letters import Chosen, DeadLetter, Placing, delivery_entry, event_entry
from webhooks_cli.deployment import find_deployment
from webhooks_cli.errors import OK, InterruptedByUser, RefusedError, UnreachableError, WrongUseError
from webhooks_cli.log_options import whole
from webhooks_cli.options import Parser, add_command, deployment_options, output_options
from webhooks_cli.progress_bar import ProgressBar
from webhooks_cli.queues import message_count
from webhooks_cli.result import Result, Table
from webhooks_cli.timestamps import parse_past, show_age

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

LIST = """\
List the messages of a dead-letter queue, each with its reason. They are invisible to others while this lasts.

examples:
  webhooks dlq list deliveries
  webhooks dlq list deliveries --webhook 65f0c0ffee65f0c0ffee65f0 --reason 503 --newer 2h
  webhooks dlq list events --stack webhooks --region eu-west-1 --json
"""
SHOW = """\
Show one message of a dead-letter queue, with its body.

examples:
  webhooks dlq show events 0b8c6a0e-6f5b-4a39-9c39-5b8f4f6c2f9b
"""
REDRIVE = """\
Put dead letters back: deliveries into the slow lane, events into the events queue. A message is sent first
and deleted then: if this command is killed between the two, a second redrive sends it again, and the
delivery log recognises the repeat. A message without a place stays. Those that come while the command runs
are left to the next one.

examples:
  webhooks dlq redrive deliveries --webhook 65f0c0ffee65f0c0ffee65f0 --dry-run
  webhooks dlq redrive deliveries --reason 503 --newer 6h
  webhooks dlq redrive events --limit 100
"""
PURGE = """\
Delete dead letters for good. It asks before, unless --yes.

examples:
  webhooks dlq purge events --older 7d --dry-run
  webhooks dlq purge deliveries --webhook 65f0c0ffee65f0c0ffee65f0 --yes
  webhooks dlq purge recovery --yes
"""
DLQS = {"events": "eventsDlqUrl", "deliveries": "deliveriesDlqUrl", "recovery": "recoveryDlqUrl"}
# The queues that dead letters go back to; the service itself begins tasks of the recovery queue anew.
TARGETS: dict[str, tuple[str, Placing]] = {
    "events": ("eventsQueueUrl", event_entry),
    "deliveries": ("slowDeliveriesQueueUrl", delivery_entry),
}
LIMIT_DEFAULT, LIMIT_MAX = 100, 10_000
COLUMNS = ("age", "webhook", "event", "reason", "bytes", "receives", "message")
REASON_SHOWN = 60  # characters
YES = "yes"


def add_parser(commands: "Commands") -> None:
    actions = commands.add_parser(
        "dlq", help="see, redrive, purge dead letters (operators)", allow_abbrev=False
    ).add_subparsers(metavar="ACTION", required=True)
    parser = add_command(
        actions, "list", run=list_them, summary="list dead letters", description=LIST, parents=_parents()
    )
    _filter_options(parser, tuple(DLQS))
    parser = add_command(actions, "show", run=show, summary="show one", description=SHOW, parents=_parents())
    parser.add_argument("queue", metavar="QUEUE", choices=tuple(DLQS), help=", ".join(DLQS))
    parser.add_argument("message", metavar="MESSAGE", help="its message id")
    parser = add_command(
        actions, "redrive", run=redrive, summary="put them back", description=REDRIVE, parents=_parents()
    )
    _filter_options(parser, tuple(TARGETS))
    parser.add_argument("--dry-run", action="store_true", help="count them, and move nothing")
    parser = add_command(
        actions, "purge", run=purge, summary="delete them", description=PURGE, parents=_parents()
    )
    _filter_options(parser, tuple(DLQS))
    parser.add_argument("--dry-run", action="store_true", help="count them, and delete nothing")
    parser.add_argument("--yes", action="store_true", help="delete without asking")


def _parents() -> list[Parser]:
    return [output_options(), deployment_options()]


def _filter_options(parser: Parser, queues: tuple[str, ...]) -> None:
    parser.add_argument("queue", metavar="QUEUE", choices=queues, help=", ".join(queues))
    parser.add_argument("--webhook", metavar="ID", help="only deliveries of this webhook")
    parser.add_argument("--reason", metavar="TEXT", help="only those whose reason has this text")
    parser.add_argument(
        "--older", metavar="TIME", help="only those dead-lettered before: 2h or 7d ago, or a time"
    )
    parser.add_argument("--newer", metavar="TIME", help="only those dead-lettered since")
    parser.add_argument("--limit", type=whole(1, LIMIT_MAX), metavar="N", help="this many at most")


def _filter(options: Namespace, context: CliContext) -> Chosen:
    """Return the filter; messages that come from now on are never taken. Raises WrongUseError."""
    now = context.clock()
    return Chosen(
        webhook_id=options.webhook,
        reason=options.reason,
        since=parse_past(options.newer, now) / 1000 if options.newer else None,
        until=min(now, parse_past(options.older, now) / 1000) if options.older else now,
    )


def list_them(options: Namespace, context: CliContext) -> Result:
    limit, now = options.limit or LIMIT_DEFAULT, context.clock()
    letters: list[dict[str, Any]] = []

    def keep(found: list[DeadLetter], _queue: DeadLetterQueue) -> None:
        letters.extend(each.document(now) for each in found)

    tally = _work(options, context, keep, limit=limit)
    rows = [
        (
            show_age(each["ageSeconds"]),
            each["webhookId"] or "",
            each["eventName"] or "",
            each["reason"][:REASON_SHOWN],
            str(each["bytes"]),
            str(each["receives"]),
            each["messageId"],
        )
        for each in sorted(letters, key=lambda each: each["ageSeconds"])
    ]
    notes = [*_notes(tally)] if letters else ["no dead letters that fit", *_notes(tally)]
    if len(letters) == limit:
        notes.append(f"{limit} of them: --limit shows more")
    return Result(document=letters, shown=Table(COLUMNS, rows).plain() if rows else "", notes=tuple(notes))


def show(options: Namespace, context: CliContext) -> Result:
    account = Account(find_deployment(options, context))
    url = account.find(DLQS[options.queue])
    now = context.clock()
    found: DeadLetter | None = None
    with ProgressBar(context.stderr, "messages looked at") as bar, DeadLetterQueue(account.sqs, url) as queue:
        for letters in queue.chosen(Chosen(), limit=None):
            bar.show(queue.tally.seen, None)
            found = next((each for each in letters if each.id == options.message), None)
            if found:
                break
    if not found:
        raise RefusedError(f"no message {options.message} in the dead-letter queue of {options.queue}")
    document = {**found.document(now), "body": found.body}
    lines = [f"{name:12}{_shown(value)}" for name, value in found.document(now).items() if value]
    return Result(
        document=document, shown="\n".join([*lines, "", found.body]), notes=tuple(_notes(queue.tally))
    )


def _shown(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def redrive(options: Namespace, context: CliContext) -> Result:
    name, placing = TARGETS[options.queue]
    target = Account(find_deployment(options, context)).find(name)
    place = "events queue" if options.queue == "events" else "slow lane"
    if options.dry_run:
        tally = _work(options, context, lambda letters, queue: queue.plan(letters, placing))
        would = tally.chosen - sum(tally.unplaced.values())
        return _result(tally, f"{would} would go back into the {place}", wouldSend=would)
    tally = _work(options, context, lambda letters, queue: queue.move(letters, target, placing))
    return _result(tally, f"{tally.sent} went back into the {place}", sent=tally.sent)


def purge(options: Namespace, context: CliContext) -> Result:
    if options.dry_run:
        tally = _work(options, context, lambda _letters, _queue: None)
        return _result(tally, f"{tally.chosen} would be deleted", wouldDelete=tally.chosen)
    if not options.yes:
        _ask(options, context)
    tally = _work(options, context, lambda letters, queue: queue.delete(letters))
    return _result(tally, f"{tally.deleted} deleted for good", deleted=tally.deleted)


def _result(tally: Tally, shown: str, **numbers: int) -> Result:
    document = {
        **numbers,
        "lookedAt": tally.seen,
        "staying": dict(tally.unplaced),
        "notTaken": tally.refused,
        "notDeleted": tally.not_deleted,
        "notes": list(_notes(tally)),
    }
    failed = tally.refused or tally.not_deleted
    return Result(
        document=document,
        shown=shown,
        notes=tuple(_notes(tally)),
        exit_code=UnreachableError.exit_code if failed else OK,
    )


def _ask(options: Namespace, context: CliContext) -> None:
    which = (
        "those that fit" if any((options.webhook, options.reason, options.older, options.newer)) else "all"
    )
    print(
        f"purge deletes dead letters of {options.queue} for good, {which}. Type {YES}: ",
        end="", file=context.stderr, flush=True,
    )  # fmt: skip
    if context.stdin.readline().strip() != YES.encode():
        raise WrongUseError(f"nothing was deleted: answer {YES}, or give --yes; --dry-run counts them")


Work = Callable[[list[DeadLetter], DeadLetterQueue], object]


def _work(options: Namespace, context: CliContext, work: Work, *, limit: int | None = None) -> Tally:
    """Work through the messages that the options choose; return the counts. Raises CliError."""
    account = Account(find_deployment(options, context))
    url = account.find(DLQS[options.queue])
    chosen = _filter(options, context)
    expected = message_count(account, url)
    queue = DeadLetterQueue(account.sqs, url)
    try:
        with ProgressBar(context.stderr, "messages") as bar, queue:
            for letters in queue.chosen(chosen, limit=limit or options.limit):
                work(letters, queue)
                bar.show(queue.tally.seen, max(expected, queue.tally.seen))
    except KeyboardInterrupt:
        tally = queue.tally
        done = f"{tally.sent} went back, {tally.deleted} deleted"
        text = "; ".join(["interrupted", done, *_notes(tally), "run it again for the others"])
        raise InterruptedByUser(text) from None
    return queue.tally


def _notes(tally: Tally) -> Iterator[str]:
    for reason, number in tally.unplaced.items():
        yield f"{number} stay where they are: {reason}"
    if tally.refused:
        yield f"{tally.refused} were not taken by the queue, and stay"
    if tally.not_deleted:
        yield f"{tally.not_deleted} went back but are still here: the delivery log recognises them"
    if tally.not_released:
        yield f"{tally.not_released} become visible again within 15 minutes"
    if tally.stopped:
        yield tally.stopped
