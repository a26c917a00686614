"""Every file under events/ is a sample of its kind."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from webhooks.domain.delivery_message import decode_pack
from webhooks.domain.errors import InvalidEventError
from webhooks.domain.event import parse_event
from webhooks.domain.event_array import parse_array
from webhooks.domain.recovery_message import decode_task
from webhooks.entrypoints.schedule import CHECKS

EVENTS = Path(__file__).parents[3] / "events"
ROUTES = [
    ("PATCH", "/tenant/{tenantId}/community/{communityId}/webhook/{webhookId}"),
    ("DELETE", "/tenant/{tenantId}/community/{communityId}/webhook/{webhookId}"),
    ("GET", "/tenant/{tenantId}/community/{communityId}/webhook/{webhookId}/secret"),
    ("POST", "/tenant/{tenantId}/community/{communityId}/webhook/{webhookId}/secret/rotate"),
    ("POST", "/tenant/{tenantId}/community/{communityId}/webhook/{webhookId}/test"),
    ("PUT", "/tenant/{tenantId}/community/{communityId}/webhook"),
    ("POST", "/tenant/{tenantId}/community/{communityId}/webhooks/fetch"),
    ("PUT", "/tenant/{tenantId}/community/{communityId}/event/{eventName+}"),
    ("POST", "/tenant/{tenantId}/community/{communityId}/events/explain"),
    ("POST", "/tenant/{tenantId}/community/{communityId}/webhook/{webhookId}/deliveries/fetch"),
    ("POST", "/tenant/{tenantId}/community/{communityId}/deliveries/fetch"),
    ("GET", "/tenant/{tenantId}/community/{communityId}/delivery/{deliveryId}"),
    ("POST", "/tenant/{tenantId}/community/{communityId}/deliveries/replay"),
    ("GET", "/tenant/{tenantId}/community/{communityId}/replays"),
    ("GET", "/tenant/{tenantId}/community/{communityId}/replay/{replayId}"),
    ("DELETE", "/tenant/{tenantId}/community/{communityId}/replay/{replayId}"),
    ("GET", "/tenant/{tenantId}/community/{communityId}/webhook/{webhookId}"),
    ("GET", "/tenant/{tenantId}/community/{communityId}/webhook/{webhookId}/series"),
    ("GET", "/tenant/{tenantId}/community/{communityId}/health"),
    ("POST", "/tenant/{tenantId}/community/{communityId}/webhooks/health"),
    ("GET", "/communities"),
    ("GET", "/servicekeys"),
    ("DELETE", "/servicekey/{keyId+}"),
    ("POST", "/ecdsa_helper"),
    ("POST", "/ecdsa_helper/{method}"),
    ("GET", "/environment"),
    ("GET", "/healthz"),
    ("GET", "/publickeys"),
    ("GET", "/sd"),
    ("GET", "/.well-known"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/openapi.json"),
    ("GET", "/console"),
    ("GET", "/docs"),
    ("GET", "/"),
    ("GET", "/{proxy+}"),
]


def load(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def records(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = load(EVENTS / "sqs" / name)["Records"]
    return found


@pytest.mark.parametrize(
    ("name", "event_name"),
    [
        ("native.json", "order.paid"),
        ("platform.json", "E_LOGIN_SUCCEEDED"),
        ("eventbridge.json", "invoice.issued"),
    ],
)
def test_a_sample_of_each_shape_is_an_event_with_an_id_of_its_own(name: str, event_name: str) -> None:
    event = parse_event((EVENTS / name).read_text(), message_id="of-the-queue", sent_at=0)
    assert event.name == event_name
    assert event.id != "of-the-queue"
    assert event.log_time > 0


def test_the_invalid_sample_is_refused_for_its_tenant() -> None:
    with pytest.raises(InvalidEventError, match="tenantId"):
        parse_event((EVENTS / "invalid.json").read_text(), message_id="m", sent_at=0)


def test_the_array_sample_has_two_events() -> None:
    array = parse_array((EVENTS / "array.json").read_text(), message_id="m", sent_at=0)
    events = [parse_event(text, message_id="m", sent_at=0) for text in array.texts.values()]
    assert [event.name for event in events] == ["order.paid", "E_LOGIN_SUCCEEDED"]


def test_the_fanout_sample_has_all_three_shapes() -> None:
    names = {parse_event(record["body"], message_id="m", sent_at=0).name for record in records("fanout.json")}
    assert names == {"order.paid", "E_LOGIN_SUCCEEDED", "invoice.issued"}


def test_the_dispatcher_sample_is_a_pack_of_deliveries() -> None:
    (record,) = records("dispatcher.json")
    pack = decode_pack(record["body"])
    assert len(pack.deliveries) == 2
    assert record["attributes"]["MessageGroupId"] == pack.scope.fairness_group


def test_the_recovery_sample_is_a_task() -> None:
    (record,) = records("recovery.json")
    task = decode_task(record["body"])
    assert record["attributes"]["MessageGroupId"] == task.scope.fairness_group


@pytest.mark.parametrize("name", ["fanout.json", "dispatcher.json", "recovery.json"])
def test_a_record_has_the_digest_of_its_body(name: str) -> None:
    assert all(
        record["md5OfBody"] == hashlib.md5(record["body"].encode()).hexdigest() for record in records(name)
    )


def test_each_route_has_one_api_sample() -> None:
    samples = [load(path) for path in (EVENTS / "api").glob("*.json")]
    assert sorted((sample["httpMethod"], sample["resource"]) for sample in samples) == sorted(
        [*ROUTES, ("POST", "/ecdsa_helper/{method}")]  # encrypt and decrypt
    )


@pytest.mark.parametrize("path", sorted((EVENTS / "api").glob("*.json")), ids=lambda path: path.stem)
def test_an_api_sample_is_filled_in_and_agrees_with_itself(path: Path) -> None:
    sample = load(path)
    assert "{" not in sample["path"]
    assert sample["requestContext"]["resourcePath"] == sample["resource"]
    assert sample["requestContext"]["path"] == f"/{sample['requestContext']['stage']}{sample['path']}"
    assert set(sample["multiValueHeaders"]) == set(sample["headers"])
    assert sample["body"] is None or isinstance(json.loads(sample["body"]), dict)


def test_the_schedule_sample_is_a_scheduled_event() -> None:
    assert load(EVENTS / "schedule" / "maintenance.json")["detail-type"] == "Scheduled Event"
    assert load(EVENTS / "schedule" / "checks.json") == CHECKS
