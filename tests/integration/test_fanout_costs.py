"""The cost of fan-out's marks, counted where botocore sends them: calls, and write units of DynamoDB."""

from typing import Any

import pytest

from tests.aws_stub.counts import counted
from tests.integration.test_event_path import NATIVE, Stack, stack
from webhooks.adapters.dynamodb.seen_events import PREFIX

__all__ = ["stack"]

AT = 1_790_000_000_000


def events(count: int, name: str = "e", *, apart: int = 10) -> list[dict[str, Any]]:
    return [
        {**NATIVE, "eventId": f"{name}{number}", "occurredAt": AT + 1 + number * apart}
        for number in range(count)
    ]


@pytest.fixture
def warm(stack: Stack) -> Stack:
    """The index is read."""
    stack.register()
    stack.publish(*events(1, "warm"))
    stack.deliver()
    return stack


def marks(stack: Stack) -> int:
    items = stack.backend.clients.dynamodb.scan(TableName=stack.deliveries_table)["Items"]
    return sum(len(item["hashes"]["BS"]) for item in items if item["pk"]["S"].startswith(PREFIX))


def test_an_event_alone_costs_no_call_more_and_no_mark(warm: Stack) -> None:
    with counted(warm.fanout.aws) as counts:
        warm.publish(*events(1))
    assert counts.calls == {"BatchGetItem": 1, "SendMessageBatch": 1}
    assert (counts.write_units, marks(warm)) == (0, 0)


def test_ten_events_in_a_pack_cost_one_call_and_one_write_unit_more(warm: Stack) -> None:
    with counted(warm.fanout.aws) as counts:
        warm.publish(*events(10))
    assert counts.calls == {"BatchGetItem": 1, "UpdateItem": 1, "SendMessageBatch": 1}
    assert (counts.write_units, marks(warm)) == (1, 10)


def test_ten_events_of_two_seconds_cost_two_write_units(warm: Stack) -> None:
    with counted(warm.fanout.aws) as counts:
        warm.publish(*events(10, apart=150))
    assert counts.calls["UpdateItem"] == counts.write_units == 2
    assert marks(warm) == 10


def test_ten_events_that_are_seconds_apart_are_not_marked(warm: Stack) -> None:
    with counted(warm.fanout.aws) as counts:
        warm.publish(*events(10, apart=1000))
    assert counts.calls["UpdateItem"] == 0
    assert marks(warm) == 0


def test_a_repeat_costs_no_second_mark_and_is_not_sent_again(warm: Stack) -> None:
    """The log of this release has a key for each delivery, too."""
    warm.publish(*events(10))
    warm.deliver()
    with counted(warm.fanout.aws) as counts:
        warm.publish(*events(10))
    assert counts.calls == {"BatchGetItem": 1, "SendMessageBatch": 1}
    warm.receiver.requests.clear()
    assert warm.deliver() == []
    assert warm.receiver.requests == []


def test_events_that_no_webhook_wants_cost_no_read_of_marks(warm: Stack) -> None:
    with counted(warm.fanout.aws) as counts:
        warm.publish(*({**each, "eventName": "E_OTHER"} for each in events(10)))
        warm.publish(*({**each, "eventName": "E_OTHER"} for each in events(10)))
    assert counts.calls == {"BatchGetItem": 2, "Query": 1}
