"""The old cell of a tenant that has moved: its queues, its running replays, and the pause of its webhooks.

A paused webhook sends nothing: what is still in the queues is held in the log then, with its payload. So no
delivery depends on the queues' counts, which are approximate.
"""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from webhooks_cli.backup.source import query
from webhooks_cli.backup.webhook_items import COMMUNITY, HEAD, WEBHOOK, Item
from webhooks_cli.cells.marks import communities
from webhooks_cli.cells.opened import Opened
from webhooks_cli.event_files import write_json

QUEUES = ("eventsQueueUrl", "deliveriesQueueUrl", "slowDeliveriesQueueUrl")
COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def is_empty(cell: Opened) -> bool:
    """Tell whether the queues of events and deliveries have no message, by their approximate counts."""
    return not any(_messages(cell, cell.account.find(name)) for name in QUEUES)


def _messages(cell: Opened, url: str) -> int:
    found = cell.calls.call(
        "sqs GetQueueAttributes",
        cell.account.sqs.get_queue_attributes,
        QueueUrl=url,
        AttributeNames=list(COUNTS),
    )
    return sum(int(found["Attributes"].get(name, "0")) for name in COUNTS)


def running_replays(cell: Opened, pks: Iterable[str]) -> list[str]:
    """Return the ids of the replays of communities that are sending deliveries."""
    keys = [{"pk": {"S": f"R#{pk[len(COMMUNITY) :]}#running"}, "sk": {"S": "running"}} for pk in pks]
    named = cell.calls.get_many(cell.account.dynamodb, cell.resources.deliveries, keys)
    asked = [
        {"pk": {"S": item["pk"]["S"][: -len("#running")]}, "sk": {"S": each}}
        for item in named
        for each in item.get("ids", {"SS": []})["SS"]
    ]
    replays = cell.calls.get_many(cell.account.dynamodb, cell.resources.deliveries, asked)
    return sorted(item["sk"]["S"] for item in replays if item.get("state", {}).get("S") == "running")


def pause(cell: Opened, tenant_id: str) -> int:
    """Pause the tenant's webhooks that are enabled; return how many were paused now."""
    paused = 0
    table = cell.resources.subscriptions
    for pk in communities(cell, tenant_id):
        items = query(cell.calls, cell.account, table, pk, WEBHOOK)
        done = cell.calls.each(lambda item: _pause(cell, item), items)
        if any(done):
            head = {"pk": {"S": pk}, "sk": {"S": HEAD}}
            cell.update(table, head, "ADD #version :one", "attribute_exists(#pk)", one={"N": "1"})
        paused += sum(done)
    cell.count_change()
    return paused


def _pause(cell: Opened, item: Item) -> bool:
    """Pause a webhook; one that the service changes meanwhile is read again."""
    table, key = cell.resources.subscriptions, {"pk": item["pk"], "sk": item["sk"]}
    found: list[Item] = [item]
    while found:
        definition = _paused(found[0])
        if definition is None:
            return False
        if cell.update(
            table, key,
            "SET #definition = :definition ADD #revision :one",
            "#revision = :read",
            definition={"S": definition}, one={"N": "1"}, read=found[0]["revision"],
        ):  # fmt: skip
            return True
        found = cell.calls.get_many(cell.account.dynamodb, table, [key])
    return False


def _paused(item: Item) -> "str | None":
    """Return a webhook's definition with the pause; None where it gets no events, or has the pause."""
    if item.get("disabled", {}).get("BOOL", False):
        return None
    try:
        definition: Any = json.loads(item["definition"]["S"], parse_float=Decimal)
    except (KeyError, ValueError, RecursionError):
        return None  # nothing is sent to a webhook that cannot be read
    if not isinstance(definition, dict) or definition.get("paused") is True:
        return None
    return write_json({**definition, "paused": True})
