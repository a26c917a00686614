"""The deployer's policies: enough for every kind of resource of the stack, no data, and no more rights than it has."""

import json
import subprocess
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.template.template import ROOT, Template, listed

READ = """
import json, sys
from samcli.yamlhelper import yaml_parse
json.dump(yaml_parse(open(sys.argv[1], encoding="utf-8").read()), sys.stdout)
"""
# An action that makes each kind of resource.
MAKING = {
    "AWS::ApiGateway::Account": "apigateway:PATCH",
    "AWS::ApiGateway::ApiKey": "apigateway:POST",
    "AWS::ApiGateway::BasePathMapping": "apigateway:POST",
    "AWS::ApiGateway::Deployment": "apigateway:POST",
    "AWS::ApiGateway::DomainName": "apigateway:POST",
    "AWS::ApiGateway::RestApi": "apigateway:PUT",
    "AWS::ApiGateway::Stage": "apigateway:PATCH",
    "AWS::Budgets::Budget": "budgets:ModifyBudget",
    "AWS::CloudWatch::Alarm": "cloudwatch:PutMetricAlarm",
    "AWS::CloudWatch::Dashboard": "cloudwatch:PutDashboard",
    "AWS::CodeDeploy::Application": "codedeploy:CreateApplication",
    "AWS::CodeDeploy::DeploymentGroup": "codedeploy:CreateDeploymentGroup",
    "AWS::DynamoDB::Table": "dynamodb:CreateTable",
    "AWS::Events::Rule": "events:PutTargets",
    "AWS::IAM::ManagedPolicy": "iam:CreatePolicy",
    "AWS::IAM::Role": "iam:CreateRole",
    "AWS::KMS::Key": "kms:CreateKey",
    "AWS::Lambda::Alias": "lambda:UpdateAlias",
    "AWS::Lambda::EventSourceMapping": "lambda:CreateEventSourceMapping",
    "AWS::Lambda::Function": "lambda:CreateFunction",
    "AWS::Lambda::LayerVersion": "lambda:PublishLayerVersion",
    "AWS::Lambda::Permission": "lambda:AddPermission",
    "AWS::Lambda::Version": "lambda:PublishVersion",
    "AWS::Logs::LogGroup": "logs:CreateLogGroup",
    "AWS::Logs::MetricFilter": "logs:PutMetricFilter",
    "AWS::Route53::RecordSet": "route53:ChangeResourceRecordSets",
    "AWS::SQS::Queue": "sqs:CreateQueue",
    "AWS::SQS::QueuePolicy": "sqs:SetQueueAttributes",
    "AWS::SecretsManager::Secret": "secretsmanager:CreateSecret",
    "AWS::WAFv2::LoggingConfiguration": "wafv2:PutLoggingConfiguration",
    "AWS::WAFv2::WebACL": "wafv2:CreateWebACL",
    "AWS::WAFv2::WebACLAssociation": "wafv2:AssociateWebACL",
}
DATA = [
    "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PutItem", "sqs:ReceiveMessage",
    "sqs:SendMessage", "sqs:PurgeQueue", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue",
]  # fmt: skip
RAISING = ["iam:CreateUser", "iam:CreateAccessKey", "iam:PutUserPolicy", "iam:DeleteRolePermissionsBoundary"]
BOUNDED = {"StringEquals": {"iam:PermissionsBoundary": {"Ref": "Boundary"}}}
CHARACTERS_MAX = 6144


@pytest.fixture(scope="module")
def bootstrap() -> dict[str, Any]:
    command = [str(ROOT / ".venv-sam/bin/python"), "-c", READ, str(ROOT / "deploy/bootstrap.yaml")]
    document: dict[str, Any] = json.loads(subprocess.check_output(command))
    return document


def statements(bootstrap: dict[str, Any], *policies: str) -> list[dict[str, Any]]:
    """Return the statements, with those of conditions."""
    return [
        each["Fn::If"][1] if "Fn::If" in each else each
        for policy in policies
        for each in bootstrap["Resources"][policy]["Properties"]["PolicyDocument"]["Statement"]
    ]


def deployers(bootstrap: dict[str, Any]) -> list[dict[str, Any]]:
    return statements(bootstrap, "DeployerPolicy", "DeployerResourcesPolicy")


def allowing(bootstrap: dict[str, Any], action: str) -> list[dict[str, Any]]:
    return [
        each
        for each in deployers(bootstrap)
        if each["Effect"] == "Allow" and any(fnmatchcase(action, one) for one in listed(each["Action"]))
    ]


def test_every_kind_of_resource_can_be_made(template: Template, bootstrap: dict[str, Any]) -> None:
    kinds = {each["Type"] for each in template.document["Resources"].values()}
    assert kinds - MAKING.keys() == set()
    assert [kind for kind in sorted(kinds) if not allowing(bootstrap, MAKING[kind])] == []


@pytest.mark.parametrize("action", DATA + RAISING)
def test_no_data_is_read_and_no_right_is_raised(bootstrap: dict[str, Any], action: str) -> None:
    assert allowing(bootstrap, action) == []


@pytest.mark.parametrize("action", ["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"])
def test_a_role_gets_permissions_only_within_the_boundary(bootstrap: dict[str, Any], action: str) -> None:
    for each in allowing(bootstrap, action):
        assert each["Condition"]["StringEquals"] == BOUNDED["StringEquals"]


def test_only_policies_of_aws_and_of_the_stack_are_attached(bootstrap: dict[str, Any]) -> None:
    [statement] = allowing(bootstrap, "iam:AttachRolePolicy")
    assert len(statement["Condition"]["ArnLike"]["iam:PolicyARN"]) == 3


