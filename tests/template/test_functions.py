"""Rules of every function: its code, its logs, its environment, and when a new version is published."""

import pytest

from tests.template.template import Template, referred, translate
from webhooks import settings
from webhooks.environment import Settings

SETTINGS = {
    "WebhooksFunction": settings.WebhooksSettings,
    "DeliveriesFunction": settings.DeliveriesSettings,
    "EventsFunction": settings.EventsSettings,
    "TestEventFunction": settings.TestEventSettings,
    "ServiceKeysFunction": settings.ServiceKeysSettings,
    "EcdsaHelperFunction": settings.EcdsaHelperSettings,
    "DiscoveryFunction": settings.DiscoverySettings,
    "ConsoleFunction": settings.LoggingSettings,
    "FanoutFunction": settings.FanoutSettings,
    "DispatcherFunction": settings.DispatcherSettings,
    "RecoveryFunction": settings.RecoverySettings,
    "MaintenanceFunction": settings.MaintenanceSettings,
    "PreTrafficFunction": settings.PreTrafficSettings,
}
GIVEN_BY_LAMBDA = {"AWS_REGION"}


def names(model: type[Settings]) -> set[str]:
    return {each.name for each in model.variables().values()}


def versions(template: Template) -> set[str]:
    return set(template.resources("AWS::Lambda::Version"))


@pytest.mark.parametrize("function", SETTINGS)
def test_a_function_environment_has_exactly_its_settings(template: Template, function: str) -> None:
    given = template.resources("AWS::Lambda::Function")[function]["Environment"]["Variables"].keys()
    read = names(SETTINGS[function]) | names(settings.LoggingSettings)
    assert given == read - GIVEN_BY_LAMBDA


def test_every_function_is_covered_here(template: Template) -> None:
    assert template.resources("AWS::Lambda::Function").keys() == SETTINGS.keys()


def test_every_function_logs_json_and_is_traced_unless_it_reads_a_queue(
    template: Template,
) -> None:
    groups = template.resources("AWS::Logs::LogGroup")
    for name, function in template.resources("AWS::Lambda::Function").items():
        reads_a_queue = name in ("FanoutFunction", "DispatcherFunction", "RecoveryFunction")
        mode = "PassThrough" if reads_a_queue else "Active"
        assert function["TracingConfig"] == {"Mode": mode}, name
        assert function["LoggingConfig"]["LogFormat"] == "JSON", name
        assert groups[referred(function["LoggingConfig"]["LogGroup"])]["RetentionInDays"], name


def test_every_log_group_is_encrypted_and_has_a_retention(template: Template) -> None:
    for name, group in template.by_default.resources("AWS::Logs::LogGroup").items():
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name
        assert referred(group["KmsKeyId"]) == "Key", name


def test_every_function_has_the_alias_live(template: Template) -> None:
    aliases = {
        referred(alias["FunctionName"]): alias["Name"]
        for alias in template.resources("AWS::Lambda::Alias").values()
    }
    # CodeDeploy invokes the check itself, which has no version to shift to.
    assert aliases == dict.fromkeys(SETTINGS.keys() - {"PreTrafficFunction"}, "live")


@pytest.mark.parametrize("layer", ["DependenciesLayer", "SigningLayer", "WebhooksLayer"])
def test_a_changed_layer_publishes_every_function_again(template: Template, layer: str) -> None:
    """Otherwise the alias would stay on the code before: SAM looks at the function's own code only."""
    assert versions(translate(layer)).isdisjoint(versions(template))


def test_the_same_template_publishes_nothing(template: Template) -> None:
    assert versions(translate.__wrapped__()) == versions(template)


@pytest.mark.parametrize("function", SETTINGS)
def test_loop_detection_is_off_only_for_functions_that_send_to_themselves(
    template: Template, function: str
) -> None:
    """Lambda stops a message after 16 rounds otherwise; and it must go on stopping every other function's."""
    reads = {
        referred(mapping["EventSourceArn"])
        for mapping in template.resources("AWS::Lambda::EventSourceMapping").values()
        if referred(mapping["FunctionName"]) == f"{function}Aliaslive"
    }
    sends_to = {
        referred(resource)
        for statement in template.statements(template.function_roles()[function])
        for resource in statement["Resource"]
        if "sqs:SendMessage" in statement["Action"]
    }
    properties = template.resources("AWS::Lambda::Function")[function]
    assert properties.get("RecursiveLoop") == ("Allow" if reads & sends_to else None)


def test_lambda_filters_no_log_line_of_a_function(template: Template) -> None:
    """The functions leave out lines below LogLevel, and never their metrics."""
    for name, function in template.resources("AWS::Lambda::Function").items():
        assert function["LoggingConfig"]["ApplicationLogLevel"] == "DEBUG", name
        assert function["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] == {"Ref": "LogLevel"}, name
