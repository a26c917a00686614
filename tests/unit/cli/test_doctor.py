"""`webhooks doctor`: every check has a stack where it is ok and one where it is not, with the command that mends it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.unit.cli.command_line import CommandLine
from webhooks_cli import __version__
from webhooks_cli.aws import Account
from webhooks_cli.doctor.examination import CHECKS
from webhooks_cli.doctor.findings import FAILED, OK, WARNING

ARN = "arn:aws:cloudformation:eu-west-1:111122223333:stack/hooks/1"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/k1"
QUEUES = ("Events", "Deliveries", "SlowDeliveries", "Recovery")
DLQS = ("EventsDlq", "DeliveriesDlq", "RecoveryDlq")
Responses = dict[tuple[str, str], Any]
Finding = dict[str, str]


def queue_url(name: str) -> str:
    return f"https://sqs.eu-west-1.amazonaws.com/111122223333/hooks-{name}"


def resource(kind: str, logical: str, physical: str) -> dict[str, str]:
    return {"ResourceType": kind, "LogicalResourceId": logical, "PhysicalResourceId": physical}


def healthy() -> Responses:
    """The responses of AWS about a stack without any trouble, by service and method."""
    outputs = {
        "ApiUrl": "https://api.example.com/prod",
        "KeyArn": KEY,
        "Version": __version__,
        "CredentialsPrefix": "hooks/credentials/",
        "SubscriptionsTable": "hooks-Subscriptions",
        **{f"{name}QueueUrl": queue_url(name) for name in QUEUES},
        **{f"{name}Url": queue_url(name) for name in DLQS},
    }
    version = {"CodeSha256": "a", "Environment": {"Variables": {"A": "1"}}, "Timeout": 25}
    secret = {"ARN": "arn:secret", "KmsKeyId": KEY}
    bound = [
        {"Key": "webhooks:table", "Value": "hooks-Subscriptions"},
        {"Key": "webhooks:stack", "Value": ARN},
    ]
    return {
        ("cloudformation", "describe_stacks"): {
            "Stacks": [
                {
                    "StackId": ARN,
                    "StackStatus": "UPDATE_COMPLETE",
                    "EnableTerminationProtection": True,
                    "Parameters": [{"ParameterKey": "ThrottlingRate", "ParameterValue": "100"}],
                    "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
                }
            ]
        },
        ("cloudformation", "list_stack_resources"): {
            "StackResourceSummaries": [
                resource("AWS::Lambda::Function", "FanoutFunction", "hooks-Fanout"),
                resource("AWS::Lambda::EventSourceMapping", "FanoutFunctionEvents", "uuid-1"),
                resource("AWS::Events::Rule", "MaintenanceFunctionHourly", "hooks-Hourly"),
                resource("AWS::DynamoDB::Table", "SubscriptionsTable", "hooks-Subscriptions"),
                resource("AWS::DynamoDB::Table", "DeliveriesTable", "hooks-Deliveries"),
                resource("AWS::SecretsManager::Secret", "ServiceKeysSecret", "arn:secret"),
                resource("AWS::CloudWatch::Alarm", "EventsQueueAgeAlarm", "hooks-events-queue-age"),
                resource("AWS::ApiGateway::RestApi", "Api", "api1"),
                resource("AWS::ApiGateway::Stage", "ApiStage", "prod"),
                resource("AWS::Budgets::Budget", "Budget", "hooks"),
            ]
        },
        ("lambda", "get_account_settings"): {
            "AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}
        },
        ("lambda", "get_event_source_mapping"): {
            "UUID": "uuid-1",
            "State": "Enabled",
            "EventSourceArn": "arn:aws:sqs:eu-west-1:111122223333:hooks-Events",
            "FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:hooks-Fanout:live",
            "ScalingConfig": {"MaximumConcurrency": 110},
        },
        ("lambda", "get_function_concurrency"): {},
        ("lambda", "get_alias"): {"FunctionVersion": "10"},
        ("lambda", "list_versions_by_function"): {
            "Versions": [{"Version": each, **version} for each in ("$LATEST", "9", "10")]
        },
        ("apigateway", "get_account"): {
            "cloudwatchRoleArn": "arn:role",
            "throttleSettings": {"rateLimit": 10000.0},
        },
        ("apigateway", "get_stage"): {"webAclArn": "arn:acl"},
        ("events", "describe_rule"): {"State": "ENABLED"},
        ("cloudwatch", "describe_alarms"): {
            "MetricAlarms": [
                {
                    "AlarmName": "hooks-events-queue-age",
                    "AlarmActions": ["arn:topic"],
                    "ActionsEnabled": True,
                    "StateValue": "OK",
                    "AlarmDescription": "Events have waited. docs/runbook.md#events-queue-age",
                }
            ]
        },
        ("cloudwatch", "get_metric_data"): {"MetricDataResults": [{"Id": "m0", "Values": [0.0]}]},
        ("sqs", "get_queue_attributes"): {"Attributes": {"ApproximateNumberOfMessages": "0"}},
        ("kms", "describe_key"): {"KeyMetadata": {"KeyState": "Enabled"}},
        ("kms", "get_key_rotation_status"): {"KeyRotationEnabled": True},
        ("dynamodb", "describe_continuous_backups"): {
            "ContinuousBackupsDescription": {
                "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"}
            }
        },
        ("dynamodb", "describe_time_to_live"): {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED"}},
        ("dynamodb", "describe_table"): {"Table": {"DeletionProtectionEnabled": True}},
        ("secretsmanager", "describe_secret"): secret,
        ("secretsmanager", "list_secrets"): {
            "SecretList": [{"Name": "hooks/credentials/acme/main/1", "Tags": bound}]
        },
    }


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


class Client:
    def __init__(self, service: str, responses: Responses) -> None:
        self._service, self._responses = service, responses

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def answer(**arguments: Any) -> Any:
            found = self._responses[self._service, method]
            found = found(**arguments) if callable(found) else found
            if isinstance(found, Exception):
                raise found
            return copy.deepcopy(found)

        return answer


class Doctor:
    def __init__(self, webhooks: CommandLine, responses: Responses) -> None:
        self.webhooks, self.responses = webhooks, responses
        self.health: tuple[int, bytes] | Exception = (200, b"{}")

    def __call__(self, *argv: str) -> Any:
        return self.webhooks("doctor", "--stack", "hooks", "--region", "eu-west-1", *argv)

    def findings(self, check: str) -> list[Finding]:
        found: list[Finding] = self("--json").document["findings"]
        return [each for each in found if each["check"] == check]


@pytest.fixture
def doctor(webhooks: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    made = Doctor(webhooks, healthy())

    def ask(_method: str, _url: str, **_: Any) -> Any:
        if isinstance(made.health, Exception):
            raise made.health
        status, data = made.health
        return urllib3.HTTPResponse(body=data, status=status, preload_content=True)

    monkeypatch.setattr(Account, "_client", lambda _self, service: Client(service, made.responses))
    monkeypatch.setattr(urllib3, "request", ask)
    return made


def test_a_healthy_stack_is_ok_in_every_check_and_ends_with_0(doctor: Doctor) -> None:
    ended = doctor("--json")
    assert [each for each in ended.document["findings"] if each["state"] != OK] == []
    assert {each["check"] for each in ended.document["findings"]} == {name for name, _ in CHECKS}
    assert ended.document["counts"] == {FAILED: 0, WARNING: 0, OK: len(CHECKS)}
    assert ended.code == 0


def test_a_stack_of_the_cheapest_settings_is_ok(doctor: Doctor) -> None:
    """Without a key of its own, without backups of the log, and without a limit of a queue's readers."""
    stack = doctor.responses["cloudformation", "describe_stacks"]["Stacks"][0]
    stack["Outputs"] = [each for each in stack["Outputs"] if each["OutputKey"] != "KeyArn"]
    chosen = {"EncryptionKey": "AwsOwned", "LogBackups": "false"}
    stack["Parameters"] += [{"ParameterKey": key, "ParameterValue": value} for key, value in chosen.items()]
    doctor.responses["secretsmanager", "describe_secret"].pop("KmsKeyId")
    doctor.responses["lambda", "get_event_source_mapping"].pop("ScalingConfig")
    backups = doctor.responses["dynamodb", "describe_continuous_backups"]

    def described(TableName: str) -> Any:  # noqa: N803 - boto3's name
        return {"ContinuousBackupsDescription": {}} if "Deliveries" in TableName else backups

    doctor.responses["dynamodb", "describe_continuous_backups"] = described
    found = {each["check"]: each for each in doctor("--json").document["findings"]}
    assert {each["state"] for each in found.values()} == {OK}
    assert "AwsOwned" in found["key"]["text"]
    assert found["secrets"]["text"].startswith("The secret of the service exists")
    assert "DeliveriesTable (LogBackups=false)" in found["backups"]["text"]
    assert "without a limit for hooks-Fanout" in found["concurrency"]["text"]
    stack["Parameters"].pop()
    assert doctor.findings("backups")[0]["state"] == FAILED


