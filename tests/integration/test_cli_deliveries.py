"""`deliveries`, `test`, `health` and `tail` against an API on loopback that responds as the OpenAPI document says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.loopback_api import Api
from tests.unit.cli.command_line import CommandLine, Terminal

WEBHOOK = "65f0c0ffee65f0c0ffee65f0"
ID = f"{WEBHOOK}-019a8c5e1f40-9f86d081884c7d659a2feaa0c55ad015"
TIMES = {"lookupMs": 3, "connectMs": 5, "tlsMs": 17, "firstByteMs": 30, "totalMs": 34}
ATTEMPT = {"number": 1, "at": "2026-01-15T09:30:00.200Z", "status": 200, "latencyMs": 36, "times": TIMES}
REPLAY = {
    "replayId": "0000019a8c5e1f4065f0c0ff", "kind": "replay", "state": "running", "rate": 10, "total": 30,
    "sent": 0, "withoutPayload": 0, "passedOver": 0, "createdAt": "2026-01-15T09:30:00.000Z",
    "createdBy": "shop", "updatedAt": "2026-01-15T09:30:00.000Z",
}  # fmt: skip


def delivery(number: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "deliveryId": f"{ID[:-4]}{number:04x}",
        "webhookId": WEBHOOK,
        "eventId": f"e{number}",
        "eventName": "order.paid",
        "occurredAt": f"2026-01-15T09:30:00.{number:03d}Z",
        "outcome": "delivered",
        "settledAt": f"2026-01-15T09:30:01.{number:03d}Z",
        "attemptCount": 1,
        "payloadKept": False,
        "attempts": [ATTEMPT],
        **fields,
    }


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as api:
        yield api


@pytest.fixture
def webhooks(tmp_path: Path, api: Api) -> CommandLine:
    command_line = CommandLine(tmp_path)
    command_line.write_stack(
        apiUrl=api.url, tenantId="acme", communityId="main", licenses={"system": "a-license"}
    )
    return command_line


def test_a_list_asks_for_pages_until_its_limit(webhooks: CommandLine, api: Api) -> None:
    pages = [
        {"data": [delivery(number) for number in range(first, first + 100)], "cursor": f"after-{first}"}
        for first in (0, 100, 200)
    ]
    api.answer("POST", f"webhook/{WEBHOOK}/deliveries/fetch", *pages)
    ended = webhooks(
        "deliveries", "list", "--webhook", WEBHOOK, "--outcome", "dead", "--since", "2h", "--until",
        "2026-01-15T09:00:00.250Z", "--event", "order.paid", "--limit", 150, "--json",
    )  # fmt: skip
    assert [each["eventId"] for each in ended.document] == [f"e{number}" for number in range(150)]
    asked = api.asked("POST", f"webhook/{WEBHOOK}/deliveries/fetch")
    filters = {
        "outcome": "dead", "eventName": "order.paid", "since": "2026-01-15T07:30:00.000Z",
        "until": "2026-01-15T09:00:00.250Z", "size": 100,
    }  # fmt: skip
    assert asked == [filters, {**filters, "cursor": "after-0"}]


def test_a_list_of_no_webhook_shows_the_communitys_undelivered(webhooks: CommandLine, api: Api) -> None:
    attempts = [{"number": 1, "at": "x", "reason": "connection-refused", "latencyMs": 2}]
    dead = delivery(1, outcome="dead", recoverable=True, attempts=attempts)
    api.answer("POST", "deliveries/fetch", {"data": [dead]})
    ended = webhooks("deliveries", "list")
    heading, row = ended.stdout.splitlines()
    assert heading.split() == ["time", "webhook", "event", "outcome", "attempts", "last", "ms", "delivery"]
    assert all(
        text in row for text in (WEBHOOK, "dead (recoverable)", "connection-refused", dead["deliveryId"])
    )
    assert api.asked("POST", "deliveries/fetch") == [{"size": 25}]


def test_an_empty_list_is_no_error(webhooks: CommandLine, api: Api) -> None:
    api.answer("POST", "deliveries/fetch", {"data": []})
    ended = webhooks("deliveries", "list")
    assert (ended.code, ended.stdout) == (0, "")
    assert "no deliveries" in ended.stderr
    assert webhooks("deliveries", "list", "--json").document == []


def test_a_webhook_is_found_by_its_name(webhooks: CommandLine, api: Api) -> None:
    named = [{"_id": WEBHOOK, "name": "orders"}, {"_id": "f" * 24, "name": "orders-2"}]
    api.answer("POST", "webhooks/fetch", {"data": named})
    api.answer("POST", f"webhook/{WEBHOOK}/deliveries/fetch", {"data": []})
    assert webhooks("deliveries", "list", "--webhook", "orders").code == 0
    missing = webhooks("deliveries", "list", "--webhook", "order")
    assert (missing.code, "no webhook of acme/main is named order" in missing.stderr) == (1, True)
    api.scripts["POST", "webhooks/fetch"] = [(200, {"data": [named[0], {**named[1], "name": "orders"}]})]
    twice = webhooks("deliveries", "list", "--webhook", "orders")
    assert (twice.code, WEBHOOK in twice.stderr) == (2, True)


def test_a_delivery_is_shown_with_its_phases_and_bars_on_a_terminal_only(
    webhooks: CommandLine, api: Api
) -> None:
    api.answer("GET", f"delivery/{ID}", delivery(payload={"type": "order.paid"}, payloadKept=True))
    plain = webhooks("deliveries", "show", ID)
    drawn = webhooks("deliveries", "show", ID, stdout=Terminal())
    assert plain.code == 0
    for phase, duration in (("lookup", 3), ("connect", 2), ("TLS", 12), ("first byte", 13), ("rest", 4)):
        assert f"{phase:<11}{duration:>6} ms" in plain.stdout
    assert "█" not in plain.stdout
    assert "█" in drawn.stdout
    assert '"type": "order.paid"' in plain.stdout


def test_a_payload_is_shown_to_the_last_digit(webhooks: CommandLine, api: Api) -> None:
    text = json.dumps(delivery(payload={"amount": "?"})).replace('"?"', "[19.90, 1222223333.00000001]")
    api.responses[f"/tenant/acme/community/main/delivery/{ID}"] = (200, text.encode())
    for argv in ((), ("--json",)):
        shown = webhooks("deliveries", "show", ID, *argv).stdout
        assert "19.90,\n" in shown
        assert "1222223333.00000001\n" in shown


def test_a_text_of_an_endpoint_cannot_control_the_terminal(webhooks: CommandLine, api: Api) -> None:
    hostile = {**ATTEMPT, "status": 500, "response": "\x1b[2J\x9bgone\nbeginning of a line"}
    api.answer("GET", f"delivery/{ID}", delivery(attempts=[hostile], reason="\x1b]0;title\x07"))
    shown = webhooks("deliveries", "show", ID, stdout=Terminal()).stdout
    assert not {"\x1b", "\x9b", "\x07"} & set(shown)
    assert "\nbeginning" not in shown
    api.answer("GET", f"replay/{REPLAY['replayId']}", {**REPLAY, "createdBy": "\x1b[2Jme"})
    shown = webhooks("deliveries", "replays", REPLAY["replayId"], stdout=Terminal()).stdout
    assert "\\x1b[2Jme" in shown
    api.answer("GET", "delivery/x", {"message": "\x1b[2Jgone"}, status=404)
    webhooks.stderr = Terminal
    assert "\x1b" not in webhooks("deliveries", "show", "x").stderr


@pytest.mark.parametrize(
    ("status", "code"), [(400, 1), (403, 1), (404, 1), (409, 1), (429, 1), (500, 3), (503, 3)]
)
def test_an_error_of_the_api_is_one_line_with_its_reason(
    webhooks: CommandLine, api: Api, status: int, code: int
) -> None:
    api.answer("GET", f"delivery/{ID}", {"message": "the reason"}, status=status)
    ended = webhooks("deliveries", "show", ID)
    assert (ended.code, ended.stdout) == (code, "")
    assert ended.stderr.count("\n") == 1
    assert "the reason" in ended.stderr


def test_an_id_that_is_none_stays_one_part_of_the_path(webhooks: CommandLine, api: Api) -> None:
    api.answer("GET", "delivery/..%2F..%3Fx%20%7B", {"message": "no such delivery"}, status=404)
    assert webhooks("deliveries", "show", "../..?x {").code == 1


def test_an_explained_event_names_conditions_and_outcomes(webhooks: CommandLine, api: Api) -> None:
    first = {"eventId": "e1", "eventName": "order.paid", "occurredAt": "2026-01-15T09:30:00.000Z"}
    condition = {"object": 0, "field": "lines.amount", "wanted": 3, "found": [1.50, "x"]}
    matched = {
        "webhookId": WEBHOOK,
        "name": "a",
        "result": "matched",
        "deliveryId": ID,
        "outcome": "delivered",
    }
    filtered = {"webhookId": "f" * 24, "name": "b", "result": "filtered", "conditions": [condition]}
    api.answer(
        "POST",
        "events/explain",
        {**first, "webhooks": [matched], "cursor": "more"},
        {**first, "webhooks": [filtered]},
    )
    webhooks.write("event.json", '{"eventName": "order.paid", "data": {"amount": 1222223333.00000001}}')
    ended = webhooks("deliveries", "explain", "event.json")
    assert ended.code == 0
    assert "delivered" in ended.stdout
    assert 'object 0 of the query, lines.amount: wants 3, found 1.5, "x"' in ended.stdout
    bodies = [body for seen, body in zip(api.seen, api.bodies, strict=True) if "explain" in seen[1]]
    assert b'"amount":1222223333.00000001' in bodies[0]  # to the digit
    assert json.loads(bodies[1])["cursor"] == "more"


def test_an_event_without_listeners_shows_the_names_that_have_some(webhooks: CommandLine, api: Api) -> None:
    explained = {
        "eventName": "order.payed", "webhooks": [],
        "listenedNames": ["order.paid"],
    }  # fmt: skip
    api.answer("POST", "events/explain", explained)
    ended = webhooks(
        "deliveries", "explain", "--id", "e1", "--name", "order.payed", "--time", "1768469400123"
    )
    assert "listened to: order.paid" in ended.stderr
    assert api.asked("POST", "events/explain") == [
        {"eventId": "e1", "eventName": "order.payed", "occurredAt": "2026-01-15T09:30:00.123Z"}
    ]


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (("explain",), "FILE"),
        (("explain", "e.json", "--id", "x"), "FILE"),
        (("explain", "--id", "x"), "--name"),
        (("replay",), "--ids"),
        (("replay", "--webhook", WEBHOOK), "--outcome"),
        (("replay", "--ids", ID, "--since", "2h"), "not with"),
        (("replay", "--ids", *[ID] * 101), "100"),
        (("replay", "--ids", ID, "--rate", "0"), "1 to 1000"),
        (("replays", "--wait"), "REPLAY"),
        (("list", "--since", "soon"), "a time is"),
        (("list", "--limit", "0"), "from 1"),
        (("list", "--outcome", "delivered"), "needs --webhook"),
    ],
)
def test_wrong_use_is_explained(webhooks: CommandLine, api: Api, argv: tuple[str, ...], reason: str) -> None:
    ended = webhooks("deliveries", *argv)
    assert ended.code == 2
    assert reason in ended.stderr


def test_a_replay_is_counted_before_it_is_begun(webhooks: CommandLine, api: Api) -> None:
    api.answer("POST", "deliveries/replay", {"deliveries": 15, "withoutPayload": 3})
    ended = webhooks("deliveries", "replay", "--webhook", WEBHOOK, "--outcome", "dead", "--dry-run")
    assert "12 would be sent; 3 cannot be" in ended.stdout
    assert api.asked("POST", "deliveries/replay") == [
        {"webhookId": WEBHOOK, "outcome": "dead", "dryRun": True}
    ]


def test_a_replay_that_is_waited_for_ends_with_its_state(webhooks: CommandLine, api: Api) -> None:
    api.answer("POST", "deliveries/replay", REPLAY, status=202)
    path = f"replay/{REPLAY['replayId']}"
    api.answer("GET", path, {**REPLAY, "sent": 10})
    api.answer("GET", path, {"message": "busy"}, status=503)
    api.answer("GET", path, {**REPLAY, "sent": 30, "state": "done"})
    ended = webhooks("deliveries", "replay", "--ids", ID, ID, "--rate", 5, "--wait")
    assert ended.code == 0
    assert "done" in ended.stdout
    assert api.asked("POST", "deliveries/replay") == [{"deliveryIds": [ID, ID], "rate": 5}]


def test_a_replay_that_was_stopped_ends_with_1_and_its_reason(webhooks: CommandLine, api: Api) -> None:
    stopped = {**REPLAY, "state": "stopped", "reason": "its endpoint failed again"}
    api.answer("GET", f"replay/{REPLAY['replayId']}", stopped)
    ended = webhooks("deliveries", "replays", REPLAY["replayId"])
    assert (ended.code, "stopped: its endpoint failed again" in ended.stdout) == (1, True)


def test_ctrl_c_during_a_wait_says_how_to_go_on(webhooks: CommandLine, api: Api) -> None:
    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    webhooks.sleep = interrupted
    api.answer("GET", f"replay/{REPLAY['replayId']}", REPLAY)
    ended = webhooks("deliveries", "replays", REPLAY["replayId"], "--wait")
    assert ended.code == 130
    assert f"webhooks deliveries replays {REPLAY['replayId']} --wait" in ended.stderr
    assert f"webhooks deliveries cancel {REPLAY['replayId']}" in ended.stderr


def test_replays_are_listed_over_pages_and_cancelled(webhooks: CommandLine, api: Api) -> None:
    api.answer("GET", "replays?size=25", {"data": [REPLAY], "cursor": "a b"})
    api.answer("GET", "replays?size=25&cursor=a%20b", {"data": [{**REPLAY, "kind": "recovery"}]})
    assert [each["kind"] for each in webhooks("deliveries", "replays", "--json").document] == [
        "replay",
        "recovery",
    ]
    cancelled = {**REPLAY, "state": "cancelled"}
    api.answer("DELETE", f"replay/{REPLAY['replayId']}", cancelled)
    assert webhooks("deliveries", "cancel", REPLAY["replayId"], "--json").document == cancelled


TESTED = {
    "deliveryId": ID, "outcome": "delivered", "status": 200, "latencyMs": 36, "times": TIMES,
    "address": "203.0.113.9",
    "request": {"method": "POST", "url": "https://example.com/h", "headers": {"webhook-id": ID}, "body": "{}"},
    "response": {"status": 200, "excerpt": "thanks"},
}  # fmt: skip


def test_a_test_event_shows_the_request_and_the_response(webhooks: CommandLine, api: Api) -> None:
    api.answer("POST", f"webhook/{WEBHOOK}/test", TESTED)
    webhooks.write("data.json", '{"amount": 19.90}')
    ended = webhooks("test", WEBHOOK, "--event", "order.paid", "--data", "data.json")
    assert ended.code == 0
    for text in (
        "> POST https://example.com/h",
        f"> webhook-id: {ID}",
        "thanks",
        "203.0.113.9",
        "first byte",
    ):
        assert text in ended.stdout
    assert api.bodies[-1] == b'{"eventName":"order.paid","data":{"amount":19.90}}'


def test_a_failed_test_ends_with_1_and_its_sentence(webhooks: CommandLine, api: Api) -> None:
    failed = {
        **{name: value for name, value in TESTED.items() if name not in ("status", "response", "times")},
        "outcome": "failed",
        "reason": "the host name does not resolve",
    }
    api.answer("POST", f"webhook/{WEBHOOK}/test", failed)
    ended = webhooks("test", WEBHOOK)
    assert (ended.code, "the host name does not resolve" in ended.stdout) == (1, True)
    assert webhooks("test", WEBHOOK, "--json").document == failed


def test_health_lists_unhealthy_webhooks_once(webhooks: CommandLine, api: Api) -> None:
    states = {"total": 3, "healthy": 1, "failing": 1, "held": 1, "slow": 1, "paused": 0, "disabled": 0}
    summary = {"webhooks": states, "undelivered": {"retrying": 0, "dead": 2, "held": 7}, "isExact": False}
    api.answer("GET", "health", summary)
    api.answer("POST", "webhooks/fetch", {"data": [{"_id": WEBHOOK, "name": "orders"}]})
    health = {
        "state": "held",
        "since": "2026-01-15T09:00:00.000Z",
        "held": 7,
        "successRate": 25,
        "p99Ms": 900,
    }
    api.answer("GET", f"webhook/{WEBHOOK}", {"_id": WEBHOOK, "name": "orders", "health": health})
    ended = webhooks("health")
    assert "webhooks     3: 1 healthy, 1 held, 1 failing, 1 slow" in ended.stdout
    assert "undelivered  2 dead, 7 held (at least)" in ended.stdout
    assert ended.stdout.count(WEBHOOK) == 1
    assert "25 %" in ended.stdout
    asked = api.asked("POST", "webhooks/fetch")
    assert [each["state"] for each in asked if isinstance(each, dict)] == ["held", "failing", "slow"]


def test_health_of_one_webhook_shows_its_changes(webhooks: CommandLine, api: Api) -> None:
    health = {
        "state": "failing", "states": ["failing", "slow"], "held": 0, "recoverable": 2,
        "lastFailure": {"at": "t1", "reason": "503"},
        "changes": [{"at": "t0", "state": "failing", "reason": "attempts exhausted: 503"}],
    }  # fmt: skip
    api.answer("GET", f"webhook/{WEBHOOK}", {"_id": WEBHOOK, "health": health})
    shown = webhooks("health", WEBHOOK).stdout
    assert "failing, slow" in shown
    assert "last failure t1: 503" in shown
    assert "attempts exhausted: 503" in shown


class Stopped:
    """Ends a command that has no end of its own, after so many rounds."""

    def __init__(self, rounds: int) -> None:
        self.left = rounds

    def __call__(self, _seconds: float) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_tail_shows_each_change_once_from_its_start_on(webhooks: CommandLine, api: Api) -> None:
    old, new = delivery(1), delivery(2, outcome="retrying")
    changed = {**new, "outcome": "delivered", "settledAt": "2026-01-15T09:31:00.000Z"}
    path = f"webhook/{WEBHOOK}/deliveries/fetch"
    api.answer("POST", path, {"data": [old]}, {"data": [new, old]}, {"data": [new, old]})
    api.answer("POST", path, {"message": "busy"}, status=503)
    api.answer("POST", path, {"data": [changed, old]})
    webhooks.sleep = Stopped(6)
    ended = webhooks("tail", "--webhook", WEBHOOK, "--json")
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [(each["eventId"], each["outcome"]) for each in lines] == [("e2", "retrying"), ("e2", "delivered")]
    assert ended.code == 130
    assert "busy; trying again" in ended.stderr


def test_tail_of_all_names_the_community_of_each_line(webhooks: CommandLine, api: Api) -> None:
    scopes = [{"tenantId": "acme", "communityId": "main"}, {"tenantId": "umbra", "communityId": "x"}]
    api.answer("GET", "/communities?size=100", {"data": scopes})
    for each in scopes:
        community = f"/tenant/{each['tenantId']}/community/{each['communityId']}/"
        api.answer("POST", community + "webhooks/fetch", {"data": []})
        held = delivery(3, outcome="held", attempts=[], attemptCount=0)
        held["deliveryId"] = held["deliveryId"][:-5] + each["communityId"][0] + "0000"
        api.answer("POST", community + "deliveries/fetch", {"data": []}, {"data": [held]})
    webhooks.sleep = Stopped(3)
    shown = webhooks("tail", "--all").stdout.splitlines()
    assert [line.split()[1] for line in shown] == ["acme/main", "umbra/x"]
    assert all("held" in line for line in shown)


def test_tail_ends_where_the_api_refuses(webhooks: CommandLine, api: Api) -> None:
    api.answer("POST", f"webhook/{WEBHOOK}/deliveries/fetch", {"message": "no such webhook"}, status=404)
    ended = webhooks("tail", "--webhook", WEBHOOK)
    assert (ended.code, "no such webhook" in ended.stderr) == (1, True)
