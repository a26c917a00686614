"""A parameter's change reaches the functions that read it, and no value that is accepted ends one at its start."""

import os
import re
import tomllib
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.template.template import ROOT, Template, referred, settled, translations
from webhooks.bootstrap import (
    deliveries,
    discovery,
    dispatcher,
    ecdsa_helper,
    events,
    fanout,
    maintenance,
    recovery,
    service_keys,
    test_event,
    webhooks,
)

DESCRIPTION_MAX = 256  # characters of AWS::Lambda::Version's Description
UNVERSIONED = {"ReservedConcurrentExecutions"}  # it is the function's, at once for all of its versions
# One more value for each parameter without AllowedValues.
OTHER = {
    "AlarmTopicArn": "arn:aws:sns:eu-central-1:123456789012:on-call",
    "WebhooksPerCommunity": "250000",
    "Stage": "staging2",
    "AllowedTimeSpan": "600",
    "KeyGraceSeconds": "3600",
    "LicensesUrl": "https://licenses.example.com/v1",
    "ServiceDirectory": '{"events": "https://events.example.com/v1"}',
    "AllowedPorts": "443,8443",
    "AllowedNetworks": "10.0.0.0/8,fd00::/8",
    "RetryDelays": "5,900",
    "FastLaneSeconds": "0.5",
    "AttemptLogDays": "7",
    "ThrottlingRate": "50",
    "ThrottlingBurst": "70",
    "FanoutConcurrency": "3",
    "DispatcherConcurrency": "3",
    "SlowDispatcherConcurrency": "3",
    "RecoveryConcurrency": "3",
    "TenantRate": "20",
    "TenantBurst": "40",
    "WafRequestsPerIp": "600",
    "ReservedApi": "20",
    "ReservedDeliveries": "20",
    "ReservedPublic": "20",
    "ReservedDispatcher": "100",
    "SubscriptionsReads": "4000",
    "SubscriptionsWrites": "1000",
    "DeliveriesReads": "4000",
    "DeliveriesWrites": "2000",
    "AccessReads": "4000",
    "AccessWrites": "900",
    "MonthlyBudget": "100",
    "BudgetEmail": "ops@example.com",
    "VpcSubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
    "VpcSecurityGroupIds": "sg-0123456789abcdef0",
    "RecoveryRate": "20",
    "BreakerFailures": "5",
    "BreakerSeconds": "30",
    "ProbeSeconds": "60",
    "WebhookCacheSeconds": "20",
    "DisableAfterDays": "7",
    "PermissionsBoundary": "arn:aws:iam::111111111111:policy/boundary",
    "ProducerAccounts": "111111111111,222222222222",
    "ProducerOrganization": "o-a1b2c3d4e5",
    "DomainName": "hooks.example.com",
    "CertificateArn": "arn:aws:acm:us-east-1:111111111111:certificate/0f-1e",
    "HostedZoneId": "Z0123456789ABCDEFGHIJ",
}
COMPOSED = {
    "WebhooksFunction": webhooks,
    "DeliveriesFunction": deliveries,
    "EventsFunction": events,
    "TestEventFunction": test_event,
    "ServiceKeysFunction": service_keys,
    "EcdsaHelperFunction": ecdsa_helper,
    "DiscoveryFunction": discovery,
    "FanoutFunction": fanout,
    "DispatcherFunction": dispatcher,
    "RecoveryFunction": recovery,
    "MaintenanceFunction": maintenance,
}
TEMPLATE = translations([{"layers": [], "parameters": {}}])[0]
VALUES_PER_FUNCTION = 60


def other_value(name: str) -> str:
    declared = TEMPLATE.parameters[name]
    allowed = [str(each) for each in declared.get("AllowedValues", [])]
    others = [*allowed, *([OTHER[name]] if name in OTHER else [])]
    return next(each for each in others if each != str(declared["Default"]))


def accepts(declared: dict[str, Any], value: str) -> bool:
    """Tell whether CloudFormation takes a value."""
    if "AllowedValues" in declared and value not in map(str, declared["AllowedValues"]):
        return False
    if declared["Type"] == "Number":
        low, high = declared.get("MinValue", float("-inf")), declared.get("MaxValue", float("inf"))
        return float(low) <= float(value) <= float(high)
    fits = len(value) <= declared.get("MaxLength", 4096)
    return fits and re.fullmatch(declared.get("AllowedPattern", r"[\s\S]*"), value, re.ASCII) is not None


def published(template: Template, values: dict[str, str]) -> dict[str, tuple[str, str]]:
    """By function, logical id and description of its version: CloudFormation publishes a new one when they change."""
    return {
        referred(each["FunctionName"]): (name, settled(each["Description"], template, values))
        for name, each in template.resources("AWS::Lambda::Version").items()
    }


