"""The tables are away for many visibility timeouts: once they are back, all is delivered and nothing is dead.

The queues' visibility timeouts are lowered for the test, so that many pass.
"""

import json
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from local.stack import Stack
from tests.e2e import logs, permissions
from tests.e2e.platform_client import PlatformClient
from tests.e2e.test_kills import dead_letters, hidden_for, registered, settle
from tests.receiver import Receiver
from webhooks.domain.delivery import Delivery, Pack, delivery_id
from webhooks.domain.delivery_message import encode_pack
from webhooks.domain.scope import Scope

pytestmark = pytest.mark.local_only("it takes AWS services away from the functions")

EVENTS = 20
HIDDEN = 2  # seconds
TIMEOUTS = 10  # that pass while the tables are away; before, five dead-lettered
PATIENCE = 120  # seconds
LOGS = ("FanoutLogs", "DispatcherLogs")
TABLES = ("SubscriptionsTable", "DeliveriesTable")


@contextmanager
def away(stack: Stack, names: Sequence[str]) -> Iterator[None]:
    """Delete tables, and create them again with their items."""
    dynamodb = stack.client("dynamodb")
    tables: list[tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]] = []
    for name in names:
        table = stack.outputs[name]
        items = [
            item
            for page in dynamodb.get_paginator("scan").paginate(TableName=table)
            for item in page["Items"]
        ]
        ttl = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        tables.append((dynamodb.describe_table(TableName=table)["Table"], items, ttl))
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
        dynamodb.delete_table(TableName=table)
    try:
        yield
    finally:
        with _paused(stack):  # a table that has some of its items yet would lose events
            _restore(dynamodb, tables)


def _restore(
    dynamodb: Any, tables: Iterable[tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]]
) -> None:
    for description, items, ttl in tables:
        name = description["TableName"]
        dynamodb.create_table(
            TableName=name,
            KeySchema=description["KeySchema"],
            AttributeDefinitions=description["AttributeDefinitions"],
            **_indexes(description),
            BillingMode="PAY_PER_REQUEST",
        )
        for item in items:
            dynamodb.put_item(TableName=name, Item=item)
        if "AttributeName" in ttl:
            specification = {"Enabled": True, "AttributeName": ttl["AttributeName"]}
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)


@contextmanager
def _paused(stack: Stack) -> Iterator[None]:
    """Let no function read its queue meanwhile."""
    functions = stack.client("lambda")
    mappings = [each["UUID"] for each in functions.list_event_source_mappings()["EventSourceMappings"]]
    for mapping in mappings:
        functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    time.sleep(HIDDEN)  # until those that run have ended
    try:
        yield
    finally:
        for mapping in mappings:
            functions.update_event_source_mapping(UUID=mapping, Enabled=True)


def _indexes(description: dict[str, Any]) -> dict[str, Any]:
    """Return a table's indexes as they are made again."""
    names = ("IndexName", "KeySchema", "Projection")
    indexes = [
        {name: index[name] for name in names} for index in description.get("GlobalSecondaryIndexes", [])
    ]
    return {"GlobalSecondaryIndexes": indexes} if indexes else {}


def event(community: str, event_id: str) -> str:
    return json.dumps(
        {
            "eventId": event_id,
            "eventName": "kill.test",
            "tenantId": "acme",
            "communityId": community,
            "data": {"by1": True},
        }
    )


def delivery(community: str, webhook_id: str, event_id: str) -> Delivery:
    body = event(community, event_id)
    one = delivery_id(event_id, webhook_id, log_time=0)
    return Delivery(one, event_id, "kill.test", log_time=0, body=body)


def send(stack: Stack, queue: str, text: str) -> None:
    stack.client("sqs").send_message(QueueUrl=stack.outputs[queue], MessageBody=text)


def postponed(stack: Stack, group: str, since: float) -> int:
    """Count the batches, and single messages of them, that a function returned to its queue, by its log."""
    name = permissions.physical_id(stack, group)
    return sum('.postponed"' in line for line in logs.lines(stack, name, since=since))


def outlast(stack: Stack, seconds: float, since: float) -> None:
    """Wait until the time is up and both functions gave something back for each timeout in it."""
    until = time.monotonic() + PATIENCE
    time.sleep(seconds)
    while min(postponed(stack, each, since) for each in LOGS) < TIMEOUTS:
        assert time.monotonic() < until, "the functions do not try again"
        time.sleep(1)


def test_an_outage_of_many_visibility_timeouts_dead_letters_nothing(
    stack: Stack, system: PlatformClient, capsys: pytest.CaptureFixture[str]
) -> None:
    community = f"outage-{uuid.uuid4().hex[:8]}"
    with Receiver() as receiver, hidden_for(stack, HIDDEN):
        hook = registered(system, receiver, community, path="all", every=1)
        send(stack, "EventsQueueUrl", event(community, "warm"))
        receiver.wait_for(1, seconds=PATIENCE, path=hook.path)
        settle(stack, seconds=PATIENCE)
        dead_letters(stack, "EventsDlqUrl")
        dead_letters(stack, "DeliveriesDlqUrl")
        since = time.time()

        with away(stack, TABLES):
            for number in range(EVENTS):
                send(stack, "EventsQueueUrl", event(community, f"event-{number}"))
                pack = Pack(
                    hook.id, Scope("acme", community), (delivery(community, hook.id, f"pack-{number}"),)
                )
                send(stack, "DeliveriesQueueUrl", encode_pack(pack))
            outlast(stack, HIDDEN * (TIMEOUTS + 2), since)
            counts = {each: postponed(stack, each, since) for each in LOGS}
            assert len(receiver.requests) == 1
        settle(stack, seconds=PATIENCE)

        wanted = {
            delivery_id(f"{kind}-{number}", hook.id, log_time=0)
            for kind in ("event", "pack")
            for number in range(EVENTS)
        }
        called = [each.header("webhook-id") for each in receiver.requests[1:]]
    with capsys.disabled():
        print(  # noqa: T201 - figures for the reader
            f"\noutage: {time.time() - since:.0f} s, batches postponed {counts}; "
            f"delivered {len(set(called))} of {len(wanted)}, calls {len(called)}"
        )
    assert set(called) == wanted
    assert dead_letters(stack, "EventsDlqUrl") == []
    assert dead_letters(stack, "DeliveriesDlqUrl") == []