def test_roles_are_passed_to_three_services(bootstrap: dict[str, Any]) -> None:
    [statement] = allowing(bootstrap, "iam:PassRole")
    services = statement["Condition"]["StringEquals"]["iam:PassedToService"]
    assert sorted(services) == [f"{each}.amazonaws.com" for each in ("apigateway", "codedeploy", "lambda")]


def test_the_deployer_cannot_change_its_own_policies(bootstrap: dict[str, Any]) -> None:
    denied = [each for each in deployers(bootstrap) if each["Effect"] == "Deny"]
    assert {"iam:CreatePolicyVersion", "iam:*"} <= {
        action for each in denied for action in listed(each["Action"])
    }
    assert all("${AWS::StackName}-*" in str(each["Resource"]) for each in denied)


def test_the_boundary_has_no_rights_over_rights(bootstrap: dict[str, Any]) -> None:
    for each in statements(bootstrap, "Boundary"):
        for action in listed(each["Action"]):
            assert not action.startswith(("iam:", "sts:", "organizations:", "cloudformation:", "*"))
            assert action.startswith("kms:") is (each["Sid"] in {"ThroughServices", "SealedCredentials"})


def test_the_boundary_lets_a_role_use_the_key_directly_for_a_webhooks_credential_alone(
    bootstrap: dict[str, Any], template: Template
) -> None:
    [bound] = [each for each in statements(bootstrap, "Boundary") if each["Sid"] == "SealedCredentials"]
    roles = [
        each["Condition"]
        for role in template.function_roles().values()
        for each in template.statements(role)
        if "Null" in each.get("Condition", {})
    ]
    assert len(roles) == 3
    assert all(each == bound["Condition"] for each in roles)


def test_the_boundary_reaches_nothing_of_other_deployments_but_to_write_logs(
    bootstrap: dict[str, Any],
) -> None:
    """A role that the deployer makes has all of it: the account's other logs and releases are not the stack's."""
    everywhere = [
        action
        for each in statements(bootstrap, "Boundary")
        if "*" in listed(each["Resource"])
        for action in listed(each["Action"])
    ]
    assert [each for each in everywhere if each.endswith(":*") or each.startswith("codedeploy:")] == []
    assert {each for each in everywhere if each.startswith("logs:")} <= {
        "logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams",
        "logs:PutLogEvents",
    }  # fmt: skip


@pytest.mark.parametrize("policy", ["Boundary", "DeployerResourcesPolicy"])
def test_secrets_without_the_stacks_name_are_told_by_its_tag(bootstrap: dict[str, Any], policy: str) -> None:
    """CloudFormation names them alike in every stack: dev and prod of one account too."""
    [named] = [
        each for each in statements(bootstrap, policy) if "ServiceKeysSecret-*" in str(each["Resource"])
    ]
    assert named["Condition"] == {
        "StringEqualsIfExists": {"aws:ResourceTag/aws:cloudformation:stack-name": {"Ref": "StackName"}}
    }


def test_the_deployers_bucket_is_of_its_account(bootstrap: dict[str, Any]) -> None:
    """Buckets' names are everyone's: one of a stranger's may begin like SAM's."""
    [statement] = allowing(bootstrap, "s3:PutObject")
    assert statement["Condition"] == {
        "StringEqualsIfExists": {"aws:ResourceAccount": {"Ref": "AWS::AccountId"}}
    }


def test_records_are_changed_in_one_hosted_zone_if_any(bootstrap: dict[str, Any]) -> None:
    document = bootstrap["Resources"]["DeployerResourcesPolicy"]["Properties"]["PolicyDocument"]
    [zone] = [each for each in document["Statement"] if "Fn::If" in each]
    condition, statement, otherwise = zone["Fn::If"]
    assert condition == "HasHostedZone"
    assert otherwise == {"Ref": "AWS::NoValue"}
    assert "route53:ChangeResourceRecordSets" in statement["Action"]
    assert statement["Resource"]["Fn::Sub"].endswith(":hostedzone/${HostedZoneId}")


def test_the_boundary_has_everything_that_a_role_of_the_stack_may_do(
    template: Template, bootstrap: dict[str, Any]
) -> None:
    most = [one for each in statements(bootstrap, "Boundary") for one in listed(each["Action"])]
    needed = {
        action
        for role in template.decided({"Canary": "true"}).resources("AWS::IAM::Role").values()
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        for action in listed(statement["Action"])
    }
    assert [each for each in sorted(needed) if not any(fnmatchcase(each, one) for one in most)] == []


def test_github_is_trusted_for_one_environment_of_one_repository(bootstrap: dict[str, Any]) -> None:
    [statement] = bootstrap["Resources"]["Deployer"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    equal = statement["Condition"]["StringEquals"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert equal["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
    subject = equal["token.actions.githubusercontent.com:sub"]["Fn::Sub"]
    assert subject == "repo:${GitHubRepository}:environment:${GitHubEnvironment}"


@pytest.mark.parametrize("name", ["Boundary", "DeployerPolicy", "DeployerResourcesPolicy"])
def test_a_policy_fits(bootstrap: dict[str, Any], name: str) -> None:
    """With the longest names: AWS counts the characters without white space."""
    text = json.dumps(statements(bootstrap, name), separators=(",", ":"))
    text = (
        text.replace('{"Fn::Sub":', "")
        .replace("${StackName}", "s" * 30)
        .replace("${AWS::StackName}", "s" * 30)
    )
    text = text.replace("${AWS::Region}", "ap-southeast-2").replace("${AWS::AccountId}", "1" * 12)
    text = text.replace("${AWS::Partition}", "aws")
    assert len(text) < CHARACTERS_MAX
