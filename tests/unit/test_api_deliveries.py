"""The delivery log over the API: pages, filters, cursors, one delivery, and who may read them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.logged import FAILED, REFUSED, TIME, entry
from tests.factories import (
    BASE,
    EXTERNAL,
    OTHER_TENANT,
    SCOPE,
    SERVICE_CALLER,
    SYSTEM,
    ApiResponse,
    Client,
    InMemoryApp,
)
from tests.fakes.keys import FakeMaster
from webhooks.domain.delivery import Attempt
from webhooks.domain.delivery_log import LogEntry, LogKey, LogPage, LogQuery, Mark, Outcome
from webhooks.domain.errors import InvalidInputError
from webhooks.domain.http import PhaseTimes
from webhooks.domain.scope import Scope
from webhooks.entrypoints.api.cursors import write_cursor
from webhooks.entrypoints.api.schemas.deliveries import DeliveriesIn, cursor_of
from webhooks.services.dispatch.callback_request import CallbackSigner
from webhooks.services.sent_headers import LEFT_OUT, sent_headers

THEIRS = "/tenant/other/community/theirs"
BAD_IDS = [
    "x",
    "0" * 24,
    "..",
    "%2e%2e",
    "%00",
    f"{'0' * 24}-{'0' * 12}-{'0' * 31}",
    "F" * 24 + "-" + "0" * 45,
]


class Logged:
    """The API with a webhook and its log."""

    def __init__(self) -> None:
        self.app = InMemoryApp()
        self.webhook_id: str = self.app.create()["_id"]

    def entry(self, number: int, outcome: Outcome = Outcome.DELIVERED, **changes: Any) -> LogEntry:
        return entry(number, outcome, **{"webhook_id": self.webhook_id, "scope": SCOPE, **changes})

    def record(self, *entries: LogEntry) -> None:
        assert list(self.app.deliveries.record(entries)) == []

    def fetch(self, by: Client = SYSTEM, **asked: Any) -> ApiResponse:
        return self.app.call("POST", f"{BASE}/webhook/{self.webhook_id}/deliveries/fetch", asked, by=by)

    def undelivered(self, by: Client = SYSTEM, **asked: Any) -> ApiResponse:
        return self.app.call("POST", f"{BASE}/deliveries/fetch", asked, by=by)

    def get(self, delivery_id: str, by: Client = SYSTEM) -> ApiResponse:
        return self.app.call("GET", f"{BASE}/delivery/{delivery_id}", by=by)


@pytest.fixture
def logged() -> Logged:
    return Logged()


def numbers(response: ApiResponse) -> list[int]:
    assert response.status == 200, response.text
    return [int(each["eventId"].removeprefix("event ")) for each in response.json["data"]]


def test_a_delivery_is_shown_with_its_attempts(logged: Logged) -> None:
    times = PhaseTimes(lookup=3, connect=14, tls=41, first_byte=79, total=80)
    tried = (replace(FAILED, times=times, location="https://a.example/"), REFUSED)
    logged.record(
        logged.entry(
            1,
            Outcome.DEAD,
            attempts=tried,
            earlier=2,
            reason="HTTP 500",
            is_recoverable=True,
            mark=Mark.REPLAY,
        )
    )
    [shown] = logged.fetch().json["data"]
    assert shown == {
        "deliveryId": logged.entry(1).delivery.id,
        "webhookId": logged.webhook_id,
        "eventId": "event 1",
        "eventName": "order.paid",
        "occurredAt": "2026-09-21T14:13:20.001Z",
        "outcome": "dead",
        "reason": "HTTP 500",
        "settledAt": "2026-09-21T14:13:20.500Z",
        "mark": "replay",
        "recoverable": True,
        "attemptCount": 4,
        "payloadKept": True,
        "attempts": [
            {
                "number": 3,
                "at": "2026-09-21T14:13:20.000Z",
                "status": 500,
                "address": "192.0.2.1",
                "latencyMs": 5,
                "times": {"lookupMs": 3, "connectMs": 14, "tlsMs": 41, "firstByteMs": 79, "totalMs": 80},
                "response": "oh no",
                "location": "https://a.example/",
            },
            {"number": 4, "at": "2026-09-21T14:13:50.000Z", "reason": "dns", "latencyMs": 0},
        ],
    }
    assert logged.undelivered().json["data"] == [shown]


def test_a_retry_is_shown_with_its_time(logged: Logged) -> None:
    logged.record(logged.entry(1, Outcome.RETRYING, next_at=TIME + 30_000, reason=None))
    [shown] = logged.fetch().json["data"]
    assert shown["nextAttemptAt"] == "2026-09-21T14:13:50.000Z"
    assert shown.keys().isdisjoint({"reason", "mark", "recoverable", "cursor"})
    assert shown["payloadKept"] is False


def test_pages_are_newest_first_and_lead_to_each_other(logged: Logged) -> None:
    logged.record(*(logged.entry(number, Outcome.DEAD) for number in range(60)))
    for fetch in (logged.fetch, logged.undelivered):
        first = fetch()
        assert numbers(first) == list(range(59, 34, -1))
        second = fetch(cursor=first.json["cursor"], size=100)
        assert numbers(second) == list(range(34, -1, -1))
        assert "cursor" not in second.json
    assert numbers(logged.app.call("POST", f"{BASE}/deliveries/fetch")) == list(range(59, 34, -1))


def test_filters_hold_together(logged: Logged) -> None:
    logged.record(
        *(
            logged.entry(number, list(Outcome)[number % 5], event_name="even" if number % 2 == 0 else "odd")
            for number in range(40)
        )
    )
    assert numbers(logged.fetch(outcome="delivered")) == [35, 30, 25, 20, 15, 10, 5, 0]
    assert numbers(logged.fetch(outcome="dead", eventName="odd")) == [37, 27, 17, 7]
    assert numbers(logged.undelivered(outcome="held", eventName="even")) == [38, 28, 18, 8]
    since, until = "2026-09-21T14:13:20.010Z", "2026-09-21T14:13:20.019Z"
    assert numbers(logged.fetch(outcome="skipped", since=since, until=until)) == [19, 14]
    assert numbers(logged.undelivered(since=TIME + 10, until=TIME + 12)) == [12, 11]
    assert numbers(logged.fetch(since=(TIME + 38) / 1000)) == [39, 38]
    assert numbers(logged.fetch(until="1969-12-31")) == []


def test_times_that_contradict_each_other_are_a_400(logged: Logged) -> None:
    for fetch in (logged.fetch, logged.undelivered):
        response = fetch(since="2026-01-02", until="2026-01-01")
        assert (response.status, response.message) == (400, "since: must not be later than until")
        assert fetch(since="2026-01-01", until="2026-01-01").status == 200


TIMES = (
    "must be a time as RFC 3339 and ISO 8601 write it, such as 2026-01-15T09:30:00Z, or epoch seconds or "
    "milliseconds"
)
CURSOR = "cursor: belongs to another query, or is none; leave it out to begin with the first page"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("size", 0, "must be a whole number from 1 to 100"),
        ("size", 101, "must be a whole number from 1 to 100"),
        ("size", "1", "must be a whole number from 1 to 100"),
        ("since", "yesterday", TIMES),
        ("since", True, TIMES),
        ("until", [], TIMES),
        ("until", 1e300, TIMES),
        ("until", 10**400, TIMES),
        ("eventName", " a", "must be a string of 1 to 128 characters, with no space at either end, "),
        ("outcome", "lost", 'must be "'),
        ("cursor", 7, "must be the cursor of the page before"),
        ("page", 1, "is not a field here, leave it out"),
    ],
)
def test_a_wrong_field_is_a_400_that_says_what_is_right(
    logged: Logged, field: str, value: Any, sentence: str
) -> None:
    for fetch in (logged.fetch, logged.undelivered):
        response = fetch(**{field: value})
        assert response.status == 400
        assert response.message.startswith(f"{field}: {sentence}")


def test_a_community_has_no_log_of_what_was_delivered(logged: Logged) -> None:
    for outcome in ("delivered", "skipped"):
        response = logged.undelivered(outcome=outcome)
        assert (response.status, response.message) == (400, 'outcome: must be "retrying", "dead" or "held"')


def cursors(logged: Logged) -> Iterator[str]:
    """Yield cursors that are not of the webhook's dead ones."""
    other = logged.app.create()["_id"]
    logged.record(*(logged.entry(number, Outcome.DEAD) for number in range(3)))
    logged.record(*(logged.entry(number, Outcome.DEAD, webhook_id=other) for number in range(3)))
    for asked in (
        {},
        {"outcome": "held"},
        {"outcome": "dead", "since": 1},
        {"outcome": "dead", "until": TIME},
    ):
        yield logged.fetch(size=1, **asked).json.get("cursor", "none")
    yield logged.undelivered(size=1).json["cursor"]
    yield logged.undelivered(size=1, outcome="dead").json["cursor"]
    path = f"{BASE}/webhook/{other}/deliveries/fetch"
    yield logged.app.call("POST", path, {"size": 1, "outcome": "dead"}).json["cursor"]
    good: str = logged.fetch(size=1, outcome="dead").json["cursor"]
    yield from ("", "x", good[:-4], good + "AAAA", good.upper(), good + "=", "é" * 20, "A" * 17, "A" * 5000)
    query = ("deliveries", SCOPE.tenant_id, SCOPE.community_id, logged.webhook_id, "dead", None, 0, 2**48 - 1)
    yield write_cursor(query, "made up")
    assert good == write_cursor(query, logged.entry(2).delivery.id)


