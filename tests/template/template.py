"""The translated template as the tests read it: resources by type, statements of roles, references by name."""

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NO_VALUE = {"Ref": "AWS::NoValue"}
POLICY_ID_END = 17  # characters behind ANPA
REFERENCE = re.compile(r"\$\{([\w:.]+)\}")


@dataclass(frozen=True)
class Template:
    document: dict[str, Any]

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        parameters: dict[str, dict[str, Any]] = self.document["Parameters"]
        return parameters

    @property
    def defaults(self) -> dict[str, str]:
        return {name: str(each["Default"]) for name, each in self.parameters.items()}

    def resources(self, resource_type: str) -> dict[str, dict[str, Any]]:
        """Properties by logical id."""
        found = {
            name: each.get("Properties", {})
            for name, each in self.document["Resources"].items()
            if each["Type"] == resource_type
        }
        assert found, f"no {resource_type} in the template"
        return found

    def attributes(self, name: str) -> dict[str, Any]:
        attributes: dict[str, Any] = self.document["Resources"][name]
        return attributes

    def statements(self, role: str) -> list[dict[str, Any]]:
        """The statements of the role; actions and resources always as lists."""
        return [
            statement | {"Action": listed(statement["Action"]), "Resource": listed(statement["Resource"])}
            for policy in self.resources("AWS::IAM::Role")[role]["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]

    def function_roles(self) -> dict[str, str]:
        """Role by function."""
        return {
            name: referred(properties["Role"])
            for name, properties in self.resources("AWS::Lambda::Function").items()
        }


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def referred(value: Any) -> str:
    """The logical id that a Ref, GetAtt or Sub is about; the text itself where it is one."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]} | {"Fn::Sub": str(name)} | str(name):
            return name
    raise AssertionError(f"no reference: {value}")


def resolve(value: Any, parameters: Mapping[str, str]) -> Any:
    """Put the parameters' values into every Ref and Sub; references to resources stay."""
    match value:
        case {"Ref": name} if name in parameters:
            return parameters[name]
        case {"Fn::Sub": str(text)}:
            return REFERENCE.sub(lambda found: parameters.get(found[1], found[0]), text)
        case dict():
            return {name: resolve(each, parameters) for name, each in value.items()}
        case list():
            return [resolve(each, parameters) for each in value]
    return value


def settled(value: Any, template: Template, values: Mapping[str, str]) -> Any:
    """Resolve a value as a deployment does: conditions too, and ids that follow from a resource's properties."""
    match value:
        case {"Fn::If": [str(name), met, unmet]}:
            return settled(met if condition(name, template, values) else unmet, template, values)
        case {"Fn::Sub": [str(text), dict(own)]}:
            more = {name: settled(each, template, values) for name, each in own.items()}
            return resolve({"Fn::Sub": text}, {**values, **more})
        case {"Fn::GetAtt": [str(name), "PolicyId"]}:  # a policy with another description is another one
            described = settled(template.attributes(name)["Properties"]["Description"], template, values)
            return f"ANPA{hashlib.sha256(described.encode()).hexdigest().upper()[:POLICY_ID_END]}"
        case dict() if not set(value) & {"Ref", "Fn::Sub"}:
            parts = {name: settled(each, template, values) for name, each in value.items()}
            return {name: each for name, each in parts.items() if each != NO_VALUE}
        case list():
            several = [settled(each, template, values) for each in value]
            return [each for each in several if each != NO_VALUE]
    return resolve(value, values)


def condition(name: str, template: Template, values: Mapping[str, str]) -> bool:
    """Tell whether a condition of the template is met."""
    return _is_met(template.document["Conditions"][name], template, values)


def _is_met(rule: Any, template: Template, values: Mapping[str, str]) -> bool:
    match rule:
        case {"Condition": str(name)}:
            return condition(name, template, values)
        case {"Fn::Equals": [left, right]}:
            return bool(resolve(left, values) == resolve(right, values))
        case {"Fn::Not": [one]}:
            return not _is_met(one, template, values)
        case {"Fn::Or": list(several)}:
            return any(_is_met(each, template, values) for each in several)
        case {"Fn::And": list(several)}:
            return all(_is_met(each, template, values) for each in several)
    raise AssertionError(f"no condition: {rule}")


@cache
def translate(*changed_layers: str) -> Template:
    """Translate template.yaml, with other content for the layers named."""
    [template] = translations([{"layers": changed_layers, "parameters": {}}])
    return template


def translations(variants: Sequence[Mapping[str, Any]]) -> list[Template]:
    """Translate template.yaml several times: with other content of `layers`, other values of `parameters`."""
    command = [
        ROOT / ".venv-sam/bin/python",
        Path(__file__).with_name("translate.py"),
        ROOT / "template.yaml",
    ]
    environment = {"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "us-east-1"}
    output = subprocess.run(
        command, env=environment, input=json.dumps(variants), capture_output=True, text=True, check=True
    ).stdout
    return [Template(document) for document in json.loads(output)]
