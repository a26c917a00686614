"""A producer's repeat is sent once, whatever was packed before it, and wherever fan-out ended meanwhile."""

import json
import logging
from collections.abc import Callable, Iterable
from itertools import permutations
from typing import Any

import pytest

from tests.fakes.seen_events import FakeSeenEvents
from tests.fanout import Functions, message, text
from tests.packed_log import PackedLog
from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.errors import UnavailableError
from webhooks.domain.scope import Scope
from webhooks.ports import ListenerPage
from webhooks.services.fanout.counts import FanoutCounts
from webhooks.services.fanout.pipeline import SLICE
from webhooks.services.fanout.stages import EventMessage
from webhooks.services.fanout.together import SMALL_LISTENERS

TEN = range(1, 11)


class KilledError(BaseException):
    """The process is gone."""


class Service:
    """Fan-out, and the dispatcher at once after each batch."""

    def __init__(self, counts: dict[str, int] | None = None, **options: Any) -> None:
        self.functions = Functions(counts or {"order.paid": 1}, **options)
        self.log = PackedLog()

    def take(self, *messages: EventMessage) -> set[str]:
        try:
            return self.functions.fanout.fan_out(messages)
        finally:
            self.dispatch()

    def dispatch(self) -> None:
        self.log.dispatch(decode_pack(each.text) for each in self.functions.lane.fast.take_all())

    def take_parts(self) -> None:
        """Take the messages that fan-out sent to itself, until there are none."""
        number = 0
        while parts := self.functions.events.queue.take_all():
            for part in parts:
                number += 1
                assert self.take(message(f"part {number}", part.text)) == set()

    @property
    def sent(self) -> dict[str, int]:
        """Callbacks by event."""
        return {event_id: count for (event_id, _), count in sorted(self.log.sent.items())}


def batch(numbers: Iterable[int], name: str = "m", *, receives: int = 1) -> list[EventMessage]:
    return [message(f"{name}{number}", text(number=number), receives=receives) for number in numbers]


def once(numbers: Iterable[int]) -> dict[str, int]:
    return dict(sorted((f"e{number}", 1) for number in numbers))


def test_the_deliveries_of_a_pack_are_marked_and_a_delivery_alone_is_not() -> None:
    service = Service()
    service.take(*batch([1, 2]))
    assert service.log.is_packed
    service = Service()
    service.take(*batch([1]))
    assert not service.log.is_packed
    assert service.functions.seen.windows == {}


def test_a_repeat_in_the_same_batch_is_sent_once() -> None:
    service = Service()
    assert service.take(*batch([1, 2, 3]), *batch([2, 3], "again")) == set()
    assert service.sent == once([1, 2, 3])


def test_a_repeat_in_another_batch_is_sent_once_and_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="webhooks")
    service = Service()
    service.take(*batch([1, 2, 3]))
    assert service.take(*batch([2, 3, 4, 5], "again")) == set()
    assert service.sent == once([1, 2, 3, 4, 5])
    repeated = [vars(each) for each in caplog.records if each.getMessage() == "event.repeated"]
    assert [each["event_id"] for each in repeated] == ["e2", "e3"]
    assert repeated[0]["tenant_id"] == "acme"
    assert service.functions.counts[-1] == FanoutCounts(events=4, matched=4, deliveries=4, repeated=2)


def test_a_repeat_alone_of_an_event_that_was_packed_is_sent_once() -> None:
    service = Service()
    service.take(*batch([1, 2, 3]))
    assert service.take(*batch([2], "again")) == set()
    assert service.sent == once([1, 2, 3])


def test_a_repeat_in_a_pack_of_an_event_that_was_alone_is_sent_once() -> None:
    service = Service()
    service.take(*batch([2]))
    assert service.take(*batch([1, 2, 3], "again")) == set()
    assert service.take(*batch([2, 3], "third")) == set()
    assert service.sent == once([1, 2, 3])


def test_a_repeat_reaches_a_webhook_that_was_registered_since_and_no_other_one_twice() -> None:
    service = Service()
    service.take(*batch([1, 2]))
    service.functions.index.counts["order.paid"] = 2
    service.functions.index.version = 2
    assert service.take(*batch([1], "again")) == set()
    assert sorted(service.log.sent.values()) == [1, 1, 1]
    assert [event for event, _ in sorted(service.log.sent)] == ["e1", "e1", "e2"]


