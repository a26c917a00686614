"""`license` and `publish` against the access table and the events queue of an account in process."""

import json
import math
import socket
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from mypy_boto3_sqs.service_resource import Message, Queue

from tests.unit.cli.command_line import NOW, CommandLine
from webhooks.adapters.aws.clients import AwsClients
from webhooks.adapters.dynamodb.licenses import TableLicenses
from webhooks.adapters.dynamodb.table import Table
from webhooks.domain.caller import AuthLevel, License
from webhooks.domain.event import parse_event
from webhooks.domain.scope import Scope

EVENTS = Path(__file__).parents[2] / "events"
REGION = "us-east-1"


@pytest.fixture
def account() -> Iterator[None]:
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name=REGION)
        dynamodb.create_table(
            TableName="access",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield


@pytest.fixture
def queue(account: None) -> Queue:
    return boto3.resource("sqs", region_name=REGION).create_queue(QueueName="events")


@pytest.fixture
def webhooks(tmp_path: Path, account: None) -> CommandLine:
    command_line = CommandLine(tmp_path)
    command_line.write_stack(
        region=REGION,
        tenantId="acme",
        communityId="main",
        accessTable="access",
        eventsQueueUrl=f"https://sqs.{REGION}.amazonaws.com/123456789012/events",
    )
    return command_line


def received(queue: Queue) -> list[Message]:
    messages = []
    while found := queue.receive_messages(MaxNumberOfMessages=10, AttributeNames=["All"]):
        messages += found
        for message in found:
            message.delete()
    return messages


def find(license_key: str) -> License:
    clients = AwsClients(time_left=lambda: math.inf)
    found = TableLicenses(Table(clients, "access"), clock=time.time).find(license_key, None)
    assert found is not None
    return found


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)  # for the service's own adapters


def issue(webhooks: CommandLine, *argv: object) -> dict[str, Any]:
    ended = webhooks("license", "issue", "--json", *argv)
    assert ended.code == 0, ended.stderr
    issued: dict[str, Any] = ended.document
    return issued


def test_the_service_finds_an_issued_license(webhooks: CommandLine) -> None:
    document = issue(webhooks, "--level", "service", "--expires", "90d", "--label", "shop")
    license_ = find(document["license"])
    assert license_.auth_level is AuthLevel.SERVICE
    assert license_.reaches(Scope("acme", "main"))
    assert not license_.reaches(Scope("acme", "other"))
    assert license_.expires_at == NOW + 90 * 86_400
    assert license_.holds(NOW)


def test_a_system_license_is_for_all_communities_or_the_named_one(webhooks: CommandLine) -> None:
    assert find(issue(webhooks, "--level", "system")["license"]).reaches(Scope("any", "one"))
    one = issue(webhooks, "--level", "system", "--tenant", "acme", "--community", "main")
    assert not find(one["license"]).reaches(Scope("any", "one"))


def test_the_table_holds_the_hash_of_a_key_and_never_the_key(webhooks: CommandLine) -> None:
    key = issue(webhooks, "--level", "system")["license"]
    items = json.dumps(boto3.client("dynamodb", region_name=REGION).scan(TableName="access")["Items"])
    assert f"license#{sha256(key.encode()).hexdigest()}" in items
    assert key not in items
    assert key not in webhooks("license", "list", "--json").stdout


def test_only_the_key_is_on_stdout_without_json(webhooks: CommandLine) -> None:
    ended = webhooks("license", "issue", "--level", "system")
    assert find(ended.stdout.strip()) is not None
    assert "the key is shown only now" in ended.stderr
    assert ended.stdout.strip() not in ended.stderr


def test_a_list_shows_every_license_with_its_state(webhooks: CommandLine) -> None:
    issue(webhooks, "--level", "service", "--label", "expired", "--expires", "30m")
    webhooks.now += 3600
    issue(webhooks, "--level", "service_ext", "--label", "valid")
    issue(webhooks, "--level", "system", "--label", "disabled")
    webhooks("license", "disable", "disabled")
    listed = webhooks("license", "list", "--json").document
    assert {each["label"]: each["disabled"] for each in listed} == {
        "expired": False,
        "valid": False,
        "disabled": True,
    }
    lines = webhooks("license", "list").stdout.splitlines()
    assert lines[0].split() == ["hash", "level", "tenant", "community", "label", "state", "issued"]
    assert all("  disabled  " in line for line in lines if "system" in line)


def test_a_license_is_disabled_by_its_hash_a_prefix_of_it_or_its_label(webhooks: CommandLine) -> None:
    for label, name in (("a", "whole"), ("b", "beginning"), ("c", "c")):
        document = issue(webhooks, "--level", "service", "--label", label)
        chosen = {"whole": document["hash"], "beginning": document["hash"][:8]}.get(name, name)
        assert webhooks("license", "disable", chosen, "--json").document["disabled"] is True
        assert find(document["license"]).disabled


