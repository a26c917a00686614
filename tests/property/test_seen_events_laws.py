"""Laws of the marks, for any events in any order, with any of the windows full."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.seen_events import FakeSeenEvents
from webhooks.domain.delivery import MAX_PACK_DELIVERIES, Pack, delivery_of
from webhooks.domain.errors import UnavailableError
from webhooks.domain.event import Event
from webhooks.domain.scope import Scope
from webhooks.domain.seen_events import FULL, LEVELS, EventKey, event_key
from webhooks.services.fanout.marks import EventMarks, Recalled, key_of

SCOPE = Scope("acme", "main")
AT = 1_790_000_000_000
WEBHOOK = "65a4f1c0a1b2c3d400000007"
TIMES = st.one_of(st.just(AT), st.integers(AT, AT + 20), st.integers(AT, AT + 3000))


class CountedReads(FakeSeenEvents):
    """Notes how many windows each call reads."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[int] = []

    def read(self, windows: Sequence[str], *, consistently: bool) -> Mapping[str, Collection[bytes]]:
        self.reads.append(len(windows))
        return super().read(windows, consistently=consistently)


def event(number: int, at: int = AT) -> Event:
    return Event(f"e{number}", "order.paid", SCOPE, at, {}, "{}")


def pack(events: Sequence[Event]) -> Pack:
    return Pack(WEBHOOK, SCOPE, tuple(delivery_of(each, WEBHOOK) for each in events))


def mark(marks: EventMarks, events: Sequence[Event]) -> Pack:
    return mark_recalled(marks, events, recall(marks, events))


def mark_recalled(marks: EventMarks, events: Sequence[Event], recalled: Recalled) -> Pack:
    [marked] = marks.mark([pack(events)], recalled, keys=keys_of([pack(events)]))
    return marked


def recall(marks: EventMarks, events: Sequence[Event]) -> Recalled:
    return marks.recall(map(key_of, events))


def keys_of(packs: Sequence[Pack]) -> dict[str, EventKey]:
    return {
        each.id: event_key(one.scope, each.event_id, log_time=each.log_time)
        for one in packs
        for each in one.deliveries
    }


def fill(seen: FakeSeenEvents, at: int, levels: int) -> None:
    key = event_key(SCOPE, "any", log_time=at)
    for level in range(levels):
        seen.windows[key.window(level)] = {number.to_bytes(8) for number in range(FULL)}


@given(st.lists(st.lists(TIMES, min_size=2, max_size=MAX_PACK_DELIVERIES), max_size=60), st.data())
@settings(deadline=None, max_examples=150)
def test_a_mark_at_any_level_is_found_by_every_later_reader(
    batches: list[list[int]], data: st.DataObject
) -> None:
    seen = FakeSeenEvents()
    functions = [EventMarks(seen) for _ in range(3)]
    fill(seen, AT, data.draw(st.integers(0, LEVELS)))
    marked: list[Event] = []
    for number, times in enumerate(batches):
        events = [event(number * 100 + place, at) for place, at in enumerate(times)]
        told = mark(data.draw(st.sampled_from(functions)), events)
        assert not told.again
        marked += [each for each, delivery in zip(events, told.deliveries, strict=True) if delivery.is_marked]
        reader = data.draw(st.sampled_from(functions))
        recalled = recall(reader, [*events, *marked])
        assert [each for each in [*marked, *events] if key_of(each) in recalled] == [
            *marked,
            *(each for each in events if each in marked),
        ]
        assert all(len(each) < FULL + MAX_PACK_DELIVERIES for each in seen.windows.values())


@given(st.integers(0, LEVELS))
def test_an_event_is_marked_at_the_first_level_with_room_and_at_none_beyond_the_last(full: int) -> None:
    seen = FakeSeenEvents()
    fill(seen, AT, full)
    events = [event(1), event(2)]
    told = mark(EventMarks(seen), events)
    key = event_key(SCOPE, "e1", log_time=AT)
    at = [level for level in range(LEVELS) if key.hash in seen.windows.get(key.window(level), ())]
    assert at == ([full] if full < LEVELS else [])
    assert [each.is_marked for each in told.deliveries] == [full < LEVELS] * 2