def stack_with(**fields: Any) -> Callable[[Responses], None]:
    return lambda responses: responses["cloudformation", "describe_stacks"]["Stacks"][0].update(fields)


def output(name: str, value: str) -> Callable[[Responses], None]:
    def change(responses: Responses) -> None:
        outputs = responses["cloudformation", "describe_stacks"]["Stacks"][0]["Outputs"]
        outputs[:] = [each for each in outputs if each["OutputKey"] != name]
        outputs.append({"OutputKey": name, "OutputValue": value})

    return change


def without(kind: str) -> Callable[[Responses], None]:
    def change(responses: Responses) -> None:
        listed = responses["cloudformation", "list_stack_resources"]["StackResourceSummaries"]
        listed[:] = [each for each in listed if each["ResourceType"] != kind]

    return change


def answer(service: str, method: str, response: Any) -> Callable[[Responses], None]:
    return lambda responses: responses.update({(service, method): response})


def parts(service: str, method: str, **fields: Any) -> Callable[[Responses], None]:
    return lambda responses: responses[service, method].update(fields)


def limit(whole: int, unreserved: int) -> Callable[[Responses], None]:
    quota = {"ConcurrentExecutions": whole, "UnreservedConcurrentExecutions": unreserved}
    return answer("lambda", "get_account_settings", {"AccountLimit": quota})


