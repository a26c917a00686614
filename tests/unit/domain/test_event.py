"""Three shapes in, one body out, and a reason for everything else."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webhooks.domain.errors import InvalidEventError
from webhooks.domain.event import MAX_BODY_BYTES, Event, iso_time, parse_event
from webhooks.domain.json_text import read_object
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


def parse(message: dict[str, Any] | str) -> Event:
    text = message if isinstance(message, str) else json.dumps(message)
    return parse_event(text, message_id="m1", sent_at=SENT_AT)


def test_a_native_event_becomes_the_callbacks_body() -> None:
    event = parse(NATIVE)

    assert (event.id, event.name, event.scope) == ("e1", "E_LOGIN", Scope("t1", "c1"))
    assert event.body == (
        '{"id":"e1","type":"E_LOGIN","timestamp":"2026-01-02T03:04:05.678Z",'
        '"tenantId":"t1","communityId":"c1","data":{"user":"\\u00fc"}}'
    )
    assert event.data == {"user": "ü"}


@pytest.mark.parametrize("name", ["event_name", "eventName"])
def test_a_flat_event_is_its_own_data(name: str) -> None:
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
def test_an_eventbridge_event_has_its_scope_in_the_detail(spelling: tuple[str, str]) -> None:
    detail = {spelling[0]: "t1", spelling[1]: "c1", "x": 1}

    event = parse({"id": "eb", "detail-type": "E_X", "time": "2026-01-02T03:04:05Z", "detail": detail})

    assert (event.id, event.name, event.scope) == ("eb", "E_X", Scope("t1", "c1"))
    assert event.data == detail
    assert iso_time(event.log_time) == "2026-01-02T03:04:05.000Z"


# buildkite/docs#896, floci-io/floci#709, aws/serverless-application-model#2406
@pytest.mark.parametrize(
    "name",
    ["Build Finished", "Object Created", "com.acme/order:created", "受注　通知", "a#b", "x" * 128, "👨‍👩‍👧"],
)
def test_an_event_name_may_have_spaces_and_signs_in_every_shape(name: str) -> None:
    bridge = {"detail-type": name, "detail": {"tenantId": "t1", "communityId": "c1"}}
    flat = {"event_name": name, "tenant_id": "t1", "community_id": "c1"}

    for event in (parse({**NATIVE, "eventName": name}), parse(bridge), parse(flat)):
        assert event.name == name
        assert json.loads(event.body)["type"] == name


@pytest.mark.parametrize(
    "name", ["", " a", "a ", "\u3000a", "a\nb", "a\u202eb", "\ud800", "x" * 129, 7, None]
)
def test_a_malformed_name_is_refused_in_every_shape(name: int | str | None) -> None:
    bridge = {"detail-type": name, "detail": {"tenantId": "t1", "communityId": "c1"}}
    flat = {"event_name": name, "tenant_id": "t1", "community_id": "c1"}

    for message in ({**NATIVE, "eventName": name}, bridge, flat):
        with pytest.raises(
            InvalidEventError, match="must be 1 to 128 characters, with no space at either end"
        ):
            parse(message)


def test_an_event_without_an_id_or_a_time_takes_those_of_its_message() -> None:
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
        # RFC 3339, 5.6 and 5.7, and ISO 8601
        ("2026-01-15t09:30:00z", 1_768_469_400_000),
        ("2026-01-15 09:30:00Z", 1_768_469_400_000),
        ("20260115T093000Z", 1_768_469_400_000),
        ("2026-W03-4T09:30Z", 1_768_469_400_000),
        ("2026-w03-4t09:30z", 1_768_469_400_000),
        ("2026-01-15T15:00:00+0530", 1_768_469_400_000),
        ("2026-01-15T09:30:00,123Z", 1_768_469_400_123),
        ("2026-01-15T09:30:00.123999999Z", 1_768_469_400_124),
        ("2026-01-15T09:30", 1_768_469_400_000),
        ("2016-12-31T23:59:60Z", 1_483_228_799_999),
        ("2016-12-31T23:59:60.5Z", 1_483_228_799_999),
        ("2016-12-31t23:59:60z", 1_483_228_799_999),
        ("20161231T235960Z", 1_483_228_799_999),
        ("2016-12-31T15:59:60-08:00", 1_483_228_799_999),
        ("2017-01-01T05:29:60+05:30", 1_483_228_799_999),
        ("2016-12-31T23:59:60", 1_483_228_799_999),
        ("2026-01-15T24:00:00Z", 1_768_521_600_000),
        ("2026-01-15T24:00:00.000Z", 1_768_521_600_000),
        ("2026-01-15T24:00", 1_768_521_600_000),
        ("20260115T240000Z", 1_768_521_600_000),
        ("20260115T24Z", 1_768_521_600_000),
        ("2026-12-31t24:00:00+01:00", 1_798_758_000_000),
    ],
)
def test_a_time_is_iso_8601_or_epoch(log_time: float | str, epoch_ms: int) -> None:
    assert parse({**NATIVE, "occurredAt": log_time}).log_time == epoch_ms


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"eventName": None}, "eventName"),
        ({"eventName": " a space before"}, "eventName"),
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
        ({"occurredAt": "2026-01-15T24:00:01Z"}, "occurredAt"),
        ({"occurredAt": "2026-01-15T24:30:00Z"}, "occurredAt"),
        ({"occurredAt": "2026-01-15T23:59:61Z"}, "occurredAt"),
        ({"occurredAt": "2026-01-15T23:60:00Z"}, "occurredAt"),
        ({"occurredAt": "9999-12-31T24:00:00Z"}, "occurredAt"),
        ({"occurredAt": ""}, "occurredAt"),
        ({"occurredAt": [1]}, "occurredAt"),
        ({"occurredAt": 10**30}, "occurredAt"),
    ],
)
def test_an_invalid_field_is_named(change: dict[str, Any], reason: str) -> None:
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
        json.dumps(NATIVE).replace('"\\u00fc"', "1e9999999999999999999"),
        json.dumps(NATIVE) + " {}",
        json.dumps(NATIVE) + ",",
        json.dumps(NATIVE)[:-1] + ",}",
        json.dumps(NATIVE)[:-1],
        json.dumps(NATIVE).replace(":", " "),
        json.dumps(NATIVE).replace('"t1"', "'t1'"),
        json.dumps(NATIVE).replace('"tenantId"', "tenantId"),
        json.dumps(NATIVE).replace("u00fc", "u00f"),
        json.dumps(NATIVE).replace("t1", "t\n1"),
        "\ufeff" + json.dumps(NATIVE),
        "\xa0" + json.dumps(NATIVE),
        "{}" * 2,
        "{,}",
    ],
)
def test_a_text_other_than_a_json_object_is_refused(text: str) -> None:
    with pytest.raises(InvalidEventError):
        parse(text)


def test_a_body_larger_than_a_message_is_refused() -> None:
    with pytest.raises(InvalidEventError, match="too large"):
        parse({**NATIVE, "data": {"x": "x" * MAX_BODY_BYTES}})


def sent(data: str, shape: str = '{"eventName":"a","tenantId":"t","communityId":"c","data":%s}') -> str:
    """Return the `data` of the callback for an event whose `data` is these characters."""
    event = parse(shape.replace("%s", data))
    return event.body.partition('"data":')[2][:-1]


# ruby/json#219 and #273, ruimarinho/bitcoin-core#16, hasura/graphql-engine#3697, supabase/supabase#16147,
# n8n-io/n8n#26925, EasyPost/easypost-node#467
NUMBERS = [
    *("1222223333.00000001", "100200300400500.01", "1.000000000000000001", "12345678901234567.89", "1e-400"),
    *(
        "50755254975729665",
        "9123456789654321",
        "7615917337495251231",
        str(2**256 - 1),
        "136.0",
        "1e400",
        "1e999",
    ),
    *(
        "19.90",
        "1E5",
        "1e+05",
        "-0",
        "-0.0",
        "0.10",
        "1E400",
        "9" * 5_000,
        "-" + "9" * 5_000,
        "0." + "1" * 5_000,
    ),
    "1e999999999",
]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:24])
def test_a_number_is_sent_as_it_was_published(number: str) -> None:
    assert sent('{"amount":%s}' % number) == '{"amount":%s}' % number  # noqa: UP031 - braces
    assert sent('{"a":[[%s,{"b":%s}]]}' % (number, number)) == '{"a":[[%s,{"b":%s}]]}' % (number, number)  # noqa: UP031


@pytest.mark.parametrize(
    "data",
    [
        '{"b":1,"a":2,"B":3}',
        '{"a":1,"a":2}',
        r'{"a":"\u00fc \u00FC ü \/ / \u0061 \t"}',
        r'{"\u0061":"\ud83d\ude00 😀 \ud800"}',
        '{"a":"x  y : , { } [ ] "}',
        r'{"a":"\" \\ \\\" : \\","b":"\\"}',
        '{"":"","a":{"":[]}}',
        "{}",
        '{"a":"\u2028 \u2029 \x7f \x85 \xa0 \u3000"}',
    ],
)
def test_data_is_copied_as_it_was_published(data: str) -> None:
    assert sent(data) == data


def test_data_of_the_other_shapes_is_copied_too() -> None:
    flat = '{"event_name":"a","tenant_id":"t","community_id":"c","z":1.50,"event_ts":1700000000500}'
    bridge = (
        '{"detail-type":"a","detail":{"tenantId":"t","communityId":"c","n":1.50,"a":"\\u0061"},"time":null}'
    )

    assert parse(flat).body.endswith(f'"data":{flat}}}')
    assert parse(bridge).body.endswith('"data":{"tenantId":"t","communityId":"c","n":1.50,"a":"\\u0061"}}')


def test_the_last_of_two_fields_with_one_name_counts() -> None:
    text = '{"data":{"a":1},"eventName":"a","tenantId":"t","communityId":"c","data":{"a":2.0}}'

    assert parse(text).data == {"a": 2}
    assert parse(text).body.endswith('"data":{"a":2.0}}')


@pytest.mark.parametrize("space", [" ", "\n", "\r\n", "\t", " \n\t "])
def test_whitespace_is_removed_only_between_tokens(space: str) -> None:
    parts = [
        "{",
        '"a b"',
        ":",
        "[",
        "1.0",
        ",",
        r'"\" , : \\"',
        ",",
        "{",
        "}",
        ",",
        "null",
        "]",
        ",",
        '"c"',
        ":",
        "-1e5",
        "}",
    ]
    shape = '%s{"eventName" : "a",\n"tenantId":"t" , "communityId":"c", "data" : %s\n}\n'.replace(
        "%s", space, 1
    )

    assert sent(space.join(parts), shape) == "".join(parts)


def test_data_is_matched_by_its_decimals() -> None:
    data = parse({**NATIVE, "data": {"a": 1}}).data
    exact = parse(json.dumps(NATIVE).replace('"\\u00fc"', "1222223333.00000001")).data

    assert data == {"a": 1}
    assert exact == {"user": Decimal("1222223333.00000001")}


def test_characters_that_sqs_refuses_stay_escaped() -> None:
    body = parse({**NATIVE, "data": {"x": "\ud800 \uffff \ufffe ok"}}).body

    assert '"\\ud800 \\uffff \\ufffe ok"' in body
    assert body.encode()


@given(st.text())
@example("0")
@example('{"detail-type": "x", "detail": 3}')
@example('{"tenant_id": {}}')
def test_any_text_is_an_event_or_is_refused(text: str) -> None:
    try:
        parse(text)
    except InvalidEventError as error:
        assert str(error)


TEXTS = st.one_of(
    st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,5})?", fullmatch=True),
    st.from_regex(
        r'"([^"\\\x00-\x1f\ud800-\udfff\ufffe\uffff]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}){0,9}"', fullmatch=True
    ),
    st.sampled_from(["true", "false", "null"]),
)


def an_array(texts: list[str]) -> str:
    return f"[{','.join(texts)}]"


def an_object(texts: list[str]) -> str:
    return "{" + ",".join(f'"k{number % 3}":{text}' for number, text in enumerate(texts)) + "}"


@given(
    st.recursive(
        TEXTS, lambda inner: st.lists(inner).map(an_array) | st.lists(inner).map(an_object), max_leaves=20
    )
)
def test_compact_data_is_copied_exactly(text: str) -> None:
    data = f'{{"a":{text}}}'

    assert sent(data) == data


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON), st.sampled_from([None, 0, 2]), st.booleans())
def test_the_body_is_one_line_of_json_with_the_same_data(
    data: dict[str, Any], choice: int | None, escaped: bool
) -> None:
    event = parse(json.dumps({**NATIVE, "data": data}, indent=choice, ensure_ascii=escaped))

    assert "\n" not in event.body
    assert json.loads(event.body)["data"] == data
    assert event.body.encode().decode() == event.body


@given(
    st.dictionaries(st.text(max_size=3), JSON, max_size=4),
    st.integers(0, 60),
    st.text('{}[]:,"\\\n 0e.-\x00x', max_size=2),
)
def test_a_text_is_read_as_by_the_json_module(content: dict[str, Any], position: int, put_in: str) -> None:
    text = json.dumps(content, indent=position % 3 or None)
    text = text[:position] + put_in + text[position + len(put_in) :]
    try:
        expected = json.loads(text)
    except ValueError:
        expected = None

    if isinstance(expected, dict):
        assert read_object(text).values == json.loads(text, parse_float=Decimal)
    else:
        with pytest.raises(ValueError, match=r"line [0-9]+ column"):
            read_object(text)


@given(st.dictionaries(st.sampled_from([*NATIVE, "tenant_id", "detail-type", "detail", "event_name"]), JSON))
def test_any_object_is_an_event_or_is_refused(message: dict[str, Any]) -> None:
    try:
        parse(message)
    except InvalidEventError as error:
        assert str(error)


def test_a_repeated_event_with_an_id_and_no_time_has_the_same_log_key() -> None:
    timeless = {name: value for name, value in NATIVE.items() if name != "occurredAt"}

    assert parse(timeless).log_time == 0
    assert '"timestamp":"2023-11-14T22:13:20.123Z"' in parse(timeless).body
