"""Releases: without Canary nothing of CodeDeploy exists; with it each function is checked, shifted and rolled back."""

import re
from typing import Any

import pytest

from tests.template.template import Template, referred, translations
from tests.template.test_functions import SETTINGS

CHECK = "PreTrafficFunction"
RELEASED = [name for name in SETTINGS if name != CHECK]
EVENT_PATH = ["FanoutFunction", "DispatcherFunction", "RecoveryFunction"]
WITHOUT, WITH, LINEAR = translations(
    [
        {"layers": [], "parameters": {"Canary": "false"}},
        {"layers": [], "parameters": {"Canary": "true"}},
        {"layers": [], "parameters": {"Canary": "true", "CanaryType": "Linear10PercentEvery3Minutes"}},
    ]
)


def types(template: Template) -> set[str]:
    return {each["Type"] for each in template.document["Resources"].values()}


def group(function: str, template: Template = WITH) -> dict[str, Any]:
    return template.resources("AWS::CodeDeploy::DeploymentGroup")[f"{function}DeploymentGroup"]


def alarms_of(function: str) -> list[str]:
    return [referred(each["Name"]) for each in group(function)["AlarmConfiguration"]["Alarms"]]


def references(value: Any) -> set[str]:
    """The logical ids that a value refers to by Ref or GetAtt."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return {name}
        case dict():
            return {name for each in value.values() for name in references(each)}
        case list():
            return {name for each in value for name in references(each)}
    return set()


def test_without_canary_no_resource_of_codedeploy_is_made() -> None:
    assert not [each for each in types(WITHOUT) if "CodeDeploy" in each]
    assert not [name for name, each in WITHOUT.document["Resources"].items() if "UpdatePolicy" in each]


def test_without_canary_nothing_that_is_made_refers_to_what_is_not() -> None:
    absent = {
        name
        for name, each in WITHOUT.document["Resources"].items()
        if each.get("Condition") == "ReleasesByCanary"
    }
    assert {CHECK, "PreTrafficRole", "CodeDeployRole", "WebhooksCanaryAlarm"} <= absent
    for name, each in WITHOUT.document["Resources"].items():
        if name not in absent:
            assert not references(each) & absent, name


def test_canary_changes_no_function_and_publishes_no_version() -> None:
    for resource_type in ("AWS::Lambda::Function", "AWS::Lambda::Version"):
        assert WITH.resources(resource_type) == WITHOUT.resources(resource_type)


@pytest.mark.parametrize("function", RELEASED)
def test_an_alias_is_shifted_by_codedeploy_after_the_check(function: str) -> None:
    policy = WITH.attributes(f"{function}Aliaslive")["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]

    assert policy["BeforeAllowTrafficHook"] == {"Ref": CHECK}
    assert policy["DeploymentGroupName"] == {"Ref": f"{function}DeploymentGroup"}


@pytest.mark.parametrize("function", RELEASED)
def test_a_failed_check_and_an_alarm_roll_back(function: str) -> None:
    rollback = group(function)["AutoRollbackConfiguration"]

    assert rollback["Enabled"] is True
    assert {"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"} <= set(rollback["Events"])
    assert group(function)["AlarmConfiguration"]["Enabled"] is True


@pytest.mark.parametrize("function", RELEASED)
def test_a_rollback_alarm_looks_at_the_new_version_of_its_own_alias(function: str) -> None:
    own = f"{function.removesuffix('Function')}CanaryAlarm"
    assert own in alarms_of(function)

    alarm = WITH.resources("AWS::CloudWatch::Alarm")[own]

    dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
    version = WITH.attributes(f"{function}Aliaslive")["Properties"]["FunctionVersion"]
    assert alarm["MetricName"] == "Errors"
    assert dimensions == {
        "FunctionName": {"Ref": function},
        "Resource": {"Fn::Sub": f"${{{function}}}:live"},
        "ExecutedVersion": version,
    }


def test_a_rollback_alarm_has_the_name_of_its_id_and_leads_to_the_page_of_releases() -> None:
    alarms = WITH.resources("AWS::CloudWatch::Alarm")
    for name in {each for function in RELEASED for each in alarms_of(function)}:
        assert WITH.attributes(name)["Condition"] == "ReleasesByCanary"
        kebab = re.sub(r"(?<!^)(?=[A-Z])", "-", name.removesuffix("Alarm")).lower()
        assert alarms[name]["AlarmName"] == {"Fn::Sub": f"${{AWS::StackName}}-{kebab}"}
        assert alarms[name]["AlarmDescription"].endswith(". docs/releases.md#canary")


@pytest.mark.parametrize("function", EVENT_PATH)
def test_a_function_of_a_queue_is_rolled_back_by_its_dead_letters_too(function: str) -> None:
    assert f"{function.removesuffix('Function')}DeadLettersCanaryAlarm" in alarms_of(function)


def test_no_alarm_that_is_on_without_a_fault_of_ours_stops_a_release() -> None:
    """A message in a DLQ stays for days: CodeDeploy ends a deployment at once while one of its alarms is on."""
    for function in RELEASED:
        for name in alarms_of(function):
            text = str(WITH.resources("AWS::CloudWatch::Alarm")[name])
            assert "ApproximateNumberOfMessages" not in text, name
            assert WITH.resources("AWS::CloudWatch::Alarm")[name]["TreatMissingData"] == "notBreaching", name


def test_the_lines_of_level_error_of_every_function_are_counted() -> None:
    filters = WITH.resources("AWS::Logs::MetricFilter").values()
    [metric] = [
        (each["Namespace"], each["MetricName"])
        for name, each in WITH.resources("AWS::CloudWatch::Alarm").items()
        if name == "ErrorLinesCanaryAlarm"
    ]

    groups = {
        referred(each["LoggingConfig"]["LogGroup"])
        for name, each in WITH.resources("AWS::Lambda::Function").items()
        if name != CHECK
    }
    assert {referred(each["LogGroupName"]) for each in filters} == groups
    for each in filters:
        assert each["FilterPattern"] == '{ $.level = "ERROR" }'
        [made] = each["MetricTransformations"]
        assert (made["MetricNamespace"], made["MetricName"]) == metric


def test_every_way_to_shift_traffic_is_one_of_codedeploys() -> None:
    """CodeDeploy's predefined configurations for Lambda, by their names without the common beginning."""
    assert WITH.parameters["CanaryType"]["AllowedValues"] == [
        "Canary10Percent5Minutes",
        "Canary10Percent10Minutes",
        "Canary10Percent15Minutes",
        "Canary10Percent30Minutes",
        "Linear10PercentEvery1Minute",
        "Linear10PercentEvery2Minutes",
        "Linear10PercentEvery3Minutes",
        "Linear10PercentEvery10Minutes",
        "AllAtOnce",
    ]
    name = {
        "Fn::Sub": ["CodeDeployDefault.Lambda${ConfigName}", {"ConfigName": "Linear10PercentEvery3Minutes"}]
    }
    assert group("WebhooksFunction", LINEAR)["DeploymentConfigName"] == name