def alarm(**fields: Any) -> Callable[[Responses], None]:
    return lambda responses: responses["cloudwatch", "describe_alarms"]["MetricAlarms"][0].update(fields)


def sealing(responses: Responses) -> None:
    [stack] = responses["cloudformation", "describe_stacks"]["Stacks"]
    stack["Parameters"].append({"ParameterKey": "CredentialStore", "ParameterValue": "Table"})


def depth(url: str, count: str) -> Callable[[Responses], None]:
    def attributes(QueueUrl: str, **_: Any) -> Any:  # noqa: N803 - boto3's name
        return {"Attributes": {"ApproximateNumberOfMessages": count if QueueUrl == url else "0"}}

    return answer("sqs", "get_queue_attributes", attributes)


def age(seconds: int) -> Callable[[Responses], None]:
    def change(responses: Responses) -> None:
        depth(queue_url("Events"), "3")(responses)
        metric = {"MetricDataResults": [{"Id": "q0", "Values": [float(seconds)]}]}
        responses["cloudwatch", "get_metric_data"] = metric

    return change


def latest(**fields: Any) -> Callable[[Responses], None]:
    return lambda responses: responses["lambda", "list_versions_by_function"]["Versions"][0].update(fields)


TROUBLES = [
    ("stack", stack_with(StackStatus="UPDATE_ROLLBACK_COMPLETE"), FAILED, "rolled back", "describe-stack-events"),
    ("stack", stack_with(StackStatus="UPDATE_ROLLBACK_FAILED"), FAILED, "UPDATE_ROLLBACK_FAILED", "deployment.md"),
    ("stack", stack_with(StackStatus="CREATE_IN_PROGRESS"), WARNING, "under way", "wait"),
    ("version", output("Version", "0.0.9"), WARNING, "has the version 0.0.9", "git checkout v0.0.9"),
    ("deletion of the stack", stack_with(EnableTerminationProtection=False), WARNING, "delete the stack",
     "update-termination-protection --enable-termination-protection --stack-name hooks --region eu-west-1"),
    ("concurrency", limit(10, 10), FAILED, "leave none for the API", "L-B99A9384"),
    ("concurrency", limit(150, 150), WARNING, "leave 40 for the API", "request-service-quota-increase"),
    ("concurrency", parts("lambda", "get_function_concurrency", ReservedConcurrentExecutions=20), WARNING,
     "may run 110 at once; 20 are reserved", "make deploy"),
    ("API quota", parts("apigateway", "get_account", throttleSettings={"rateLimit": 50.0}), WARNING,
     "ThrottlingRate is 100", "ThrottlingRate=50"),
    ("API log role", parts("apigateway", "get_account", cloudwatchRoleArn=""), FAILED, "no role",
     "ApiGatewayLogsRole=Create"),
    ("versions", parts("lambda", "get_alias", FunctionVersion="9"), FAILED,
     "FanoutFunction: live is at version 9, the newest is 10", "make deploy"),
    ("versions", parts("lambda", "get_alias", RoutingConfig={"AdditionalVersionWeights": {"9": 0.1}}), WARNING,
     "shifts its calls", "wait"),
    ("versions", latest(Timeout=30), WARNING, "changed by hand, which live does not show: Timeout", "make deploy"),
    ("queue readers", parts("lambda", "get_event_source_mapping", State="Disabled"), FAILED,
     "Nothing reads hooks-Events", "update-event-source-mapping --enabled --uuid uuid-1"),
    ("queue readers", without("AWS::Lambda::EventSourceMapping"), FAILED, "no event source mapping", "make deploy"),
    ("schedules", parts("events", "describe_rule", State="DISABLED"), FAILED,
     "MaintenanceFunctionHourly is disabled", "events enable-rule --name hooks-Hourly"),
    ("schedules", without("AWS::Events::Rule"), FAILED, "no schedule", "make deploy"),
    ("alarms", without("AWS::CloudWatch::Alarm"), WARNING, "no alarm", "make deploy"),
    ("alarms", alarm(AlarmActions=[]), WARNING, "1 of 1 alarms notify nothing", "AlarmTopicArn"),
    ("alarms", alarm(ActionsEnabled=False), WARNING, "1 of 1 alarms notify nothing", "AlarmTopicArn"),
    ("alarms", alarm(AlarmName="hooks-other"), FAILED, "hooks-events-queue-age does not exist", "make deploy"),
    ("alarm states", alarm(StateValue="ALARM"), FAILED, "is in ALARM: Events have waited.",
     "docs/runbook.md#events-queue-age"),
    ("dead letters", depth(queue_url("EventsDlq"), "3"), WARNING, "events-dlq has about 3 messages",
     "webhooks dlq list events --stack hooks --region eu-west-1"),
    ("age of messages", age(1000), WARNING, "The oldest message in events", "webhooks health"),
    ("age of messages", age(4 * 86400), FAILED, "SQS deletes it after 7 days", "webhooks health"),
    ("key", parts("kms", "describe_key", KeyMetadata={"KeyState": "Disabled"}), FAILED, "Disabled", "enable-key"),
    ("key", parts("kms", "describe_key", KeyMetadata={"KeyState": "PendingDeletion"}), FAILED,
     "about to be deleted", "cancel-key-deletion"),
    ("key rotation", parts("kms", "get_key_rotation_status", KeyRotationEnabled=False), FAILED, "not rotated",
     "enable-key-rotation"),
    ("backups", answer("dynamodb", "describe_continuous_backups", {"ContinuousBackupsDescription": {}}), FAILED,
     "SubscriptionsTable cannot be restored", "update-continuous-backups --table-name hooks-Subscriptions"),
    ("expiry", answer("dynamodb", "describe_time_to_live", {"TimeToLiveDescription": {}}), FAILED,
     "Items of DeliveriesTable never expire", "update-time-to-live --table-name hooks-Deliveries"),
    ("deletion of tables", answer("dynamodb", "describe_table", {"Table": {}}), WARNING,
     "SubscriptionsTable, DeliveriesTable", "DeletionProtection=true"),
    ("secrets", answer("secretsmanager", "describe_secret", {"DeletedDate": "today"}), FAILED,
     "ServiceKeysSecret is about to be deleted", "restore-secret --secret-id arn:secret"),
    ("secrets", parts("secretsmanager", "describe_secret", KmsKeyId="alias/other"), FAILED,
     "not under the stack's key", f"--kms-key-id {KEY}"),
    ("secrets", answer("secretsmanager", "describe_secret", refusal("ResourceNotFoundException")), FAILED,
     "ServiceKeysSecret does not exist", "docs/restore.md"),
    ("credentials", answer("secretsmanager", "list_secrets",
     {"SecretList": [{"Name": "hooks/credentials/acme/main/1", "Tags": []}]}), WARNING,
     "1 of 1 credentials' secrets are not bound", "docs/restore.md"),
    ("credentials", sealing, WARNING, "1 are still secrets", "webhooks credentials migrate --to table --stack hooks"),
    ("orphaned credentials", answer("cloudwatch", "get_metric_data",
     {"MetricDataResults": [{"Id": "m0", "Values": [1.0]}]}), FAILED, "stopped", "logs tail /hooks/maintenance"),
    ("orphaned credentials", answer("cloudwatch", "get_metric_data",
     {"MetricDataResults": [{"Id": "m3", "Values": [2.0]}]}), WARNING, "2 credentials have no webhook",
     "docs/restore.md"),
    ("orphaned credentials", answer("cloudwatch", "get_metric_data", {"MetricDataResults": []}), WARNING,
     "cannot be checked here", "logs tail /hooks/maintenance"),
    ("firewall", answer("apigateway", "get_stage", {}), WARNING, "No web ACL", "docs/guards.md"),
    ("budget", without("AWS::Budgets::Budget"), WARNING, "No budget", "MonthlyBudget"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "change", "state", "text", "mend"), TROUBLES, ids=[f"{each[0]}: {each[3]}" for each in TROUBLES]
)
def test_trouble_is_found_with_the_command_that_mends_it(  # noqa: PLR0917 - pytest passes them by name
    doctor: Doctor, check: str, change: Callable[[Responses], None], state: str, text: str, mend: str
) -> None:
    change(doctor.responses)
    found = doctor.findings(check)
    assert {each["state"] for each in found} == {state}
    assert text in found[0]["text"]
    assert mend in found[0]["mend"]


