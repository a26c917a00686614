"""Laws of looks that end early: whatever each of them reads, together they read all, and nothing twice."""

import itertools
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from tests.contract.logged import TIME, WEBHOOK, plain
from webhooks.domain.delivery_log import LATEST, LogKey
from webhooks.domain.log_looks import Look
from webhooks.domain.log_sharing import SPAN

TIMES = st.one_of(st.integers(0, 3), st.integers(0, 3 * SPAN), st.integers(0, 20 * SPAN))


def key(number: int, at: int) -> LogKey:
    return plain(0, event_id=f"event {number}", log_time=TIME + at).key


class Items:
    """Shared items, each with deliveries of at most SPAN, under the key of the newest. `reads`: of each."""

    def __init__(self, keys: Sequence[LogKey], data: st.DataObject) -> None:
        ordered = sorted(keys, key=lambda each: each.delivery_id)
        items: list[tuple[str, frozenset[LogKey]]] = []
        while ordered:
            newest = ordered.pop()
            with_it = [
                each
                for each in ordered
                if newest.log_time - each.log_time <= SPAN and data.draw(st.booleans(), label="shares")
            ]
            ordered = [each for each in ordered if each not in with_it]
            items.append((f"{_place(newest)}+{len(items):08x}", frozenset((newest, *with_it))))
        self.items = sorted(items, key=lambda item: item[0])
        self.reads = Counter[str]()

    def read(self, look: Look, some: int) -> None:
        """Read so many items of the next stretch."""
        stretch = look.stretch()
        assert stretch is not None
        places = [place for place, _ in self.items]
        begin, end = bisect_left(places, stretch[0]), bisect_right(places, stretch[1])
        last = min(begin + some, end)
        for place, keys in self.items[begin:last]:
            self.reads[place] += 1
            look.end(keys)
        look.came_to(places[last - 1] if last < end else stretch[1])


def _place(log_key: LogKey) -> str:
    return log_key.delivery_id.partition("-")[2]


@given(st.lists(TIMES, max_size=30), st.lists(TIMES, max_size=10), st.data())
def test_looks_that_go_on_find_all_and_read_no_item_twice(
    stored: list[int], absent: list[int], data: st.DataObject
) -> None:
    there = [key(number, at) for number, at in enumerate(stored)]
    gone = [key(1000 + number, at) for number, at in enumerate(absent)]
    items = Items(there, data)
    wanted = {*gone, *(each for each in there if data.draw(st.booleans(), label="wanted"))}
    after: Mapping[LogKey, str] = {}
    pending, rounds = set(wanted), 0
    while pending:
        look = Look(pending, after)
        for _ in range(data.draw(st.integers(1, 4), label="reads")):
            if look.stretch() is not None:
                items.read(look, data.draw(st.integers(1, 5), label="items"))
        before, after = dict(after), look.left()
        for each, place in after.items():
            assert place >= before.get(each, "")
            assert all(each not in keys or item > place for item, keys in items.items)
        pending, rounds = set(after), rounds + 1
        assert rounds <= len(items.items) + len(wanted)
    assert max(items.reads.values(), default=0) <= 1
    read = {each for place, keys in items.items if items.reads[place] for each in keys}
    assert read.issuperset(wanted & set(there))


@given(st.lists(TIMES, min_size=1, max_size=20), st.lists(TIMES, max_size=20))
def test_a_look_reads_what_can_have_its_deliveries_and_little_else(
    times: list[int], others: list[int]
) -> None:
    look = Look(key(number, at) for number, at in enumerate(times))
    stretches = []
    while (stretch := look.stretch()) is not None:
        stretches.append(stretch)
        look.came_to(stretch[1])
    assert all(end < first for (_, end), (first, _) in itertools.pairwise(stretches))
    for number, at in enumerate(others):
        item = f"{_place(key(1000 + number, at))}+00000000"
        is_read = any(first <= item <= end for first, end in stretches)
        assert is_read == any(
            _place(key(one, then)) < item and at <= then + SPAN for one, then in enumerate(times)
        )


def test_two_packs_of_which_one_was_looked_for_before_are_each_read_from_their_place_on() -> None:
    one, other = key(1, 0), key(2, 0)
    place = f"{TIME + 700:012x}-{'8' * 32}+00000000"
    look = Look([one, other], {other: place})
    first, end = look.stretch() or ("", "")
    assert first == _place(one)
    look.came_to(f"{TIME + 300:012x}-{'8' * 32}+00000000")
    assert look.left()[other] == place
    assert look.left()[one] < place
    look.end([one])
    assert look.stretch() == (f"{place}~", end)


def test_the_latest_time_has_an_end() -> None:
    latest = LogKey(WEBHOOK, LATEST, f"{WEBHOOK}-{LATEST:012x}-{'f' * 32}")
    look = Look([latest])
    first, end = look.stretch() or ("", "")
    assert first < f"{_place(latest)}+00000000" < end
    look.came_to(end)
    assert look.stretch() is None
