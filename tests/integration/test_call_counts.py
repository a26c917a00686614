"""The cost of a delivery, counted where botocore sends it: AWS calls by operation, and DynamoDB's write units."""

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import pytest

from tests.aws_stub.counts import counted
from tests.integration.test_event_path import NATIVE, Stack, stack
from tests.receiver import Connection, Received, reply
from webhooks.adapters.dynamodb.keys import EPOCH
from webhooks.bootstrap.dispatcher import compose
from webhooks.domain.lane import Lane
from webhooks.ports import Conversation, HttpClient

__all__ = ["stack"]


TIME = "2026-09-21T14:13:20.{:03}Z"


def _timed(count: int, name: str = "e") -> list[dict[str, Any]]:
    """Return events whose times are precise, so that their deliveries share items of the log."""
    return [
        event | {"occurredAt": TIME.format(number * 7)} for number, event in enumerate(_events(count, name))
    ]


def _events(count: int, name: str = "e") -> list[dict[str, Any]]:
    return [{**NATIVE, "eventId": f"{name}{number}"} for number in range(count)]


@dataclass
class AllAtOnce:
    """The HTTP client, whose results come all at once: the machine's speed makes no wave more."""

    http: HttpClient

    def send_all[R](self, conversations: Sequence[Conversation[R]], *, pause: float) -> Iterator[Sequence[R]]:
        assert pause < math.inf
        yield list(chain(*self.http.send_all(conversations, pause=math.inf)))


@pytest.fixture
def warm(stack: Stack) -> Iterator[Stack]:
    dispatcher = compose(http=AllAtOnce(stack.dispatcher.http))
    yield warmed(replace(stack, dispatcher=dispatcher))
    dispatcher.close()


def warmed(stack: Stack) -> Stack:
    """Let the functions run: keys and index are read, connections are open."""
    stack.register()
    stack.publish(*_events(10, "warm"))
    assert stack.deliver() == []
    stack.receiver.requests.clear()
    return stack


def test_ten_single_deliveries_take_two_calls_and_ten_write_units(warm: Stack) -> None:
    for event in _events(10):
        warm.publish(event)
    messages = warm.waiting("deliveries")
    assert len(messages) == 10

    with counted(warm.dispatcher.aws) as counts:
        assert warm.dispatch(messages[:10]) == []

    assert len(warm.receiver.requests) == 10
    assert counts.calls == {"BatchGetItem": 1, "BatchWriteItem": 1}
    assert counts.write_units == 10


@pytest.mark.parametrize(
    ("make", "writes", "units"),
    [
        (_events, 4, [100]),
        (_timed, 1, range(1, 11)),  # precise times: many deliveries have one item
    ],
)
def test_ten_packs_of_ten_take_few_calls(
    warm: Stack, make: Callable[[int, str], list[dict[str, Any]]], *, writes: int, units: Sequence[int]
) -> None:
    for batch in range(10):
        warm.publish(*make(10, f"{batch}-"))
    messages = warm.waiting("deliveries")
    assert len(messages) == 10

    with counted(warm.dispatcher.aws) as counts:
        assert warm.dispatch(messages) == []

    assert len(warm.receiver.requests) == 100
    assert counts.calls == {"BatchGetItem": 2, "BatchWriteItem": writes}
    assert counts.write_units in units


def test_a_message_that_came_before_takes_a_query_for_its_webhook_and_sends_nothing_again(
    warm: Stack,
) -> None:
    warm.publish(*_timed(10))
    [message] = warm.waiting("deliveries")
    assert warm.dispatch([message]) == []
    sent = len(warm.receiver.requests)
    assert sent == 10

    with counted(warm.dispatcher.aws) as counts:
        assert warm.dispatch([message], receives=2) == []

    assert len(warm.receiver.requests) == sent
    assert counts.calls == {"BatchGetItem": 1, "Query": 1}


