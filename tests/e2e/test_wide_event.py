"""One event that five thousand webhooks want, on the deployed stack: each of them is called, with the one event."""

import itertools
import json
import time
from collections import Counter

import pytest

from benchmarks import event_path
from benchmarks.figures.pages import stored
from local.stack import Stack
from tests.e2e.test_delivery import publish
from tests.receiver import Receiver
from webhooks.domain.scope import Scope

pytestmark = pytest.mark.local_only("five thousand callbacks at once need a receiver on loopback")

WEBHOOKS = 5_000
SECONDS = 240.0
WIDE = Scope("acme", "wide")


def load(stack: Stack, receiver: Receiver) -> None:
    """Put the webhooks into the table as registering them would, without five thousand requests."""
    made = (event_path.webhook(n, f"{receiver.url}/{n}", scope=WIDE) for n in range(1, WEBHOOKS + 1))
    table, dynamodb = stack.outputs["SubscriptionsTable"], stack.client("dynamodb")
    for some in itertools.batched(stored(made), 25, strict=False):
        left = {table: [{"PutRequest": {"Item": item}} for item in some]}
        while left:
            left = dynamodb.batch_write_item(RequestItems=left).get("UnprocessedItems")


def test_each_of_five_thousand_webhooks_gets_the_event_once(stack: Stack) -> None:
    with Receiver() as receiver:
        load(stack, receiver)
        event = publish(stack, event_path.NAME, communityId=WIDE.community_id, data={"currency": "EUR"})
        until = time.monotonic() + SECONDS
        while len(receiver.requests) < WEBHOOKS and time.monotonic() < until:
            time.sleep(0.5)
        time.sleep(2)  # for one too many
        calls = Counter(request.path for request in receiver.requests)
        assert calls == {f"/{n}": 1 for n in range(1, WEBHOOKS + 1)}
        assert {json.loads(request.body)["id"] for request in receiver.requests} == {event["eventId"]}