@given(st.lists(TIMES, min_size=1, max_size=110), st.integers(0, LEVELS))
@settings(deadline=None)
def test_the_calls_of_a_read_have_a_bound(times: list[int], full: int) -> None:
    seen = CountedReads()
    sizes = seen.reads
    fill(seen, AT, full)
    marks = EventMarks(seen)
    events = [event(number, at) for number, at in enumerate(times)]
    for _ in range(3):
        sizes.clear()
        recall(marks, events)
        assert len(sizes) <= LEVELS
        assert max(sizes) <= max(100, len(times))


def test_a_function_that_met_full_windows_reads_as_many_levels_in_its_next_call() -> None:
    seen = CountedReads()
    calls = seen.reads
    marks = EventMarks(seen)
    fill(seen, AT, 3)
    recall(marks, [event(1)])
    assert calls == [1, 1, 1, 1]
    calls.clear()
    recall(marks, [event(2)])
    assert calls == [4]
    recall(marks, [event(3, AT + 1_001_000)])
    calls.clear()
    recall(marks, [event(4, AT + 1_001_000)])
    assert calls == [1]


@given(st.permutations(range(4)), st.sampled_from((0, FULL - 1)))
def test_of_two_functions_at_the_same_time_the_second_one_to_mark_says_again(
    order: list[int], full: int
) -> None:
    """Each reads, then marks; in any order of these four steps, also where the first fills the window."""
    seen, events = FakeSeenEvents(), [event(1), event(2)]
    seen.windows[event_key(SCOPE, "e1", log_time=AT).window(0)] = {each.to_bytes(8) for each in range(full)}
    functions = [EventMarks(seen), EventMarks(seen)]
    recalled: dict[int, Recalled] = {}
    again: list[bool] = []
    for who in (step % 2 for step in order):
        if who not in recalled:
            recalled[who] = recall(functions[who], events)
        else:
            is_known = recalled[who].may_be_sent(key_of(events[0]))
            again.append(is_known or mark_recalled(functions[who], events, recalled[who]).again)
    assert again == [False, True]


def test_a_mark_that_saves_nothing_is_not_written() -> None:
    seen = FakeSeenEvents()
    marks = EventMarks(seen)
    assert not any(each.is_marked for each in mark(marks, [event(1)]).deliveries)
    apart = [event(1), event(2, AT + 5000)]
    assert not any(each.is_marked for each in mark(marks, apart).deliveries)
    assert seen.windows == {}
    other = Pack(WEBHOOK[:-1] + "8", SCOPE, pack(apart).deliveries)
    told = marks.mark([pack(apart), other], recall(marks, apart), keys=keys_of([pack(apart), other]))
    assert all(each.is_marked for one in told for each in one.deliveries)


def test_an_event_without_a_time_is_never_marked_and_never_read() -> None:
    asked: list[str] = []
    marks = EventMarks(FakeSeenEvents(fault=asked.append))
    events = [event(1, 0), event(2, 0)]
    told = mark(marks, events)
    assert not told.again
    assert not any(each.is_marked for each in told.deliveries)
    assert asked == []


@dataclass
class Refusing:
    """Raises at a point."""

    point: str

    def __call__(self, point: str) -> None:
        if point == self.point:
            raise UnavailableError("dynamodb: throttled")


@pytest.mark.parametrize("point", ["before seen.add", "after seen.add"])
def test_a_mark_that_fails_leaves_its_deliveries_without_and_the_event_goes_on(point: str) -> None:
    told = mark(EventMarks(FakeSeenEvents(fault=Refusing(point))), [event(1), event(2)])
    assert [each.is_marked for each in told.deliveries] == [False, False]
    assert not told.again


def test_marks_that_cannot_be_read_make_every_event_one_that_may_be_sent() -> None:
    marks = EventMarks(FakeSeenEvents(fault=Refusing("before seen.read")))
    recalled = recall(marks, [event(1), event(2, 0)])
    assert recalled.may_be_sent(key_of(event(1)))
    assert key_of(event(1)) not in recalled
    assert not recalled.may_be_sent(key_of(event(2, 0)))