def test_every_check_has_a_stack_where_it_is_not_ok() -> None:
    assert {each[0] for each in TROUBLES} | {"API"} == {name for name, _ in CHECKS}


@pytest.mark.parametrize(
    ("health", "text"),
    [
        ((503, b'{"services":"EventsQueue"}'), "responds with 503"),
        (urllib3.exceptions.ConnectTimeoutError(), "does not respond"),
    ],
)
def test_an_api_that_fails_is_found(doctor: Doctor, health: Any, text: str) -> None:
    doctor.health = health
    [found] = doctor.findings("API")
    assert found["state"] == FAILED
    assert text in found["text"]


def test_something_failed_ends_with_1_and_comes_first(doctor: Doctor) -> None:
    TROUBLES[0][1](doctor.responses)
    ended = doctor()
    assert ended.code == 1
    first, command, second, *_ = ended.stdout.splitlines()
    assert first.startswith("failed   stack: ")
    assert command.startswith("    ")  # whole and on a line of its own, in any width
    assert second.startswith("ok       ")
    assert f"hooks: 1 failed, 0 warnings, {len(CHECKS) - 1} ok" in ended.stderr


def test_warnings_alone_end_with_0(doctor: Doctor) -> None:
    output("Version", "0.0.9")(doctor.responses)
    assert doctor().code == 0


