"""Publishing over HTTPS: an event of the path's community on the events queue, its data as it was sent."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import plain_protocol
from tests.factories import (
    BASE,
    COMMUNITY,
    LEVELS,
    OTHER_TENANT,
    SCOPE,
    SERVICE_CALLER,
    SYSTEM,
    TENANT,
    ApiResponse,
    Client,
    InMemoryApp,
    api_event,
)
from webhooks.domain.errors import UnavailableError
from webhooks.domain.event import MAX_BODY_BYTES, Event, parse_event
from webhooks.entrypoints.api import limits
from webhooks.entrypoints.api.event_names import event_name

EVENT = f"{BASE}/event/E_LOGIN"


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


def publish(
    app: InMemoryApp, body: Any, *, path: str = EVENT, by: Client = SERVICE_CALLER, **more: Any
) -> ApiResponse:
    return app.call("PUT", path, body, by=by, **more)


def envelope(app: InMemoryApp, text: str, *, by: Client = SERVICE_CALLER) -> str:
    return plain_protocol.seal(by.key(app.public_key), text)


def published(app: InMemoryApp) -> Event:
    [sent] = app.publisher.queue.take_all()
    assert sent.group == SCOPE.fairness_group
    return parse_event(sent.text, message_id="none", sent_at=0)


def data_of(event: Event) -> str:
    return event.body.partition('"data":')[2][:-1]


@pytest.mark.parametrize("level", LEVELS)
def test_each_auth_level_publishes_plain_data_and_envelopes(app: InMemoryApp, level: str) -> None:
    client = LEVELS[level]
    for data in ({"user": "jdoe"}, envelope(app, '{"user":"jdoe"}', by=client)):
        response = publish(app, {"data": data}, by=client)
        assert response.status == 202, response.text
        assert list(response.json) == ["eventId"]
        event = published(app)
        assert (event.id, event.name, event.scope) == (response.json["eventId"], "E_LOGIN", SCOPE)
        assert event.data == {"user": "jdoe"}


DATA = r'{"b": 1222223333.00000001, "a": 1E400, "b": "\u00fc ü 📚", "none": "\ud800", "\ud800": -0}'
COPIED = r'{"b":1222223333.00000001,"a":1E400,"b":"\u00fc ü 📚","none":"\ud800","\ud800":-0}'


def test_data_is_copied_as_it_was_sent(app: InMemoryApp) -> None:
    for body in (f'{{"data": {DATA}}}', json.dumps({"data": envelope(app, DATA)})):
        assert publish(app, body).status == 202
        assert data_of(published(app)) == COPIED


def test_characters_that_sqs_does_not_take_are_escaped(app: InMemoryApp) -> None:
    assert publish(app, '{"data": {"a": "\ufffe\uffff"}}', path=f"{BASE}/event/caf%C3%A9").status == 202
    [sent] = app.publisher.queue.take_all()
    assert sent.text.endswith('"data":{"a":"\\ufffe\\uffff"}}')


@pytest.mark.parametrize(
    ("fields", "data", "event_id", "at"),
    [
        ({"eventId": "e1", "occurredAt": "2026-01-15T09:30:00Z"}, {}, "e1", 1_768_469_400_000),
        (
            {"eventId": "e1", "occurredAt": 1_768_469_400},
            {"event_id": "e2", "event_ts": 5},
            "e1",
            1_768_469_400_000,
        ),
        ({"eventId": "e1", "occurredAt": "1970-01-01T00:00:05Z"}, {}, "e1", 5_000),
        ({"eventId": "e1", "occurredAt": "1969-07-20T20:17:40Z"}, {}, "e1", -14_182_940_000),
        ({}, {"event_id": "e2", "event_ts": 1_768_469_400_123}, "e2", 1_768_469_400_123),
        ({}, {"event_id": "ä\ud800", "event_ts": "yesterday"}, "ä\ud800", None),
        ({}, {"event_id": "", "event_ts": True}, None, None),
        ({}, {"event_id": "x" * 257, "event_ts": 1e300}, None, None),
        ({}, {"event_id": 5, "event_ts": None}, None, None),
        ({"eventId": None, "occurredAt": None}, {}, None, None),
    ],
)
def test_id_and_time_are_given_or_those_of_the_data_or_of_the_request(
    app: InMemoryApp, fields: dict[str, Any], data: dict[str, Any], event_id: str | None, at: int | None
) -> None:
    ts = app.clock.now - 7.25
    response = publish(app, {"data": data, **fields}, ts=ts)
    assert response.status == 202, response.text
    event = published(app)
    assert event.log_time == (round(ts * 1000) if at is None else at)
    if event_id is None:
        assert len(event.id) == 32
        assert int(event.id, 16)
    else:
        assert event.id == event_id


def test_an_exact_repeat_publishes_the_same_event_and_another_request_another(app: InMemoryApp) -> None:
    headers = SERVICE_CALLER.headers(app.public_key, ts=app.clock.now)
    made = api_event("PUT", EVENT, headers=headers, body='{"data": {"n": 1}}')
    first, second = app.send(made), app.send(made)
    assert first.json == second.json
    texts = [sent.text for sent in app.publisher.queue.take_all()]
    assert texts == [texts[0]] * 2
    assert publish(app, {"data": {"n": 1}}).json != first.json


def test_the_community_is_that_of_the_path_whatever_the_data_says(app: InMemoryApp) -> None:
    theirs = {"tenantId": "other", "communityId": "theirs", "tenant_id": "other", "event_name": "E_OTHER"}
    assert publish(app, {"data": theirs | {"detail-type": "E_OTHER", "detail": {}}}).status == 202
    event = published(app)
    assert (event.scope, event.name) == (SCOPE, "E_LOGIN")


NAMES = [
    "order.paid",
    "Build Finished",
    "a/b",
    "a/b/",
    "100%",
    "50% off",
    "ü漢📚",
    'a"b?c#d&e',
    "a+b",
    "\\",
    "[x]",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_read_from_the_encoded_path(app: InMemoryApp, name: str) -> None:
    assert publish(app, {"data": {}}, path=f"{BASE}/event/{quote(name, safe='')}").status == 202
    assert published(app).name == name


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith("/")])
def test_a_name_is_read_from_a_path_that_the_gateway_decoded(app: InMemoryApp, name: str) -> None:
    assert publish(app, {"data": {}}, path=f"{BASE}/event/{name}/").status == 202
    assert published(app).name == name


@given(st.text(min_size=1, max_size=20).filter(lambda name: name.strip() == name and name.isprintable()))
def test_each_encoded_name_is_read_as_itself(name: str) -> None:
    assert event_name(f"/event/{quote(name, safe='')}", after="/event/") == name


def test_tenants_and_communities_may_be_called_event() -> None:
    app = InMemoryApp()
    path = "/tenant/event/community/event/event/a"
    assert app.call("PUT", path, {"data": {}}).status == 202
    [sent] = app.publisher.queue.take_all()
    assert parse_event(sent.text, message_id="m", sent_at=0).name == "a"


@pytest.mark.parametrize("encoded", ["%20a", "a%0Ab", "x" * 129, "%E2%80%AE", "%FF", "%ED%A0%80"])
def test_a_name_that_no_event_has_is_refused(app: InMemoryApp, encoded: str) -> None:
    response = publish(app, {"data": {}}, path=f"{BASE}/event/{encoded}")
    assert response.status == 400
    assert response.message.startswith("eventName: must be 1 to 128 characters")


TIME_RULE = (
    "must be a time as RFC 3339 and ISO 8601 write it, such as 2026-01-15T09:30:00Z, or epoch seconds or "
    "milliseconds"
)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "data: is required"),
        ({"data": {}, "tenantId": "acme"}, "tenantId: is not a field here, leave it out"),
        ({"data": [1]}, "data: must be a JSON object, or one as text in an envelope"),
        ({"data": None}, "data: must be a JSON object, or one as text in an envelope"),
        ({"data": {}, "eventId": ""}, "eventId: must be a string of 1 to 256 characters"),
        ({"data": {}, "eventId": 5}, "eventId: must be a string of 1 to 256 characters"),
        (
            {"data": {}, "occurredAt": "soon"},
            f"occurredAt: {TIME_RULE}",
        ),
        ("[]", "the body must be a JSON object"),
        ('{"data": {"n": NaN}}', "the body must be a JSON object"),
        ('{"data": {"n": 1e9999999999999999999}}', "the body must be a JSON object"),
        (b'{"data": "\xff"}', "the body must be a JSON object"),
    ],
)
def test_a_wrong_body_is_refused_with_each_wrong_field(app: InMemoryApp, body: Any, message: str) -> None:
    response = publish(app, body)
    assert (response.status, response.message) == (400, message)
    assert app.publisher.queue.take_all() == []


@pytest.mark.parametrize("text", ["[1]", "no json", "", '"text"', '{"n": NaN}', "{" * 100_000])
def test_an_envelope_of_anything_but_an_object_is_refused(app: InMemoryApp, text: str) -> None:
    response = publish(app, {"data": envelope(app, text)})
    assert response.status == 400
    assert response.message == "data: must be a JSON object; the text in the envelope is none"


@pytest.mark.parametrize(
    "data", ["", "no envelope", "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4mrze8BI0VniavN7wEjRWeJ"]
)
def test_an_envelope_that_does_not_open_is_refused(app: InMemoryApp, data: str) -> None:
    response = publish(app, {"data": data})
    assert response.status == 400
    assert response.message == (
        "data: must be a JSON object, or an envelope that the keys of this request's headers open"
    )


def test_an_envelope_of_another_caller_is_refused(app: InMemoryApp) -> None:
    assert publish(app, {"data": envelope(app, "{}", by=SYSTEM)}).status == 400


def test_the_largest_event_is_published_in_clear_and_in_an_envelope(app: InMemoryApp) -> None:
    ways: list[Callable[[str], str]] = [
        lambda text: f'{{"data":{text}}}',
        lambda text: json.dumps({"data": envelope(app, text)}),
    ]
    for made in ways:
        room = MAX_BODY_BYTES - 500
        assert publish(app, made(json.dumps({"x": "x" * room}))).status == 202
        assert len(published(app).body) > room
        response = publish(app, made(json.dumps({"x": "x" * (MAX_BODY_BYTES - 5)})))
        assert response.status == 400
        assert (
            response.message == f"data: the event is too large: its callback may have {MAX_BODY_BYTES} bytes"
        )
    assert publish(app, f'{{"data":{{"x":"{"x" * limits.EVENT_BODY_BYTES}"}}}}').status == 413
    assert app.publisher.queue.take_all() == []


def test_without_the_queue_nothing_is_promised(app: InMemoryApp) -> None:
    def away(point: str) -> None:
        raise UnavailableError(point)

    app.publisher.fault = away
    response = publish(app, {"data": {}})
    assert response.status == 503
    assert response.headers["retry-after"]


def test_another_community_does_not_publish_here(app: InMemoryApp) -> None:
    assert publish(app, {"data": {}}, by=OTHER_TENANT).status == 403
    assert app.call("PUT", EVENT, {"data": {}}, by=None).status == 401
    assert app.publisher.queue.take_all() == []


def test_no_other_method_and_no_other_media_type(app: InMemoryApp) -> None:
    response = app.call("POST", EVENT, {"data": {}})
    assert (response.status, response.headers["allow"]) == (405, "PUT")
    assert publish(app, {"data": {}}, headers={"Content-Type": "text/plain"}).status == 415


def test_data_is_in_no_log_line_and_in_no_error(app: InMemoryApp) -> None:
    for data in (
        {"password": "planted-data"},
        envelope(app, '{"password":"planted-data"}'),
        ["planted-data"],
    ):
        assert "planted-data" not in publish(app, {"data": data}).text
    publish(app, {"data": {"n": "planted-data"}, "eventId": 5})
    publish(app, {"data": envelope(app, "planted-data")})
    publish(app, {"data": {"n": "planted-data" * 100_000}})
    assert "planted-data" not in app.log.getvalue()
    assert f'"tenant_id":"{TENANT}","community_id":"{COMMUNITY}"' in app.log.getvalue().replace(" ", "")
