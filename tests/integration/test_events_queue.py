"""The events queue as fan-out uses it: sends slices of wide events, deletes messages before a batch's end."""

from collections.abc import Iterator
from itertools import batched
from typing import Any

import pytest

from tests.aws_stub.faulty_clients import FaultyClients, fail, forever
from tests.contract.backends import Backend, backend_named
from webhooks.adapters.sqs.events_dlq import SqsEventsDlq
from webhooks.adapters.sqs.events_queue import SqsEventsQueue
from webhooks.domain.event import Event
from webhooks.domain.event_array import ArrayPart, encode_part
from webhooks.domain.event_slice import EventSlice, Span, encode_slice
from webhooks.domain.scope import Scope

ACME, OTHER = Scope("acme", "north"), Scope("acme", "south")


@pytest.fixture
def backend() -> Iterator[Backend]:
    with backend_named("moto") as backend:
        yield backend


def make_slice(number: int, *, scope: Scope = ACME, size: int = 10) -> EventSlice:
    body = f'{{"data":{{"text":"{"x" * size}"}}}}'
    return EventSlice(Event(f"e{number}", "order.paid", scope, 0, {}, body), Span(number, number + 9))


def received(backend: Backend, url: str) -> list[Any]:
    found: list[Any] = []
    while messages := backend.clients.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["MessageGroupId"]
    ).get("Messages"):
        found += messages
    return found


@pytest.mark.parametrize(("count", "size"), [(1, 10), (23, 10), (3, 900_000)])
def test_slices_are_sent_unchanged_within_the_limits_of_a_call(
    backend: Backend, count: int, size: int
) -> None:
    url, slices = backend.queue("events"), [make_slice(number, size=size) for number in range(count)]

    assert SqsEventsQueue(backend.clients, url).send(slices)

    assert {each["Body"] for each in received(backend, url)} == set(map(encode_slice, slices))


def test_a_slice_has_the_group_of_its_community(backend: Backend) -> None:
    url = backend.queue("events")

    SqsEventsQueue(backend.clients, url).send([make_slice(1), make_slice(2), make_slice(3, scope=OTHER)])

    groups = [each["Attributes"]["MessageGroupId"] for each in received(backend, url)]
    assert sorted(groups) == sorted([ACME.fairness_group, ACME.fairness_group, OTHER.fairness_group])


def test_the_rest_of_an_array_is_sent_unchanged_with_the_group_of_its_first_event(backend: Backend) -> None:
    url = backend.queue("events")
    parts = [
        ArrayPart("m1", 1_790_000_000_123, 7, '[{"a": "ä"},,1]', ACME),
        ArrayPart("m1", 0, 0, "[1]", None),
    ]

    assert SqsEventsQueue(backend.clients, url).send(parts)

    groups = {each["Body"]: each["Attributes"].get("MessageGroupId") for each in received(backend, url)}
    assert groups == {encode_part(parts[0]): ACME.fairness_group, encode_part(parts[1]): None}


def test_invalid_events_that_the_dlq_refuses_are_not_taken(backend: Backend) -> None:
    away = FaultyClients(backend.clients, send_message_batch=forever(fail("ServiceUnavailable")))
    assert not SqsEventsDlq(away, backend.queue("dead")).send_all_to_dlq([("1", "no object")])


def test_slices_that_the_queue_refuses_are_returned_as_not_sent(backend: Backend) -> None:
    url = backend.queue("events")
    away = FaultyClients(backend.clients, send_message_batch=forever(fail("InternalError")))
    assert not SqsEventsQueue(away, url).send([make_slice(1)])


def test_messages_beyond_one_call_are_deleted(backend: Backend) -> None:
    url = backend.queue("events")
    queue = SqsEventsQueue(backend.clients, url)
    queue.send([make_slice(number) for number in range(23)])
    messages = received(backend, url)
    kept = messages.pop()

    queue.delete([each["ReceiptHandle"] for each in messages])

    for some in batched([*messages, kept], 10, strict=False):
        entries: list[Any] = [
            {"Id": str(at), "ReceiptHandle": each["ReceiptHandle"], "VisibilityTimeout": 0}
            for at, each in enumerate(some)
        ]
        backend.clients.sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
    assert [each["Body"] for each in received(backend, url)] == [kept["Body"]]


def test_a_message_that_cannot_be_deleted_is_logged_and_comes_again(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    away = FaultyClients(backend.clients, delete_message_batch=forever(fail("InternalError")))

    SqsEventsQueue(away, backend.queue("events")).delete(["receipt"])

    [line] = [record for record in caplog.records if record.message == "queue.not_deleted"]
    assert vars(line)["messages"] == 1