def test_a_cursor_of_another_query_is_a_400(logged: Logged) -> None:
    found = list(cursors(logged))
    assert len(found) > 15
    for cursor in found:
        response = logged.fetch(outcome="dead", cursor=cursor)
        assert (response.status, response.message) == (400, CURSOR), cursor


def test_the_size_of_a_page_may_change_between_pages(logged: Logged) -> None:
    logged.record(*(logged.entry(number) for number in range(10)))
    first = logged.fetch(size=3)
    assert numbers(logged.fetch(size=5, cursor=first.json["cursor"])) == [6, 5, 4, 3, 2]


def test_new_deliveries_between_pages_repeat_nothing(logged: Logged) -> None:
    logged.record(*(logged.entry(number) for number in range(10)))
    first = logged.fetch(size=5)
    logged.record(*(logged.entry(number) for number in range(10, 20)))
    assert numbers(logged.fetch(size=100, cursor=first.json["cursor"])) == [4, 3, 2, 1, 0]


def test_one_delivery_is_shown_with_its_payload_and_its_requests(logged: Logged) -> None:
    body = '{"id":"event 1","data":{"amount":1222233.00000001,"text":"\\u00e4 ä"}}'
    made = logged.entry(1, Outcome.DEAD, attempts=(FAILED, REFUSED), body=body)
    logged.record(made)
    response = logged.get(made.delivery.id)
    assert response.status == 200
    assert response.text.endswith(f',"payload":{body}}}')
    shown = response.json
    assert shown.pop("payload") == json.loads(body)
    headers = [attempt.pop("requestHeaders") for attempt in shown["attempts"]]
    assert [shown] == logged.fetch().json["data"]
    assert [each["webhook-attempt"] for each in headers] == ["1", "2"]
    assert {each["webhook-id"] for each in headers} == {made.delivery.id}
    assert [each["webhook-timestamp"] for each in headers] == [str(TIME // 1000), str(TIME // 1000 + 30)]


def test_a_delivery_whose_payload_is_not_kept_has_none(logged: Logged) -> None:
    made = logged.entry(1, Outcome.DELIVERED, attempts=(Attempt(TIME, 5, 200),))
    logged.record(made)
    shown = logged.get(made.delivery.id).json
    assert (shown["payloadKept"], "payload" in shown) == (False, False)
    assert shown["attempts"][0]["requestHeaders"]["Content-Digest"] == LEFT_OUT


def test_a_delivery_outlives_its_webhook(logged: Logged) -> None:
    made = logged.entry(1, Outcome.DEAD)
    logged.record(made)
    logged.app.call("DELETE", f"{BASE}/webhook/{logged.webhook_id}")
    assert logged.get(made.delivery.id).status == 200
    assert logged.fetch().status == 404
    assert numbers(logged.undelivered()) == [1]


def test_the_headers_that_are_shown_are_those_that_are_sent(logged: Logged) -> None:
    app = logged.app
    [webhook] = app.subscriptions.page(SCOPE, index=0, size=1, tags=()).webhooks
    untried = logged.entry(1, Outcome.DEAD, earlier=2)
    signer = CallbackSigner(service=app.keys, signing=app.signing_keys, master=FakeMaster(b"m" * 64))
    sent = signer.request(webhook, untried.delivery, now=1_790_000_000.75).headers
    tried = replace(untried, delivery=untried.delivery.tried(Attempt(1_790_000_000_750, 5, 500)))
    shown = sent_headers(tried, 3, payload=untried.delivery.body)
    assert shown.keys() == sent.keys()
    assert {name for name in sent if shown[name] != sent[name]} == {
        "webhook-signature",
        "Signature-Input",
        "Signature",
    }
    assert {shown[name] for name in sent if shown[name] != sent[name]} == {LEFT_OUT}


@pytest.mark.parametrize("text", BAD_IDS)
def test_a_text_that_is_no_id_is_a_404(logged: Logged, text: str) -> None:
    response = logged.get(text)
    assert (response.status, response.message) == (404, "deliveryId: no such delivery")
    response = logged.app.call("POST", f"{BASE}/webhook/{text}/deliveries/fetch", {})
    assert (response.status, response.message) == (404, "webhookId: no such webhook")


def test_an_absent_delivery_is_a_404(logged: Logged) -> None:
    assert logged.get(logged.entry(1).delivery.id).status == 404


def routes(logged: Logged, base: str, delivery_id: str) -> Iterator[ApiResponse]:
    """Call each route under a community's path with the ids of a webhook and a delivery."""

    def call(method: str, path: str, body: Any = None) -> Iterator[ApiResponse]:
        for by in (SYSTEM, SERVICE_CALLER, EXTERNAL, OTHER_TENANT):
            yield logged.app.call(method, f"{base}{path}", body, by=by)

    yield from call("POST", f"/webhook/{logged.webhook_id}/deliveries/fetch", {})
    yield from call("GET", f"/delivery/{delivery_id}")


def test_another_communitys_webhook_and_delivery_are_404s(logged: Logged) -> None:
    made = logged.entry(1, Outcome.DEAD)
    logged.record(made)
    statuses = [response.status for response in routes(logged, BASE, made.delivery.id)]
    assert statuses == [200, 200, 200, 403] * 2
    theirs = list(routes(logged, THEIRS, made.delivery.id))
    assert [response.status for response in theirs] == [404, 403, 403, 404] * 2
    assert "order.paid" not in "".join(response.text for response in theirs)


def test_a_webhooks_log_shows_deliveries_of_its_own_community_alone(logged: Logged) -> None:
    logged.record(logged.entry(1), logged.entry(2, scope=Scope("other", "theirs")), logged.entry(3))
    assert numbers(logged.fetch()) == [3, 1]


def test_a_community_sees_its_own_undelivered_alone(logged: Logged) -> None:
    logged.record(logged.entry(1, Outcome.DEAD))
    path = "/deliveries/fetch"
    assert logged.app.call("POST", f"{BASE}{path}", {}, by=OTHER_TENANT).status == 403
    assert logged.app.call("POST", f"{THEIRS}{path}", {}, by=SERVICE_CALLER).status == 403
    assert logged.app.call("POST", f"{THEIRS}{path}", {}, by=OTHER_TENANT).json == {"data": []}
    assert numbers(logged.undelivered(by=EXTERNAL)) == [1]


def test_a_caller_without_a_license_reads_nothing(logged: Logged) -> None:
    made = logged.entry(1, Outcome.DEAD)
    logged.record(made)
    for method, path in (
        ("POST", f"{BASE}/webhook/{logged.webhook_id}/deliveries/fetch"),
        ("POST", f"{BASE}/deliveries/fetch"),
        ("GET", f"{BASE}/delivery/{made.delivery.id}"),
    ):
        assert logged.app.call(method, path, by=None).status == 401
        assert logged.app.call("PUT", path, by=None).status == 405


def test_no_payload_and_no_cursor_is_in_the_functions_log(logged: Logged) -> None:
    made = logged.entry(
        1, Outcome.DEAD, body='{"planted-body":1}', attempts=(replace(FAILED, excerpt="planted-excerpt"),)
    )
    logged.record(made, logged.entry(2, Outcome.DEAD))
    cursor = logged.fetch(size=1).json["cursor"]
    assert "planted-body" in logged.get(made.delivery.id).text
    assert logged.fetch(cursor=cursor).status == 200
    assert logged.fetch(cursor="planted-cursor-of-a-caller").status == 400
    assert "planted" not in logged.app.log.getvalue()
    assert cursor not in logged.app.log.getvalue()


def test_a_cursor_has_the_reach_of_its_page_where_it_is_known() -> None:
    query = LogQuery(SCOPE, "0" * 24)
    last = LogKey("0" * 24, 5, f"{'0' * 24}-{5:012x}-{'a' * 32}")
    for reach in (None, 0, 7, 2000):
        asked = DeliveriesIn(cursor=cursor_of(query, LogPage((), last, reach)))
        assert (asked.after(query), asked.reach(query)) == (last, reach)
    assert cursor_of(query, LogPage((), None, 7)) is None
    assert DeliveriesIn().reach(query) is None


@pytest.mark.parametrize("reach", [".", ".-1", ".1e3", ".2001", ".99999", ".7.7", "7"])
def test_a_cursor_with_another_reach_is_refused(reach: str) -> None:
    query = LogQuery(SCOPE, "0" * 24)
    cursor = cursor_of(query, LogPage((), LogKey("0" * 24, 5, f"{'0' * 24}-{5:012x}-{'a' * 32}{reach}")))
    with pytest.raises(InvalidInputError, match="cursor"):
        DeliveriesIn(cursor=cursor).after(query)
