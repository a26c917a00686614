"""Arrays of events as text: their elements as they were sent, and the rest that continues."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.domain.errors import InvalidEventError
from webhooks.domain.event_array import (
    MAX_EVENTS,
    MAX_MESSAGE_BYTES,
    PREFIX,
    EventArray,
    encode_part,
    is_array,
    parse_array,
)
from webhooks.domain.scope import Scope

SENT_AT = 1_790_000_000_123
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def event(number: int, **more: Any) -> dict[str, Any]:
    return {"eventName": "order.paid", "tenantId": "t", "communityId": "c", "data": {"n": number}, **more}


def read(text: str) -> EventArray:
    return parse_array(text, message_id="m1", sent_at=SENT_AT)


@given(st.lists(VALUES, min_size=1, max_size=8), st.sampled_from([None, 1, "\t"]))
def test_each_element_is_read_as_it_was_sent(values: list[Any], indent: int | str | None) -> None:
    text = json.dumps(values, indent=indent)
    assert is_array(text)
    array = read(text)
    assert [json.loads(element) for element in array.texts.values()] == values
    assert all(element in text for element in array.texts.values())


def test_numbers_and_keys_of_an_element_are_copied() -> None:
    element = '{"b": 1222223333.00000001, "a": 1E400, "b": -0}'
    assert read(f" [ {element} ,\n1 ] ").texts == {0: element, 1: "1"}


def test_an_element_that_json_readers_refuse_harms_no_other() -> None:
    deep = "[" * 200_000 + "]" * 200_000
    texts = read(f'[{{"a": NaN}}, {deep}, {{"n": {"9" * 5000}}}, "{{]", {{}}]').texts
    assert list(texts.values()) == ['{"a": NaN}', deep, f'{{"n": {"9" * 5000}}}', '"{]"', "{}"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "empty"),
        (" [ \n] ", "empty"),
        ("[{}", "not JSON"),
        ("[{},]", "not JSON"),
        ("[,{}]", "not JSON"),
        ("[{} {}]", "not JSON"),
        ("[{}]]", "not JSON"),
        ("[{}] {}", "not JSON"),
        ("[nonsense]", "not JSON"),
        ("[", "not JSON"),
        ('["' + "x" * 99, "not JSON"),
        ("[" + "[" * 200_000, "not JSON"),
        (f"[{','.join('1' * (MAX_EVENTS + 1))}]", f"at most {MAX_EVENTS} events"),
        (PREFIX, "first line"),
        (f"{PREFIX}{{}}\n[1]", "first line"),
        (f'{PREFIX}{{"messageId":"m","sentAt":1e400,"first":0}}\n[1]', "first line"),
        (f'{PREFIX}{{"messageId":"","sentAt":0,"first":0}}\n[1]', "no array has"),
        (f'{PREFIX}{{"messageId":"m","sentAt":{10**18},"first":0}}\n[1]', "no array has"),
        (f'{PREFIX}{{"messageId":"m","sentAt":0,"first":-1}}\n[1]', "no array has"),
        (f'{PREFIX}{{"messageId":"m","sentAt":0,"first":0}}\n[,,]', "empty"),
        (f'{PREFIX}{{"messageId":"m","sentAt":0,"first":0}}\n{{}}', "not JSON"),
    ],
)
def test_a_text_that_is_no_array_of_events_says_why(text: str, reason: str) -> None:
    assert is_array(text)
    with pytest.raises(InvalidEventError, match=reason):
        read(text)


@pytest.mark.parametrize("text", ["{}", ' {"a": []}', "", "nonsense", "slice 1 {}\n[]"])
def test_no_other_message_is_taken_for_an_array(text: str) -> None:
    assert not is_array(text)


@given(st.data(), st.integers(1, 60), st.integers(1, 60))
def test_the_parts_of_a_rest_hold_each_event_once_with_its_position(
    data: st.DataObject, count: int, size: int
) -> None:
    array = read(json.dumps([event(n) for n in range(count)]))
    rest = data.draw(st.sets(st.integers(0, count - 1), min_size=1))
    found: dict[int, str] = {}
    for part in array.parts(sorted(rest), size=size):
        text = encode_part(part)
        assert is_array(text)
        again = parse_array(text, message_id="another", sent_at=1)
        assert (again.message_id, again.sent_at) == ("m1", SENT_AT)
        assert not found.keys() & again.texts.keys()
        found.update(again.texts)
    assert found == {position: array.texts[position] for position in rest}


def test_a_rest_is_split_into_a_few_parts_that_take_as_long_as_the_events_before() -> None:
    array = read(json.dumps([event(n) for n in range(1000)]))
    assert len(array.parts(range(500, 1000), size=500)) == 1
    assert len(array.parts(range(100, 1000), size=300)) == 3
    assert len(array.parts(range(1, 1000), size=1)) == 10


def test_a_part_takes_the_turn_of_its_first_events_community() -> None:
    array = read(json.dumps([event(1), {}, event(2, communityId="d")]))
    assert [part.scope for part in array.parts([0, 1, 2], size=1)] == [Scope("t", "c"), None, Scope("t", "d")]


def test_an_event_without_room_for_a_head_is_in_no_part() -> None:
    texts = ["1", '{"large":""}']
    room = MAX_MESSAGE_BYTES - len(f"[{','.join(texts)}]")
    texts[-1] = texts[-1].replace('""', f'"{"x" * room}"')
    text = f"[{','.join(texts)}]"
    assert len(text) == MAX_MESSAGE_BYTES
    array = read(text)
    assert array.parts([1], size=1) == []
    assert len(array.parts([0], size=2)) == 1
