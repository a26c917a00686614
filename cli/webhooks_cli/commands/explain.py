"""`webhooks deliveries explain`: where an event went, webhook by webhook, and why."""

import json
from argparse import Namespace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from webhooks_cli.community import Community
from webhooks_cli.context import CliContext
from webhooks_cli.deployment import find_deployment
from webhooks_cli.errors import WrongUseError
from webhooks_cli.event_files import changed, parse_override, read_documents
from webhooks_cli.inputs import read_text
from webhooks_cli.log_options import parents
from webhooks_cli.options import add_command
from webhooks_cli.result import Result, Table
from webhooks_cli.timestamps import parse_past, show_milliseconds

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

DESCRIPTION = """\
Explain an event: each webhook that listens to its name is matched (with its delivery and outcome), filtered
(with the condition that failed and the values found) or disabled. With the event's file, conditions are
compared with its data; with its id, name and time alone, the log tells where it went.

examples:
  webhooks deliveries explain order.json
  webhooks deliveries explain events/native.json --set tenantId=acme --set communityId=main
  webhooks deliveries explain --id 5f2b... --name order.paid --time 2026-11-23T22:24:38.123Z
"""
COLUMNS = ("webhook", "name", "result", "why", "delivery")


def add_parser(actions: "Commands") -> None:
    parser = add_command(
        actions, "explain", run=run, summary="explain an event", description=DESCRIPTION, parents=parents()
    )
    parser.add_argument("file", metavar="FILE", nargs="?", help="the event as it was published; - for stdin")
    parser.add_argument("--id", dest="event_id", metavar="ID", help="or its id,")
    parser.add_argument("--name", metavar="NAME", help="its name,")
    parser.add_argument("--time", metavar="TIME", help="and the time that it carried, if it carried one")
    parser.add_argument(
        "--set", dest="overrides", metavar="NAME=VALUE", action="append", default=[],
        help="another value of a field of FILE, as publish has it",
    )  # fmt: skip


def run(options: Namespace, context: CliContext) -> Result:
    body = _body(options, context)
    community = Community(find_deployment(options, context), context)
    pages = list(community.pages("events/explain", body))
    document = {**pages[0], "webhooks": [each for page in pages for each in page["webhooks"]]}
    document.pop("cursor", None)
    rows = [
        (
            each.get("webhookId", ""),
            each.get("name", ""),
            each["result"],
            why(each),
            each.get("deliveryId", ""),
        )
        for each in document["webhooks"]
    ]
    notes = [
        "  ".join(document[name] for name in ("eventName", "eventId", "occurredAt") if document.get(name))
    ]
    if not rows:
        notes.append(_unheard(document, community.name))
    return Result(document=document, shown=Table(COLUMNS, rows).plain() if rows else "", notes=tuple(notes))


def _unheard(document: dict[str, Any], community: str) -> str:
    names = ", ".join(document.get("listenedNames") or ()) or "none"
    said = f" ({document['message']})" if document.get("message") else ""
    return f"no webhook of {community} listens to {document['eventName']}; listened to: {names}{said}"


def _body(options: Namespace, context: CliContext) -> dict[str, Any]:
    by_name = options.event_id or options.name or options.time
    if bool(options.file) == bool(by_name):
        raise WrongUseError("give the event's FILE, or its --id and --name (and --time)")
    if options.file:
        documents = read_documents(read_text(options.file, context), options.file)
        if len(documents) > 1:
            raise WrongUseError(f"{options.file} holds {len(documents)} events: explain takes one")
        event = changed(documents[0][1], [parse_override(text) for text in options.overrides])
        return {"event": event}
    if not options.event_id or not options.name:
        raise WrongUseError("without FILE, --id and --name are needed both")
    body = {"eventId": options.event_id, "eventName": options.name}
    if options.time:
        body["occurredAt"] = show_milliseconds(parse_past(options.time, context.clock()))
    return body


def why(webhook: dict[str, Any]) -> str:
    """Say why a webhook got the event or not."""
    if webhook.get("outcome"):
        return str(webhook["outcome"])
    if webhook.get("reason"):
        return str(webhook["reason"])
    return "; ".join(_condition(each) for each in webhook.get("conditions") or ())


def _condition(condition: dict[str, Any]) -> str:
    wanted = _value(condition.get("wanted"))
    values = condition.get("found") or []
    found = ", ".join(map(_value, values))
    place = f"object {condition['object']} of the query, {condition['field']}"
    return f"{place}: wants {wanted}, found {found or 'nothing'}"


def _value(value: Any) -> str:
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False, default=str)
