"""`webhooks test`: one signed callback to a webhook at once, and what its endpoint answered."""

import json
from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from webhooks_cli.community import Community, in_path
from webhooks_cli.context import CliContext
from webhooks_cli.delivery_text import attempt_lines, bar_of
from webhooks_cli.deployment import find_deployment
from webhooks_cli.errors import OK, RefusedError, WrongUseError
from webhooks_cli.event_files import read_documents
from webhooks_cli.inputs import read_text
from webhooks_cli.log_options import parents
from webhooks_cli.options import add_command
from webhooks_cli.result import Result

if TYPE_CHECKING:
    from webhooks_cli.options import Commands

DESCRIPTION = """\
Send a test event to a webhook at once, signed and authenticated as every callback, and show the request, the
phases and the response. WEBHOOK is its id or its name. A test is in the delivery log, marked; it is not
repeated, and counts for no health. Exit code 1 if it failed. One a second and webhook.

examples:
  webhooks test orders
  webhooks test 65f0c0ffee65f0c0ffee65f0 --event order.paid --data data.json
  webhooks test orders --json | jq .times
"""


def add_parser(commands: "Commands") -> None:
    parser = add_command(
        commands, "test", run=run, summary="send a test event", description=DESCRIPTION, parents=parents()
    )
    parser.add_argument("webhook", metavar="WEBHOOK")
    parser.add_argument("--event", metavar="NAME", help="the event's name (default: the webhook's first)")
    parser.add_argument("--data", metavar="FILE", help="its data, a JSON object; - for stdin")


def run(options: Namespace, context: CliContext) -> Result:
    body: dict[str, Any] = {"eventName": options.event} if options.event else {}
    if options.data:
        documents = read_documents(read_text(options.data, context), options.data)
        if len(documents) > 1 or not isinstance(documents[0][1], dict):
            raise WrongUseError(f"{options.data}: the data of a test event is one JSON object")
        body["data"] = documents[0][1]
    community = Community(find_deployment(options, context), context)
    id_ = community.webhook_id(options.webhook)
    outcome = community.post(f"webhook/{in_path(id_)}/test", body)
    delivered = outcome["outcome"] == "delivered"
    return Result(
        document=outcome,
        shown="\n".join(_lines(outcome, bar_of(context.stdout))),
        notes=() if delivered else ("the test failed",),
        exit_code=OK if delivered else RefusedError.exit_code,
    )


def _lines(outcome: dict[str, Any], bar: str) -> Iterator[str]:
    yield f"delivery   {outcome['deliveryId']}"
    yield f"outcome    {outcome['outcome']}"
    if outcome.get("reason"):
        yield f"reason     {outcome['reason']}"
    yield ""
    request = outcome["request"]
    yield f"> {request['method']} {request['url']}"
    for name, value in request["headers"].items():
        yield f"> {name}: {value}"
    if request.get("body") is not None:
        body = request["body"]
        yield ">"
        yield f"> {body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)}"
    yield ""
    response = outcome.get("response") or {}
    attempt: dict[str, Any] = {
        name: outcome[name]
        for name in ("status", "reason", "latencyMs", "address", "times")
        if name in outcome
    }
    yield from attempt_lines({**attempt, "response": response.get("excerpt")}, bar=bar, longest=0)
