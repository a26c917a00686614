"""The template's parameters, and whether CloudFormation would take a value for one."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
READ = """
import json, sys
from samcli.yamlhelper import yaml_parse
json.dump(yaml_parse(open(sys.argv[1], encoding="utf-8").read())["Parameters"], sys.stdout)
"""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter as the template declares it."""

    name: str
    declared: dict[str, Any]

    @property
    def default(self) -> str:
        return str(self.declared["Default"])

    def refusal(self, value: str) -> str:
        """Return a sentence where CloudFormation would refuse the value, else an empty text."""
        allowed = [str(each) for each in self.declared.get("AllowedValues", [])]
        if allowed:
            return "" if value in allowed else f"must be one of {', '.join(allowed)}"
        fits = len(value) <= self.declared.get("MaxLength", len(value))
        pattern = self.declared.get("AllowedPattern", r"[\s\S]*")
        if fits and re.fullmatch(pattern, value, re.ASCII):
            return ""
        return str(self.declared.get("ConstraintDescription", "is not allowed"))


def read_parameters(template: Path = ROOT / "template.yaml") -> dict[str, Parameter]:
    """Read the parameters of a template, in the environment that can read it."""
    command: list[str | Path] = [ROOT / ".venv-sam/bin/python", "-c", READ, template]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - fixed
    return {name: Parameter(name, declared) for name, declared in json.loads(output).items()}
