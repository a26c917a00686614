"""Explain: each webhook that lists an event's name, with the condition that failed, or with its delivery."""

import json
from typing import Any

import pytest

from tests.factories import (
    BASE,
    COMMUNITY,
    LEVELS,
    OTHER_TENANT,
    SCOPE,
    SERVICE_CALLER,
    TENANT,
    ApiResponse,
    Client,
    InMemoryApp,
)
from webhooks.domain.delivery import Attempt, delivery_id, delivery_of
from webhooks.domain.delivery_log import LogEntry, Outcome, log_key
from webhooks.domain.event import Event, parse_event
from webhooks.services.explanation import NAMED, NAMES, PAGE

AT = 1_768_469_400_250
OTHER_COMMUNITY = "/tenant/other/community/theirs"


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()


def event(data: Any = None, **changes: Any) -> dict[str, Any]:
    return {
        "eventName": "E_LOGIN",
        "eventId": "e1",
        "tenantId": TENANT,
        "communityId": COMMUNITY,
        "occurredAt": AT,
        "data": {"user": {"id": "u1"}, "tags": ["a", "b"]} if data is None else data,
        **changes,
    }


def ask(app: InMemoryApp, body: Any, *, by: Client = SERVICE_CALLER) -> ApiResponse:
    return app.call("POST", f"{BASE}/events/explain", body, by=by)


def explain(app: InMemoryApp, body: Any) -> dict[str, Any]:
    response = ask(app, body)
    assert response.status == 200, response.text
    content: dict[str, Any] = response.json
    return content


def all_pages(app: InMemoryApp, body: dict[str, Any]) -> list[dict[str, Any]]:
    pages = [explain(app, body)]
    while cursor := pages[-1].get("cursor"):
        pages.append(explain(app, {**body, "cursor": cursor}))
        assert len(pages) < 100
    return pages


def record(app: InMemoryApp, of: Event, webhook_id: str, outcome: Outcome) -> str:
    delivery = delivery_of(of, webhook_id).tried(Attempt(at=AT, latency_ms=5, status=200))
    entry = LogEntry(log_key(webhook_id, delivery), delivery, of.scope, outcome, settled_at=AT)
    assert app.deliveries.record([entry]) == []
    return delivery.id


def parsed(made: dict[str, Any]) -> Event:
    return parse_event(json.dumps(made), message_id="m", sent_at=0)


@pytest.mark.parametrize("level", LEVELS)
def test_each_listener_is_matched_or_filtered_with_its_conditions(app: InMemoryApp, level: str) -> None:
    matched = app.create(name="all")
    filtered = app.create(name="some", query=[{"tags": "c"}, {"user.id": "u1", "user.name": None}])
    app.create(name="others", eventNames=["E_OTHER"])
    response = ask(app, {"event": event()}, by=LEVELS[level])
    assert response.status == 200, response.text
    assert response.json == {
        "eventId": "e1",
        "eventName": "E_LOGIN",
        "occurredAt": "2026-01-15T09:30:00.250Z",
        "webhooks": [
            {
                "webhookId": matched["_id"],
                "name": "all",
                "result": "matched",
                "deliveryId": delivery_id("e1", matched["_id"], log_time=AT),
            },
            {
                "webhookId": filtered["_id"],
                "name": "some",
                "result": "filtered",
                "conditions": [
                    {"object": 0, "field": "tags", "wanted": "c", "found": [["a", "b"]]},
                    {"object": 1, "field": "user.name", "wanted": None, "found": []},
                ],
            },
        ],
    }


@pytest.mark.parametrize("outcome", Outcome)
def test_a_delivery_has_its_outcome_from_the_log(app: InMemoryApp, outcome: Outcome) -> None:
    webhook = app.create()
    made = event()
    logged = record(app, parsed(made), webhook["_id"], outcome)
    for body in ({"event": made}, {"eventId": "e1", "eventName": "E_LOGIN", "occurredAt": AT}):
        [one] = explain(app, body)["webhooks"]
        assert (one["result"], one["deliveryId"], one["outcome"]) == ("matched", logged, outcome.value)


