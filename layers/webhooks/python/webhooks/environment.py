"""Frozen models that are read from the environment, and the forms of its texts. No other module reads it.

A missing or wrong value stops the function at its start, and the error names the variable.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Never, Self, dataclass_transform

from signing import Curve


class SettingsError(Exception):
    """A variable of the environment is missing or wrong."""


def as_text(value: str) -> str:
    return value


def as_curve(value: str) -> Curve:
    curve = next((curve for curve in Curve if curve.value == value), None)
    if curve is None:
        raise ValueError(f"must be one of {', '.join(curve.value for curve in Curve)}")
    return curve


def as_seconds(value: str) -> tuple[int, ...]:
    return tuple(int(part) for part in value.split(","))


def as_directory(value: str) -> dict[str, str]:
    urls = json.loads(value)
    if not isinstance(urls, dict) or not all(isinstance(url, str) for url in urls.values()):
        raise ValueError("must be a JSON object of name to URL")
    return urls


# The pattern of the template's parameter LicensesUrl. Plain http is for this machine only, as in tests.
LICENSES_URL = (
    r"^((https://[A-Za-z0-9.-]+|http://(localhost|127\.0\.0\.1|\[::1\]))"
    r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
    r"(/[A-Za-z0-9._~%-]+)*)?$"
)


def as_licenses_url(value: str) -> str:
    if not re.fullmatch(LICENSES_URL, value):
        raise ValueError("must be empty, or an https URL without query, fragment and slash at its end")
    return value


def is_word(word: str) -> Callable[[str], bool]:
    return lambda value: value == word


class Variable(NamedTuple):
    """An environment variable, and how its text is read."""

    name: str
    read: Callable[[str], Any]


def variable(name: str, read: Callable[[str], Any] = as_text) -> Any:
    """Declare a field that is read from the environment variable `name`."""
    return Variable(name, read)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(variable,))
class Settings:
    """Base class: loads each field from its environment variable.

    They are no dataclasses: Python would write the methods of all of them at each function's init.
    """

    @classmethod
    def load(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the model from the environment. Raises SettingsError."""
        settings = cls()
        for field, (name, read) in cls.variables().items():
            try:
                vars(settings)[field] = read(environment[name])
            except KeyError:
                raise SettingsError(f"the environment variable {name} is missing") from None
            except ValueError as error:
                raise SettingsError(f"the environment variable {name} is wrong: {error}") from None
        return settings

    @classmethod
    def variables(cls) -> dict[str, Variable]:
        """Return the variable of each field."""
        return {
            field: each
            for base in reversed(cls.__mro__)
            for field, each in vars(base).items()
            if isinstance(each, Variable)
        }

    def __setattr__(self, name: str, _value: object) -> Never:
        raise AttributeError(f"settings do not change: {name}")
