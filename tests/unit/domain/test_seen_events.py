"""The windows of an event, by its own time."""

import pytest

from webhooks.domain.delivery import Delivery, Pack
from webhooks.domain.scope import Scope
from webhooks.domain.seen_events import HASH_BYTES, LATE, LEVELS, event_key, may_be_kept_together

SCOPE = Scope("acme", "main")
AT = 1_790_000_000_000


def test_an_event_has_the_same_key_each_time_and_another_one_has_another() -> None:
    key = event_key(SCOPE, "e1", log_time=AT)
    assert event_key(SCOPE, "e1", log_time=AT) == key
    assert len(key.hash) == HASH_BYTES
    others = [
        event_key(SCOPE, "e2", log_time=AT),
        event_key(SCOPE, "e1", log_time=AT + 1),
        event_key(Scope("acme", "other"), "e1", log_time=AT),
        event_key(Scope("other", "main"), "e1", log_time=AT),
    ]
    assert len({key.hash, *(each.hash for each in others)}) == 5


def test_an_id_that_has_no_utf_8_has_a_key() -> None:
    assert event_key(SCOPE, "\ud800", log_time=AT).is_markable


@pytest.mark.parametrize(("apart", "shared"), [(1, 11), (2, 3), (16, 2), (125, 1), (1000, 0)])
def test_events_share_the_windows_that_hold_both_their_times(apart: int, shared: int) -> None:
    keys = [event_key(SCOPE, "e", log_time=at) for at in (AT, AT + apart)]
    assert AT % 1000 == AT % 16 == 0
    assert sum(keys[0].window(level) == keys[1].window(level) for level in range(LEVELS)) == shared


def test_every_window_of_an_event_is_another_one() -> None:
    key = event_key(SCOPE, "e1", log_time=AT)
    assert len({key.window(level) for level in range(LEVELS)}) == LEVELS


@pytest.mark.parametrize(
    ("age", "again", "marked", "looked_for"),
    [
        (LATE, False, False, False),
        (LATE + 1, False, False, True),
        (LATE + 1, False, True, False),
        (0, True, False, True),
        (None, False, False, False),
    ],
)
def test_one_that_may_be_in_the_log_without_a_key_is_looked_for(
    age: int | None, *, again: bool, marked: bool, looked_for: bool
) -> None:
    delivery = Delivery("id", "e1", "order.paid", AT, "{}", is_marked=marked)
    sent_at = None if age is None else AT - age
    pack = Pack("w", SCOPE, (delivery,), sent_at=sent_at, again=again)
    assert may_be_kept_together(pack, delivery, now=AT) is looked_for


@pytest.mark.parametrize("time", [0, -1, 1_790_000_040_000])
def test_an_event_without_a_time_or_with_a_whole_minute_has_no_window(time: int) -> None:
    assert not event_key(SCOPE, "e1", log_time=time).is_markable