def test_a_label_that_two_licenses_have_needs_a_hash(webhooks: CommandLine) -> None:
    hashes = [issue(webhooks, "--level", "service", "--label", "twin")["hash"] for _ in range(2)]
    ended = webhooks("license", "disable", "twin")
    assert ended.code == 2
    assert all(each[:12] in ended.stderr for each in hashes)


@pytest.mark.parametrize(
    ("argv", "code", "reason"),
    [
        (("disable", "missing"), 1, "no license has the hash or label missing"),
        (("issue", "--level", "service", "--community", "*"), 2, "for one community"),
        (("issue", "--level", "service", "--tenant", "a b"), 2, "--tenant: must be 1 to 64"),
        (("issue", "--level", "system", "--expires", "soon"), 2, "--expires takes 90d"),
        (("issue", "--level", "system", "--label", "a\nb"), 2, "--label"),
        (("issue",), 2, "--level"),
    ],
)
def test_wrong_use_of_licenses_is_explained(
    webhooks: CommandLine, argv: tuple[str, ...], code: int, reason: str
) -> None:
    ended = webhooks("license", *argv)
    assert ended.code == code
    assert reason in ended.stderr


def test_a_table_that_does_not_exist_is_a_missing_configuration(webhooks: CommandLine) -> None:
    webhooks.write_stack(region=REGION, accessTable="elsewhere")
    ended = webhooks("license", "list")
    assert ended.code == 4
    assert "ResourceNotFoundException" in ended.stderr


def test_a_malformed_aws_endpoint_is_a_wrong_configuration(webhooks: CommandLine) -> None:
    webhooks.write_stack(region=REGION, awsEndpoint="no-url", accessTable="access")
    ended = webhooks("license", "list")
    assert ended.code == 4
    assert "awsEndpoint" in ended.stderr


def test_an_account_without_response_is_unreachable(webhooks: CommandLine, unused_port: int) -> None:
    webhooks.write_stack(region=REGION, awsEndpoint=f"http://127.0.0.1:{unused_port}", accessTable="access")
    ended = webhooks("license", "list")
    assert ended.code == 3
    assert "AWS does not answer" in ended.stderr


def test_published_events_arrive_with_their_tenant_as_group(webhooks: CommandLine, queue: Queue) -> None:
    files = [EVENTS / name for name in ("native.json", "platform.json", "eventbridge.json")]
    ended = webhooks("publish", *files, "--json")
    assert ended.document["sent"] == 3
    messages = received(queue)
    assert {message.attributes["MessageGroupId"] for message in messages} == {"acme"}
    assert {message.message_id for message in messages} == {
        each["messageId"] for each in ended.document["events"]
    }
    assert sorted(parse_event(m.body, message_id="m", sent_at=0).id for m in messages) == sorted(
        parse_event(file.read_text(), message_id="m", sent_at=0).id for file in files
    )


def test_copies_go_in_batches_with_ids_of_their_own(webhooks: CommandLine, queue: Queue) -> None:
    ended = webhooks("publish", EVENTS / "native.json", "--count", 23, "--set", "tenantId=t2")
    assert ended.stderr == "23 sent to the events queue\n"
    events = [parse_event(message.body, message_id="m", sent_at=0) for message in received(queue)]
    assert len({event.id for event in events}) == 23
    assert {event.scope for event in events} == {Scope("t2", "main")}


def test_the_option_mine_publishes_to_the_configured_community(webhooks: CommandLine, queue: Queue) -> None:
    webhooks("publish", EVENTS / "eventbridge.json", "--mine", "--community", "other")
    (message,) = received(queue)
    assert parse_event(message.body, message_id="m", sent_at=0).scope == Scope("acme", "other")


def test_events_come_from_stdin_one_per_line_too(webhooks: CommandLine, queue: Queue) -> None:
    lines = "\n".join(json.dumps(json.loads((EVENTS / "native.json").read_text())) for _ in range(2))
    assert webhooks("publish", "-", "--json", stdin=lines).document["sent"] == 2


def test_one_invalid_event_stops_all_of_them_with_its_reason(webhooks: CommandLine, queue: Queue) -> None:
    ended = webhooks("publish", EVENTS / "native.json", EVENTS / "invalid.json")
    assert ended.code == 2
    assert "invalid.json: tenantId (or tenant_id)" in ended.stderr
    assert received(queue) == []


@pytest.mark.parametrize("text", ["no JSON at all", '{"eventName": 3}', "7"])
def test_an_invalid_event_is_sent_unchanged_without_the_check(
    webhooks: CommandLine, queue: Queue, text: str
) -> None:
    assert webhooks("publish", "-", "--no-check", stdin=text).code == 0
    (message,) = received(queue)
    assert message.body.replace(" ", "") == text.replace(" ", "")


def test_a_queue_that_does_not_exist_is_a_missing_configuration(webhooks: CommandLine) -> None:
    ended = webhooks("publish", EVENTS / "native.json")
    assert ended.code == 4
    assert "NonExistentQueue" in ended.stderr