def test_codedeploy_acts_by_a_role_of_ours_that_may_shift_and_check_only() -> None:
    for function in RELEASED:
        assert group(function)["ServiceRoleArn"] == {"Fn::GetAtt": ["CodeDeployRole", "Arn"]}
    assert "CodeDeployServiceRole" not in WITH.document["Resources"]

    allowed = {
        action: {referred(each) for each in statement["Resource"]}
        for statement in WITH.statements("CodeDeployRole")
        for action in statement["Action"]
    }
    shifted = {*RELEASED, *(f"${{{each}.Arn}}:*" for each in RELEASED)}
    assert allowed == {
        "lambda:GetAlias": shifted,
        "lambda:UpdateAlias": shifted,
        "lambda:GetProvisionedConcurrencyConfig": shifted,
        "lambda:InvokeFunction": {CHECK, f"${{{CHECK}.Arn}}:*"},
        "cloudwatch:DescribeAlarms": {"*"},
    }


def test_the_check_may_invoke_versions_and_report_only() -> None:
    allowed = {
        action: {referred(each) for each in statement["Resource"]}
        for statement in WITH.statements("PreTrafficRole")
        for action in statement["Action"]
        if not action.startswith(("logs:", "xray:"))
    }
    assert allowed["lambda:InvokeFunction"] == {f"${{{each}.Arn}}:*" for each in RELEASED}
    assert allowed.keys() == {
        "lambda:InvokeFunction",
        "codedeploy:GetDeployment",
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "codedeploy:GetApplicationRevision",
    }
    for action, resources in allowed.items():
        if action.startswith("codedeploy:"):
            assert all("${AWS::StackName}-ServerlessDeploymentApplication-*" in each for each in resources)
