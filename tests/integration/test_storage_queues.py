"""SQS's limits and failures: what is not taken comes back, what is taken is not sent twice."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.contract.backends import Backend, backend_named
from tests.contract.faulty_clients import FaultyClients, Replacement, fail, time_out, works
from webhooks.adapters.dead_events import SqsDeadEvents
from webhooks.adapters.delivery_queue import SqsDeliveryQueue
from webhooks.adapters.sqs import attribute
from webhooks.domain.delivery import Attempt, Delivery, Pack, decode_pack
from webhooks.domain.errors import UnavailableError
from webhooks.domain.scope import Scope

LIMIT = 1024 * 1024


@pytest.fixture
def backend() -> Iterator[Backend]:
    with backend_named("moto") as opened:
        yield opened


class Opened:
    def __init__(self, backend: Backend, **faults: list[Replacement]) -> None:
        self.clients = FaultyClients(backend.clients, **faults)
        self.url, self.dead_url = backend.queue("queue"), backend.queue("dead")
        self.queue = SqsDeliveryQueue(self.clients, queue_url=self.url, dead_letter_url=self.dead_url)
        self.dead_events = SqsDeadEvents(self.clients, self.dead_url)

    def messages(self, url: str) -> list[dict]:
        found: list[dict] = []
        while received := self.clients.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        ).get("Messages"):
            found += received
        return found


def make_pack(number: int, *, body: str = "{}", attempts: tuple[Attempt, ...] = ()) -> Pack:
    webhook_id = f"{number:024x}"
    delivery = Delivery(f"{webhook_id}-{number:032x}", "event", "order.paid", 1, body, attempts)
    return Pack(webhook_id, Scope("acme", "north"), (delivery,))


def test_a_call_that_fails_returns_its_own_packs_only(backend: Backend) -> None:
    opened = Opened(backend, send_message_batch=[works, fail("ServiceUnavailable"), works])
    packs = [make_pack(number) for number in range(25)]
    assert list(opened.queue.send(packs)) == packs[10:20]
    assert len(opened.messages(opened.url)) == 15


def test_an_entry_that_is_refused_returns_its_pack_only(backend: Backend) -> None:
    def refuse_second(real, request):
        refused = request["Entries"][1]
        answered = real(
            **{**request, "Entries": [each for each in request["Entries"] if each is not refused]}
        )
        return {**answered, "Failed": [{"Id": refused["Id"], "Code": "InternalError", "SenderFault": False}]}

    opened = Opened(backend, send_message_batch=[refuse_second])
    packs = [make_pack(number) for number in range(4)]
    assert list(opened.queue.bury([(pack, "why") for pack in packs])) == [packs[1]]
    assert len(opened.messages(opened.dead_url)) == 3


def test_a_message_belongs_to_its_webhooks_group_and_names_it(backend: Backend) -> None:
    opened = Opened(backend)
    opened.queue.send([make_pack(7)])
    (message,) = opened.messages(opened.url)
    assert message["Attributes"]["MessageGroupId"] == f"{7:024x}"
    assert message["MessageAttributes"]["webhookId"]["StringValue"] == f"{7:024x}"


def test_as_few_calls_are_made_as_the_limits_allow(backend: Backend) -> None:
    opened = Opened(backend)
    opened.queue.send([make_pack(number) for number in range(20)])
    assert opened.clients.calls == ["send_message_batch"] * 2
    opened.clients.calls.clear()
    opened.queue.send([make_pack(number, body="x" * (LIMIT // 3)) for number in range(4)])
    assert opened.clients.calls == ["send_message_batch"] * 2


def test_what_endpoints_answered_makes_room_for_a_large_event(backend: Backend) -> None:
    opened = Opened(backend)
    attempt = Attempt(at=1, latency_ms=1, status=500, excerpt="\x01" * 1024)
    pack = make_pack(1, body="x" * (LIMIT - 4096), attempts=(attempt, attempt))
    assert list(opened.queue.bury([(pack, "r" * 300)])) == []
    (message,) = opened.messages(opened.dead_url)
    (found,) = decode_pack(message["Body"]).deliveries
    assert found.body == pack.deliveries[0].body
    assert found.attempts == (replace(attempt, excerpt=None),) * 2


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("", "unknown"),
        ("tab\tnew\nline", "tab\tnew\nline"),
        ("nul\x00 esc\x1b surrogate\ud800 none\uffff", "nul? esc? surrogate? none?"),
        ("ä\U0001f4da", "ä\U0001f4da"),
        ("x" * 1000, "x" * 256),
    ],
)
def test_any_reason_becomes_one_that_sqs_takes(reason: str, kept: str) -> None:
    assert attribute(reason) == kept


def test_what_has_no_room_for_its_reason_is_left_to_redrive(backend: Backend) -> None:
    opened = Opened(backend)
    for bury in (opened.dead_events.bury, opened.queue.bury_text):
        with pytest.raises(UnavailableError, match="more than a message can have"):
            bury("x" * LIMIT, "reason")
    assert opened.clients.calls == []


def test_a_dead_event_that_is_not_taken_is_unavailable(backend: Backend) -> None:
    opened = Opened(backend, send_message=[time_out])
    with pytest.raises(UnavailableError, match="sqs SendMessage: ReadTimeoutError"):
        opened.dead_events.bury("{}", "reason")
