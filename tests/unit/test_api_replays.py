"""Replays over the API: counted, begun, listed, cancelled, and who may do so."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.logged import TIME, entry
from tests.factories import (
    BASE,
    EXTERNAL,
    OTHER_TENANT,
    SCOPE,
    SERVICE_CALLER,
    SYSTEM,
    ApiResponse,
    InMemoryApp,
    webhook_body,
)
from tests.recovery_functions import refused
from webhooks.domain.delivery import ReleaseKind
from webhooks.domain.delivery_log import LogCount, LogEntry, LogQuery, Outcome
from webhooks.domain.recovery_message import decode_task
from webhooks.domain.replay import MAX_DELIVERIES, MAX_RUNNING, Replay, ReplayPage, ReplayState
from webhooks.domain.scope import Scope
from webhooks.services.replays import COUNT_SECONDS, COUNTS_AT_ONCE

THEIRS = "/tenant/other/community/theirs"
ID = "00112233445566778899aabb"


class Replayed:
    """The API with a webhook and its log."""

    def __init__(self) -> None:
        self.app = InMemoryApp()
        self.webhook_id: str = self.app.create()["_id"]

    def fill(
        self, amount: int, outcome: Outcome = Outcome.DEAD, *, first: int = 0, **changes: Any
    ) -> list[str]:
        given = {"webhook_id": self.webhook_id, "scope": SCOPE, **changes}
        entries = [entry(number, outcome, **given) for number in range(first, first + amount)]
        self.app.deliveries.record([replace(each, settled_at=TIME - 1000) for each in entries])
        return [each.delivery.id for each in entries]

    def lose_payloads(self, ids: list[str]) -> None:
        wanted = set(ids)
        entries = [each for each in self.app.deliveries.entries() if each.delivery.id in wanted]
        self.app.deliveries.record([_without_payload(each) for each in entries])

    def replay(self, body: dict[str, Any] | None = None, **more: Any) -> ApiResponse:
        asked = {"webhookId": self.webhook_id, "outcome": "dead"} if body is None else body
        return self.app.call("POST", f"{BASE}/deliveries/replay", asked, **more)

    def pages(self) -> list[ReplayPage]:
        tasks = [decode_task(each.text) for each in self.app.recovery.queue.messages()]
        return [task for task in tasks if isinstance(task, ReplayPage)]

    def change(self, **changes: Any) -> None:
        path = f"{BASE}/webhook/{self.webhook_id}"
        assert self.app.call("PATCH", path, changes).status == 200
        self.app.recovery.queue.take_all()

    def hold(self) -> None:
        webhook = self.app.subscriptions.get(SCOPE, self.webhook_id)
        assert webhook is not None
        self.app.subscriptions.save(webhook, replace(webhook.health, held_since=TIME))


def _without_payload(made: LogEntry) -> LogEntry:
    return replace(made, delivery=replace(made.delivery, body=""), has_payload=False)


@pytest.fixture
def replayed() -> Replayed:
    return Replayed()


def test_a_replay_by_a_filter_is_begun(replayed: Replayed) -> None:
    replayed.fill(30)
    replayed.fill(7, Outcome.HELD, first=100)
    response = replayed.replay()
    assert response.status == 202
    shown = response.json
    assert shown == {
        "replayId": shown["replayId"],
        "kind": "replay",
        "state": "running",
        "rate": 10,
        "total": 30,
        "sent": 0,
        "withoutPayload": 0,
        "passedOver": 0,
        "createdAt": "2026-09-21T14:13:20.000Z",
        "createdBy": "tests",
        "updatedAt": "2026-09-21T14:13:20.000Z",
        "filter": {"webhookId": replayed.webhook_id, "outcome": "dead"},
    }
    assert replayed.pages() == [ReplayPage(SCOPE, shown["replayId"], 0)]
    shown_again = replayed.app.call("GET", f"{BASE}/replay/{shown['replayId']}")
    assert (shown_again.status, shown_again.json) == (200, shown)


def test_a_replay_of_a_list_is_begun(replayed: Replayed) -> None:
    ids = [*replayed.fill(3), *replayed.fill(2, Outcome.HELD, first=10)]
    shown = replayed.replay({"deliveryIds": [*ids, ids[0]], "rate": 1000}).json
    assert (shown["total"], shown["rate"], shown["deliveryIds"]) == (5, 1000, ids)
    assert "filter" not in shown


def test_times_and_event_name_filter_a_replay(replayed: Replayed) -> None:
    replayed.fill(20)
    replayed.fill(20, first=20, event_name="order.lost")
    asked = {
        "webhookId": replayed.webhook_id,
        "outcome": "dead",
        "eventName": "order.lost",
        "since": "2026-09-21T14:13:20.025Z",
        "until": TIME + 29,
    }
    assert replayed.replay(asked | {"dryRun": True}).json == {"deliveries": 5, "withoutPayload": 0}
    assert replayed.replay(asked).json["filter"] == {
        "webhookId": replayed.webhook_id,
        "outcome": "dead",
        "eventName": "order.lost",
        "since": "2026-09-21T14:13:20.025Z",
        "until": "2026-09-21T14:13:20.029Z",
    }


@pytest.mark.parametrize("listed", [True, False])
def test_a_dry_run_counts_what_the_replay_has_and_sends_nothing(replayed: Replayed, *, listed: bool) -> None:
    ids = replayed.fill(12)
    replayed.lose_payloads(ids[:5])
    asked = {"deliveryIds": ids} if listed else {"webhookId": replayed.webhook_id, "outcome": "dead"}
    counted = replayed.replay(asked | {"dryRun": True})
    assert (counted.status, counted.json) == (200, {"deliveries": 12, "withoutPayload": 5})
    assert replayed.app.call("GET", f"{BASE}/replays").json == {"data": []}
    assert replayed.pages() == []
    assert replayed.replay(asked).json["total"] == 12


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_replay_of_nothing_says_so(replayed: Replayed, *, dry_run: bool) -> None:
    asked = {"webhookId": replayed.webhook_id, "outcome": "dead", "dryRun": dry_run}
    response = replayed.replay(asked)
    assert (response.status, response.json) == (
        200,
        {"deliveries": 0, "withoutPayload": 0, "message": "no delivery fits: nothing is sent"},
    )
    replayed.lose_payloads(replayed.fill(3))
    response = replayed.replay(asked)
    assert (response.status, response.json) == (
        200,
        {
            "deliveries": 3,
            "withoutPayload": 3,
            "message": "the payload of none of them is kept: nothing is sent",
        },
    )
    assert replayed.pages() == []


def test_the_exact_repeat_of_a_request_finds_its_replay(replayed: Replayed) -> None:
    replayed.fill(3)
    first = replayed.replay(uuid="one")
    replayed.fill(3, first=50)
    again = replayed.replay(uuid="one")
    assert (again.status, again.json) == (202, first.json)
    assert replayed.replay(uuid="two").json["replayId"] != first.json["replayId"]
    assert len(replayed.app.call("GET", f"{BASE}/replays").json["data"]) == 2
    # Its first page may never have been asked for; the second message finds it done.
    assert [page.page for page in replayed.pages()] == [0, 0, 0]


@pytest.mark.parametrize("point", ["before replays.add", "after replays.add", "before recovery.send"])
def test_a_request_that_failed_half_way_is_completed_by_its_repeat(replayed: Replayed, point: str) -> None:
    replayed.fill(3)

    def fault(at: str) -> None:
        if at == point:
            raise refused()

    replayed.app.fault = fault
    assert replayed.replay(uuid="one").status == 503
    replayed.app.fault = lambda _: None
    response = replayed.replay(uuid="one")
    assert response.status == 202
    [listed] = replayed.app.call("GET", f"{BASE}/replays").json["data"]
    assert listed == response.json
    assert replayed.pages() == [ReplayPage(SCOPE, listed["replayId"], 0)]


def test_ids_that_are_none_are_a_404_that_names_them(replayed: Replayed) -> None:
    ids = replayed.fill(2)
    absent = entry(77, webhook_id=replayed.webhook_id).delivery.id
    response = replayed.replay({"deliveryIds": [ids[0], "nonsense", absent]})
    assert (response.status, response.message) == (
        404,
        f"deliveryIds: no such deliveries: nonsense, {absent}",
    )
    many = replayed.replay({"deliveryIds": [f"x{number}" for number in range(100)], "dryRun": True})
    assert many.status == 404
    assert many.message.endswith("x9 and 90 more")


def test_deliveries_of_another_community_are_a_404_that_names_them(replayed: Replayed) -> None:
    [own] = replayed.fill(1)
    [theirs] = replayed.fill(1, first=9, scope=Scope("other", "theirs"))
    for dry_run in (True, False):
        response = replayed.replay({"deliveryIds": [own, theirs], "dryRun": dry_run})
        assert (response.status, response.message) == (404, f"deliveryIds: no such deliveries: {theirs}")
    assert replayed.pages() == []


def test_retrying_deliveries_are_sent_again_by_themselves(replayed: Replayed) -> None:
    [retrying] = replayed.fill(1, Outcome.RETRYING)
    response = replayed.replay({"deliveryIds": [retrying]})
    assert response.status == 409
    assert response.message == f"deliveryIds: these are sent again by themselves: {retrying}"
    response = replayed.replay({"webhookId": replayed.webhook_id, "outcome": "retrying"})
    assert response.status == 400
    assert response.message.startswith('outcome: must be "dead", "held", "delivered" or "skipped"')


@pytest.mark.parametrize("webhook_id", ["x", "0" * 24, "", "0" * 500])
def test_an_unknown_webhook_is_a_404(replayed: Replayed, webhook_id: str) -> None:
    response = replayed.replay({"webhookId": webhook_id, "outcome": "dead"})
    assert (response.status, response.message) == (404, "webhookId: no such webhook")


ONE_WAY = "deliveryIds: give deliveryIds alone, or webhookId and outcome with their filters"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, ONE_WAY),
        ({"since": 1}, ONE_WAY),
        ({"deliveryIds": ["a"], "outcome": "dead"}, ONE_WAY),
        ({"deliveryIds": ["a"], "until": 0}, ONE_WAY),
        ({"webhookId": "a"}, "outcome: is required without deliveryIds"),
        ({"outcome": "dead"}, "webhookId: is required without deliveryIds"),
        (
            {"webhookId": "a", "outcome": "dead", "since": "2026-01-02", "until": "2026-01-01"},
            "since: must not be later than until",
        ),
        ({"deliveryIds": []}, "deliveryIds: must be an array of 1 to 100 delivery ids"),
        ({"deliveryIds": ["a"] * 101}, "deliveryIds: must be an array of 1 to 100 delivery ids"),
        ({"deliveryIds": [7]}, "deliveryIds[0]: must be the id of a delivery"),
        ({"deliveryIds": ["a" * 129]}, "deliveryIds[0]: must be the id of a delivery"),
        ({"deliveryIds": ["a"], "rate": 0}, "rate: must be a whole number from 1 to 1000"),
        ({"deliveryIds": ["a"], "rate": 1001}, "rate: must be a whole number from 1 to 1000"),
        ({"deliveryIds": ["a"], "dryRun": 1}, "dryRun: must be true or false"),
        ({"deliveryIds": ["a"], "kind": "x"}, "kind: is not a field here, leave it out"),
    ],
)
def test_a_wrong_field_is_a_400_that_says_what_is_right(
    replayed: Replayed, body: dict[str, Any], message: str
) -> None:
    response = replayed.replay(body)
    assert (response.status, response.message) == (400, message)


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("disabled", "is disabled; enable it first"),
        ("paused", "is paused; resume it first"),
        ("held", "has an endpoint that is down; its deliveries are held, and sent when it responds again"),
    ],
)
def test_a_webhook_that_gets_nothing_now_is_a_409(
    replayed: Replayed, state: str, sentence: str, *, listed: bool
) -> None:
    ids = replayed.fill(2)
    replayed.hold() if state == "held" else replayed.change(**{state: True})
    asked = {"deliveryIds": ids} if listed else {"webhookId": replayed.webhook_id, "outcome": "dead"}
    response = replayed.replay(asked)
    assert (response.status, response.message) == (409, f"the webhook {replayed.webhook_id} {sentence}")
    assert replayed.replay(asked | {"dryRun": True}).json["deliveries"] == 2
    assert replayed.pages() == []


def test_deliveries_of_a_deleted_webhook_are_a_409(replayed: Replayed) -> None:
    ids = replayed.fill(2)
    replayed.app.call("DELETE", f"{BASE}/webhook/{replayed.webhook_id}")
    response = replayed.replay({"deliveryIds": ids})
    assert (response.status, response.message) == (
        409,
        "deliveryIds: the webhook of some of them was deleted",
    )


def test_a_community_has_few_running_replays(replayed: Replayed) -> None:
    replayed.fill(3)
    begun = [replayed.replay().json["replayId"] for _ in range(MAX_RUNNING)]
    replayed.app.clock.now += 2 * COUNT_SECONDS
    response = replayed.replay()
    assert response.status == 409
    assert (
        response.message == "this community has 10 running replays, the most it may have; cancel one, or wait"
    )
    assert replayed.app.call("DELETE", f"{BASE}/replay/{begun[3]}").json["state"] == "cancelled"
    assert replayed.replay().status == 202


def test_a_filter_that_finds_too_much_is_a_400(replayed: Replayed) -> None:
    def count(query: LogQuery, *, at_most: int) -> LogCount:
        assert (query.webhook_id, at_most) == (replayed.webhook_id, MAX_DELIVERIES)
        return LogCount(at_most, 0, is_exact=False)

    replayed.app.deliveries.count = count  # type: ignore[method-assign] # as a table with so many
    for dry_run in (True, False):
        response = replayed.replay({"webhookId": replayed.webhook_id, "outcome": "dead", "dryRun": dry_run})
        assert response.status == 400
        assert response.message.endswith("narrow since and until")


def test_a_communitys_log_is_counted_now_and_then(replayed: Replayed) -> None:
    """A count may read the log for seconds, whether a replay follows or not."""
    replayed.fill(2)
    asked = {"webhookId": replayed.webhook_id, "outcome": "dead"}
    assert [replayed.replay({**asked, "dryRun": True}).status for _ in range(COUNTS_AT_ONCE)] == [
        200
    ] * COUNTS_AT_ONCE

    refused = replayed.replay({**asked, "dryRun": True})

    assert (refused.status, refused.headers["retry-after"]) == (429, "2")
    assert refused.message == (
        "a community's deliveries are counted once in 2 seconds; send this one again later"
    )
    assert replayed.replay(asked).status == 429
    assert replayed.pages() == []
    replayed.app.clock.now += COUNT_SECONDS
    assert replayed.replay(asked).status == 202
    assert replayed.replay({**asked, "dryRun": True}).status == 429


def test_a_replay_of_a_list_and_the_repeat_of_a_request_count_nothing(replayed: Replayed) -> None:
    ids = replayed.fill(2)
    begun = [replayed.replay(uuid="one") for _ in range(COUNTS_AT_ONCE + 2)]
    assert {each.json["replayId"] for each in begun} == {begun[0].json["replayId"]}
    assert replayed.replay({"deliveryIds": ids, "dryRun": True}).status == 200
    assert (
        replayed.replay({"webhookId": replayed.webhook_id, "outcome": "dead", "dryRun": True}).status == 200
    )


def test_other_communities_are_counted_meanwhile(replayed: Replayed) -> None:
    dry_run = {"webhookId": replayed.webhook_id, "outcome": "dead", "dryRun": True}
    while replayed.replay(dry_run).status != 429:
        pass
    base = "/tenant/acme/community/other"
    webhook = replayed.app.call("PUT", f"{base}/webhook", webhook_body()).json["_id"]
    counted = replayed.app.call("POST", f"{base}/deliveries/replay", {**dry_run, "webhookId": webhook})
    assert counted.status == 200


def test_a_cancelled_replay_stays_cancelled(replayed: Replayed) -> None:
    replayed.fill(3)
    path = f"{BASE}/replay/{replayed.replay().json['replayId']}"
    first = replayed.app.call("DELETE", path)
    assert (first.status, first.json["state"]) == (200, "cancelled")
    assert replayed.app.call("DELETE", path).json == replayed.app.call("GET", path).json == first.json


def test_a_cancellation_meets_a_page_and_is_made_all_the_same(replayed: Replayed) -> None:
    replayed.fill(3)
    replay_id = replayed.replay().json["replayId"]
    raced: list[str] = []

    def fault(point: str) -> None:
        if point == "before replays.change" and not raced:
            raced.append(point)
            replay = replayed.app.replays.get(SCOPE, replay_id)
            assert replay is not None
            replayed.app.replays.change(replay, replace(replay, page=1, sent=2, after="x"))

    replayed.app.fault = fault
    shown = replayed.app.call("DELETE", f"{BASE}/replay/{replay_id}").json
    assert (shown["state"], shown["sent"]) == ("cancelled", 2)


def test_a_replay_that_is_done_cannot_be_cancelled(replayed: Replayed) -> None:
    replayed.fill(3)
    replay_id = replayed.replay().json["replayId"]
    replay = replayed.app.replays.get(SCOPE, replay_id)
    assert replay is not None
    replayed.app.replays.change(replay, replay.ended(ReplayState.DONE, now=TIME))
    response = replayed.app.call("DELETE", f"{BASE}/replay/{replay_id}")
    assert (response.status, response.json["state"], response.json["passedOver"]) == (200, "done", 3)


def test_a_recovery_is_shown_and_cannot_be_cancelled(replayed: Replayed) -> None:
    query = LogQuery(SCOPE, replayed.webhook_id)
    recovery = Replay(ID, SCOPE, ReleaseKind.RECOVERY, 50, TIME, "service", query=query, updated_at=TIME)
    replayed.app.replays.add(recovery)
    shown = replayed.app.call("GET", f"{BASE}/replay/{ID}").json
    assert (shown["kind"], shown["filter"]) == ("recovery", {"webhookId": replayed.webhook_id})
    response = replayed.app.call("DELETE", f"{BASE}/replay/{ID}")
    assert (response.status, response.message) == (
        409,
        "a recovery is the service's own; pause the webhook to stop it",
    )


@pytest.mark.parametrize("replay_id", ["x", "0" * 24, "F" * 24, "..", "%00", ID + "0"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_replay_is_a_404(replayed: Replayed, replay_id: str, method: str) -> None:
    response = replayed.app.call(method, f"{BASE}/replay/{replay_id}")
    assert (response.status, response.message) == (404, "replayId: no such replay")


def test_replays_are_listed_page_by_page(replayed: Replayed) -> None:
    query = LogQuery(SCOPE, replayed.webhook_id, Outcome.DEAD)
    for number in range(60):
        replay = Replay(f"{number:024x}", SCOPE, ReleaseKind.REPLAY, 1, TIME, "x", query=query)
        replayed.app.replays.add(replay)
        replayed.app.replays.add(replace(replay, scope=Scope("other", "theirs")))

    def fetch(**query: str) -> ApiResponse:
        return replayed.app.call("GET", f"{BASE}/replays", query=query)

    first = fetch()
    assert [int(each["replayId"], 16) for each in first.json["data"]] == list(range(59, 34, -1))
    second = fetch(cursor=first.json["cursor"], size="35")
    assert [int(each["replayId"], 16) for each in second.json["data"]] == list(range(34, -1, -1))
    assert "cursor" not in second.json
    for wrong in ({"size": "0"}, {"size": "x"}, {"cursor": "x"}, {"state": "done"}):
        assert fetch(**wrong).status == 400
    theirs = replayed.app.call("GET", f"{THEIRS}/replays", query={"cursor": first.json["cursor"]})
    assert theirs.status == 400


def routes(replayed: Replayed, base: str, replay_id: str) -> Iterator[ApiResponse]:
    asked = {"webhookId": replayed.webhook_id, "outcome": "dead"}
    for method, path, body in (
        ("POST", "/deliveries/replay", asked),
        ("GET", f"/replay/{replay_id}", None),
        ("DELETE", f"/replay/{replay_id}", None),
        ("GET", "/replays", None),
    ):
        for by in (SYSTEM, SERVICE_CALLER, EXTERNAL, OTHER_TENANT, None):
            yield replayed.app.call(method, f"{base}{path}", body, by=by)


def test_another_community_reaches_no_replay(replayed: Replayed) -> None:
    replayed.fill(3)
    replay_id = replayed.replay().json["replayId"]
    theirs = list(routes(replayed, THEIRS, replay_id))
    assert [response.status for response in theirs] == [404, 403, 403, 404, 401] * 3 + [
        200,
        403,
        403,
        200,
        401,
    ]
    assert replay_id not in "".join(response.text for response in theirs)
    own = [response.status for response in routes(replayed, BASE, replay_id)]
    assert own == [202, 202, 202, 403, 401] + [200, 200, 200, 403, 401] * 3


def test_other_methods_are_a_405(replayed: Replayed) -> None:
    for path in ("/deliveries/replay", f"/replay/{ID}", "/replays"):
        response = replayed.app.call("PATCH", f"{BASE}{path}", {})
        assert response.status == 405


def test_a_replay_without_progress_is_set_going_when_it_is_shown(replayed: Replayed) -> None:
    replayed.fill(3)
    path = f"{BASE}/replay/{(replay_id := replayed.replay().json['replayId'])}"
    replayed.app.recovery.queue.take_all()  # its task is lost
    replayed.app.clock.now += 600
    assert replayed.app.call("GET", path).status == 200
    assert replayed.pages() == []
    replayed.app.clock.now += 1
    assert replayed.app.call("GET", path).json["state"] == "running"
    assert replayed.pages() == [ReplayPage(SCOPE, replay_id, 0)]
    assert replayed.app.call("DELETE", path).json["state"] == "cancelled"
    assert replayed.app.call("GET", path).status == 200
    assert len(replayed.pages()) == 1


def test_replays_whose_tasks_are_lost_go_on_when_another_finds_no_place(replayed: Replayed) -> None:
    replayed.fill(3)
    begun = [replayed.replay().json["replayId"] for _ in range(MAX_RUNNING)]
    replayed.app.recovery.queue.take_all()
    replayed.app.clock.now += 601
    assert replayed.replay().status == 409
    assert {page.replay_id for page in replayed.pages()} == set(begun)
