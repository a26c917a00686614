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
POLICY_ID = re.compile(r"\$\{(\w+)\.PolicyId\}")


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

    def resources(self, resource_type: str, *, optional: bool = True) -> dict[str, dict[str, Any]]:
        """Properties by logical id; `optional`: also of resources that exist under a condition."""
        found = {
            name: each.get("Properties", {})
            for name, each in self.document["Resources"].items()
            if each["Type"] == resource_type and (optional or "Condition" not in each)
        }
        assert found, f"no {resource_type} in the template"
        return found

    @property
    def by_default(self) -> "Template":
        """The template as a deployment with the parameters' defaults decides it."""
        return self.decided({})

    def decided(self, values: Mapping[str, str]) -> "Template":
        """The template as these values and the other defaults decide it: every If, and each conditional resource."""
        conditions = decided(self.document["Conditions"], self.defaults | dict(values))
        document: dict[str, Any] = deployed(self.document, conditions)
        for section in ("Resources", "Outputs"):
            document[section] = {
                name: each
                for name, each in document[section].items()
                if "Condition" not in each or conditions[each["Condition"]]
            }
        return Template(document)

    def attributes(self, name: str) -> dict[str, Any]:
        attributes: dict[str, Any] = self.document["Resources"][name]
        return attributes

    def statements(self, role: str) -> list[dict[str, Any]]:
        """The statements of the role by default; actions and resources always as lists."""
        conditions = decided(self.document["Conditions"], self.defaults)
        return [
            statement | {"Action": listed(statement["Action"]), "Resource": listed(statement["Resource"])}
            for policy in self.resources("AWS::IAM::Role")[role]["Policies"]
            for statement in deployed(policy["PolicyDocument"]["Statement"], conditions)
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


def decided(conditions: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, bool]:
    """Return each condition as the parameters' values decide it."""

    def holds(condition: Any) -> bool:
        match condition:
            case {"Fn::Equals": [left, right]}:
                return str(resolve(left, values)) == str(resolve(right, values))  # CloudFormation's are texts
            case {"Fn::Contains": [list(parts), value]}:  # of rules alone
                return resolve(value, values) in map(str, parts)
            case {"Fn::Not": [inner]}:
                return not holds(inner)
            case {"Fn::And": list(parts)}:
                return all(map(holds, parts))
            case {"Fn::Or": list(parts)}:
                return any(map(holds, parts))
            case {"Condition": str(name)}:
                return holds(conditions[name])
        raise AssertionError(f"no condition: {condition}")

    return {name: holds(each) for name, each in conditions.items()}


def deployed(value: Any, conditions: Mapping[str, bool]) -> Any:
    """Decide every If by its condition, as a deployment does; a part with AWS::NoValue is left out."""
    match value:
        case {"Fn::If": [str(name), then, otherwise]}:
            return deployed(then if conditions[name] else otherwise, conditions)
        case dict():
            parts = {name: deployed(each, conditions) for name, each in value.items()}
            return {name: each for name, each in parts.items() if each != NO_VALUE}
        case list():
            parts_of_list = [deployed(each, conditions) for each in value]
            return [each for each in parts_of_list if each != NO_VALUE]
    return value


def condition(name: str, template: Template, values: Mapping[str, str]) -> bool:
    """Tell whether a condition of the template is met."""
    return decided(template.document["Conditions"], values)[name]


def settled(value: Any, template: Template, values: Mapping[str, str]) -> Any:
    """Return a value as a deployment makes it: conditions decided, parameters put in, ids of policies made."""
    return _made(deployed(value, decided(template.document["Conditions"], values)), template, values)


def _made(value: Any, template: Template, values: Mapping[str, str]) -> Any:
    match value:
        case {"Fn::Sub": [str(text), dict(own)]}:
            more = {name: _made(each, template, values) for name, each in own.items()}
            return resolve({"Fn::Sub": text}, {**values, **more})
        case {"Fn::GetAtt": [str(name), "PolicyId"]}:
            return _policy_id(name, template, values)
        case {"Fn::Sub": str(text)}:
            made = POLICY_ID.sub(lambda found: _policy_id(found[1], template, values), text)
            return resolve({"Fn::Sub": made}, values)
        case dict() if not set(value) & {"Ref", "Fn::Sub"}:
            return {name: _made(each, template, values) for name, each in value.items()}
        case list():
            return [_made(each, template, values) for each in value]
    return resolve(value, values)


def _policy_id(name: str, template: Template, values: Mapping[str, str]) -> str:
    """Return an id as IAM makes it: a policy with another description is another one."""
    described = resolve(template.attributes(name)["Properties"]["Description"], values)
    return f"ANPA{hashlib.sha256(described.encode()).hexdigest().upper()[:POLICY_ID_END]}"


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
