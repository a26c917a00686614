"""An entry of samconfig.toml: stack, region and the parameters that differ from the template's defaults."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# The entries of `sam deploy` without an environment and of `make run`, and a key of the file itself.
RESERVED = ("default", "local", "version")
LINE = 70  # characters of a list that stays in one line
DEPLOY = {
    "resolve_s3": True,
    "capabilities": ["CAPABILITY_IAM"],
    "confirm_changeset": True,
    "fail_on_empty_changeset": False,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What a person may set: `parameters` of the template, without those at their defaults."""

    stack_name: str
    region: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_answered(self) -> bool:
        """Whether the questions were answered: entries as they come name no region."""
        return bool(self.region)


def read(path: Path, name: str) -> Entry:
    """Read an entry; a missing one has a stack name of its own. Raises ValueError for malformed TOML."""
    settings = _tables(path.read_text("utf-8")).get(name, {}).get("global", {}).get("parameters", {})
    overrides = settings.get("parameter_overrides", [])
    if isinstance(overrides, str):
        raise ValueError(  # noqa: TRY004 - the file's fault, not the caller's
            f"{path.name}, [{name}.global.parameters]: write parameter_overrides as a list of texts"
        )
    parameters = dict(each.split("=", 1) for each in overrides)
    return Entry(
        stack_name=settings.get("stack_name", f"webhooks-{name}"),
        region=settings.get("region", ""),
        parameters={key: "" if value == '""' else value for key, value in parameters.items()},
    )


def write(path: Path, name: str, entry: Entry) -> None:
    """Write an entry in the place of the former one; other entries and their comments stay as they are."""
    text = path.read_text("utf-8")
    before = _tables(text).get(name, {})
    settings: dict[str, Any] = before.get("global", {}).get("parameters", {}) | {
        "stack_name": entry.stack_name,
        "region": entry.region,
        # SAM takes an empty value in quotation marks only.
        "parameter_overrides": [f"{key}={value or '""'}" for key, value in entry.parameters.items()],
    }
    tables = {
        "global": {key: value for key, value in settings.items() if value},
        "build": before.get("build", {}).get("parameters", {"parallel": True}),
        "deploy": before.get("deploy", {}).get("parameters", _new_deploy(name, entry)),
    }
    others = {
        key: value["parameters"]
        for key, value in before.items()
        if key not in tables and "parameters" in value
    }
    made = "\n".join(
        _table(f"{name}.{command}.parameters", values) for command, values in (tables | others).items()
    )
    path.write_text(_replaced(text, name, made), "utf-8")


def _new_deploy(name: str, entry: Entry) -> dict[str, Any]:
    tags = ["service=webhooks", f"environment={name}"]
    return DEPLOY | {"s3_prefix": entry.stack_name, "tags": tags}


def _tables(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def _table(header: str, values: Mapping[str, Any]) -> str:
    lines = [f"[{header}]", *(f"{key} = {_value(value)}" for key, value in values.items()), ""]
    return "\n".join(lines)


def _value(value: Any) -> str:
    """Write a TOML value; JSON's texts, numbers and booleans are TOML's too."""
    if isinstance(value, list):
        line = f"[{', '.join(map(_value, value))}]"
        rows = "".join(f"    {_value(each)},\n" for each in value)
        return line if len(line) <= LINE else f"[\n{rows}]"
    return json.dumps(value, ensure_ascii=False)


def _replaced(text: str, name: str, made: str) -> str:
    """Put the entry's tables where its first one is, or at the end."""
    kept: list[str] = []
    at: int | None = None
    inside = False
    for line in text.splitlines():
        if line.startswith("["):
            inside = line.startswith(f"[{name}.")
            if inside and at is None:
                at = len(kept)
        if not inside:
            kept.append(line)
    if at is None:
        at = len(kept)
        kept.append("")
        at += 1
    head, tail = kept[:at], kept[at:]
    return "\n".join([*head, *made.splitlines(), *(["", *tail] if tail else [])]).rstrip("\n") + "\n"
