"""JSON objects of requests and responses: their field names, and the sentences that explain a wrong value."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from webhooks.domain.values import value_type
from webhooks.entrypoints.api.json_names import json_name

INVALID = "invalid"  # the type of errors that explain themselves


class OtherName(NamedTuple):
    """Another name of a field in JSON, and how a value under that name is read."""

    field: str
    read: Callable[[Any], Any] = lambda value: value


class ApiModel(BaseModel):
    """A JSON object in a request: JSON types taken as they are, no unknown fields.

    `other_names`: names that clients may use in place of a field's own.
    """

    other_names: ClassVar[Mapping[str, OtherName]] = {}
    model_config = ConfigDict(alias_generator=json_name, extra="forbid", strict=True, frozen=True)


@value_type(frozen=True, slots=True)
class Explanation:
    """The sentence in place of pydantic's message; `covers_parts`: for errors inside the value too."""

    sentence: str
    covers_parts: bool


def explain(sentence: str) -> Explanation:
    """Explain an error of a field's value; errors inside the value have explanations of their own."""
    return Explanation(sentence, covers_parts=False)


def explain_whole(sentence: str) -> Explanation:
    """Explain an error of a field's value, or anywhere inside it, by one sentence."""
    return Explanation(sentence, covers_parts=True)


def invalid(sentence: str) -> PydanticCustomError:
    """Make an error with a sentence about the right value, which never quotes the wrong one."""
    return PydanticCustomError(INVALID, "{sentence}", {"sentence": sentence})