def test_a_delivery_to_a_webhook_whose_query_changed_is_shown(app: InMemoryApp) -> None:
    webhook = app.create(query=[{"user.id": "u2"}])
    logged = record(app, parsed(event()), webhook["_id"], Outcome.DELIVERED)
    [one] = explain(app, {"event": event()})["webhooks"]
    assert (one["result"], one["deliveryId"], one["outcome"]) == ("filtered", logged, "delivered")


def test_disabled_webhooks_come_last_with_the_reason(app: InMemoryApp) -> None:
    disabled = app.create(name="off", disabled=True)
    app.create(name="off and deaf", disabled=True, eventNames=["E_OTHER"])
    enabled = app.create(name="on")
    found = explain(app, {"event": event()})["webhooks"]
    assert [(one["webhookId"], one["result"]) for one in found] == [
        (enabled["_id"], "matched"),
        (disabled["_id"], "disabled"),
    ]


def test_a_paused_webhook_is_matched_and_its_delivery_held(app: InMemoryApp) -> None:
    webhook = app.create(paused=True)
    record(app, parsed(event()), webhook["_id"], Outcome.HELD)
    [one] = explain(app, {"event": event()})["webhooks"]
    assert (one["result"], one["outcome"]) == ("matched", "held")


def test_without_the_event_the_log_alone_knows(app: InMemoryApp) -> None:
    known, unknown = app.create(), app.create(query=[{"user.id": "u2"}])
    record(app, parsed(event(occurredAt=None)), known["_id"], Outcome.DEAD)
    answer = explain(app, {"eventId": "e1", "eventName": "E_LOGIN"})
    assert "occurredAt" not in answer
    assert [(one["webhookId"], one["result"], one.get("outcome")) for one in answer["webhooks"]] == [
        (known["_id"], "matched", "dead"),
        (unknown["_id"], "unknown", None),
    ]


@pytest.mark.parametrize(
    "made",
    [
        {"event_name": "E_LOGIN", "event_id": "f", "tenant_id": TENANT, "community_id": COMMUNITY, "x": 1},
        {
            "detail-type": "E_LOGIN",
            "id": "f",
            "detail": {"tenantId": TENANT, "communityId": COMMUNITY, "x": 1},
        },
        event({"x": 1}, eventId="f"),
    ],
)
def test_an_event_is_given_in_any_of_its_shapes(app: InMemoryApp, made: dict[str, Any]) -> None:
    app.create(query=[{"x": 1}])
    app.create(query=[{"x": "1"}])
    answer = explain(app, {"event": made})
    assert answer["eventId"] == "f"
    assert [one["result"] for one in answer["webhooks"]] == ["matched", "filtered"]


def test_an_event_without_an_id_is_judged_and_has_no_deliveries(app: InMemoryApp) -> None:
    app.create()
    answer = explain(app, {"event": event(eventId=None)})
    assert "eventId" not in answer
    [one] = answer["webhooks"]
    assert one["result"] == "matched"
    assert "deliveryId" not in one


def test_numbers_are_shown_as_they_were_published(app: InMemoryApp) -> None:
    app.create(query=[{"amount": 2}])
    text = json.dumps({"event": event()}).replace('"tags"', '"amount": 1222223333.00000001, "tags"')
    text = text.replace('"data": {', '"data": {"amount": 1222223333.00000001, ')
    response = app.call("POST", f"{BASE}/events/explain", text, by=SERVICE_CALLER)
    assert '"found":[1222223333.00000001]' in response.text


def test_pages_have_each_webhook_once(app: InMemoryApp) -> None:
    made = [app.create(name=f"n{n}", disabled=n % 3 == 0)["_id"] for n in range(3 * PAGE + 4)]
    app.create(name="deaf", eventNames=["E_OTHER"], disabled=True)
    pages = all_pages(app, {"event": event()})
    found = [(one["webhookId"], one["result"]) for page in pages for one in page["webhooks"]]
    disabled = [(each, "disabled") for n, each in enumerate(made) if n % 3 == 0]
    assert found == [(each, "matched") for n, each in enumerate(made) if n % 3] + disabled
    assert len(pages) > 2
    assert all("listenedNames" not in page for page in pages)


def test_an_entry_that_cannot_be_read_is_unknown(app: InMemoryApp) -> None:
    webhook = app.create()
    app.subscriptions.corrupt_entries(webhook["_id"])
    [one] = explain(app, {"event": event()})["webhooks"]
    assert one == {"result": "unknown", "reason": "an index entry of E_LOGIN cannot be read"}