def configured(template: Template, values: dict[str, str]) -> dict[str, dict[str, Any]]:
    """By function, the configuration that its version keeps as it is deployed."""
    functions = template.resources("AWS::Lambda::Function")
    return {
        name: {
            each: value
            for each, value in settled(properties, template, values).items()
            if each not in UNVERSIONED
        }
        for name, properties in functions.items()
    }


def given_to(function: str) -> set[str]:
    """The parameters that a function's configuration is made of."""
    values = {name: f"<{name}>" for name in TEMPLATE.parameters}
    found = str(configured(TEMPLATE, values)[function])
    return {name for name in TEMPLATE.parameters if f"<{name}>" in found}


def longest(name: str) -> int:
    """The characters that a value can have."""
    declared = TEMPLATE.parameters[name]
    if "AllowedValues" in declared:
        return max(len(str(each)) for each in declared["AllowedValues"])
    return int(declared["MaxLength"])


def values_of(name: str) -> st.SearchStrategy[str]:
    """Values that CloudFormation takes for a parameter."""
    declared = TEMPLATE.parameters[name]
    if "AllowedValues" in declared:
        return st.sampled_from([str(each) for each in declared["AllowedValues"]])
    if declared["Type"] == "Number":
        low, high = float(declared["MinValue"]), float(declared["MaxValue"])
        return st.floats(low, high).map(str) | st.integers(int(low), int(high)).map(str)
    pattern = re.compile(declared["AllowedPattern"], re.ASCII)
    return st.from_regex(pattern, fullmatch=True).filter(lambda value: accepts(declared, value))


@pytest.fixture(scope="module")
def changed() -> dict[str, Template]:
    """By parameter, the template translated with another value for it."""
    names = list(TEMPLATE.parameters)
    variants = [{"layers": [], "parameters": {name: other_value(name)}} for name in names]
    return dict(zip(names, translations(variants), strict=True))


@pytest.mark.parametrize("name", sorted(TEMPLATE.parameters))
def test_the_default_and_another_value_are_accepted(name: str) -> None:
    declared = TEMPLATE.parameters[name]
    assert accepts(declared, str(declared["Default"]))
    assert accepts(declared, other_value(name))


def test_the_values_of_the_local_stack_are_accepted() -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))
    values = dict(
        each.split("=", 1) for each in config["local"]["global"]["parameters"]["parameter_overrides"]
    )
    assert [name for name, value in values.items() if not accepts(TEMPLATE.parameters[name], value)] == []


@pytest.mark.parametrize("name", sorted(TEMPLATE.parameters))
def test_a_changed_value_publishes_only_the_functions_that_it_changes(
    changed: dict[str, Template], name: str
) -> None:
    """CloudFormation updates $LATEST alone otherwise; and refuses a version of a function that is as it was."""
    before, after = TEMPLATE.defaults, {**TEMPLATE.defaults, name: other_value(name)}
    functions = published(
        TEMPLATE, before
    ).keys()  # CodeDeploy calls the check of a release without a version

    reconfigured = {
        each
        for each in functions
        if configured(changed[name], after)[each] != configured(TEMPLATE, before)[each]
    }
    republished = {
        each
        for each in functions
        if published(changed[name], after)[each] != published(TEMPLATE, before)[each]
    }

    assert republished == reconfigured


def test_parameters_reach_functions() -> None:
    assert given_to("DispatcherFunction") >= {"LogLevel", "RetryDelays", "AllowedNetworks", "Architecture"}
    assert given_to("EcdsaHelperFunction") == {"LogLevel", "EcCurveName", "Architecture"}


@pytest.mark.parametrize("function", COMPOSED)
def test_the_longest_values_fit_into_a_version_description(function: str) -> None:
    values = {**TEMPLATE.defaults, **{name: "x" * longest(name) for name in given_to(function)}}

    assert len(published(TEMPLATE, values)[function][1]) <= DESCRIPTION_MAX


@pytest.mark.parametrize("function", COMPOSED)
def test_two_sets_of_values_never_have_one_description(function: str) -> None:
    """A space stands between two values, and no value but the last one holds any."""
    *texts, _ = published(TEMPLATE, {})[function][1].split()
    for text in texts:
        found = re.fullmatch(r"\$\{(\w+)\}", text)
        assert found, text
        name = found[1]
        assert not accepts(TEMPLATE.parameters[name], f"{other_value(name)} {other_value(name)}")


