"""The sample webhooks of `make run`: their events, their endpoints, and the link to the console."""

import base64
import io
import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from local import endpoints, samples, seed, stack_file
from local.console_link import ready_link
from local.progress import Progress
from webhooks.domain.event import parse_event
from webhooks.entrypoints.api.schemas.webhook import WebhookIn

NOW = 1_795_708_000_000
RATES = {**samples.ORDERED, **samples.OTHERS}
LINK = "http://127.0.0.1:4580/_aws/execute-api/cafad9fe/local/console#/connect?ready=" + "e" * 400


def event(number: int, at: str = "2026-01-15T09:30:00.250Z") -> dict[str, Any]:
    return {"id": f"event-{number}", "timestamp": at}


def replies(path: str, *, attempt: int = 1, down_since: str = "9999") -> list[endpoints.Reply]:
    return [
        endpoints.reply(path, event=event(each), attempt=attempt, down_since=down_since)
        for each in range(1000)
    ]


def test_two_runs_that_overlap_publish_the_same_events() -> None:
    whole = samples.events(RATES, NOW - samples.HISTORY, NOW)
    first = samples.events(RATES, NOW - samples.HISTORY, NOW - 90 * 60_000 + 7)
    second = samples.events(RATES, NOW - 90 * 60_000 + 7, NOW)

    assert first + second == whole
    assert len({each["eventId"] for each in whole}) == len(whole)
    assert 150 < len(whole) < 400


def test_the_service_takes_each_event_and_its_time() -> None:
    since = NOW - samples.OUTAGE
    many = [*samples.events(RATES, NOW - samples.HISTORY, NOW), *samples.outage(since), *samples.held(since)]
    for text in samples.messages(many):
        for each in json.loads(text):
            read = parse_event(json.dumps(each), message_id="none", sent_at=0)
            assert samples.iso_time(read.log_time) == each["occurredAt"]
            assert NOW - samples.HISTORY <= read.log_time < NOW


def test_each_name_has_a_sample_webhook_and_each_endpoint_a_kind() -> None:
    heard = {name for each in samples.WEBHOOKS.values() for name in each["eventNames"]}
    assert RATES.keys() <= heard
    assert {endpoints.kind_of(f"/{each['path']}") for each in samples.WEBHOOKS.values()} == endpoints.KINDS
    paths = {f"/{each['path']}" for each in samples.WEBHOOKS.values()}
    assert set(samples.ENDPOINTS.values()) <= paths


def test_the_outage_makes_one_endpoint_fail_and_another_be_held() -> None:
    names = [each["eventName"] for each in samples.outage(NOW)]
    attempts = 1 + 2  # with retryCount 2
    assert names.count(samples.FAILS_ONCE) * attempts < 10 <= names.count("stock.reserved") * attempts


def test_endpoints_respond_as_their_kind_says() -> None:
    quick, slow, flaky, strict = (replies(f"/{kind}/x") for kind in ("quick", "slow", "flaky", "strict"))

    assert {each.status for each in [*quick, *slow]} == {HTTPStatus.OK}
    assert max(each.seconds for each in quick) < 0.1
    assert 0.2 < sum(each.seconds > 1.0 for each in slow) / len(slow) < 0.9
    assert {each.status for each in flaky} == {HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE}
    assert {each.status for each in replies("/flaky/x", attempt=2)} == {HTTPStatus.OK}
    assert {each.status for each in strict} == {HTTPStatus.OK, HTTPStatus.UNPROCESSABLE_ENTITY}
    assert {each.status for each in replies("/hooks/orders", down_since="0")} == {HTTPStatus.OK}


@pytest.mark.parametrize(
    ("kind", "status"), [("down", HTTPStatus.SERVICE_UNAVAILABLE), ("gone", HTTPStatus.GONE)]
)
def test_an_endpoint_fails_from_the_begin_of_the_outage_on(kind: str, status: HTTPStatus) -> None:
    since = "2026-01-15T09:30:00.250Z"
    before, after = event(1, "2026-01-15T09:30:00.249Z"), event(1, since)
    first = endpoints.reply(f"/{kind}/x", event=before, attempt=1, down_since=since)
    second = endpoints.reply(f"/{kind}/x", event=after, attempt=1, down_since=since)

    assert first.status == HTTPStatus.OK
    assert second.status == status
    assert json.loads(second.body)["error"]


@pytest.mark.parametrize("name", [*samples.WEBHOOKS, *seed.WEBHOOKS])
def test_the_api_takes_each_webhook(name: str) -> None:
    wanted = {**seed.WEBHOOKS, **samples.WEBHOOKS}[name]
    body = seed.body_of(name, wanted, "http://127.0.0.1:4581")

    assert WebhookIn.model_validate(body).name == name
    assert body["api"]["url"].startswith("http://127.0.0.1:4581/")
    assert body["api"].get("oAuthTokenUrl", "http://127.0.0.1:4581/token") == "http://127.0.0.1:4581/token"


def test_the_link_has_the_callers_pair_and_the_system_license(tmp_path: Path) -> None:
    caller = tmp_path / "caller.json"
    stack_file.write(caller, {"curve": "secp256k1", "publicKey": "the public key", "privateKey": "the key"})
    description = {
        "apiUrl": "http://127.0.0.1:4580/api",
        "licenses": {"system": "the license"},
        "tenantId": "acme",
        "communityId": "main",
    }

    link = ready_link(description, caller)

    assert link is not None
    address, _, packed = link.partition("#/connect?ready=")
    assert address == "http://127.0.0.1:4580/api/console"
    assert "=" not in packed
    assert json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))) == {
        "keyId": "the public key",
        "keySecret": "the key",
        "license": "the license",
        "tenant": "acme",
        "community": "main",
    }


def test_there_is_no_link_without_a_pair_or_a_license(tmp_path: Path) -> None:
    caller = tmp_path / "caller.json"
    assert ready_link({"licenses": {"system": "x"}}, caller) is None
    stack_file.write(caller, {"publicKey": "p", "privateKey": "s"})
    assert ready_link({"licenses": {}}, caller) is None


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_link_is_one_line_that_a_terminal_can_open(is_terminal: bool) -> None:
    output = io.StringIO()
    Progress(Console(file=output, force_terminal=is_terminal, width=80, soft_wrap=True)).link(LINK)

    assert output.getvalue().count("\n") == 1
    assert LINK in output.getvalue()
    assert (f";{LINK}\x1b\\" in output.getvalue()) == is_terminal  # OSC 8