def test_where_no_webhook_listens_the_names_that_are_listened_to_are_listed(app: InMemoryApp) -> None:
    answer = explain(app, {"event": event()})
    assert answer["webhooks"] == answer["listenedNames"] == []
    assert answer["message"].endswith("the community has no webhooks")
    app.create(eventNames=["b", "a"])
    app.create(eventNames=["c"], disabled=True)
    disabled = app.create(disabled=True)
    answer = explain(app, {"event": event()})
    assert answer["listenedNames"] == ["a", "b"]
    assert answer["message"].endswith("of all 3 webhooks")
    assert [one["webhookId"] for one in answer["webhooks"]] == [disabled["_id"]]


def test_the_listed_names_are_of_a_bounded_number_of_webhooks(app: InMemoryApp) -> None:
    for n in range(NAMED + 5):
        app.create(eventNames=[f"name {n} {k}" for k in range(3)])
    answer = explain(app, {"event": event()})
    assert len(answer["listenedNames"]) == NAMES
    assert f"of the newest {NAMED} of {NAMED + 5} webhooks" in answer["message"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "event: give the event whole, or eventId and eventName, and occurredAt where it has a time"),
        ({"eventId": "e"}, "event: give the event whole, or eventId and eventName"),
        ({"event": event(), "eventId": "e1"}, "event: give the event whole, or eventId and eventName"),
        ({"event": event(), "occurredAt": 1}, "event: give the event whole, or eventId and eventName"),
        ({"event": [event()]}, "event: must be an event: a JSON object"),
        ({"event": event(tenantId="other")}, "event: its tenant and community must be those of the path"),
        ({"event": event(data=1)}, "event: data: must be an object"),
        ({"event": event(eventName="")}, "event: eventName (or event_name, detail-type): must be"),
        ({"eventId": "", "eventName": "a"}, "eventId: must be a string of 1 to 256 characters"),
        ({"eventId": "e", "eventName": " "}, "eventName: must be a string of 1 to 128 characters"),
        ({"eventId": "e", "eventName": "a", "occurredAt": "soon"}, "occurredAt: must be a time"),
        ({"eventId": "e", "eventName": "a", "cursor": 1}, "cursor: must be"),
        ({"eventId": "e", "eventName": "a", "cursor": "x"}, "cursor: belongs to another query, or is none"),
        ({"eventId": "e", "eventName": "a", "more": 1}, "more: is not a field here"),
    ],
)
def test_a_wrong_question_is_refused_with_the_rule(app: InMemoryApp, body: Any, message: str) -> None:
    response = ask(app, body)
    assert response.status == 400
    assert response.message.startswith(message)


def test_a_cursor_belongs_to_its_event_alone(app: InMemoryApp) -> None:
    for _ in range(PAGE + 1):
        app.create()
    cursor = explain(app, {"event": event()})["cursor"]
    assert explain(app, {"event": event(), "cursor": cursor})["webhooks"]
    for other in (event(eventId="e2"), event({"other": 1}), event(occurredAt=AT + 1), event(eventName="b")):
        assert ask(app, {"event": other, "cursor": cursor}).message.startswith("cursor: belongs")
    assert ask(app, {"eventId": "e1", "eventName": "E_LOGIN", "cursor": cursor}).status == 400


def test_another_community_is_refused_and_sees_nothing_of_this_one(app: InMemoryApp) -> None:
    app.create()
    assert ask(app, {"event": event()}, by=OTHER_TENANT).status == 403
    theirs = {"eventId": "e1", "eventName": "E_LOGIN"}
    response = app.call("POST", f"{OTHER_COMMUNITY}/events/explain", theirs, by=OTHER_TENANT)
    assert response.json["webhooks"] == []
    assert response.json["listenedNames"] == []


def test_data_is_in_no_log_line_and_in_no_error(app: InMemoryApp) -> None:
    app.create(query=[{"user": "none"}])
    explain(app, {"event": event({"user": "planted-data"})})
    ask(app, {"event": event({"user": "planted-data"}, eventName=1)})
    ask(app, {"event": ["planted-data"]})
    assert "planted-data" not in app.log.getvalue()
    assert SCOPE.tenant_id in app.log.getvalue()
