"""How long marks are found where windows expire: each some days after its last mark, and deleted at any time then."""

from collections.abc import Collection, Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clocks import Clock
from tests.fakes.seen_events import FakeSeenEvents
from webhooks.domain.delivery import Pack, delivery_of
from webhooks.domain.event import Event
from webhooks.domain.scope import Scope
from webhooks.domain.seen_events import FULL, LEVELS, event_key
from webhooks.services.fanout.marks import EventMarks, key_of

SCOPE = Scope("acme", "main")
AT = 1_790_000_000_000
WEBHOOK = "65a4f1c0a1b2c3d400000007"
DAY = 86_400
DAYS = 30


class ExpiringSeenEvents(FakeSeenEvents):
    """Windows that expire. `deleted`: whether one that has expired is gone now."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.last: dict[str, float] = {}  # mark of each window

    def expire(self, chosen: Collection[int]) -> None:
        """Delete some of the windows that have expired, by their place among them."""
        expired = [each for each, last in sorted(self.last.items()) if last + DAYS * DAY <= self.clock()]
        for place, window in enumerate(expired):
            if place in chosen:
                del self.windows[window], self.last[window]

    def add(self, window: str, hashes: Sequence[bytes], *, below: int) -> Collection[bytes]:
        before = super().add(window, hashes, below=below)
        if len(before) < below:
            self.last[window] = self.clock()
        return before


def mark(marks: EventMarks, first: int, count: int) -> list[Event]:
    """Mark events of one time, in packs of ten; return those that were marked."""
    marked: list[Event] = []
    for begin in range(first, first + count, 10):
        events = [
            Event(f"e{each}", "order.paid", SCOPE, AT, {}, "{}")
            for each in range(begin, min(begin + 10, first + count))
        ]
        pack = Pack(WEBHOOK, SCOPE, tuple(delivery_of(each, WEBHOOK) for each in events))
        keys = {delivery.id: key_of(each) for delivery, each in zip(pack.deliveries, events, strict=True)}
        [told] = marks.mark([pack], marks.recall(keys.values()), keys=keys)
        marked += [each for each, delivery in zip(events, told.deliveries, strict=True) if delivery.is_marked]
    return marked


BATCHES = st.lists(
    st.tuples(st.integers(2, 2 * FULL), st.floats(0, 40 * DAY), st.sets(st.integers(0, LEVELS))),
    min_size=1,
    max_size=12,
)


@given(BATCHES, st.floats(0, 40 * DAY), st.sets(st.integers(0, LEVELS)))
@settings(deadline=None, max_examples=150)
def test_a_mark_is_found_as_long_as_no_window_before_it_may_expire(
    batches: Sequence[tuple[int, float, set[int]]], then: float, deleted: set[int]
) -> None:
    clock = Clock()
    seen = ExpiringSeenEvents(clock)
    key, number = event_key(SCOPE, "any", log_time=AT), 0
    # Of each marked event: when the first window of its series, up to its own, may expire.
    until: dict[str, tuple[Event, float]] = {}
    for count, pause, gone in [*batches, (0, then, deleted)]:
        clock.now += pause
        seen.expire(gone)
        reader = EventMarks(seen)
        for event, end in until.values():
            if clock() < end:
                assert key_of(event) in reader.recall([key_of(event)])
        for event in mark(EventMarks(seen), number, count):
            its = event_key(SCOPE, event.id, log_time=AT)
            [level] = [each for each in range(LEVELS) if its.hash in _hashes(seen, key.window(each))]
            last = [seen.last[key.window(each)] for each in range(level + 1)]
            until[event.id] = event, min(last) + DAYS * DAY
        number += count


def _hashes(seen: FakeSeenEvents, window: str) -> Collection[bytes]:
    windows: Mapping[str, Collection[bytes]] = seen.windows
    return windows.get(window, ())


@given(st.floats(0, (DAYS - 1) * DAY))
@settings(deadline=None, max_examples=20)
def test_a_mark_is_found_for_the_days_without_the_time_since_its_second_was_full(late: float) -> None:
    clock = Clock()
    seen = ExpiringSeenEvents(clock)
    first = clock()
    mark(EventMarks(seen), 0, FULL)
    clock.now += late
    [event, *_] = mark(EventMarks(seen), FULL, 10)
    for now in (first + late, first + DAYS * DAY - 1):
        clock.now = now
        seen.expire(range(LEVELS))
        assert key_of(event) in EventMarks(seen).recall([key_of(event)])


def test_a_window_never_expires_before_the_one_that_was_full_when_it_began() -> None:
    clock = Clock()
    seen = ExpiringSeenEvents(clock)
    key = event_key(SCOPE, "any", log_time=AT)
    for batch in range(60):
        mark(EventMarks(seen), batch * 20, 20)
        clock.now += 7
    last = [seen.last[key.window(level)] for level in range(LEVELS)]
    assert last == sorted(last)
    assert len(set(last)) == LEVELS
