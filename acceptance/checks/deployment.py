"""Deployments: a changed parameter, a canary, a creation that fails."""

import json
from pathlib import Path
from typing import Any

import yaml

from acceptance.checks.check import Check, NotHere, expect
from acceptance.deployed import describe, stack_resources
from acceptance.parameters import CHANGED_DELAYS, parameters_for
from acceptance.site import Site
from local.emulator import correct_concurrency
from local.errors import LocalError

FUNCTION = "DispatcherFunction"
VARIABLE = "RETRY_DELAYS"
# Created last, and refused: the first by Lambda, the second by an emulator, which grants any permission.
LAST = ["DispatcherFunction", "MaintenanceFunction", "Api"]
FAULT = {
    "Type": "AWS::Lambda::Permission",
    "DependsOn": LAST,
    "Properties": {
        "Action": "lambda:InvokeFunction",
        "FunctionName": "webhooks-acceptance-no-such-function",
        "Principal": "apigateway.amazonaws.com",
    },
}
EMULATOR_FAULT = {
    "Type": "Custom::Fault",
    "DependsOn": LAST,
    "Properties": {"ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:none"},
}
ROLLBACK_SECONDS = 900
STAYING = "AWS::DynamoDB::Table"


def deploy(site: Site, *, step: str, **changes: str) -> None:
    """Deploy the service with its parameters and changes to them. Raises LocalError."""
    site.sam.deploy(site.names.service, site.sam.built, parameters_for(site.account, **changes), step=step)
    if site.account.is_emulator:
        correct_concurrency(site.account.client("lambda"))
    site.service.__dict__.pop("outputs", None)


def a_changed_parameter_is_live(site: Site) -> str:
    """A deployment that changes a parameter alone publishes a version, and `live` points to it."""
    before, former = _live(site)
    deploy(site, step="change", RetryDelays=CHANGED_DELAYS)
    after, version = _live(site)
    expect(
        after == CHANGED_DELAYS, f"live has {VARIABLE}={after} in version {version}, was {before} in {former}"
    )
    expect(version != former, f"live is version {version}, as before")
    return f"live: version {former} with {before}, then version {version} with {after}"


def _live(site: Site) -> tuple[str, str]:
    """Return the variable's value and the version that the alias points to."""
    found = site.account.client("lambda").get_function_configuration(
        FunctionName=site.service.physical_id(FUNCTION), Qualifier="live"
    )
    return found["Environment"]["Variables"][VARIABLE], found["Version"]


def a_canary_ends_well(site: Site) -> str:
    """With Canary, a deployment shifts traffic by CodeDeploy and ends; another one switches it off again."""
    declared = _template(site)["Parameters"]
    if "Canary" not in declared:
        raise NotHere("the template has no parameter Canary")
    on, off = ("true", "false") if "true" in declared["Canary"].get("AllowedValues", ["true"]) else ("", "")
    if not on:
        raise NotHere(f"the parameter Canary takes {declared['Canary']['AllowedValues']}")
    deploy(site, step="canary", Canary=on)
    deploy(site, step="canary-shift", Canary=on, RetryDelays="5,6")
    live, version = _live(site)
    expect(live == "5,6", f"live has {VARIABLE}={live} after the canary")
    deployments = site.account.client("codedeploy")
    applications = [
        each["PhysicalResourceId"] for each in site.service.resources("AWS::CodeDeploy::Application")
    ]
    expect(applications, "the stack has no CodeDeploy application")
    ended = []
    for page in deployments.get_paginator("list_deployments").paginate(includeOnlyStatuses=["Succeeded"]):
        for deployment_id in page["deployments"]:
            found = deployments.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
            if found["applicationName"] in applications:
                ended.append(found["deploymentConfigName"])
    expect(ended, "no deployment of CodeDeploy has succeeded")
    deploy(site, step="canary-off", Canary=off)
    return f"version {version} by {len(ended)} deployments of CodeDeploy ({', '.join(sorted(set(ended)))})"


def a_failed_creation_rolls_back(site: Site) -> str:
    """A creation that fails deletes everything but the tables, which keep their data by design."""
    template = _template(site)
    template["Resources"]["AcceptanceFault"] = EMULATOR_FAULT if site.account.is_emulator else FAULT
    path = site.sam.built.with_name("failing.yaml")  # beside the built one: its paths are relative
    path.write_text(json.dumps(template, default=str), "utf-8")
    name = site.names.failing
    # The account's role for logs is never changed by a stack that is to fail.
    try:
        site.sam.deploy(
            name, path, parameters_for(site.account) | {"ApiGatewayLogsRole": "Existing"}, step="failing"
        )
    except LocalError:
        pass
    else:
        raise AssertionError("the creation did not fail")
    site.until(lambda: not _status(site, name).endswith("_IN_PROGRESS"), seconds=ROLLBACK_SECONDS, pause=5)
    found, status = describe(site.account, name), _status(site, name)
    expect(status == "ROLLBACK_COMPLETE", f"{name}: {status}, {(found or {}).get('StackStatusReason', '')}")
    left = [
        f"{each['LogicalResourceId']} {each['ResourceStatus']}"
        for each in stack_resources(site.account, name)
        if each["ResourceType"] != STAYING
        and each["ResourceStatus"] not in {"DELETE_COMPLETE", "CREATE_FAILED"}
    ]
    expect(not left, f"left: {', '.join(left)}")
    pages = site.account.client("dynamodb").get_paginator("list_tables").paginate()
    tables = [each for page in pages for each in page["TableNames"] if each.startswith(f"{name}-")]
    return f"{status}; {len(tables)} empty tables stay, nothing else does"


def _status(site: Site, stack: str) -> str:
    found = describe(site.account, stack)
    return found["StackStatus"] if found else "not there"


def _template(site: Site) -> dict[str, Any]:
    """Return the built template, with absolute paths, so that a copy may stand anywhere."""
    return _read(site.sam.built)


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(path.read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader with tags
    return found


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """Reads the short forms of CloudFormation's functions as the long ones."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)

CHECKS = (
    Check("a changed parameter reaches live", a_changed_parameter_is_live),
    Check("a canary deployment ends well", a_canary_ends_well, "the emulator has no CodeDeploy"),
    Check("a failed creation rolls back", a_failed_creation_rolls_back),
)
