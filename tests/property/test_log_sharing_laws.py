"""The laws of shared items: what becomes of entries, and that one look finds what shares an item with others."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.aws_stub.item_size import item_bytes
from tests.contract.logged import OTHER, SOUTH, TIME, WEBHOOK, as_read, entry, plain
from webhooks.adapters.dynamodb.delivery_log_items import WRITE_UNIT, entry_from
from webhooks.adapters.dynamodb.shared_items import read_shared, shared_item
from webhooks.domain.delivery_log import LogEntry, Mark, Outcome
from webhooks.domain.log_sharing import ROUNDED, SPAN, is_plain, lookups, share

IDS = st.text(min_size=1, max_size=256) | st.uuids().map(str) | st.sampled_from(("e", "\ud800", "ä" * 256))
ENTRIES = st.lists(
    st.builds(
        lambda number, webhook_id, event_id, name, changes: replace(
            plain(
                number,
                webhook_id=webhook_id,
                event_id=f"{number} {event_id}"[:256],
                event_name=name,
            ),
            **changes,
        ),
        st.integers(0, 3 * SPAN),
        st.sampled_from((WEBHOOK, OTHER)),
        IDS,
        st.sampled_from(("order.paid", "ä#", "n" * 128)),
        st.sampled_from(
            (
                *({},) * 12,
                {"scope": SOUTH},
                {"settled_at": TIME + 900},
                {"mark": Mark.REPLAY},
                {"outcome": Outcome.RETRYING},
                {"has_payload": True},
                {"is_new": False},
                {"reason": "HTTP 500"},
            )
        ),
    ),
    max_size=60,
    unique_by=lambda each: each.key,
)


@given(ENTRIES)
def test_each_entry_ends_in_one_item(entries: list[LogEntry]) -> None:
    sharing = share(entries, lambda some: shared_item(some, 30))
    ended = [*sharing.own, *(each for together, _ in sharing.shared for each in together)]
    assert sorted(each.key.delivery_id for each in ended) == sorted(each.key.delivery_id for each in entries)
    keys = {(item["pk"]["S"], item["sk"]["S"]) for _, item in sharing.shared}
    assert len(keys) == len(sharing.shared)
    for together, item in sharing.shared:
        assert len(together) >= 2
        assert all(map(is_plain, together))
        assert len({(each.key.webhook_id, each.scope) for each in together}) == 1
        times = [each.key.log_time for each in together]
        assert max(times) - min(times) <= SPAN
        assert item_bytes(item) <= WRITE_UNIT


@given(ENTRIES)
def test_a_shared_item_is_read_as_it_was_written(entries: list[LogEntry]) -> None:
    for together, item in share(entries, lambda some: shared_item(some, 30)).shared:
        shared = read_shared(item)
        assert shared is not None
        read = [entry_from(each) for each in shared.items()]
        for written, found in zip(together, read, strict=True):
            assert found is not None
            event_id = written.delivery.event_id.encode("utf-8", "backslashreplace").decode()
            expected = as_read(written, has_payload=False)
            assert found == replace(expected, delivery=replace(expected.delivery, event_id=event_id))


@given(ENTRIES)
def test_one_look_finds_all_that_share_items_with_the_wanted_ones(entries: list[LogEntry]) -> None:
    sharing = share(entries, lambda some: some if len(some) < 9 else None)
    groups = list(lookups(each.key for each in entries))
    assert sorted(key.delivery_id for group in groups for key in group) == sorted(
        each.key.delivery_id for each in entries
    )
    for together, _ in sharing.shared:
        newest = together[-1].key
        for each in together:
            [group] = [group for group in groups if each.key in group]
            assert group[0].webhook_id == newest.webhook_id
            assert group[0].log_time <= newest.log_time <= group[-1].log_time + SPAN


@pytest.mark.parametrize("apart", [1, 700, SPAN, SPAN + 1])
def test_a_look_spans_little_time_for_any_number_of_deliveries(apart: int) -> None:
    keys = [plain(number * apart, webhook_id=each).key for number in range(100) for each in (WEBHOOK, OTHER)]
    groups = list(lookups(keys))
    assert sorted(each.delivery_id for group in groups for each in group) == sorted(
        each.delivery_id for each in keys
    )
    assert all(group[-1].log_time - group[0].log_time <= SPAN for group in groups)
    assert len(groups) <= 2 * (99 * apart // SPAN + 1)


def test_items_that_are_too_large_have_as_many_deliveries_as_fit() -> None:
    def parts(count: int, most: int) -> list[int]:
        def fits(some: Sequence[LogEntry]) -> int | None:
            return len(some) if len(some) <= most else None

        return [number for _, number in share([plain(each) for each in range(count)], fits).shared]

    assert parts(10, 25) == [10]
    assert parts(25, 20) == [12, 13]
    assert parts(50, 20) == [16, 17, 17]
    assert parts(3, 1) == []
    assert parts(1, 25) == []


def test_events_of_whole_minutes_share_no_item() -> None:
    rounded = -TIME % ROUNDED
    assert is_plain(plain(rounded + 1))
    assert not is_plain(plain(rounded))
    assert not is_plain(plain(0, log_time=0))
    assert not is_plain(plain(0, log_time=-5))


def test_a_delivery_of_several_attempts_shares_no_item() -> None:
    one = plain(1)
    assert not is_plain(replace(one, delivery=one.delivery.tried(one.delivery.attempts[0])))
    assert not is_plain(replace(one, delivery=replace(one.delivery, earlier=1)))
    assert not is_plain(replace(one, delivery=replace(one.delivery, attempts=())))
    assert not is_plain(entry(1))


def test_a_write_unit_has_ten_deliveries_and_more() -> None:
    ids = [f"5f2b8f9e-0b1d-4c57-9d{number:02x}-{number * 0x1357_9BDF_0246:012x}"[:36] for number in range(40)]
    entries = [plain(number * 37 % 500, event_id=event_id) for number, event_id in enumerate(ids)]
    fits = [count for count in range(2, 40) if shared_item(entries[:count], 30) is not None]
    assert max(fits) >= 20
