"""`webhooks status` and `webhooks rollback` against an account in process."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.unit.cli.command_line import CommandLine, CommandResult
from webhooks.adapters.dynamodb import lists
from webhooks_cli import unhealthy
from webhooks_cli.commands import rollback, status
from webhooks_cli.commands.rollback import steps_back
from webhooks_cli.queues import QUEUES
from webhooks_cli.stack_functions import (
    FunctionState,
    Version,
    description_of,
    function_name,
    refused_in,
)

REGION, STACK = "us-east-1", "hooks"
ASSUMED = {"Version": "2012-10-17", "Statement": []}


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]  # one for each service


def code(text: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app.py", text)
    return content.getvalue()


@dataclass
class Deployed:
    """A stack's resources, and the command that looks at them."""

    command: CommandLine
    queues: dict[str, str]
    mapping: str

    def __call__(self, *argv: object) -> CommandResult:
        return self.command(*argv)

    def wrong(self) -> dict[str, str | None]:
        ended = self.command("status", "--json")
        found = ended.document["wrong"]
        assert ended.code == (1 if found else 0)
        return {each["text"]: each["command"] for each in found}


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    with mock_aws():
        role = client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(ASSUMED))
        client("lambda").create_function(
            FunctionName="hooks-fanout",
            Runtime="python3.13",
            Role=role["Role"]["Arn"],
            Handler="app.lambda_handler",
            Code={"ZipFile": code("1")},
            Publish=True,
        )
        client("lambda").create_alias(FunctionName="hooks-fanout", Name="live", FunctionVersion="1")
        urls = {
            name: client("sqs").create_queue(QueueName=name.replace(" ", "-"))["QueueUrl"] for name in QUEUES
        }
        attributes = client("sqs").get_queue_attributes(QueueUrl=urls["events"], AttributeNames=["QueueArn"])
        mapping = client("lambda").create_event_source_mapping(
            EventSourceArn=attributes["Attributes"]["QueueArn"], FunctionName="hooks-fanout"
        )["UUID"]
        client("events").put_rule(Name="hooks-hourly", ScheduleExpression="rate(1 hour)")
        client("cloudwatch").put_metric_alarm(
            AlarmName="hooks-events-invalid",
            AlarmDescription="Invalid events. docs/runbook.md#events-invalid",
            Namespace="Webhooks",
            MetricName="EventsInvalid",
            Statistic="Sum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
        _create_table()
        resources = [
            ("AWS::Lambda::Function", "FanoutFunction", "hooks-fanout"),
            ("AWS::Lambda::Alias", "FanoutFunctionAliaslive", "an-alias"),
            ("AWS::Lambda::EventSourceMapping", "FanoutFunctionEvents", mapping),
            ("AWS::Events::Rule", "FanoutFunctionHourly", "hooks-hourly"),
            ("AWS::Lambda::Function", "FunctionWithoutAlias", "another"),
        ]
        for command in (status, rollback):
            monkeypatch.setattr(command, "stack_resources", lambda *_: resources)
        line = CommandLine(tmp_path)
        names = {field: urls[name] for name, field in QUEUES.items()}
        line.write_stack(stackName=STACK, region=REGION, subscriptionsTable="subscriptions", **names)
        yield Deployed(line, urls, mapping)


def _create_table() -> None:
    client("dynamodb").create_table(
        TableName="subscriptions",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"} for name in ("pk", lists.LIST_PK, lists.LIST_SK)
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": lists.LISTS,
                "KeySchema": [
                    {"AttributeName": lists.LIST_PK, "KeyType": "HASH"},
                    {"AttributeName": lists.LIST_SK, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def test_a_deployment_without_trouble_is_well(deployed: Deployed) -> None:
    assert deployed.wrong() == {}
    shown = deployed("status").stdout
    assert "hooks: nothing is wrong" in shown
    assert "0 of 1 in ALARM" in shown
    assert "fanout    1     1" in shown


def test_a_function_that_does_not_run_is_shown_with_the_command_that_mends_it(deployed: Deployed) -> None:
    functions = client("lambda")
    functions.put_function_concurrency(FunctionName="hooks-fanout", ReservedConcurrentExecutions=0)
    assert deployed.wrong() == {
        "fanout does not run: its reserved concurrency is 0": (
            f"aws lambda delete-function-concurrency --function-name hooks-fanout --region {REGION}"
        )
    }
    functions.put_function_concurrency(FunctionName="hooks-fanout", ReservedConcurrentExecutions=5)
    assert deployed.wrong() == {}


def test_a_disabled_mapping_and_a_disabled_schedule_are_shown(deployed: Deployed) -> None:
    client("lambda").update_event_source_mapping(UUID=deployed.mapping, Enabled=False)
    client("events").disable_rule(Name="hooks-hourly")
    assert deployed.wrong() == {
        "fanout does not read events: the event source mapping is disabled": (
            f"aws lambda update-event-source-mapping --uuid {deployed.mapping} --enabled --region {REGION}"
        ),
        "fanout is not called: its schedule hourly is disabled": (
            f"aws events enable-rule --name hooks-hourly --region {REGION}"
        ),
    }


def test_an_alarm_is_shown_with_its_section(deployed: Deployed) -> None:
    client("cloudwatch").set_alarm_state(
        AlarmName="hooks-events-invalid", StateValue="ALARM", StateReason="-"
    )
    [text] = deployed.wrong()
    assert text.startswith("the alarm hooks-events-invalid is in ALARM for ")
    assert text.endswith(": docs/runbook.md#events-invalid")


def test_dead_letters_are_shown(deployed: Deployed) -> None:
    client("sqs").send_message(QueueUrl=deployed.queues["events-dlq"], MessageBody="{}")
    assert deployed.wrong() == {"events-dlq has 1 message": "webhooks dlq list events"}


def test_dead_deliveries_are_no_fault(deployed: Deployed) -> None:
    """They are their tenants': each endpoint that stays down has some."""
    client("sqs").send_message(QueueUrl=deployed.queues["deliveries-dlq"], MessageBody="{}")
    assert deployed.wrong() == {}


def test_unhealthy_webhooks_are_counted_by_community(deployed: Deployed) -> None:
    for number, scope in enumerate(("acme#main", "acme#main", "beta#main")):
        keys = {
            "pk": str(number),
            lists.LIST_PK: lists.unhealthy_pk(number),
            lists.LIST_SK: f"{scope}#{number}",
        }
        client("dynamodb").put_item(
            TableName="subscriptions", Item={name: {"S": value} for name, value in keys.items()}
        )
    assert "webhooks  3 not healthy: acme/main 2, beta/main 1" in deployed("status").stdout
    assert deployed("status", "--json").document["unhealthyWebhooks"]["count"] == 3


def test_the_rest_is_shown_while_a_table_is_away(deployed: Deployed) -> None:
    client("dynamodb").delete_table(TableName="subscriptions")
    [text] = deployed.wrong()
    assert text.startswith("webhooks cannot be read: dynamodb Query: ResourceNotFoundException")
    shown = deployed("status").stdout
    assert "webhooks  unknown" in shown
    assert "deliveries-dlq" in shown


@pytest.mark.parametrize("argv", [("status",), ("rollback", "--before", "2h")])
def test_a_deployment_without_a_stack_is_refused(tmp_path: Path, argv: tuple[str, ...]) -> None:
    ended = CommandLine(tmp_path)(*argv, "--url", "https://hooks.example/prod")
    assert (ended.code, "does not name a stack" in ended.stderr) == (4, True)


def test_the_index_is_that_of_the_service() -> None:
    assert (unhealthy.INDEX, unhealthy.LIST_PK, unhealthy.LIST_SK) == (
        lists.LISTS,
        lists.LIST_PK,
        lists.LIST_SK,
    )
    assert unhealthy.SHARDS == lists.SHARDS
    assert unhealthy.unhealthy_pk(3) == lists.unhealthy_pk(3)


VERSIONS = tuple(Version(str(number), number * 100.0) for number in (1, 2, 3))
STATE = FunctionState("fanout", "hooks-fanout", "3", {}, None, VERSIONS)


def targets(state: FunctionState, before: float) -> list[str]:
    return [step.target.number for step in steps_back([state], before)]


def test_a_rollback_takes_the_newest_version_of_before() -> None:
    assert targets(STATE, 300) == ["2"]
    assert targets(STATE, 250) == ["2"]
    assert targets(STATE, 200) == ["1"]


def test_a_function_that_is_older_or_has_no_version_of_before_stays() -> None:
    assert targets(STATE, 301) == []
    assert targets(STATE, 100) == []


def test_a_rollback_never_takes_a_version_that_another_one_left() -> None:
    assert targets(replace(STATE, refused=frozenset({"2"})), 300) == ["1"]


def test_a_rollback_ends_a_canary_of_an_older_live_version() -> None:
    assert targets(replace(STATE, live="2", canary={"3": 0.1}), 300) == ["2"]


def test_the_versions_that_were_left_are_in_the_description() -> None:
    left = frozenset({"2", "11"})
    assert refused_in(description_of(left)) == left
    assert refused_in("of an operator, rolled back from 3") == frozenset()
    assert refused_in("") == frozenset()
    many = description_of(frozenset(map(str, range(10**9, 10**9 + 50))))
    assert len(many) <= 256
    assert str(10**9 + 49) in many


def test_a_rollback_sets_the_alias_and_says_so(deployed: Deployed) -> None:
    functions = client("lambda")
    functions.update_function_code(FunctionName="hooks-fanout", ZipFile=code("2"))
    functions.publish_version(FunctionName="hooks-fanout")
    functions.update_alias(FunctionName="hooks-fanout", Name="live", FunctionVersion="2")
    found = functions.list_versions_by_function(FunctionName="hooks-fanout")["Versions"]
    times = {each["Version"]: each["LastModified"] for each in found}
    assert times["1"] < times["2"]
    argv = ("rollback", "--before", times["2"].replace("+0000", "Z"))
    assert deployed(*argv, "--dry-run", "--json").document["changed"] is False
    assert functions.get_alias(FunctionName="hooks-fanout", Name="live")["FunctionVersion"] == "2"
    assert deployed(*argv, "--json").document["functions"] == [{"function": "fanout", "from": "2", "to": "1"}]
    assert functions.get_alias(FunctionName="hooks-fanout", Name="live")["FunctionVersion"] == "1"
    assert "nothing was changed" in deployed(*argv).stderr


def test_an_unknown_function_is_wrong_use(deployed: Deployed) -> None:
    ended = deployed("rollback", "--before", "2h", "--function", "fan")
    assert (ended.code, "no function fan: there are fanout" in ended.stderr) == (2, True)


@pytest.mark.parametrize(
    ("logical", "name"), [("TestEventFunction", "test_event"), ("FanoutFunction", "fanout")]
)
def test_a_function_has_the_name_of_its_log_group(logical: str, name: str) -> None:
    assert function_name(logical) == name