def test_the_same_event_at_another_time_is_another_one() -> None:
    service = Service()
    service.take(*batch([1, 2]))
    later = json.dumps(json.loads(text(number=1)) | {"occurredAt": 1_790_000_001})
    service.take(message("later", later), *batch([3]))
    assert service.sent == {"e1": 2, "e2": 1, "e3": 1}


POINTS = [
    f"{when} {call}" for call in ("seen.read", "seen.add", "deliveries.send") for when in ("before", "after")
]


def killing(point: str) -> Callable[[str], None]:
    """Return a fault that ends the process at the first time of a point."""
    left = [point]

    def fault(at: str) -> None:
        if at in left:
            left.remove(at)
            raise KilledError

    return fault


@pytest.mark.parametrize("repeats_first", [True, False])
@pytest.mark.parametrize("point", POINTS)
def test_a_crash_at_any_point_loses_nothing_and_sends_nothing_twice(
    point: str, *, repeats_first: bool
) -> None:
    """The producer repeats one of the events, before or after the queue gives them out again."""
    service = Service(fault=killing(point))
    with pytest.raises(KilledError):
        service.take(*batch(TEN))
    redelivered, repeated = batch(TEN, receives=2), batch([4, 5], "again")
    for messages in (repeated, redelivered) if repeats_first else (redelivered, repeated):
        assert service.take(*messages) == set()
    assert service.sent == once(TEN)


@pytest.mark.parametrize("point", [each for each in POINTS if "seen" in each])
def test_marks_that_fail_delay_no_event_and_a_repeat_is_still_sent_once(point: str) -> None:
    failures = 0

    def failing(at: str) -> None:
        nonlocal failures
        if at == point:
            failures += 1
            raise UnavailableError("dynamodb: throttled")

    service = Service(fault=failing)
    assert service.take(*batch(TEN)) == set()
    assert service.sent == once(TEN)
    service.functions.seen.fault = lambda _: None
    assert service.take(*batch(TEN, "again")) == set()
    assert service.sent == once(TEN)
    assert failures


def test_marks_that_cannot_be_read_for_a_repeat_send_nothing_twice() -> None:
    service = Service()
    service.take(*batch(TEN))

    def failing(at: str) -> None:
        raise UnavailableError(at)

    service.functions.seen.fault = failing
    assert service.take(*batch(TEN, "again")) == set()
    assert service.take(*batch([3], "alone", receives=2)) == set()
    assert service.sent == once(TEN)


def test_events_that_the_queue_refused_come_again_and_are_sent_once() -> None:
    service = Service({"order.paid": 2})
    service.functions.lane.refused = {f"{1:08x}{1:08x}{0:08x}"}
    assert service.take(*batch(TEN)) == {f"m{number}" for number in TEN}
    service.functions.lane.refused = set()
    assert service.take(*batch(TEN, receives=2)) == set()
    assert set(service.log.sent.values()) == {1}
    assert len(service.log.sent) == 20


@pytest.mark.parametrize("first", [True, False])
def test_of_two_messages_at_the_same_time_the_second_one_to_mark_is_looked_up(*, first: bool) -> None:
    """Another function fans the same events out between the read and the mark of the first."""
    seen = FakeSeenEvents()
    service, other = Service(seen=seen), Service(seen=seen)
    other.log = service.log
    todo = [batch(TEN, "other") if first else batch([3, 4], "other")]

    def meanwhile(at: str) -> None:
        if at == "before seen.add" and todo:
            assert other.take(*todo.pop()) == set()

    seen.fault = meanwhile
    assert service.take(*batch(TEN)) == set()
    assert not todo
    assert service.sent == once(TEN)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_packs_of_one_event_are_dispatched_in_any_order_and_it_is_sent_once(order: tuple[int, ...]) -> None:
    """The queue has them for a while, and keeps no order."""
    service = Service()
    packs = []
    for name, numbers in (("m", [1, 2, 3]), ("again", [2]), ("third", [1, 2])):
        assert service.functions.fanout.fan_out(batch(numbers, name)) == set()
        packs.append([decode_pack(each.text) for each in service.functions.lane.fast.take_all()])
    for place in order:
        service.log.dispatch(packs[place])
    assert service.sent == once([1, 2, 3])


