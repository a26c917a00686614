"""The translated template as the tests read it: resources by type, statements of roles, references by name."""

import json
import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Template:
    document: dict[str, Any]

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
        return self.document["Resources"][name]

    def statements(self, role: str) -> list[dict[str, Any]]:
        """What the role allows; its actions and resources always as lists."""
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
        case {"Ref": name}:
            return name
        case {"Fn::GetAtt": [name, *_]}:
            return name
        case {"Fn::Sub": text}:
            return text
    return value


@cache
def translate(*changed_layers: str) -> Template:
    """Translate template.yaml, with other content for the layers named."""
    command = [
        ROOT / ".venv-sam/bin/python",
        Path(__file__).with_name("translate.py"),
        ROOT / "template.yaml",
        *(f"{layer}=2" for layer in changed_layers),
    ]
    environment = {"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "us-east-1"}
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return Template(json.loads(output))