@pytest.mark.parametrize("function", COMPOSED)
def test_no_accepted_value_ends_a_function_at_its_start(function: str) -> None:
    environment = TEMPLATE.resources("AWS::Lambda::Function")[function]["Environment"]["Variables"]
    names = sorted(given_to(function) - {"Architecture"})

    @settings(max_examples=VALUES_PER_FUNCTION, deadline=None)
    @given(st.fixed_dictionaries({name: values_of(name) for name in names}))
    def starts(values: dict[str, str]) -> None:
        given_values = {
            name: text if isinstance(text := settled(value, TEMPLATE, each), str) else referred(text)
            for each in [{**TEMPLATE.defaults, **values}]
            for name, value in environment.items()
        }
        with patch.dict(os.environ, {**given_values, "AWS_REGION": "us-east-1"}):
            COMPOSED[function].compose()

    starts()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AlarmTopicArn", "on-call"),
        ("AlarmTopicArn", "arn:aws:sns:eu-central-1:123456789012:on-call.fifo"),
        ("AllowedTimeSpan", "1.5"),
        ("AllowedTimeSpan", "0"),
        ("AllowedTimeSpan", "3601"),
        ("KeyGraceSeconds", "1.5"),
        ("KeyGraceSeconds", "-1"),
        ("KeyGraceSeconds", "2600000"),
        ("DefaultTtl", "2.5"),
        ("DefaultTtl", "0"),
        ("DefaultTtl", "6"),
        ("AttemptLogDays", "30.5"),
        ("AttemptLogDays", "0"),
        ("FastLaneSeconds", "0"),
        ("FastLaneSeconds", "5.1"),
        ("RetryDelays", "30"),
        ("RetryDelays", "30,901"),
        ("RetryDelays", "30,300,300"),
        ("AllowedPorts", "0"),
        ("AllowedPorts", "65536"),
        ("AllowedPorts", "99999"),
        ("AllowedNetworks", "10.0.0.0/33"),
        ("AllowedNetworks", "10.0.0.0/99"),
        ("AllowedNetworks", "10.0.0.0"),
        ("AllowedNetworks", "300.0.0.0/8"),
        ("AllowedNetworks", "fd00::/129"),
        ("AllowedNetworks", "fd00:::/8"),
        ("AllowedNetworks", "1:2:3:4:5::6:7:8/64"),
        ("AllowedNetworks", "10.0.0.0/810.0.0.0/8"),
        ("LicensesUrl", "http://licenses.example.com"),
        ("LicensesUrl", "https://licenses.example.com/"),
        ("LicensesUrl", "https://licenses.example.com:99999"),
        ("ProducerAccounts", "11111111111"),
        ("ProducerAccounts", "111111111111,"),
        ("ProducerAccounts", "111111111111, 222222222222"),
        ("ProducerAccounts", "*"),
        ("ProducerOrganization", "*"),
        ("ProducerOrganization", "ou-a1b2c3d4e5"),
        ("DomainName", "https://hooks.example.com"),
        ("DomainName", "Hooks.example.com"),
        ("DomainName", "localhost"),
        ("DomainName", "*.example.com"),
        ("CertificateArn", "arn:aws:iam::111111111111:server-certificate/x"),
        ("HostedZoneId", "/hostedzone/Z0123"),
        ("ServiceDirectory", "[]"),
        ("ServiceDirectory", '{"events": 1}'),
        ("ServiceDirectory", '{"events": "https://events.example.com",}'),
        ("ServiceDirectory", "{events}"),
        ("ServiceDirectory", '{"events": "https://events.example.com/' + 200 * "x" + '"}'),
    ],
)
def test_an_ambiguous_value_is_refused(name: str, value: str) -> None:
    assert not accepts(TEMPLATE.parameters[name], value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AllowedNetworks", "10.0.0.1/8"),  # the network that holds the address
        ("AllowedNetworks", "10.0.0.0/8,192.168.1.0/24,fd00::/8,::1/128"),
        ("AllowedNetworks", "2001:db8:1:2::/64,1:2:3:4:5:6:7:8/128"),
        ("AllowedPorts", "*"),
        ("AllowedPorts", "1,443,8443,65535"),
        ("RetryDelays", "0,900"),
        ("RetryDelays", "1,2"),
        ("KeyGraceSeconds", "0"),
        ("KeyGraceSeconds", "2592000"),
        ("AllowedTimeSpan", "3600"),
        ("FastLaneSeconds", "0.1"),
        ("FastLaneSeconds", "2.5"),
        ("FastLaneSeconds", "5"),
        ("LicensesUrl", "https://licenses.example.com:8443/a/b"),
        ("ProducerAccounts", "111111111111"),
        ("DomainName", "hooks.eu.example-1.com"),
        ("CertificateArn", "arn:aws-cn:acm:cn-north-1:111111111111:certificate/0f1e-2d"),
        (
            "ServiceDirectory",
            '{"events":"https://events.example.com/v1", "users": "https://users.example.com"}',
        ),
    ],
)
def test_a_value_that_makes_sense_is_accepted(name: str, value: str) -> None:
    assert accepts(TEMPLATE.parameters[name], value)