def test_the_events_of_an_array_are_marked_as_others_are() -> None:
    service = Service()
    array = f"[{','.join(text(number=number) for number in TEN)}]"
    assert service.take(message("array", array)) == set()
    assert service.log.is_packed
    assert service.take(message("again", array)) == set()
    assert service.take(*batch([7], "alone")) == set()
    assert service.sent == once(TEN)


@pytest.mark.parametrize("point", POINTS)
def test_an_array_that_is_split_after_a_crash_sends_nothing_twice(point: str) -> None:
    service = Service(fault=killing(point))
    array = f"[{','.join(text(number=number) for number in TEN)}]"
    with pytest.raises(KilledError):
        service.take(message("array", array))
    assert service.take(message("array", array, receives=2)) == set()
    service.take_parts()
    assert service.sent == once(TEN)


def test_an_event_that_was_packed_and_became_wide_is_sent_once_to_each() -> None:
    """Its repeat continues as slices, which say that it may have been sent."""
    service = Service({"order.paid": SMALL_LISTENERS})
    service.take(*batch([1, 2]))
    service.functions.index.counts["order.paid"] = 3 * SLICE
    service.functions.index.version = 2
    assert service.take(*batch([1], "again")) == set()
    service.take_parts()
    assert set(service.log.sent.values()) == {1}
    assert sum(event == "e1" for event, _ in service.log.sent) == 3 * SLICE


def test_a_redriven_event_that_was_packed_is_sent_once() -> None:
    """As a new message: the dead-letter queue has the text alone."""
    service = Service()
    service.take(*batch(TEN))
    assert service.take(*batch(TEN, "redriven")) == set()
    assert service.sent == once(TEN)


@pytest.mark.parametrize("more", [{"occurredAt": None}, {"occurredAt": 1_790_000_040}])
def test_an_event_without_a_time_of_its_own_has_a_key_in_the_log(more: dict[str, Any]) -> None:
    service = Service()

    def events(name: str) -> list[EventMessage]:
        return [
            message(f"{name}{number}", json.dumps(json.loads(text(number=number)) | more))
            for number in (1, 2)
        ]

    service.take(*events("m"))
    assert not service.log.is_packed
    service.take(*events("again"))
    assert service.sent == once([1, 2])
    assert service.functions.seen.windows == {}


def test_packs_name_the_version_of_their_community() -> None:
    functions = Functions({"order.paid": 1, "wide": SMALL_LISTENERS + 1})
    functions.index.version = 7
    functions.fanout.fan_out([*batch([1, 2]), message("wide", text("wide", number=3))])
    packs = [decode_pack(each.text) for each in functions.lane.fast.messages()]
    assert {pack.version for pack in packs} == {7}
    assert len(packs) == SMALL_LISTENERS + 2


def test_a_repeat_is_sent_once_where_its_event_is_marked_while_listeners_are_read() -> None:
    # Given two functions with one log, of which the second knows the listeners of another name alone
    seen, names = FakeSeenEvents(), {"order.paid": 1, "order.sent": 1}
    first, second = Service(names, seen=seen), Service(names, seen=seen)
    second.log = first.log
    for each in (first, second):
        each.functions.index.epoch = 7
    for number in (100, 101):
        assert second.take(message(f"warm {number}", text("order.paid", number=number))) == set()
    real = second.functions.index.listeners

    def listeners(scope: Scope, name: str, **options: Any) -> ListenerPage:
        if name == "order.sent":
            second.functions.index.listeners = real  # type: ignore[method-assign]
            first.take(*(message(f"first {number}", text("order.sent", number=number)) for number in (2, 3)))
        return real(scope, name, **options)

    # When it reads those of a repeat, and the first one marks and sends its event meanwhile
    second.functions.index.listeners = listeners  # type: ignore[method-assign, assignment]
    repeat = message("repeat", text("order.sent", number=2))
    assert second.take(message("known", text("order.paid", number=9)), repeat) == set()

    # Then the repeat is not sent
    assert first.sent["e2"] == 1