def test_a_rate_limit_costs_its_webhook_one_write_per_batch(warm: Stack) -> None:
    warm.register(rate_limit=1000, event_names=("E_OTHER",))
    for batch in range(3):
        warm.publish(*(event | {"eventName": "E_OTHER"} for event in _events(10, f"{batch}-")))
    messages = warm.waiting("deliveries")
    assert len(messages) == 3

    with counted(warm.dispatcher.aws) as counts:
        assert warm.dispatch(messages) == []

    assert len(warm.receiver.requests) == 30
    assert counts.calls == {"BatchGetItem": 1, "UpdateItem": 1, "BatchWriteItem": 2}
    assert counts.write_units == 31


def test_deliveries_beyond_a_rate_limit_take_one_send_and_no_second_write(warm: Stack) -> None:
    warm.register(rate_limit=2, event_names=("E_OTHER",))
    warm.publish(*(event | {"eventName": "E_OTHER"} for event in _events(4)))
    messages = warm.waiting("deliveries")

    with counted(warm.dispatcher.aws) as counts:
        assert warm.dispatch(messages) == []

    assert len(warm.receiver.requests) == 2
    assert counts.calls == {"BatchGetItem": 1, "UpdateItem": 1, "SendMessageBatch": 1, "BatchWriteItem": 1}
    time.sleep(1)

    with counted(warm.dispatcher.aws) as counts:
        assert warm.deliver(Lane.SLOW) == []

    assert len(warm.receiver.requests) == 4
    assert counts.calls == {"BatchGetItem": 1, "BatchWriteItem": 1}


def test_ten_packs_of_ten_failures_take_two_calls_more_than_successes(warm: Stack) -> None:
    warm.register(retry_count=1, event_names=("E_OTHER",))
    warm.receiver.script(reply(503))
    for batch in range(10):
        warm.publish(*(event | {"eventName": "E_OTHER"} for event in _events(10, f"{batch}-")))
    messages = warm.waiting("deliveries")
    assert len(messages) == 10

    with counted(warm.dispatcher.aws) as counts:
        assert warm.dispatch(messages) == []

    assert len(warm.receiver.requests) == 100
    health = {"UpdateItem": 1}
    assert counts.calls == {"BatchGetItem": 2, "SendMessageBatch": 1, "BatchWriteItem": 4, **health}


def test_a_slow_endpoint_costs_its_batch_one_settlement_of_the_others(stack: Stack) -> None:
    warm = warmed(stack)
    warm.register(ttl=5, endpoint={"url": f"{warm.receiver.url}/slow"})

    def respond(connection: Connection, received: Received) -> bool:
        while not counts.calls["BatchWriteItem"]:  # the other delivery's
            connection.wait(0.01)
        return reply(200)(connection, received)

    warm.receiver.script(respond, path="/slow")
    warm.publish(*_events(1))
    messages = warm.waiting("deliveries")
    assert len(messages) == 2

    with counted(warm.dispatcher.aws) as counts:
        assert warm.dispatch(messages) == []

    assert len(warm.receiver.requests) == 2
    assert counts.calls == {"BatchGetItem": 1, "BatchWriteItem": 2}
    assert counts.write_units == 2


def test_ten_retried_failures_take_three_calls_and_dead_ones_four_beside_changes_of_health(
    warm: Stack,
) -> None:
    warm.register(retry_count=1, event_names=("E_OTHER",))
    warm.receiver.script(reply(503, b"x" * 5000))
    for event in _events(10):
        warm.publish(event | {"eventName": "E_OTHER"})
    messages = warm.waiting("deliveries")

    with counted(warm.dispatcher.aws) as counts:
        assert warm.dispatch(messages) == []

    # The failures in a row are counted once per batch.
    assert counts.calls == {"BatchGetItem": 1, "SendMessageBatch": 1, "BatchWriteItem": 1, "UpdateItem": 1}

    with counted(warm.dispatcher.aws) as counts:
        assert warm.deliver(Lane.SLOW) == []

    # The payloads of dead ones are written first; the webhook fails now, with a probe and an event.
    assert counts.calls == {
        "BatchGetItem": 1,
        "SendMessageBatch": 1,
        "BatchWriteItem": 2,
        "UpdateItem": 1,
        "SendMessage": 2,
    }

    warm.publish({**_events(1)[0], "eventId": "later", "eventName": "E_OTHER"})
    with counted(warm.dispatcher.aws) as counts:
        assert warm.deliver() == []

    # Its health is known by now.
    assert counts.calls == {"BatchGetItem": 1, "SendMessageBatch": 1, "BatchWriteItem": 1}
    assert counts.write_units == 1


