"""Any array, any publication and any question about an event: a result for each event, and never a 5xx."""

import json
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import plain_protocol
from tests.factories import BASE, COMMUNITY, SCOPE, SYSTEM, TENANT, InMemoryApp
from tests.fanout import Functions, message, text
from webhooks.domain.event import parse_event

SOME = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXT = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=4)
FIELDS = st.sampled_from(
    [
        *("eventName", "eventId", "tenantId", "communityId", "occurredAt", "data"),
        *(
            "event_name",
            "event_id",
            "tenant_id",
            "community_id",
            "event_ts",
            "detail-type",
            "detail",
            "id",
            "time",
        ),
    ]
)
VALUES = st.one_of(
    JSON, st.sampled_from(["acme", "default", "main", "E_LOGIN", "order.paid", 1, "2026-01-15T09:30:00Z"])
)
EVENTS = st.dictionaries(FIELDS, VALUES, max_size=8) | JSON
ELEMENTS = st.one_of(
    EVENTS.map(json.dumps),
    st.builds(lambda number: text(number=number), st.integers(0, 9)),
    st.text('[]{},:"\\ ea1\n', max_size=12),
)


@SOME
@given(
    st.lists(ELEMENTS, max_size=6),
    st.sampled_from(["[", " [", "array 1 {}\n[", ""]),
    st.sampled_from(["]", "", "]]"]),
)
def test_each_text_that_looks_like_an_array_is_fanned_out_or_dead_lettered(
    elements: list[str], begin: str, end: str
) -> None:
    functions = Functions({"order.paid": 1})
    sent = begin + ",".join(elements) + end
    functions.fan_out_all(message("m", sent))
    dead = [letter for letter, reason in functions.dead_letters if reason]
    assert len(dead) == len(functions.dead_letters)
    if dead != [sent]:  # an array, each element of which is an event of its own, or one event
        content = json.loads(sent, strict=False)
        each_one = content if isinstance(content, list) else [content]
        valid = [each for each in each_one if isinstance(each, dict)]
        assert len(functions.delivered) <= len(valid)


@SOME
@given(
    st.fixed_dictionaries(
        {}, optional={"data": JSON | OBJECTS, "eventId": VALUES, "occurredAt": VALUES, "other": JSON}
    )
    | JSON,
    TEXT,
    st.booleans(),
)
def test_any_publication_is_accepted_as_an_event_or_refused(body: Any, name: str, in_envelope: bool) -> None:
    app = APP
    if in_envelope and isinstance(body, dict):
        sealed = plain_protocol.seal(SYSTEM.key(app.public_key), json.dumps(body.get("data")))
        body = {**body, "data": sealed}
    encoded = quote(name.encode(errors="surrogatepass"), safe="")
    response = app.call("PUT", f"{BASE}/event/{encoded}", body)
    published = app.publisher.queue.take_all()
    assert response.status in (202, 400, 404)
    assert (response.status == 202) is bool(published)
    for sent in published:
        event = parse_event(sent.text, message_id="m", sent_at=0)
        assert (event.scope, event.name, event.id) == (SCOPE, name, response.json["eventId"])


@SOME
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "event": EVENTS
            | OBJECTS.map(
                lambda data: {
                    "eventName": "E_LOGIN",
                    "tenantId": TENANT,
                    "communityId": COMMUNITY,
                    "data": data,
                }
            ),
            "eventId": VALUES,
            "eventName": VALUES,
            "occurredAt": VALUES,
            "cursor": TEXT,
        },
    )
    | JSON
)
def test_any_question_about_an_event_is_answered_or_refused(body: Any) -> None:
    response = APP.call("POST", f"{BASE}/events/explain", body)
    assert response.status in (200, 400)
    if response.status == 200:
        assert all(each["result"] for each in response.json["webhooks"])


APP = InMemoryApp()
APP.create(query=[{"a": 1}, {"b.c": "x", "d": [1]}])
APP.create(disabled=True)
