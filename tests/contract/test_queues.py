"""The contract of DeliveryQueue and EventsDlq."""

import pytest

from tests.contract.backends import Backend
from tests.fakes.queues import FakeDeliveryQueue, FakeEventsDlq, FakeQueue
from webhooks.adapters.sqs.delivery_queues import SqsDeliveryQueue, SqsFastLane
from webhooks.adapters.sqs.events_dlq import SqsEventsDlq
from webhooks.domain.delivery import Attempt, Delivery, Pack
from webhooks.domain.delivery_message import decode_pack, encode_pack
from webhooks.domain.lane import Lane
from webhooks.domain.scope import Scope
from webhooks.ports import DeliveryQueue, EventsDlq, FastLane

ACME = Scope("acme", "north")


class Queues:
    """The ports, and the messages on the queues behind them."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.fast: FastLane
        self.deliveries: DeliveryQueue
        self.events_dlq: EventsDlq
        if backend.aws is None:
            memory, events = FakeDeliveryQueue(), FakeEventsDlq()
            self.fast, self.deliveries, self.events_dlq = memory, memory, events
            self.queues: dict[str, FakeQueue | str] = {
                "fast": memory.fast,
                "slow": memory.slow,
                "dead": memory.dead,
                "events": events.dead,
            }
            return
        urls = {name: backend.queue(name) for name in ("fast", "slow", "dead", "events")}
        self.queues = dict(urls)
        self.fast = SqsFastLane(backend.aws, urls["fast"])
        self.deliveries = SqsDeliveryQueue(
            backend.aws, fast_url=urls["fast"], slow_url=urls["slow"], dead_letter_url=urls["dead"]
        )
        self.events_dlq = SqsEventsDlq(backend.aws, urls["events"])

    def take(self, name: str) -> dict[str, str | None]:
        """Take the receivable messages off a queue: texts, with their reasons."""
        queue = self.queues[name]
        if isinstance(queue, FakeQueue):
            return {message.text: message.reason for message in queue.take(1000) if not message.delay}
        taken: dict[str, str | None] = {}
        while messages := self.backend.clients.sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=0
        ).get("Messages"):
            for message in messages:
                attribute = message.get("MessageAttributes", {}).get("reason")
                taken[message["Body"]] = attribute["StringValue"] if attribute else None
        return taken


@pytest.fixture
def queues(backend: Backend) -> Queues:
    return Queues(backend)


def make_pack(number: int, size: int = 10, attempts: tuple[Attempt, ...] = ()) -> Pack:
    webhook_id = f"{number:024x}"
    body = '{"data":"' + "ä" * (size // 2) + '"}'
    delivery = Delivery(
        f"{webhook_id}-{1:012x}-{number:032x}", f"event {number}", "order.paid", 1, body, attempts
    )
    return Pack(webhook_id, ACME, (delivery,))


def test_packs_arrive_as_they_were_sent(queues: Queues) -> None:
    packs = [make_pack(number) for number in range(23)]
    assert list(queues.fast.send(packs)) == []
    assert sorted(map(decode_pack, queues.take("fast")), key=lambda pack: pack.webhook_id) == packs


def test_an_empty_send_does_nothing(queues: Queues) -> None:
    assert list(queues.fast.send([])) == []
    assert list(queues.deliveries.send_slow([])) == []
    assert list(queues.deliveries.send_to_dlq([])) == []


def test_large_packs_travel_in_calls_of_their_own(queues: Queues) -> None:
    packs = [make_pack(number, 400_000) for number in range(5)]
    assert list(queues.fast.send(packs)) == []
    assert set(map(decode_pack, queues.take("fast"))) == set(packs)


def test_a_delayed_pack_cannot_be_received_now(queues: Queues) -> None:
    now, later = make_pack(1), make_pack(2)
    assert list(queues.deliveries.send_slow([(now, 0), (later, 900), (make_pack(3), 100_000)])) == []
    assert list(map(decode_pack, queues.take("slow"))) == [now]


def test_a_dead_lettered_pack_has_its_reason(queues: Queues) -> None:
    packs = [(make_pack(number), f"reason {number}") for number in range(12)]
    assert list(queues.deliveries.send_to_dlq(packs)) == []
    assert queues.take("dead") == {encode_pack(pack): reason for pack, reason in packs}


def test_a_malformed_pack_goes_to_the_dlq_as_it_came(queues: Queues) -> None:
    queues.deliveries.send_text_to_dlq("no pack ä", "not a pack")
    assert queues.take("dead") == {"no pack ä": "not a pack"}


def test_a_dead_lettered_event_keeps_its_text(queues: Queues) -> None:
    text = '{"a":\t"\U0001f4da"}\n'
    queues.events_dlq.send_to_dlq(text, "eventName: must be there")
    assert queues.take("events") == {text: "eventName: must be there"}


def test_events_of_an_array_are_dead_lettered_each_with_its_reason(queues: Queues) -> None:
    large = "x" * 1024 * 1024
    events = [*((f"event {number} ä", f"reason {number}") for number in range(12)), (large, "too large")]
    assert queues.events_dlq.send_all_to_dlq(events)
    taken = queues.take("events")
    assert set(taken) == {text for text, _ in events}
    assert {text: taken[text] for text, _ in events[:-1]} == dict(events[:-1])


def test_a_message_without_room_for_its_reason_is_still_dead_lettered(queues: Queues) -> None:
    text = "x" * 1024 * 1024
    queues.events_dlq.send_to_dlq(text, "the message is not JSON")
    queues.deliveries.send_text_to_dlq(text, "not a pack")
    assert list(queues.take("events")) == list(queues.take("dead")) == [text]


def test_received_messages_are_deleted_before_their_batch_ends(backend: Backend) -> None:
    if backend.aws is None:
        memory = FakeDeliveryQueue()
        memory.delete(["a", "b"], Lane.FAST)
        assert memory.deleted == ["a", "b"]
        return
    urls = {lane: backend.queue(lane.value) for lane in Lane}
    queue = SqsDeliveryQueue(
        backend.aws, fast_url=urls[Lane.FAST], slow_url=urls[Lane.SLOW], dead_letter_url=urls[Lane.SLOW]
    )
    sqs = backend.clients.sqs
    for lane, url in urls.items():
        for number in range(12):
            sqs.send_message(QueueUrl=url, MessageBody=f"{number}")
        receipts = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            receipts += [message["ReceiptHandle"] for message in messages]
        queue.delete(receipts[:11], lane)
        asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert int(asked["ApproximateNumberOfMessagesNotVisible"]) == 1
