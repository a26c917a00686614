"""A redrive that is killed and repeated, with the dispatcher behind it: each delivery is sent once more."""

from contextlib import suppress
from typing import cast

from mypy_boto3_sqs import SQSClient

from tests.integration.test_cli_dead_letters import Client, Killed, stored
from tests.integration.test_event_path import NATIVE, Stack, stack
from tests.receiver import reply
from webhooks.domain.lane import Lane
from webhooks_cli.dead_letter_queue import DeadLetterQueue
from webhooks_cli.dead_letters import Chosen, delivery_entry

__all__ = ["stack"]  # the fixture


def redrive(client: object, stack: Stack) -> None:
    with DeadLetterQueue(cast("SQSClient", client), stack.queues["deliveries-dlq"], wait_seconds=0) as queue:
        for letters in queue.chosen(Chosen(), limit=None):
            queue.move(letters, stack.queues["slow"], delivery_entry)


def test_a_redrive_that_was_killed_and_repeated_sends_each_delivery_once(stack: Stack) -> None:
    # Given five dead letters of an endpoint that refused them
    stack.register()
    stack.receiver.script(*[reply(404)] * 5, reply(), path="/hook?x=1")
    stack.publish(*({**NATIVE, "eventId": f"e{number}"} for number in range(5)))
    assert stack.deliver() == []
    sqs = stack.backend.clients.sqs
    assert len(stack.receiver.requests) == 5

    # When a redrive is killed after it sent them, before it deleted them, and another one follows
    with suppress(Killed):
        redrive(Client(sqs, at=2, fault=Killed, when="after"), stack)
    for message in stored(stack.queues["deliveries-dlq"].rpartition("/")[2]):
        message.change_visibility(0)  # as it becomes by itself
    redrive(sqs, stack)
    assert stack.waiting("deliveries-dlq") == []

    # Then the slow lane has each twice, and the dispatcher sends each once
    waiting = stack.waiting("slow")
    assert len(waiting) == 10
    for message in waiting:
        assert stack.dispatch([message], Lane.SLOW) == []
    assert len(stack.receiver.requests) == 10
    assert {item["outcome"]["S"] for item in stack.log() if "outcome" in item} == {"delivered"}
