"""Slices of wide events as text, and how a span is split."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.domain.errors import InvalidEventError
from webhooks.domain.event import Event, parse_event
from webhooks.domain.event_slice import MAX_PARTS, EventSlice, Span, encode_slice, is_slice, parse_slice

EVENT = {
    "eventName": "order.paid",
    "tenantId": "t",
    "communityId": "c",
    "data": {"price": 19.9, "ü": ["\ud83d\ude00"]},
}


def event(**changes: Any) -> Event:
    return parse_event(json.dumps(EVENT | changes), message_id="m1", sent_at=1_790_000_000_123)


@pytest.mark.parametrize("span", [Span(), Span(501), Span(1, 1), Span(7, 2**32 - 1)])
@pytest.mark.parametrize(
    "changes", [{}, {"eventId": "e" * 256, "occurredAt": 5}, {"eventId": "ä\U0001f600\n"}]
)
def test_a_slice_is_read_as_it_was_written(span: Span, changes: dict[str, Any]) -> None:
    part = EventSlice(event(**changes), span)
    text = encode_slice(part)
    assert is_slice(text)
    assert parse_slice(text) == part


def test_no_event_is_taken_for_a_slice() -> None:
    assert not is_slice(json.dumps({"slice": 1} | EVENT, indent=1))


@pytest.mark.parametrize(
    "text",
    [
        "slice 1 ",
        "slice 1 {}\n{}",
        "slice 1 nonsense\n{}",
        encode_slice(EventSlice(event())).replace('"first":0', '"first":-1'),
        encode_slice(EventSlice(event(), Span(5, 9))).replace('"last":9', '"last":4'),
        encode_slice(EventSlice(event())).replace('"tenantId":"t","communityId":"c","logTime"', '"logTime"'),
        encode_slice(EventSlice(event())).replace('"eventId":"m1"', '"eventId":""'),
        encode_slice(EventSlice(event())).replace('"logTime":', '"logTime":999'),
        encode_slice(EventSlice(event())) + "\n{}",
        encode_slice(EventSlice(event()))[:-1],
    ],
)
def test_a_malformed_slice_is_refused(text: str) -> None:
    with pytest.raises(InvalidEventError):
        parse_slice(text)


@given(
    first=st.integers(0, 1000),
    gone=st.integers(1, 10_000),
    left=st.integers(0, 1_000_000),
    done=st.integers(0, 500),
    size=st.integers(1, 500),
)
def test_the_parts_of_a_split_cover_the_rest_without_gap_or_overlap(
    first: int, gone: int, left: int, done: int, size: int
) -> None:
    at = first + gone
    parts = Span(first).split(at=at, last=at + left - 1, done=done, size=size)
    assert len(parts) <= MAX_PARTS
    covered = [(part.first, part.last) for part in parts if part.last is not None]
    assert len(covered) == len(parts)
    ends = [at - 1, *(last for _, last in covered)]
    assert [low for low, _ in covered] == [end + 1 for end in ends[:-1]]
    assert ends[-1] == at + left - 1
    assert all(low <= high for low, high in covered)
