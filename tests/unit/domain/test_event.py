"""Three shapes in, one body out, and a reason for everything else."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webhooks.domain.errors import InvalidEventError
from webhooks.domain.event import MAX_BODY_BYTES, iso_time, parse_event
from webhooks.domain.scope import Scope

SENT_AT = 1_700_000_000_123
NATIVE = {
    "eventName": "E_LOGIN",
    "tenantId": "t1",
    "communityId": "c1",
    "eventId": "e1",
    "occurredAt": "2026-01-02T03:04:05.678Z",
    "data": {"user": "ü"},
}


def parse(message):
    text = message if isinstance(message, str) else json.dumps(message)
    return parse_event(text, message_id="m1", sent_at=SENT_AT)


def test_a_native_event_becomes_the_callbacks_body():
    event = parse(NATIVE)

    assert (event.id, event.name, event.scope) == ("e1", "E_LOGIN", Scope("t1", "c1"))
    assert event.body == (
        '{"id":"e1","type":"E_LOGIN","timestamp":"2026-01-02T03:04:05.678Z",'
        '"tenantId":"t1","communityId":"c1","data":{"user":"ü"}}'
    )


@pytest.mark.parametrize("name", ["event_name", "eventName"])
def test_a_flat_platform_event_is_its_own_data(name):
    flat = {
        name: "E_X",
        "tenant_id": "t1",
        "community_id": "c1",
        "event_id": "e9",
        "event_ts": 1_700_000_000_500,
    }

    event = parse(flat)

    assert (event.id, event.name, event.scope) == ("e9", "E_X", Scope("t1", "c1"))
    assert event.data == flat
    assert event.log_time == 1_700_000_000_500


@pytest.mark.parametrize("spelling", [("tenantId", "communityId"), ("tenant_id", "community_id")])
def test_an_eventbridge_event_has_its_owner_in_the_detail(spelling):
    detail = {spelling[0]: "t1", spelling[1]: "c1", "x": 1}

    event = parse({"id": "eb", "detail-type": "E_X", "time": "2026-01-02T03:04:05Z", "detail": detail})

    assert (event.id, event.name, event.scope) == ("eb", "E_X", Scope("t1", "c1"))
    assert event.data == detail
    assert iso_time(event.log_time) == "2026-01-02T03:04:05.000Z"


def test_without_an_id_or_a_time_the_message_gives_them():
    event = parse({key: NATIVE[key] for key in ("eventName", "tenantId", "communityId", "data")})

    assert event.id == "m1"
    assert event.log_time == SENT_AT


@pytest.mark.parametrize(
    ("log_time", "epoch_ms"),
    [
        (0, 0),
        (1_700_000_000, 1_700_000_000_000),
        (1_700_000_000.25, 1_700_000_000_250),
        (1_700_000_000_250, 1_700_000_000_250),
        ("2026-01-02T03:04:05+02:00", 1_767_315_845_000),
        ("2026-01-02", 1_767_312_000_000),
    ],
)
def test_a_time_is_iso_8601_or_epoch(log_time, epoch_ms):
    assert parse({**NATIVE, "occurredAt": log_time}).log_time == epoch_ms


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"eventName": None}, "eventName"),
        ({"eventName": "has a space"}, "eventName"),
        ({"eventName": "x" * 129}, "eventName"),
        ({"tenantId": ""}, "tenantId"),
        ({"tenantId": 7}, "tenantId"),
        ({"communityId": "a/b"}, "communityId"),
        ({"eventId": 7}, "eventId"),
        ({"eventId": ""}, "eventId"),
        ({"eventId": "x" * 257}, "eventId"),
        ({"data": None}, "data"),
        ({"data": [1]}, "data"),
        ({"occurredAt": "yesterday"}, "occurredAt"),
        ({"occurredAt": True}, "occurredAt"),
        ({"occurredAt": 10**30}, "occurredAt"),
    ],
)
def test_what_is_wrong_is_named(change, reason):
    with pytest.raises(InvalidEventError, match=reason):
        parse({**NATIVE, **change})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        '"text"',
        "null",
        "[" * 100_000,
        '{"eventName": NaN}',
        json.dumps(NATIVE).replace('"ü"', "Infinity").replace('"\\u00fc"', "Infinity"),
        json.dumps(NATIVE).replace('"\\u00fc"', "1e999"),
        json.dumps(NATIVE).replace('"\\u00fc"', "9" * 5000),
    ],
)
def test_what_is_no_json_object_is_refused(text):
    with pytest.raises(InvalidEventError):
        parse(text)


def test_a_body_larger_than_a_message_can_carry_is_refused():
    with pytest.raises(InvalidEventError, match="too large"):
        parse({**NATIVE, "data": {"x": "x" * MAX_BODY_BYTES}})


def test_what_no_queue_takes_stays_escaped():
    body = parse({**NATIVE, "data": {"x": "\ud800 \uffff \ufffe ok"}}).body

    assert '"\\ud800 \\uffff \\ufffe ok"' in body
    assert body.encode()


@given(st.text())
@example("0")
@example('{"detail-type": "x", "detail": 3}')
@example('{"tenant_id": {}}')
def test_any_text_is_an_event_or_refused(text):
    try:
        parse(text)
    except InvalidEventError as error:
        assert str(error)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON))
def test_the_body_is_one_line_of_json_with_the_same_data(data):
    event = parse({**NATIVE, "data": data})

    assert "\n" not in event.body
    assert json.loads(event.body)["data"] == data
    assert event.body.encode().decode() == event.body


@given(st.dictionaries(st.sampled_from([*NATIVE, "tenant_id", "detail-type", "detail", "event_name"]), JSON))
def test_any_object_is_an_event_or_refused(message):
    try:
        parse(message)
    except InvalidEventError as error:
        assert str(error)


def test_a_repeat_of_an_event_that_has_an_id_and_no_time_has_the_same_place_in_the_log():
    timeless = {name: value for name, value in NATIVE.items() if name != "occurredAt"}

    assert parse(timeless).log_time == 0
    assert '"timestamp":"2023-11-14T22:13:20.123Z"' in parse(timeless).body
