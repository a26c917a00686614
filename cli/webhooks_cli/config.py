"""The two files that describe a deployment: a stack's `.local/stack.json` and the user's profiles."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from webhooks_cli.errors import MissingError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

STACK_FILE = Path(".local/stack.json")
PROFILES_FILE = Path(".config/webhooks/profiles.toml")
PROFILE_FIELDS = (
    "url", "private_key_file", "license", "license_file", "tenant", "community", "stack", "region",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StackFile:
    """The texts of a stack.json by their names, and its licenses by auth level."""

    names: Mapping[str, str]
    licenses: Mapping[str, str] = field(repr=False)

    def text(self, name: str) -> str | None:
        """Return a text; None where it is missing or empty."""
        return self.names.get(name) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A named deployment of the user's; None stands for a field that the file leaves out."""

    name: str
    url: str | None
    private_key_file: Path | None
    license: str | None = field(repr=False)
    license_file: Path | None
    tenant: str | None
    community: str | None
    stack: str | None
    region: str | None


def find_stack_file(folder: Path) -> Path:
    """Find the stack.json of the folder or of the nearest one above it; raises MissingError."""
    for each in (folder, *folder.parents):
        if (each / STACK_FILE).is_file():
            return each / STACK_FILE
    raise MissingError(
        f"no {STACK_FILE} in {folder} or above: `make run` starts a local stack that writes it; "
        f"for another deployment give --url, --stack, or --profile (from ~/{PROFILES_FILE})"
    )


def read_stack_file(path: Path) -> StackFile:
    """Read a stack.json; raises MissingError."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        content = None
    if not isinstance(content, dict):
        raise MissingError(f"{path} cannot be read as a JSON object: `make run` writes it anew")
    licenses = content.get("licenses")
    return StackFile(_texts(content), _texts(licenses) if isinstance(licenses, dict) else {})


def _texts(content: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in content.items() if isinstance(value, str)}


def read_profile(name: str, home: Path) -> Profile:
    """Read a profile of the user's; raises MissingError."""
    path = home / PROFILES_FILE
    try:
        profiles = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise MissingError(
            f"{path} does not exist: it must have a table [{name}] with url and more"
        ) from None
    except (OSError, UnicodeDecodeError):
        raise MissingError(f"{path} cannot be read") from None
    except tomllib.TOMLDecodeError as error:
        raise MissingError(f"{path} is not TOML: {error}") from None
    found = profiles.get(name)
    if not isinstance(found, dict):
        known = ", ".join(sorted(key for key, value in profiles.items() if isinstance(value, dict)))
        raise MissingError(f"{path} has no profile {name}; it has: {known or 'none'}")
    return _profile(name, found, path=path)


def _profile(name: str, found: Mapping[str, Any], *, path: Path) -> Profile:
    if unknown := sorted(set(found) - set(PROFILE_FIELDS)):
        raise MissingError(
            f"{path}, profile {name}: unknown {', '.join(unknown)}; possible are {', '.join(PROFILE_FIELDS)}"
        )
    if wrong := sorted(field for field, value in found.items() if not isinstance(value, str)):
        raise MissingError(f"{path}, profile {name}: must be text: {', '.join(wrong)}")
    texts = {field: found.get(field) or None for field in PROFILE_FIELDS}

    def file(field: str) -> Path | None:
        text = texts.pop(field)
        return path.parent / Path(text).expanduser() if text else None

    return Profile(
        name=name, private_key_file=file("private_key_file"), license_file=file("license_file"), **texts
    )
