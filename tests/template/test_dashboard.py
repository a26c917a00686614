"""The dashboard: valid JSON, widgets side by side, and only metrics, alarms and resources that exist."""

import json
import re
from itertools import combinations
from typing import Any

import pytest

from tests.template.template import REFERENCE, Template
from tests.template.watched import NAMESPACE, Watched
from webhooks.metrics import CATALOGUE

COLUMNS = 24
PSEUDO = {"AWS::StackName", "AWS::Region", "Stage"}
ATTRIBUTES = {"AWS::SQS::Queue": "QueueName", "AWS::CloudWatch::Alarm": "Arn"}


def body(template: Template, *, has_all_alarms: bool = True) -> str:
    [dashboard] = template.resources("AWS::CloudWatch::Dashboard").values()
    text, values = dashboard["DashboardBody"]["Fn::Sub"]
    condition, several, none = values["AlarmsOnSeveral"]["Fn::If"]
    assert condition == "HasAllAlarms"
    more: str = several["Fn::Sub"] if has_all_alarms else none
    return str(text.replace("${AlarmsOnSeveral}", more))


def widgets(template: Template, *, has_all_alarms: bool = True) -> list[dict[str, Any]]:
    text = body(template, has_all_alarms=has_all_alarms)
    found: list[dict[str, Any]] = json.loads(text)["widgets"]
    return found


def shown(template: Template) -> list[Watched]:
    """Return the metrics of all graphs, resources by their logical ids."""
    found = []
    for widget in widgets(template):
        for metric in widget["properties"].get("metrics", []):
            namespace, name, *rest = metric
            options = rest.pop() if isinstance(rest[-1], dict) else {}
            pairs = dict(zip(rest[::2], rest[1::2], strict=True))
            dimensions = {key: re.sub(r"^\$\{(\w+)(\.\w+)?\}$", r"\1", value) for key, value in pairs.items()}
            properties = widget["properties"]
            statistic = options.get("stat", properties["stat"])
            found.append(Watched(namespace, name, dimensions, statistic, properties["period"]))
    return found


def test_the_dashboard_has_the_name_of_its_stack(template: Template) -> None:
    [dashboard] = template.resources("AWS::CloudWatch::Dashboard").values()
    assert dashboard["DashboardName"] == {"Ref": "AWS::StackName"}


def test_every_reference_of_the_dashboard_is_a_resource(template: Template) -> None:
    resources = template.document["Resources"]
    for name in set(REFERENCE.findall(body(template))) - PSEUDO:
        resource, _, attribute = name.partition(".")
        assert resource in resources, name
        assert attribute == ATTRIBUTES.get(resources[resource]["Type"], ""), name


def test_every_metric_of_the_dashboard_exists(template: Template) -> None:
    faults = {(each.namespace, each.name): each.faults(template) for each in shown(template)}
    assert {name: fault for name, fault in faults.items() if fault} == {}
    assert len(faults) > 40


def test_every_metric_of_the_code_is_on_the_dashboard_with_each_of_its_values(template: Template) -> None:
    """One that is not shown would be paid for all the same."""
    seen = {
        (each.name, value)
        for each in shown(template)
        if each.namespace == NAMESPACE
        for value in each.dimensions.values()
    }
    assert seen == {(name, value) for name, each in CATALOGUE.items() for value in each.values}


@pytest.mark.parametrize("has_all_alarms", [True, False])
def test_all_alarms_are_on_the_dashboard(template: Template, *, has_all_alarms: bool) -> None:
    found = widgets(template, has_all_alarms=has_all_alarms)
    [alarms] = [each for each in found if each["type"] == "alarm"]
    names = [REFERENCE.findall(each) for each in alarms["properties"]["alarms"]]
    wanted = {"HasAlarms", "HasAllAlarms"} if has_all_alarms else {"HasAlarms"}
    assert sorted(names) == sorted(
        [f"{name}.Arn"]
        for name in template.resources("AWS::CloudWatch::Alarm")
        if template.attributes(name)["Condition"] in wanted  # not those of a release
    )
    assert template.attributes("Dashboard")["Condition"] == "HasAlarms"


@pytest.mark.parametrize(
    ("resource_type", "dimension"),
    [
        ("AWS::SQS::Queue", "QueueName"),
        ("AWS::Lambda::Function", "FunctionName"),
        ("AWS::DynamoDB::Table", "TableName"),
    ],
)
def test_every_resource_is_on_the_dashboard(template: Template, resource_type: str, dimension: str) -> None:
    seen = {each.dimensions.get(dimension) for each in shown(template)}
    assert set(template.resources(resource_type, optional=False)) <= seen


def test_the_widgets_lie_side_by_side(template: Template) -> None:
    places = [tuple(each[key] for key in ("x", "y", "width", "height")) for each in widgets(template)]
    assert all(x >= 0 and x + width <= COLUMNS for x, _, width, _ in places)
    for one, other in combinations(places, 2):
        is_beside = one[0] + one[2] <= other[0] or other[0] + other[2] <= one[0]
        is_below = one[1] + one[3] <= other[1] or other[1] + other[3] <= one[1]
        assert is_beside or is_below, (one, other)


def test_each_graph_has_a_title_of_its_own(template: Template) -> None:
    titles = [each["properties"]["title"] for each in widgets(template)]
    assert len(set(titles)) == len(titles)