CALLS = sorted({key for key in healthy() if key[0] not in {"cloudformation", "sqs"}})


@pytest.mark.parametrize(("service", "method"), CALLS, ids=[".".join(each) for each in CALLS])
def test_a_missing_permission_is_a_sentence_with_its_action(
    doctor: Doctor, service: str, method: str
) -> None:
    doctor.responses[service, method] = refusal("AccessDeniedException")
    ended = doctor("--json")
    denied = [each for each in ended.document["findings"] if each["state"] != OK]
    assert denied
    action = "GET" if service == "apigateway" else "".join(each.title() for each in method.split("_"))
    for each in denied:
        assert each["state"] == WARNING
        assert each["text"] == f"cannot be checked: the permission {service}:{action} is missing."
        assert "OperatorPolicyArn" in each["mend"]
    assert ended.code == 0


@pytest.mark.parametrize(("service", "method"), CALLS, ids=[".".join(each) for each in CALLS])
@pytest.mark.parametrize(
    "response",
    [
        refusal("UnknownOperationException"),
        EndpointConnectionError(endpoint_url="http://x"),
        {},
        {"Versions": [{}]},
    ],
)
def test_an_unknown_response_is_a_warning_and_no_crash(
    doctor: Doctor, service: str, method: str, response: Any
) -> None:
    doctor.responses[service, method] = response
    ended = doctor("--json")
    assert ended.code in {0, 1}
    if isinstance(response, Exception):
        troubled = [each for each in ended.document["findings"] if each["state"] != OK]
        assert troubled
        assert all("cannot be checked here" in each["text"] for each in troubled)


def test_a_resource_that_is_gone_is_a_failure(doctor: Doctor) -> None:
    doctor.responses["lambda", "get_alias"] = refusal("ResourceNotFoundException")
    [found] = doctor.findings("versions")
    assert (found["state"], "does not exist" in found["text"]) == (FAILED, True)


def test_a_stack_that_does_not_exist_ends_with_4(doctor: Doctor) -> None:
    error = ClientError(
        {"Error": {"Code": "ValidationError", "Message": "Stack with id hooks does not exist"}},
        "DescribeStacks",
    )
    doctor.responses["cloudformation", "describe_stacks"] = error
    ended = doctor()
    assert ended.code == 4
    assert "does not exist" in ended.stderr


def test_a_deployment_without_a_stack_is_named(webhooks: CommandLine) -> None:
    ended = webhooks("doctor", "--url", "https://api.example.com/prod")
    assert ended.code == 4
    assert "names no stack" in ended.stderr


def test_dead_deliveries_are_no_finding(doctor: Doctor) -> None:
    """Each endpoint that stays down has some for 14 days: they are its tenant's."""
    depth(queue_url("DeliveriesDlq"), "3")(doctor.responses)
    [found] = doctor.findings("dead letters")
    assert found["state"] == OK