def test_a_batch_of_repeats_takes_one_call(warm: Stack) -> None:
    for event in _events(10, "warm"):
        warm.publish(event)
    messages = warm.waiting("deliveries")

    with counted(warm.dispatcher.aws) as counts:
        assert warm.dispatch(messages) == []

    assert warm.receiver.requests == []
    assert counts.calls == {"BatchGetItem": 1}


def rely_on_epoch(stack: Stack) -> None:
    """Let the epoch have been counted for hours."""
    stack.backend.clients.dynamodb.update_item(
        TableName=os.environ["SUBSCRIPTIONS_TABLE"],
        Key=EPOCH,
        UpdateExpression="SET since = :long_ago",
        ExpressionAttributeValues={":long_ago": {"N": "0"}},
    )


def test_fan_out_of_any_number_of_communities_takes_one_read_unit(warm: Stack) -> None:
    rely_on_epoch(warm)
    tenants = [f"t{number}" for number in range(1, 9)]
    events = [{**event, "tenantId": tenant} for tenant, event in zip(tenants, _events(8), strict=True)]
    for _ in range(2):
        warm.publish(*events)

    with counted(warm.fanout.aws) as counts:
        warm.publish(*events)

    assert counts.calls == {"BatchGetItem": 1, "SendMessageBatch": 1}
    assert counts.keys_read == 1


def test_fan_out_takes_one_call_more_after_a_change_of_any_community(warm: Stack) -> None:
    rely_on_epoch(warm)
    for batch in range(2):
        warm.publish(*_events(10, f"{batch}-"))
    warm.register(event_names=("E_OTHER",))

    with counted(warm.fanout.aws) as counts:
        warm.publish(*_events(10))
        warm.publish(*_events(10, "again"))

    assert counts.calls == {"BatchGetItem": 3, "Query": 1, "SendMessageBatch": 2}


def test_fan_out_takes_one_read_and_one_send_for_ten_events(warm: Stack) -> None:
    with counted(warm.fanout.aws) as counts:
        warm.publish(*_events(10))

    assert counts.calls == {"BatchGetItem": 1, "SendMessageBatch": 1}


def test_fan_out_reads_the_index_once_after_a_change(warm: Stack) -> None:
    warm.register()

    with counted(warm.fanout.aws) as counts:
        warm.publish(*_events(10))
        warm.publish(*_events(10, "again"))

    assert counts.calls == {"BatchGetItem": 2, "Query": 1, "SendMessageBatch": 2}


def test_events_without_listeners_take_one_read(warm: Stack) -> None:
    with counted(warm.fanout.aws) as counts:
        warm.publish(*({**event, "tenantId": "t2"} for event in _events(10)))

    assert counts.calls == {"BatchGetItem": 1}


def test_ten_events_of_one_tenant_take_fan_out_two_calls_and_one_message(warm: Stack) -> None:
    with counted(warm.fanout.aws) as counts:
        assert warm.publish(*_events(10)) == {"batchItemFailures": []}

    assert counts.calls == {"BatchGetItem": 1, "SendMessageBatch": 1}
    assert len(warm.waiting("deliveries")) == 1


def test_an_event_alone_takes_fan_out_as_many_calls_as_ten(warm: Stack) -> None:
    with counted(warm.fanout.aws) as counts:
        assert warm.publish(*_events(1)) == {"batchItemFailures": []}

    assert counts.calls == {"BatchGetItem": 1, "SendMessageBatch": 1}


def test_events_that_nothing_listens_to_cost_fan_out_no_send(warm: Stack) -> None:
    unwanted = ({**event, "eventName": "E_UNWANTED"} for event in _events(10))
    warm.publish(*({**event, "eventName": "E_UNWANTED"} for event in _events(1, "warm")))  # its index is read

    with counted(warm.fanout.aws) as counts:
        assert warm.publish(*unwanted) == {"batchItemFailures": []}

    assert counts.calls == {"BatchGetItem": 1}
