"""Producers of other accounts and of an organization may send to the events queue, and nothing else."""

from typing import Any

import pytest

from tests.template.template import Template, listed, referred, resolve
from webhooks_cli.register import ATTRIBUTES

VALUES = {"ProducerAccounts": "111111111111,222222222222", "ProducerOrganization": "o-a1b2c3d4e5"}
SQS = {"Fn::Sub": "sqs.${AWS::Region}.amazonaws.com"}
SIDS = ("ProducerAccounts", "ProducerOrganization")
VPC = {"VpcSubnetIds": "subnet-0123456789abcdef0"}  # with it, the stack has its third policy


def queue_statements(template: Template) -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, statement)
        for name, policy in template.resources("AWS::SQS::QueuePolicy").items()
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def key_statements(template: Template) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = template.resources("AWS::KMS::Key")["Key"]["KeyPolicy"]["Statement"]
    return statements


def producers(statements: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["Sid"]: each for each in statements if each["Sid"] in SIDS}


def test_by_default_no_other_account_may_send(template: Template) -> None:
    by_default = template.by_default
    assert not producers([statement for _, statement in queue_statements(by_default)])
    assert not producers(key_statements(by_default))


@pytest.mark.parametrize("name", SIDS)
def test_one_parameter_allows_its_own_producers_only(template: Template, name: str) -> None:
    with_one = template.decided({name: VALUES[name]})
    assert producers([statement for _, statement in queue_statements(with_one)]).keys() == {name}
    assert producers(key_statements(with_one)).keys() == {name}


def test_producers_may_send_to_the_events_queue_and_nothing_else(template: Template) -> None:
    found = [
        (policy, statement)
        for policy, statement in queue_statements(template.decided(VALUES))
        if statement["Sid"] in SIDS
    ]
    assert {policy for policy, _ in found} == {"EventsQueuePolicy"}
    for _, statement in found:
        assert listed(statement["Action"]) == ["sqs:SendMessage"]
        assert referred(statement["Resource"]) == "EventsQueue"


def test_producers_use_the_key_through_the_queue_only(template: Template) -> None:
    for statement in producers(key_statements(template.decided(VALUES))).values():
        assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
        assert statement["Condition"]["StringEquals"]["kms:ViaService"] == SQS


def test_accounts_are_principals_of_their_own(template: Template) -> None:
    whole = template.decided(VALUES)
    for statements in ([each for _, each in queue_statements(whole)], key_statements(whole)):
        principal = producers(statements)["ProducerAccounts"]["Principal"]
        assert resolve(principal, VALUES) == {"AWS": {"Fn::Split": [",", VALUES["ProducerAccounts"]]}}


def test_everyone_is_a_producer_only_within_the_organization(template: Template) -> None:
    whole = template.decided(VALUES)
    for statements in ([each for _, each in queue_statements(whole)], key_statements(whole)):
        public = [
            each
            for each in statements
            if each["Effect"] == "Allow" and "*" in str(each["Principal"].get("AWS", ""))
        ]
        assert [each["Sid"] for each in public] == ["ProducerOrganization"]
        assert public[0]["Condition"]["StringEquals"]["aws:PrincipalOrgID"] == {"Ref": "ProducerOrganization"}


def managed(template: Template, name: str) -> list[dict[str, Any]]:
    statements: list[dict[str, Any]]
    statements = template.decided(VPC).resources("AWS::IAM::ManagedPolicy")[name]["PolicyDocument"][
        "Statement"
    ]
    return statements


def test_a_publisher_may_send_events_and_nothing_else(template: Template) -> None:
    send, key = managed(template, "PublisherPolicy")
    assert (send["Action"], referred(send["Resource"])) == (["sqs:SendMessage"], "EventsQueue")
    assert key["Condition"] == {"StringEquals": {"kms:ViaService": SQS}}


def test_an_operator_reads_no_secret_and_no_webhook(template: Template) -> None:
    for statement in managed(template, "OperatorPolicy"):
        assert "secretsmanager:GetSecretValue" not in statement["Action"]
        if set(statement["Action"]) & {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Scan"}:
            assert referred(statement["Resource"]) == "AccessTable"
        assert not {"dynamodb:GetItem", "dynamodb:BatchGetItem"} & set(statement["Action"])
        if "dynamodb:Query" in statement["Action"]:  # of an index that has keys alone
            assert referred(statement["Resource"]) == "${SubscriptionsTable.Arn}/index/lists"


def test_an_operator_takes_messages_from_dead_letter_queues_only(template: Template) -> None:
    for statement in managed(template, "OperatorPolicy"):
        if {"sqs:ReceiveMessage", "sqs:DeleteMessage"} & set(statement["Action"]):
            assert all(referred(each).endswith("Dlq") for each in listed(statement["Resource"]))


def test_an_operator_lists_the_attributes_of_licenses_and_no_others(template: Template) -> None:
    [scan] = [each for each in managed(template, "OperatorPolicy") if "dynamodb:Scan" in each["Action"]]
    assert scan["Condition"] == {
        "StringEquals": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
        "ForAllValues:StringEquals": {"dynamodb:Attributes": list(ATTRIBUTES)},
    }


def test_a_managed_policy_has_no_wildcard_action_and_fits(template: Template) -> None:
    for name in template.resources("AWS::IAM::ManagedPolicy"):
        statements = managed(template, name)
        assert not [action for each in statements for action in each["Action"] if "*" in action]
        # AWS counts 6,144 characters without white space; a resolved ARN is longer than its reference.
        arns = sum(len(listed(each["Resource"])) for each in statements)
        assert len(str(statements).replace(" ", "")) + 60 * arns < 6144, name


def test_other_stacks_can_import_the_outputs_that_they_need(template: Template) -> None:
    exported = {
        name: each["Export"]["Name"]["Fn::Sub"]
        for name, each in template.document["Outputs"].items()
        if "Export" in each
    }
    names = (
        "ApiUrl",
        "EventsQueueUrl",
        "EventsQueueArn",
        "KeyArn",
        "PublisherPolicyArn",
        "OperatorPolicyArn",
    )
    assert exported == {name: f"${{AWS::StackName}}-{name}" for name in names}
