"""The guards: off by default; what each makes, where it is on."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.template.template import ROOT, Template, condition, decided, referred, settled
from tests.template.test_parameters import accepts, configured, published

SUBNETS = {
    "VpcSubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
    "VpcSecurityGroupIds": "sg-0123456789abcdef0",
}
ON = {
    "WafRequestsPerIp": "600",
    "ReservedApi": "20",
    "ReservedDeliveries": "21",
    "ReservedPublic": "22",
    "ReserveQueues": "true",
    "ReservedDispatcher": "100",
    "SubscriptionsReads": "4000",
    "SubscriptionsWrites": "1000",
    "DeliveriesReads": "5000",
    "DeliveriesWrites": "2000",
    "AccessReads": "3000",
    "AccessWrites": "900",
    "MonthlyBudget": "100",
    "BudgetEmail": "ops@example.com",
    **SUBNETS,
}
MADE = {
    "HasWaf": {"Waf", "WafAssociation", "WafLogs", "WafLogging"},
    "HasBudget": {"Budget"},
    "IsInVpc": {"EndpointNetwork"},
}
AUTHENTICATING = {"licensekey", "requestid", "publickey", "license", "keyid", "keysecret"}
# The rules of the two groups that look at bodies, as AWS's list of managed rules has them.
OF_BODIES = {
    "AWSManagedRulesCommonRuleSet": {
        "SizeRestrictions_BODY",
        "EC2MetaDataSSRF_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
        "CrossSiteScripting_BODY",
    },
    "AWSManagedRulesKnownBadInputsRuleSet": {
        "JavaDeserializationRCE_BODY",
        "Log4JRCE_BODY",
        "ReactJSRCE_BODY",
    },
}
CALL_ENDPOINTS = {"DispatcherFunction", "TestEventFunction"}


def values(template: Template, **changes: str) -> dict[str, str]:
    return {**template.defaults, **changes}


def reserved(template: Template, given: dict[str, str]) -> dict[str, str]:
    """By function, its reserved concurrency."""
    functions = template.resources("AWS::Lambda::Function")
    return {
        name.removesuffix("Function"): found["ReservedConcurrentExecutions"]
        for name, properties in functions.items()
        if "ReservedConcurrentExecutions" in (found := settled(properties, template, given))
    }


def throughputs(template: Template, given: dict[str, str]) -> dict[str, Any]:
    """By table or index, what it takes at most."""
    found = {}
    for name, properties in template.resources("AWS::DynamoDB::Table").items():
        table = settled(properties, template, given)
        for key, each in [
            (name, table),
            *((f"{name}/{index['IndexName']}", index) for index in table.get("GlobalSecondaryIndexes", [])),
        ]:
            if "OnDemandThroughput" in each:
                found[key] = each["OnDemandThroughput"]
    return found


def test_by_default_no_guard_makes_a_resource(template: Template) -> None:
    for name, resources in MADE.items():
        assert not condition(name, template, values(template))
        for each in resources:
            assert template.attributes(each)["Condition"] == name
    conditional = {
        each for each, found in template.document["Resources"].items() if found.get("Condition") in MADE
    }
    assert conditional == set().union(*MADE.values())


def test_every_guard_can_be_on_at_once(template: Template) -> None:
    assert all(condition(name, template, values(template, **ON)) for name in MADE)
    assert all(accepts(template.parameters[name], value) for name, value in ON.items())


def test_the_template_has_no_error_with_every_guard_on(tmp_path: Path) -> None:
    """Cfn-lint looks at values too: at those of the defaults, so these are replaced."""
    text = (ROOT / "template.yaml").read_text("utf-8")
    for name, value in ON.items():
        text, found = re.subn(
            rf'(\n  {name}:\n    Type: String\n    Default: )"[^"]*"', rf'\1"{value}"', text
        )
        assert found == 1, name
    changed = tmp_path / "template.yaml"
    changed.write_text(text, "utf-8")
    command: list[str | Path] = [ROOT / ".venv-sam/bin/cfn-lint", "--regions", "us-east-1", "--", changed]
    linted = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (linted.stdout, linted.returncode) == ("", 0)


# ---- web ACL


def rules(template: Template) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = template.attributes("Waf")["Properties"]["Rules"]
    return found


def test_the_web_acl_guards_the_apis_stage(template: Template) -> None:
    association = template.attributes("WafAssociation")["Properties"]
    assert association["ResourceArn"] == {
        "Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${Api}/stages/${ApiStage}"
    }
    assert referred(association["WebACLArn"]) == "Waf"
    assert template.attributes("Waf")["Properties"]["DefaultAction"] == {"Allow": {}}


def test_a_storm_from_one_address_gets_a_429_with_the_body_of_every_error(template: Template) -> None:
    rate, *_ = sorted(rules(template), key=lambda rule: rule["Priority"])
    statement = rate["Statement"]["RateBasedStatement"]
    assert settled(statement["Limit"], template, values(template, **ON)) == "600"
    assert (statement["EvaluationWindowSec"], statement["AggregateKeyType"]) == (60, "IP")
    response = rate["Action"]["Block"]["CustomResponse"]
    assert response["ResponseCode"] == 429
    assert response["ResponseHeaders"] == [{"Name": "Retry-After", "Value": "60"}]
    body = template.attributes("Waf")["Properties"]["CustomResponseBodies"][response["CustomResponseBodyKey"]]
    assert body["ContentType"] == "APPLICATION_JSON"
    assert body["Content"].startswith('{"statusCode":429,"error":"Too Many Requests","message":"')


def test_no_managed_rule_blocks_a_request_for_its_body(template: Template) -> None:
    """Webhooks have URLs, events have any text: bodies are what tenants make of them."""
    managed = {
        group["Name"]: group["RuleActionOverrides"]
        for rule in rules(template)
        if (group := rule["Statement"].get("ManagedRuleGroupStatement"))
    }
    assert managed.keys() == OF_BODIES.keys()
    for name, overrides in managed.items():
        assert all(each["ActionToUse"] == {"Count": {}} for each in overrides)
        assert {each["Name"] for each in overrides} >= OF_BODIES[name]


def test_the_web_acls_log_has_no_secret(template: Template) -> None:
    logging = template.attributes("WafLogging")["Properties"]
    redacted = {each["SingleHeader"]["Name"] for each in logging["RedactedFields"] if "SingleHeader" in each}
    assert redacted == AUTHENTICATING
    assert {"QueryString": {}} in logging["RedactedFields"]
    assert all(not each["VisibilityConfig"]["SampledRequestsEnabled"] for each in rules(template))
    assert not template.attributes("Waf")["Properties"]["VisibilityConfig"]["SampledRequestsEnabled"]


def test_the_web_acls_log_group_can_use_the_key(template: Template) -> None:
    [statement] = [
        each
        for each in template.attributes("Key")["Properties"]["KeyPolicy"]["Statement"]
        if each.get("Sid") == "LogGroupsOfThisStack"
    ]
    [allowed] = statement["Condition"]["ArnLike"].values()
    name = template.attributes("WafLogs")["Properties"]["LogGroupName"]["Fn::Sub"]
    assert name.startswith("aws-waf-logs-")  # AWS WAF refuses any other
    assert any(each["Fn::Sub"].endswith(f":log-group:{name}") for each in allowed)


# ---- reserved concurrency


def test_by_default_no_concurrency_is_reserved(template: Template) -> None:
    """A new account cannot reserve any: 100 must stay unreserved."""
    assert reserved(template, values(template)) == {}


def test_each_group_of_functions_has_its_own_reservation(template: Template) -> None:
    assert reserved(template, values(template, **ON)) == {
        **dict.fromkeys(("Webhooks", "Events", "ServiceKeys"), "20"),
        **dict.fromkeys(("Deliveries", "TestEvent"), "21"),
        **dict.fromkeys(("Discovery", "Console", "EcdsaHelper"), "22"),
        "Fanout": "10",
        "Recovery": "5",
        "Dispatcher": "100",
    }


def test_what_a_queue_may_use_is_what_is_reserved(template: Template) -> None:
    """With less, Lambda would throttle the reader, and each throttled receive counts for the dead letters."""
    given = values(template, ReserveQueues="true", FanoutConcurrency="33", RecoveryConcurrency="44")
    mappings = template.resources("AWS::Lambda::EventSourceMapping").values()
    most = {
        referred(each["FunctionName"]).removesuffix("FunctionAliaslive"): settled(
            each["ScalingConfig"]["MaximumConcurrency"], template, given
        )
        for each in mappings
    }
    assert reserved(template, given) == {name: most[name] for name in ("Fanout", "Recovery")}


# ---- throughput


def test_by_default_no_table_is_capped(template: Template) -> None:
    assert throughputs(template, values(template)) == {}


def test_a_tables_caps_are_those_of_its_indexes_too(template: Template) -> None:
    """An index's writes are caused by the table's: with fewer, it would throttle these."""
    found = throughputs(template, values(template, **ON))
    webhooks = {"MaxReadRequestUnits": "4000", "MaxWriteRequestUnits": "1000"}
    log = {"MaxReadRequestUnits": "5000", "MaxWriteRequestUnits": "2000"}
    assert found == {
        "SubscriptionsTable": webhooks,
        "SubscriptionsTable/lists": webhooks,
        "DeliveriesTable": log,
        "DeliveriesTable/webhookUndelivered": log,
        "DeliveriesTable/communityUndelivered": log,
        "AccessTable": {"MaxReadRequestUnits": "3000", "MaxWriteRequestUnits": "900"},
    }


def test_writes_alone_can_be_capped(template: Template) -> None:
    found = throughputs(template, values(template, DeliveriesWrites="500"))
    assert set(found) == {
        "DeliveriesTable",
        "DeliveriesTable/webhookUndelivered",
        "DeliveriesTable/communityUndelivered",
    }
    assert found["DeliveriesTable"] == {"MaxWriteRequestUnits": "500"}


# ---- budget


def test_a_budget_counts_the_stacks_resources_and_the_credentials(template: Template) -> None:
    budget = template.attributes("Budget")["Properties"]
    given = values(template, **ON)
    assert settled(budget["Budget"]["BudgetLimit"], template, given) == {"Amount": "100", "Unit": "USD"}
    assert budget["Budget"]["CostFilters"]["TagKeyValue"] == [
        {"Fn::Join": ["$", ["user:webhooks:stack", {"Ref": "AWS::StackName"}]]},
        {"Fn::Join": ["$", ["user:webhooks:stack", {"Ref": "AWS::StackId"}]]},  # credential_secrets.STACK
    ]
    subscribers = [
        settled(each["Subscribers"], template, given) for each in budget["NotificationsWithSubscribers"]
    ]
    assert subscribers == [[{"SubscriptionType": "EMAIL", "Address": "ops@example.com"}]] * 3


@pytest.mark.parametrize(
    ("rule", "given", "needed"),
    [
        ("BudgetHasAnAddress", "MonthlyBudget", "BudgetEmail"),
        ("SubnetsHaveSecurityGroups", "VpcSubnetIds", "VpcSecurityGroupIds"),
        ("SecurityGroupsHaveSubnets", "VpcSecurityGroupIds", "VpcSubnetIds"),
    ],
)
def test_half_a_guard_is_refused_with_a_sentence(
    template: Template, rule: str, given: str, needed: str
) -> None:
    found = template.document["Rules"][rule]
    [assertion] = found["Assertions"]
    off = template.defaults[given]
    assert found["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": given}, off]}]}
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": needed}, ""]}]}
    assert assertion["AssertDescription"].startswith(f"{given} needs {needed}")


@pytest.mark.parametrize(
    ("rule", "changes", "is_refused"),
    [
        ("ReservedQueuesHaveLimits", {"ReserveQueues": "true", "FanoutConcurrency": "0"}, True),
        ("ReservedQueuesHaveLimits", {"ReserveQueues": "true", "RecoveryConcurrency": "0"}, True),
        ("ReservedQueuesHaveLimits", {"ReserveQueues": "true"}, False),
        ("ReservedQueuesHaveLimits", {"FanoutConcurrency": "0", "RecoveryConcurrency": "0"}, False),
        ("UnlimitedDispatcherHasAReservation", {"DispatcherConcurrency": "0"}, True),
        (
            "UnlimitedDispatcherHasAReservation",
            {"DispatcherConcurrency": "0", "ReservedDispatcher": "100"},
            False,
        ),
        ("UnlimitedDispatcherHasAReservation", {}, False),
        ("SmallDispatcherHasTime", {"DispatcherMemory": "256", "DefaultTtl": "1"}, True),
        ("SmallDispatcherHasTime", {"DispatcherMemory": "256", "FastLaneSeconds": "0.5"}, True),
        ("SmallDispatcherHasTime", {"DispatcherMemory": "256", "FastLaneSeconds": "1.5"}, False),
        ("SmallDispatcherHasTime", {"DispatcherMemory": "256", "DefaultTtl": "2"}, False),
        ("SmallDispatcherHasTime", {"DispatcherMemory": "512", "DefaultTtl": "1"}, False),
    ],
)
def test_values_that_would_lose_a_promise_together_are_refused_with_a_sentence(
    template: Template, rule: str, changes: dict[str, str], *, is_refused: bool
) -> None:
    found = template.document["Rules"][rule]
    given = values(template, **changes)
    applies = decided({"applies": found["RuleCondition"]}, given)["applies"]
    held = [decided({"holds": each["Assert"]}, given)["holds"] for each in found["Assertions"]]
    assert (applies and not all(held)) is is_refused
    assert all(len(each["AssertDescription"].split()) > 8 for each in found["Assertions"])


# ---- fixed addresses


def test_only_functions_that_call_endpoints_are_in_the_subnets(template: Template) -> None:
    functions = template.resources("AWS::Lambda::Function")

    def networks(given: dict[str, str]) -> dict[str, Any]:
        found = {name: settled(each, template, given) for name, each in functions.items()}
        return {name: each["VpcConfig"] for name, each in found.items() if "VpcConfig" in each}

    assert networks(values(template)) == {}
    inside = networks(values(template, **SUBNETS))
    assert inside.keys() == CALL_ENDPOINTS
    assert all("Ipv6AllowedForDualStack" not in each for each in inside.values())


def test_their_roles_may_make_network_interfaces_only_there(template: Template) -> None:
    roles = template.resources("AWS::IAM::Role")
    for given, expected in ((values(template), set()), (values(template, **SUBNETS), CALL_ENDPOINTS)):
        managed = {
            name.replace("Role", "Function"): found["ManagedPolicyArns"]
            for name, properties in roles.items()
            if "AmazonAPIGatewayPushToCloudWatchLogs" not in str(properties)
            and "ManagedPolicyArns" in (found := settled(properties, template, given))
        }
        assert managed.keys() == expected
        assert all(each == [{"Ref": "EndpointNetwork"}] for each in managed.values())


def test_the_functions_code_may_make_none(template: Template) -> None:
    allowed, denied = template.attributes("EndpointNetwork")["Properties"]["PolicyDocument"]["Statement"]
    assert (allowed["Effect"], denied["Effect"]) == ("Allow", "Deny")
    assert allowed["Action"] == denied["Action"]
    assert all(each.startswith("ec2:") for each in allowed["Action"])
    assert "lambda:SourceFunctionArn" in denied["Condition"]["ArnLike"]


@pytest.mark.parametrize(
    "changes",
    [
        {"VpcSubnetIds": "subnet-0123456789abcdef0"},
        {"VpcSecurityGroupIds": "sg-0123456789abcdef1"},
        {"VpcSubnetIds": "", "VpcSecurityGroupIds": ""},
    ],
)
def test_another_subnet_reaches_the_version_that_is_called(
    template: Template, changes: dict[str, str]
) -> None:
    before, after = values(template, **SUBNETS), values(template, **{**SUBNETS, **changes})
    reconfigured = {
        name
        for name, each in configured(template, before).items()
        if each != configured(template, after)[name]
    }
    republished = {
        name for name, each in published(template, before).items() if each != published(template, after)[name]
    }
    assert reconfigured == republished == CALL_ENDPOINTS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TenantRate", "-1"),
        ("TenantRate", "1.5"),
        ("TenantRate", "10000"),
        ("TenantBurst", "0"),
        ("WafRequestsPerIp", "9"),  # AWS WAF's least is 10
        ("WafRequestsPerIp", "true"),
        ("ReservedApi", "0"),  # it would stop the function
        ("ReservedDispatcher", "1.5"),
        ("DeliveriesWrites", "0"),
        ("DeliveriesReads", "-1"),  # CloudFormation takes none below 1
        ("MonthlyBudget", "10.5"),
        ("BudgetEmail", "ops"),
        ("VpcSubnetIds", "vpc-0123456789abcdef0"),
        ("VpcSubnetIds", "subnet-0123456789abcdef0,"),
        ("VpcSubnetIds", "subnet-0123456789abcdef0, subnet-0123456789abcdef1"),
        ("VpcSecurityGroupIds", "sg-1"),
    ],
)
def test_a_wrong_value_is_refused(template: Template, name: str, value: str) -> None:
    assert not accepts(template.parameters[name], value)
