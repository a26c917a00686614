"""Commands of AWS's own command line, as pages and `webhooks status` name them: checked and made by botocore.

The names of services, operations and options are those of botocore's models, so an `aws` line that is read here is one
that AWS's command line takes.
"""

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.model import ServiceModel, Shape

GLOBAL = {"--region", "--query", "--output"}  # options of every command, each with a value
# Commands that the command line adds to AWS's operations: they cannot be made here.
ADDED = {("logs", "tail"): {"--since", "--filter-pattern", "--follow"}}


@dataclass(frozen=True)
class AwsCommand:
    """An operation of a service with its parameters; without any for a command that has none."""

    service: str
    operation: str
    parameters: dict[str, Any]

    def run(self, client: Callable[[str], Any]) -> Any:
        """Call the operation."""
        return getattr(client(self.service), xform_name(self.operation))(**self.parameters)


def read(line: str) -> AwsCommand:
    """Read a line that begins with `aws`. Raises ValueError where the command line would refuse it."""
    program, service, name, *rest = shlex.split(line)
    if program != "aws":
        raise ValueError(f"no aws command: {line}")
    if known := ADDED.get((service, name)):
        if wrong := {each for each in rest if each.startswith("--")} - known - GLOBAL:
            raise ValueError(f"aws {service} {name} has no {', '.join(wrong)}")
        return AwsCommand(service, name, {})
    model = _model(service)
    operations = {xform_name(each, "-"): each for each in model.operation_names}
    if name not in operations:
        raise ValueError(f"aws {service} has no {name}")
    shape = model.operation_model(operations[name]).input_shape
    members: dict[str, Shape] = dict(shape.members) if shape else {}
    parameters = dict(_parameters(rest, members))
    required = set(shape.required_members if shape else ()) - parameters.keys()
    if required:
        raise ValueError(f"aws {service} {name} lacks {', '.join(required)}")
    return AwsCommand(service, operations[name], parameters)


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


def _parameters(argv: Sequence[str], members: dict[str, Shape]) -> Iterator[tuple[str, Any]]:
    options = {f"--{xform_name(name, '-')}": name for name in members}
    words = list(argv)
    while words:
        option = words.pop(0)
        negated = option.replace("--no-", "--", 1)
        if option in GLOBAL:
            words.pop(0)
        elif option in options and members[options[option]].type_name == "boolean":
            yield options[option], True
        elif negated in options and members[options[negated]].type_name == "boolean":
            yield options[negated], False
        elif option in options:
            values = []
            while words and not words[0].startswith("--"):
                values.append(words.pop(0))
            yield options[option], _value(members[options[option]], values)
        else:
            raise ValueError(f"no option {option}")


def _value(shape: Any, values: list[str]) -> Any:
    match shape.type_name:
        case "list":
            return values
        case "string":
            [value] = values
            return value
        case "integer" | "long":
            [value] = values
            return int(value)
        case "structure":
            named = dict(part.split("=", 1) for each in values for part in each.split(","))
            return {name: _value(shape.members[name], [each]) for name, each in named.items()}
    raise ValueError(f"{shape.name}: {shape.type_name} is not read here")
