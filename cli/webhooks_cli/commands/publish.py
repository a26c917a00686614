"""`webhooks publish`: events from files to the events queue, all checked before the first is sent."""

from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from webhooks_cli.aws import Account, aws_errors
from webhooks_cli.context import CliContext
from webhooks_cli.deployment import Deployment, find_deployment
from webhooks_cli.errors import MissingError, UnreachableError, WrongUseError
from webhooks_cli.event_files import EventText, changed, copies, event_text, parse_override, read_documents
from webhooks_cli.inputs import read_text
from webhooks_cli.options import add_command, deployment_options, output_options
from webhooks_cli.result import Result, Table

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

DESCRIPTION = """\
Send events to the events queue: JSON objects, arrays of them, or one per line. The rules of the service are
checked first: if one event is invalid, none is sent. The MessageGroupId of an event is its tenant.

examples:
  webhooks publish events/native.json --mine
  webhooks publish events/native.json events/platform.json --set tenantId=acme --set communityId=main
  webhooks publish order.json --set data.amount=250 --count 100
  my-producer | webhooks publish - --stack webhooks --region eu-west-1
"""
BATCH_EVENTS, BATCH_BYTES = 10, 1024 * 1024  # limits of SendMessageBatch, for all its messages together
NO_TENANT = "none"  # the group of unchecked events that name no tenant
GROUP_LENGTH = 128
COUNT_MAX = 100_000


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands,
        "publish",
        run=run,
        summary="send events to the events queue",
        description=DESCRIPTION,
        parents=[output_options(), deployment_options()],
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="JSON or NDJSON; - for stdin")
    parser.add_argument(
        "--set",
        dest="overrides",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="another value of a field in every event; dots reach into objects",
    )
    parser.add_argument("--mine", action="store_true", help="use the configured tenant and community")
    parser.add_argument("--count", type=_count, metavar="N", help="N copies of each, with new event ids")
    parser.add_argument("--no-check", action="store_true", help="send invalid events, too")


def _count(text: str) -> int:
    if not (
        text.isascii()
        and text.isdigit()
        and 0 < len(text) <= len(str(COUNT_MAX))
        and 0 < int(text) <= COUNT_MAX
    ):
        raise ArgumentTypeError(f"a number from 1 to {COUNT_MAX}")
    return int(text)


def run(options: Namespace, context: CliContext) -> Result:
    deployment = find_deployment(options, context)
    overrides = [*_mine(options, deployment), *(parse_override(text) for text in options.overrides)]
    events = [
        event for file in options.files for event in _read(file, overrides, options=options, context=context)
    ]
    if not options.no_check:
        check(events, now_ms=int(context.clock() * 1000))
    sent = _send(events, Account(deployment))
    rows = [(event.source, message_id) for event, message_id in zip(events, sent, strict=True)]
    return Result(
        document={
            "sent": len(rows),
            "events": [{"source": source, "messageId": id_} for source, id_ in rows],
        },
        shown=Table(("event", "message id"), rows),
        notes=(f"{len(rows)} sent to the events queue",),
    )


def _mine(options: Namespace, deployment: Deployment) -> list[tuple[str, Any]]:
    if not options.mine:
        return []
    if not deployment.tenant_id or not deployment.community_id:
        raise MissingError(f"{deployment.origin} has no tenant and community: give --tenant and --community")
    return [("tenantId", deployment.tenant_id), ("communityId", deployment.community_id)]


def _read(
    file: str, overrides: Sequence[tuple[str, Any]], *, options: Namespace, context: CliContext
) -> Iterator[EventText]:
    text = read_text(file, context)
    try:
        documents = read_documents(text, file)
    except WrongUseError:
        if not options.no_check or overrides or options.count or not text.strip():
            raise
        yield EventText(file, text, None)  # text that is not JSON can be sent unchanged
        return
    for source, document in documents:
        event = changed(document, overrides)
        if options.count is None:
            yield event_text(source, event)
            continue
        for number, copy in enumerate(
            copies(event, options.count, random_bytes=context.random_bytes), start=1
        ):
            yield event_text(f"{source}, copy {number}", copy)


def check(events: Sequence[EventText], *, now_ms: int) -> None:
    """Raise WrongUseError with the reason of every event that the service would refuse.

    Raises MissingError where the service's rules are not installed, as they are not part of the command.
    """
    try:
        # Imported here: the command may be installed without the service.
        from webhooks.domain.errors import InvalidEventError  # noqa: PLC0415
        from webhooks.domain.event import parse_event  # noqa: PLC0415
    except ImportError:
        raise MissingError(
            "the rules for events come with the service's repository: publish with its .venv/bin/webhooks, "
            "or with --no-check: an invalid event then goes to the events dead-letter queue"
        ) from None
    refused = []
    for event in events:
        try:
            parse_event(event.text, message_id="not-known-yet", sent_at=now_ms)
        except InvalidEventError as error:
            refused.append(f"{event.source}: {error}")
    if refused:
        raise WrongUseError("nothing was sent, the service would refuse:\n  " + "\n  ".join(refused))


def _send(events: Sequence[EventText], account: Account) -> list[str]:
    url, sqs = account.find("eventsQueueUrl"), account.sqs
    sent: list[str] = []
    for batch in batches(events):
        entries = [
            {
                "Id": str(index),
                "MessageBody": event.text,
                "MessageGroupId": _group(event),
            }
            for index, event in enumerate(batch)
        ]
        with aws_errors("sqs SendMessageBatch"):
            response = sqs.send_message_batch(QueueUrl=url, Entries=entries)  # type: ignore[arg-type]  # plain dicts
        ids = {entry["Id"]: entry["MessageId"] for entry in response.get("Successful", [])}
        if failed := response.get("Failed", []):
            reasons = "; ".join(f"{batch[int(each['Id'])].source}: {each['Code']}" for each in failed)
            raise UnreachableError(
                f"{len(sent) + len(ids)} of {len(events)} sent; the queue did not take: {reasons}"
            )
        sent += [ids[entry["Id"]] for entry in entries]
    return sent


def _group(event: EventText) -> str:
    group = (event.group or "")[:GROUP_LENGTH]
    return group if group.isascii() and group.isprintable() and group and " " not in group else NO_TENANT


def batches(events: Sequence[EventText]) -> Iterator[list[EventText]]:
    """Split the events, in their order, into batches for one call each."""
    batch: list[EventText] = []
    size = 0
    for event in events:
        weight = len(event.text.encode())
        if batch and (len(batch) == BATCH_EVENTS or size + weight > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += weight
    if batch:
        yield batch
